"""The pictures: what they say, that nothing is cut, and what is not in their files."""

import io

import numpy as np
import pytest
from figures import texts_fit
from PIL import Image

from allxai_desktop.analyses.figure import PROGRAM, encode
from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import set_language
from allxai_desktop.training.measuring.confusion import draw_confusion
from allxai_desktop.training.measuring.evaluation import Answers, evaluate
from allxai_desktop.training.measuring.figures import (
    Curves,
    draw_curves,
    draw_reliability,
    draw_roc,
    save_picture,
)
from allxai_desktop.training.measuring.page import Caption

pytestmark = pytest.mark.slow

LONG = "Sombra de Gumprecht / célula destruida extraordinariamenteinterminable número"
DRAW = {"confusion": draw_confusion, "roc": draw_roc, "reliability": draw_reliability}


def evaluated(classes, images=150, validation=True, groups=None):
    random = np.random.default_rng(0)

    def answers(groups=None):
        truth = random.integers(0, classes, images)
        logits = random.normal(size=(images, classes)) + 2 * np.eye(classes)[truth]
        return Answers(logits, truth, tuple(map(str, range(images))), groups)

    names = tuple("abcdefghijklmno"[:classes])
    return evaluate(answers(groups), names, names[0], answers() if validation else None)


TWO, FIFTEEN = evaluated(2), evaluated(15)


def caption(evaluation, name="Class", leaking=False):
    return Caption("A network · Test", tuple(f"{name} {c}" for c in evaluation.classes), leaking)


def ground(figure):
    """Return the words outside the axes."""
    (axes,) = (axes for axes in figure.axes if axes.get_label() == "ground")
    return [text.get_text() for text in axes.texts]


def boxes(figure):
    """Return the boxes in pixels of all that is written, and whether each is outside axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    found = []
    for axes in figure.axes:
        texts = list(axes.texts)
        if axes.axison:
            ticks = [
                tick.label1
                for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim()))
                for tick in axis.get_major_ticks()
                if low <= tick.get_loc() <= high and tick.label1.get_visible()
            ]
            texts += [*ticks, axes.xaxis.label, axes.yaxis.label]
        found += [text.get_window_extent(renderer) for text in texts if text.get_text().strip()]
    return found


@pytest.mark.parametrize(("language", "name"), [("en", "x"), ("es", LONG)])
@pytest.mark.parametrize("evaluation", [TWO, FIFTEEN], ids=["2", "15"])
@pytest.mark.parametrize("kind", DRAW)
def test_no_text_is_cut_or_lies_over_another(kind, evaluation, name, language):
    set_language(language)
    figure = DRAW[kind](evaluation, caption(evaluation, name, leaking=True))
    assert texts_fit(boxes(figure), figure.bbox)


@pytest.mark.parametrize(
    "curves",
    [
        Curves([123456.0]),
        Curves([3e-5, 2e-5], [4e-5, None], [0.999, 1.0], [None, 0.9]),
        Curves(list(np.geomspace(5, 0.1, 110)), list(np.geomspace(6, 0.3, 110))),
    ],
)
def test_the_words_of_curves_are_inside(curves):
    figure = draw_curves(curves, Caption("A network · " + LONG))
    assert all(
        figure.bbox.x0 <= box.x0
        and box.x1 <= figure.bbox.x1
        and figure.bbox.y0 <= box.y0
        and box.y1 <= figure.bbox.y1
        for box in boxes(figure)
    )


def test_curves_leave_a_gap_where_nothing_was_measured():
    figure = draw_curves(Curves([2.0, 1.0], [None, 3.0], [0.5, 0.75]), Caption("A"))
    loss, accuracy = figure.axes[:2]
    train, validation = loss.lines
    assert train.get_xdata().tolist() == [1, 2]
    assert train.get_ydata().tolist() == [2, 1]
    assert np.isnan(validation.get_ydata()[0])
    assert accuracy.lines[0].get_ydata().tolist() == [50, 75]


def test_without_accuracies_there_is_one_panel():
    figure = draw_curves(Curves([2.0, 1.0]), Caption("A"))
    assert [axes.get_label() for axes in figure.axes] == ["0", "ground"]
    assert "Validation" not in ground(figure)


def test_without_a_validation_part_none_is_named():
    assert "Validation" not in ground(
        draw_curves(Curves([2.0, 1.0], [None, None], [0.5, 0.75]), Caption("A"))
    )


def test_the_matrix_has_every_count_recall_and_precision():
    words = ground(draw_confusion(TWO, caption(TWO)))
    (tp, fn), (fp, tn) = TWO.confusion
    for count in (tp, fn, fp, tn):
        assert str(count) in words
    for share in (tp / (tp + fn), tn / (fp + tn), tp / (tp + fp), tn / (fn + tn)):
        assert f"{100 * share:.1f}\u00a0%" in words
    assert "Positive class: Class a" in words


def test_the_curve_of_two_classes_is_of_the_positive_one():
    figure = draw_roc(TWO, caption(TWO))
    words = " ".join(ground(figure))
    assert "Class a · AUC " in words
    assert "Class b" not in words
    curve = TWO.roc["a"]
    assert figure.axes[0].lines[1].get_ydata() == pytest.approx(100 * curve.true_positive_rate)


def test_each_of_several_classes_has_a_curve_of_its_own_look():
    lines = draw_roc(FIFTEEN, caption(FIFTEEN)).axes[0].lines[1:]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 15


def test_a_class_without_images_has_no_curve():
    found = evaluate(Answers(np.eye(3)[[0, 1, 0]], np.array([0, 1, 1]), tuple("xyz")), ("a", "b", "c"))
    figure = draw_roc(found, caption(found))
    assert len(figure.axes[0].lines) == 1 + 2
    assert "Class c · AUC –" in ground(figure)


def test_the_reliability_before_and_after_the_temperature():
    words = " ".join(ground(draw_reliability(TWO, caption(TWO))))
    assert f"Temperature {TWO.temperature:.2f} · Calibration error" in words
    assert "fitted on the validation part" in words
    alone = evaluated(2, validation=False)
    assert "no temperature was fitted" in " ".join(ground(draw_reliability(alone, caption(alone))))


def test_a_leaking_figure_says_so():
    for draw in DRAW.values():
        assert "LEAKING" in " ".join(ground(draw(TWO, caption(TWO, leaking=True))))
        assert "LEAKING" not in " ".join(ground(draw(TWO, caption(TWO))))


def test_few_groups_are_named():
    found = evaluated(2, groups=tuple(i % 8 for i in range(150)))
    words = " ".join(ground(draw_roc(found, caption(found))))
    assert "bootstrap over 8 groups" in words
    assert "too narrow" in words


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_the_file_names_nothing_but_the_program(kind, tmp_path):
    path = tmp_path / f"roc.{kind}"
    save_picture(path, draw_roc(TWO, caption(TWO)))
    data = path.read_bytes()
    if kind == "png":
        info = Image.open(io.BytesIO(data)).info
        assert {key: value for key, value in info.items() if key != "dpi"} == {"Software": PROGRAM}
    else:
        assert b"/Creator (" + PROGRAM.encode() + b")" in data
        for word in (b"/Producer", b"/Author", b"/Title", b"Date"):
            assert word not in data


def test_the_same_evaluation_gives_the_same_file():
    assert encode(draw_roc(TWO, caption(TWO)), "png") == encode(draw_roc(TWO, caption(TWO)), "png")


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(AllxaiError, match=r"a\.svg"):
        save_picture(tmp_path / "a.svg", draw_roc(TWO, caption(TWO)))
    assert list(tmp_path.iterdir()) == []
