"""The panel of the regions: what it shows of its model, and what its controls ask for."""

import threading

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor

from allxai_desktop.analyses.regions import RegionShapley
from allxai_desktop.analyses.regions_model import RegionsModel
from allxai_desktop.cellclasses import BY_KEY
from allxai_desktop.images import image_from_array
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session
from napari_allxai_explain.regions import RegionBars, RegionsPanel
from napari_allxai_widgets.dispatch import Dispatcher

VALUES = {"nucleus": 2.0, "rbc": -1.0, "background": 0.0}


class Setting:
    """A panel over a model that answers with `VALUES` once `gate` is open."""

    def __init__(self, codes):
        self.gate = threading.Event()
        self.gate.set()
        self.paint = PaintModel(codes)
        self.session = Session(self.paint)
        self.session.set_live(False)
        self.model = RegionsModel(self.session, Dispatcher(), self.answer)
        self.panel = RegionsPanel(self.model)

    def answer(self, question, progress):
        progress(0.25)
        assert self.gate.wait(10)
        progress(0.5)
        return RegionShapley(
            VALUES, "monocyte", "monocyte", 1.5, 0.5, question.fill, question.network, 0, 0.1
        )

    def open(self):
        self.session.choose(network="pbc-mobilenet-v1")
        self.session.set_image(image_from_array(np.zeros((2, 2, 3), np.uint8), "cell.png"))


@pytest.fixture
def setting(qtbot):
    made = Setting(np.array([[1, 1], [4, 5]], np.uint8))
    qtbot.addWidget(made.panel)
    made.panel.resize(380, 260)
    made.panel.show()
    yield made
    made.gate.set()
    made.panel.disconnect_model()
    made.model.close()
    made.session.close()


@pytest.fixture
def answered(setting, qtbot):
    setting.open()
    qtbot.mouseClick(setting.panel.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: setting.model.state == "result")
    return setting


def test_before_an_image_it_says_what_to_do_and_offers_no_button(setting):
    assert "Open an image" in setting.panel.message.text()
    assert not setting.panel.button.isEnabled()
    assert not setting.panel.bars.isVisible()


def test_without_a_label_it_says_what_to_do(setting):
    setting.open()
    setting.paint.apply(np.arange(4), 0)
    assert "Paint at least one class" in setting.panel.message.text()
    assert not setting.panel.button.isEnabled()


def test_the_button_brings_bars_sum_and_a_sentence(answered):
    panel = answered.panel
    assert panel.bars.accessibleDescription() == "Nucleus +2.00; Red blood cell −1.00; Background 0.00"
    assert "sum +1.00 = 1.50" in panel.sum.text()
    assert panel.conditions.text() == "Filled with: local background"
    assert "taking the nucleus out lowers the score of “Monocyte”" in panel.conclusion.text()
    assert panel.conclusion.isVisible()
    assert not panel.warning.isVisible()


def test_while_it_computes_the_same_button_cancels(setting, qtbot):
    setting.open()
    setting.gate.clear()
    qtbot.mouseClick(setting.panel.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: setting.panel.progress.value() == 25)
    assert setting.panel.progress.isVisible()
    assert setting.panel.button.text() == "Cancel"
    qtbot.mouseClick(setting.panel.button, Qt.MouseButton.LeftButton)
    assert setting.model.state == "empty"
    assert not setting.panel.progress.isVisible()
    assert setting.panel.button.text() == "Compute"


def test_out_of_date_it_says_what_changed_and_takes_the_sentence_away(answered):
    answered.paint.apply(np.array([3]), 1)
    assert answered.panel.warning.isVisible()
    assert "the mask" in answered.panel.warning.text()
    assert not answered.panel.conclusion.isVisible()


def test_the_fill_is_the_models(setting, qtbot):
    fill = setting.panel.fill
    fill.setFocus()
    qtbot.keyClick(fill, Qt.Key.Key_Down)
    assert setting.model.fill == fill.value == "blur"


def test_auto_asks_at_once(setting, qtbot):
    setting.open()
    setting.panel.automatic.click()
    qtbot.waitUntil(lambda: setting.model.state == "result")
    assert setting.model.automatic


def test_the_tab_order_follows_the_row(setting, qtbot):
    setting.open()
    panel = setting.panel
    panel.activateWindow()
    panel.fill.setFocus()
    qtbot.waitUntil(panel.fill.hasFocus)
    qtbot.keyClick(panel.fill, Qt.Key.Key_Tab)
    assert panel.automatic.hasFocus()
    qtbot.keyClick(panel.automatic, Qt.Key.Key_Tab)
    assert panel.button.hasFocus()


def test_every_control_has_a_name_and_a_tooltip(answered):
    panel = answered.panel
    for control in (panel.fill, panel.automatic, panel.button, panel.progress, panel.bars):
        assert control.accessibleName()
        assert control.toolTip()


def test_bars_go_to_both_sides_of_one_zero_in_the_colours_of_the_classes(qtbot):
    bars = RegionBars()
    qtbot.addWidget(bars)
    bars.show_values({"nucleus": 2.0, "rbc": -2.0})
    bars.resize(400, bars.sizeHint().height())
    picture = bars.grab().toImage()

    def drawn(row, key):
        """Columns right of the letters that have the colour of the class, in the middle of its row."""
        color = QColor(*BY_KEY[key].color)
        y = round((row + 0.5) * RegionBars.ROW) + 1
        ratio = picture.devicePixelRatio()
        return [x for x in range(30, 400) if picture.pixelColor(round(x * ratio), round(y * ratio)) == color]

    right, left = drawn(0, "nucleus"), drawn(1, "rbc")
    assert max(left) < min(right)
    assert len(left) == pytest.approx(len(right), abs=2)
    assert len(right) > 50
