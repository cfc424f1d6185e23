"""The trust panel: what it shows of its model, and what its buttons ask for."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor

from allxai_desktop.analyses.faithfulness import Faithfulness
from allxai_desktop.analyses.randomisation import Randomisation
from allxai_desktop.analyses.stability import Stability
from allxai_desktop.analyses.trust import TrustModel
from allxai_desktop.errors import AllxaiError
from allxai_desktop.images import image_from_array
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session
from napari_allxai_explain.curve_plot import MAP_COLOR, CurvePlot
from napari_allxai_explain.trust import TrustPanel
from napari_allxai_widgets.dispatch import Dispatcher

FALLING = np.linspace(1, 0, 21)
RESULTS = {
    "faithfulness": Faithfulness(FALLING**4, 1 - (1 - FALLING[::-1]) ** 4, np.stack([FALLING, FALLING**1.2])),
    "stability": Stability((0.9,), (0.9,)),
    "randomisation": Randomisation(((0.8, 0.5),), ((0.95, 0.5),)),
}


class Setting:
    """A panel over a model that answers with `RESULTS` once `gate` is open."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.error = None
        dispatch = Dispatcher()
        self.session = Session(PaintModel(np.array([[1, 1], [4, 5]], np.uint8)), self, dispatch)
        self.model = TrustModel(self.session, dispatch, self)
        self.panel = TrustPanel(self.model)

    def explain(self, image, choices, progress):
        explanation = SimpleNamespace(
            relevance=np.array([[4, 3], [2, 1]], np.float32),
            undefined=None,
            target="blast",
            explainer=choices.explainer,
            settings={},
            prediction=None,
            conservation=0.5,
        )
        return explanation, None

    def run(self, check, subject, progress):
        progress(0.25)
        assert self.gate.wait(10)
        progress(0.5)
        if self.error is not None:
            raise self.error
        return RESULTS[check]

    def twin(self, subject):
        return "LRP-z <= Gradient × Input" if subject.explainer == "lrp-z" else None

    def open(self, qtbot, explainer="deep-taylor"):
        self.session.choose(network="net", explainer=explainer)
        self.session.set_image(image_from_array(np.zeros((2, 2, 3), np.uint8), "cell.png"))
        qtbot.waitUntil(lambda: self.session.result is not None)


@pytest.fixture
def setting(qtbot):
    made = Setting()
    qtbot.addWidget(made.panel)
    made.panel.resize(380, 500)
    made.panel.show()
    yield made
    made.gate.set()
    made.panel.disconnect_model()
    made.model.close()
    made.session.close()


def shown(panel, check):
    return [label.text() for label in panel.sections[check].sentences if label.isVisible()]


def test_without_a_map_nothing_can_be_run(setting):
    panel = setting.panel
    assert panel.empty.text() == "There is no map yet: open an image and choose a network."
    assert panel.empty.isVisible()
    assert not panel.run_all.isEnabled()
    assert not any(section.run.isEnabled() for section in panel.sections.values())
    assert not panel.conservation.isVisible()


def test_the_figures_are_there_with_the_map(setting, qtbot):
    setting.open(qtbot)
    panel = setting.panel
    assert not panel.empty.isVisible()
    assert "adds up to 0.50 of the score" in panel.conservation.text()
    assert "ΣR ÷ logit = 0.50" in panel.conservation.text()
    assert "30\u00a0% of the positive relevance" in panel.outside.text()


def test_the_share_outside_follows_the_brush(setting, qtbot):
    setting.open(qtbot)
    setting.session.paint.apply(np.array([2]), 1)
    assert "10\u00a0% of the positive relevance" in setting.panel.outside.text()


def test_without_a_cell_it_says_what_to_paint(setting, qtbot):
    setting.open(qtbot)
    setting.session.paint.apply(np.array([0, 1]), 5)
    assert setting.panel.outside.text().startswith("Paint the cell and what surrounds it")


def test_an_equal_explainer_is_named_as_plain_text(setting, qtbot):
    setting.open(qtbot, "lrp-z")
    qtbot.waitUntil(setting.panel.twin.isVisible)
    assert "LRP-z &lt;= Gradient × Input" in setting.panel.twin.text()


def test_run_all_brings_a_sentence_a_figure(setting, qtbot):
    setting.open(qtbot)
    panel = setting.panel
    qtbot.mouseClick(panel.run_all, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(shown(panel, "randomisation")) == 1)
    assert len(shown(panel, "faithfulness")) == 2
    assert "points at what the network uses" in shown(panel, "faithfulness")[0]
    assert "leaves the map as it is" in shown(panel, "stability")[0]
    assert panel.sections["faithfulness"].plot.isVisible()
    assert not panel.sections["stability"].plot.isVisible()
    assert not panel.sections["stability"].run.isEnabled()
    assert not panel.run_all.isEnabled()


def test_one_check_can_be_run_and_cancelled(setting, qtbot):
    setting.open(qtbot)
    panel = setting.panel
    setting.gate.clear()
    qtbot.mouseClick(panel.sections["stability"].run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.progress.value() == 25)
    assert panel.progress.isVisible()
    assert panel.sections["stability"].state.text() == "running…"
    qtbot.mouseClick(panel.cancel, Qt.MouseButton.LeftButton)
    assert setting.model.running is None
    assert not panel.progress.isVisible()
    assert panel.sections["stability"].run.isEnabled()


def test_an_older_result_says_so_and_can_be_run_again(setting, qtbot):
    setting.open(qtbot)
    panel = setting.panel
    setting.model.run("stability")
    qtbot.waitUntil(lambda: bool(shown(panel, "stability")))
    setting.session.choose(explainer="gradient")
    section = panel.sections["stability"]
    qtbot.waitUntil(lambda: section.state.text() == "of an earlier map")
    assert section.run.isEnabled()
    assert not section.sentences[0].isEnabled()


def test_an_error_stands_where_the_sentence_would(setting, qtbot):
    setting.open(qtbot)
    setting.error = AllxaiError("Choose another network.")
    setting.model.run("stability")
    qtbot.waitUntil(lambda: shown(setting.panel, "stability") == ["Choose another network."])


def test_curves_are_drawn_left_falling_and_right_rising(qtbot):
    plot = CurvePlot()
    qtbot.addWidget(plot)
    plot.resize(320, plot.sizeHint().height())
    plot.show_curves(RESULTS["faithfulness"])
    picture = plot.grab().toImage()

    def heights(column):
        # Above the legend, which has the same colour.
        return [y for y in range(picture.height() - 16) if _near(picture.pixelColor(column, y), MAP_COLOR)]

    # The deletion curve has fallen to the bottom in the middle of the left plot, insertion is at the top there.
    assert min(heights(90)) > picture.height() / 2 > max(heights(250))


def _near(color, other):
    pairs = zip(color.getRgb()[:3], QColor(other).getRgb()[:3], strict=True)
    return all(abs(one - two) < 40 for one, two in pairs)
