"""The compare window, driven as a person does; what is checked is the model and what is drawn."""

import threading
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog, QLabel

from allxai_desktop.analyses.comparison import Comparison
from allxai_desktop.analyses.grid import Method
from allxai_desktop.errors import AllxaiError
from allxai_desktop.explainers.explain import Explanation
from allxai_desktop.i18n import set_language
from allxai_desktop.images import image_from_array
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session
from napari_allxai_explain.compare import CompareWindow
from napari_allxai_widgets.dispatch import Dispatcher

GRADIENT, CAM = Method("gradient"), Method("grad-cam")
SIDE = 40


def card(name):
    return SimpleNamespace(
        name=name,
        title=f"Network {name}",
        domain_description="Cells in a smear",
        classes=("monocyte", "lymphocyte"),
        class_title=lambda key: f"{key.title()} of a kind that has a name of many words",
    )


class FakeEngine:
    """Relevance grows to the right, on network b ten times as strong; waits while `gate` is closed."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.asked = []

    def explain(self, image, network, method, target, progress):
        self.asked.append((network, method.name))
        self.gate.wait(10)
        if network == "c":
            raise AllxaiError("Choose another network.")
        relevance = np.tile(np.linspace(0, 1, SIDE, dtype=np.float32), (SIDE, 1))
        if network == "b":
            relevance = relevance * np.float32(10)
        prediction = SimpleNamespace(
            probabilities={"monocyte": 0.75, "lymphocyte": 0.25}, predicted="monocyte"
        )
        return Explanation(
            relevance, None, target or "monocyte", 1.0, 0.75, prediction, method.name, {}, None, 0.1
        )

    def warning(self, image, network):
        return "An image from elsewhere." if network == "b" else None

    def twin(self, network, method):
        return "They are the same map." if method.name == "lrp-z" else None


def cell_image(name="a.png"):
    return image_from_array(np.full((SIDE, SIDE, 3), 200, np.uint8), name)


@pytest.fixture
def session():
    codes = np.full((SIDE, SIDE), 5, np.uint8)
    codes[:, SIDE // 2 :] = 1
    made = Session(PaintModel(codes), object())
    made.set_image(cell_image())
    yield made
    made.close()


@pytest.fixture
def engine():
    made = FakeEngine()
    yield made
    made.gate.set()


@pytest.fixture
def window(qtbot, session, engine):
    model = Comparison(session, [card("a"), card("b")], engine, Dispatcher())
    model.choose(methods=(GRADIENT, CAM), colormap="jet", rule="mean")
    made = CompareWindow(model)
    qtbot.addWidget(made)
    made.resize(1366, 738)
    yield made
    engine.gate.set()
    made.close()
    made.release()


@pytest.fixture
def opened(window, qtbot):
    window.open()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: done(window))
    return window


def done(window):
    grid = window.model.grid
    wanted = len(grid.cards) * len(grid.choices.methods)
    return not window.model.runner.running and len(grid.cells) == wanted


def tick(box, row, on=True):
    box.item(row).setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)


def pixel(view, x, y):
    """Return the colour drawn at fractions of a picture."""
    frame = view.frame()
    color = (
        view.grab()
        .toImage()
        .pixelColor(int(frame.left() + x * frame.width()), int(frame.top() + y * frame.height()))
    )
    return color.red(), color.green(), color.blue()


def wheel(view, x, y, steps, sideways=0):
    frame = view.frame()
    at = QPointF(frame.left() + x * frame.width(), frame.top() + y * frame.height())
    event = QWheelEvent(
        at,
        QPointF(view.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(120 * sideways, 120 * steps),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)
    return event.isAccepted()


def test_opened_it_compares_the_image_of_the_session(opened, engine):
    assert engine.asked == [("a", "gradient"), ("a", "grad-cam"), ("b", "gradient"), ("b", "grad-cam")]
    assert all(view.layers for view in opened.grid.views.values())
    assert opened.pages.currentWidget() is opened.grid


def test_the_head_of_a_network_tells_its_prediction_and_its_warning(opened):
    assert "Predicted: Monocyte of a kind that has a name of many words 75.0" in opened.grid.heads["a"].text()
    assert opened.grid.heads["b"].text().startswith("<b>⚠ Network b")
    assert "An image from elsewhere." in opened.grid.warning.text()


def test_a_map_that_blew_up_is_not_shown_without_a_word(opened):
    grid = opened.model.grid
    cell = grid.cells["a", GRADIENT]
    grid.cells["a", GRADIENT] = replace(cell, explanation=replace(cell.explanation, conservation=4.4e21))
    opened.grid.show_cell(grid.cells["a", GRADIENT])
    head = opened.grid.row_heads[GRADIENT]
    assert head.text() == "<b>⚠ Gradient</b>"
    assert "Network a: The pixels' relevance adds up to 4.4e+21 of the score" in head.toolTip()


def test_one_scale_leaves_the_weak_map_blue_and_its_own_shows_it(opened, qtbot):
    weak = opened.grid.views["a", CAM]
    red, _green, blue = pixel(weak, 0.97, 0.5)
    assert blue > red
    opened.shared_scale.click()
    qtbot.waitUntil(lambda: done(opened))
    red, _green, blue = pixel(opened.grid.views["a", CAM], 0.97, 0.5)
    assert red > blue
    assert not opened.model.choices.shared_scale


def test_the_shares_stand_under_each_map(opened):
    # The right half, nucleus, holds all that is above the mean.
    shares = opened.grid.strips["b", GRADIENT].shares
    assert shares["nucleus"].relevant_share == 1.0
    assert (
        "Nucleus: 50.0 % of the area, 100.0 % of the relevance" in opened.grid.strips["b", GRADIENT].toolTip()
    )


def test_nothing_lies_over_anything_on_a_small_screen(opened, qtbot):
    opened.resize(944, 500)
    qtbot.waitUntil(lambda: opened.width() == 944)
    grid = opened.grid
    grid.warning.setText("A warning of the network that takes many lines. " * 4)
    grid.warning.show()
    qtbot.wait(100)
    parts = (grid.source_head, grid.source, grid.areas, grid.at_cursor, grid.warning, grid.hint)
    for above, below in pairwise(parts):
        assert above.geometry().bottom() < below.geometry().top()


def test_the_wheel_over_one_picture_zooms_all(opened):
    before = pixel(opened.grid.views["b", CAM], 0.1, 0.5)
    wheel(opened.grid.views["a", GRADIENT], 1.0 - 1e-3, 0.5, 6)
    assert opened.grid.link.zoom == pytest.approx(1.25**6)
    # The left edge of every picture has moved to where the map is strong.
    assert pixel(opened.grid.views["b", CAM], 0.1, 0.5) != before


def test_a_drag_in_one_picture_moves_all_and_a_double_click_shows_all(opened):
    opened.grid.link.zoom_by(4)
    view = opened.grid.views["b", CAM]
    width = view.frame().width()
    middle = view.rect().center()
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(view, left, Qt.KeyboardModifier.NoModifier, middle)
    QTest.mouseMove(view, middle + QPoint(round(width / 4), 0))
    QTest.mouseRelease(view, left, Qt.KeyboardModifier.NoModifier, middle + QPoint(round(width / 4), 0))
    assert opened.grid.link.center[0] == pytest.approx(0.5 - 1 / 16, abs=0.003)
    QTest.mouseDClick(view, left, Qt.KeyboardModifier.NoModifier, middle)
    assert opened.grid.link.zoom == 1


def test_a_drag_whose_release_another_window_took_is_over(opened):
    opened.grid.link.zoom_by(4)
    view = opened.grid.views["b", CAM]
    middle = view.rect().center()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    at = QPointF(middle + QPoint(20, 0))
    none = Qt.MouseButton.NoButton
    moved = QMouseEvent(QEvent.Type.MouseMove, at, at, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view, moved)
    assert opened.grid.link.center == (0.5, 0.5)


def test_two_fingers_that_go_sideways_are_left_to_the_scroll_area(opened):
    view = opened.grid.views["b", CAM]
    assert not wheel(view, 0.5, 0.5, 0, sideways=1)
    assert wheel(view, 0.5, 0.5, 1)


def test_the_value_at_the_cursor_is_read_in_all_pictures(opened):
    opened.grid.link.point((0.999, 0.5))
    assert opened.grid.views["a", CAM].value() == 1.0
    assert opened.grid.views["b", CAM].value() == 10.0
    assert opened.grid.at_cursor.text() == "At the cursor: Nucleus"


def test_a_tick_adds_a_network_and_computes_only_its_column(opened, engine, qtbot):
    tick(opened.networks, 1, on=False)
    qtbot.waitUntil(lambda: done(opened))
    assert [key[0] for key in opened.grid.views] == ["a", "a"]
    engine.asked.clear()
    tick(opened.networks, 1)
    qtbot.waitUntil(lambda: done(opened))
    assert {network for network, _method in engine.asked} == {"b"}


def test_without_a_network_it_says_what_to_do(opened, qtbot):
    for row in (0, 1):
        tick(opened.networks, row, on=False)
    assert opened.pages.currentWidget() is opened.empty
    assert "Tick" in opened.empty.text()
    assert not opened.export.isEnabled()


def test_without_an_image_it_says_what_to_do_and_waits_for_one(window, session, qtbot):
    session.set_image(None)
    window.open()
    assert "Open an image" in window.empty.text()
    session.set_image(cell_image())
    qtbot.waitUntil(lambda: window.model.grid is not None and done(window))
    assert window.pages.currentWidget() is window.grid


def test_a_network_that_fails_leaves_the_others(qtbot, session, engine):
    made = CompareWindow(Comparison(session, [card("c"), card("a")], engine, Dispatcher()))
    qtbot.addWidget(made)
    made.model.choose(methods=(CAM,))
    made.open()
    qtbot.waitUntil(lambda: done(made))
    assert made.grid.views["c", CAM].message == "Choose another network."
    assert made.grid.views["a", CAM].layers
    made.close()
    made.release()


def test_a_stroke_marks_it_outdated_until_the_button_is_pressed(opened, session, qtbot):
    assert not opened.outdated.isVisible()
    session.paint.apply(np.arange(SIDE), 2)
    assert opened.outdated.isVisible()
    opened.update_now.click()
    qtbot.waitUntil(lambda: done(opened))
    assert not opened.outdated.isVisible()
    assert opened.grid.areas.shares["cytoplasm"].pixels == SIDE


def test_cancel_stops_and_says_what_is_missing(window, engine, qtbot):
    engine.gate.clear()
    window.open()
    qtbot.waitUntil(lambda: bool(engine.asked))
    assert window.cancel.isVisible()
    assert not window.export.isEnabled()
    window.cancel.click()
    engine.gate.set()
    assert not window.cancel.isVisible()
    assert window.grid.views["b", CAM].message == "Not computed"


def test_closed_it_lets_go_of_the_maps(opened):
    opened.close()
    assert opened.model.grid is None
    assert opened.grid.views == {}


def test_the_figure_is_exported_under_the_name_that_was_typed(opened, tmp_path, qtbot, monkeypatch):
    path = tmp_path / "figure"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(path), "PNG (*.png)"))
    names = []
    from allxai_desktop.analyses import figure

    draw = figure.draw_figure
    monkeypatch.setattr(figure, "draw_figure", lambda grid, name: (names.append(name), draw(grid, name))[1])
    QTest.keyClicks(opened.name, "Cell 7")
    opened.export.click()
    qtbot.waitUntil(lambda: "was written" in opened.message.text(), timeout=20_000)
    assert names == ["Cell 7"]
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("typed", "chosen", "written"),
    [
        ("cell v1.2", "PNG (*.png)", "cell v1.2.png"),
        ("cell.png", "PDF (*.pdf)", "cell.pdf"),
        ("cell.pdf", "PNG (*.png)", "cell.pdf"),
    ],
)
def test_a_figure_has_the_ending_that_was_typed_or_chosen(opened, monkeypatch, typed, chosen, written):
    paths = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (typed, chosen))
    monkeypatch.setattr(opened.model, "export", lambda path, _name: paths.append(path))
    opened.ask_export()
    assert paths == [written]


def test_a_figure_spares_a_file_that_the_dialog_did_not_ask_about(opened, tmp_path, monkeypatch):
    (tmp_path / "cell.png").touch()
    paths = []
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_args: (str(tmp_path / "cell"), "PNG (*.png)")
    )
    monkeypatch.setattr(opened.model, "export", lambda path, _name: paths.append(path))
    opened.ask_export()
    assert paths == [str(tmp_path / "cell-2.png")]


def test_a_figure_that_cannot_be_written_is_told(opened, tmp_path, qtbot, monkeypatch):
    path = str(tmp_path / "gone" / "deeper" / "figure.png")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (path, "PNG (*.png)"))
    opened.export.click()
    qtbot.waitUntil(lambda: "figure.png" in opened.message.text())
    assert opened.export.isEnabled()


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_text_is_cut_at_the_smallest_size(opened, language, qtbot):
    set_language(language)
    opened.retranslate()

    def cut():
        return [
            label.text()
            for label in opened.findChildren(QLabel)
            if label.isVisible()
            and (
                label.heightForWidth(label.width()) > label.height() + 1
                if label.wordWrap()
                else label.sizeHint().width() > label.width() + 1
            )
        ]

    # The layout follows once the event loop runs.
    qtbot.waitUntil(lambda: cut() == [])
    assert opened.width() <= 1366
    assert opened.height() <= 738


def test_every_control_has_a_name_and_a_tip(opened):
    controls = (
        opened.networks,
        opened.explainers,
        opened.target,
        opened.rule,
        opened.colormap,
        opened.shared_scale,
        opened.name,
        opened.export,
        opened.cancel,
        opened.update_now,
    )
    assert all(control.accessibleName() and control.toolTip() for control in controls)


def test_explainers_that_are_the_same_become_one_row(opened, qtbot):
    opened.model.choose(methods=(Method("gradient-x-input"), Method("lrp-z")))
    qtbot.waitUntil(lambda: done(opened))
    assert not opened.grid.views["a", Method("lrp-z")].isVisible()
    assert opened.grid.views["a", Method("gradient-x-input")].isVisible()
    heads = [label.text() for label in opened.grid.body.widget().findChildren(QLabel) if label.isVisible()]
    assert heads == ["<b>Gradient × Input = LRP-z</b>"]


def test_the_heads_grow_with_what_is_predicted(opened):
    heads = opened.grid.heads.values()
    assert all(head.height() >= head.heightForWidth(head.width()) for head in heads)
    assert opened.grid.header.height() >= max(head.height() for head in heads)
