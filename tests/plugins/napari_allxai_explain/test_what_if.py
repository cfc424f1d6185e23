"""What-if on the canvas, as a panel, and in napari's own viewer."""

from types import SimpleNamespace

import numpy as np
import pytest
from fake_engine import FakeEngine, by_darkness
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QMainWindow, QVBoxLayout, QWidget

from allxai_desktop.analyses.what_if import REMOVED, Change, WhatIf
from allxai_desktop.images import image_from_array
from allxai_desktop.networks.registry import list_networks
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session
from napari_allxai_annotate.canvas import PaintCanvas
from napari_allxai_annotate.widget import AnnotateWidget
from napari_allxai_explain.what_if import WhatIfBanner, WhatIfPanel, _logits
from napari_allxai_explain.what_if_view import BETWEEN, SHADOW, STRIPE, WhatIfView, hatch
from napari_allxai_explain.widget import ExplainWidget
from napari_allxai_widgets.dispatch import Dispatcher

SHAPE = (4, 8)


def cell():
    """A black nucleus on the left half, white background on the right."""
    pixels = np.full((*SHAPE, 3), 255, np.uint8)
    pixels[:, :4] = 0
    return image_from_array(pixels, "cell.png")


def codes():
    made = np.full(SHAPE, 5, np.uint8)
    made[:, :4] = 1
    return made


@pytest.fixture
def setting(qapp, qtbot):
    card = list_networks()[0]
    viewer, paint = ViewerModel(), PaintModel(codes())
    dispatch = Dispatcher()
    session, canvas = (
        Session(paint, FakeEngine(by_darkness), dispatch),
        PaintCanvas(viewer, paint),
    )
    image = cell()
    canvas.show(image)
    session.choose(network=card.name)
    session.set_image(image)
    what_if = WhatIf(session, dispatch)
    view = WhatIfView(canvas, what_if)
    panel, banner = WhatIfPanel(what_if, {card.name: card}), WhatIfBanner(what_if)
    qtbot.addWidget(panel)
    qtbot.addWidget(banner)
    qtbot.waitUntil(lambda: session.result is not None)
    yield SimpleNamespace(
        viewer=viewer, session=session, canvas=canvas, what_if=what_if, view=view, panel=panel, banner=banner
    )
    what_if.close()
    view.close()
    panel.disconnect_model()
    banner.disconnect_model()
    session.close()
    canvas.close()


def explained(what_if):
    return lambda: what_if.session.result is not None and what_if.session.result.before is not None


def test_the_hatching_is_made_of_stripes_with_a_shadow():
    assert hatch(np.arange(20), (10, 20))[:10].tolist() == [STRIPE, SHADOW, *[BETWEEN] * 7, STRIPE]
    assert hatch(np.array([20]), (10, 20)).tolist() == [SHADOW]
    wide = hatch(np.arange(30), (1000, 1000))
    assert wide[:9].tolist() == [STRIPE] * 4 + [SHADOW] * 4 + [BETWEEN]


def test_a_stroke_is_hatched_at_once_and_undone_with_it(setting):
    setting.what_if.active = True
    setting.what_if.region.apply(np.array([0, 1, 9]), REMOVED)
    layer = setting.view.hatch_layer
    assert np.flatnonzero(layer.data).tolist() == [0, 1, 9]
    setting.what_if.region.undo()
    assert not layer.data.any()


def test_the_filling_is_shown_over_the_image_whose_layer_stays_as_it_is(setting, qtbot):
    setting.what_if.active = True
    setting.what_if.region.apply(np.array([0]), REMOVED)
    qtbot.waitUntil(explained(setting.what_if))
    layer = setting.view.fill_layer
    assert layer.visible
    assert layer.data[0, 0].tolist() == [255, 255, 255, 255]
    assert layer.data[0, 1, 3] == 0
    assert np.array_equal(setting.canvas.image_layer.data, cell().pixels)
    assert np.array_equal(setting.canvas.mask_layer.data, codes())


def test_leaving_hides_everything_and_gives_the_brush_back(setting, qtbot):
    setting.what_if.remove_class("nucleus")
    assert setting.canvas.gestures.target is setting.what_if.region
    qtbot.waitUntil(explained(setting.what_if))
    setting.canvas.escape()
    assert not setting.what_if.active
    assert not setting.view.fill_layer.visible
    assert not setting.view.hatch_layer.visible
    assert setting.canvas.gestures.target is setting.canvas.model


def test_coming_back_shows_the_strokes_again(setting, qtbot):
    setting.what_if.remove_class("nucleus")
    setting.what_if.toggle()
    setting.what_if.region.undo()
    setting.what_if.region.apply(np.array([3]), REMOVED)
    setting.what_if.toggle()
    assert np.flatnonzero(setting.view.hatch_layer.data).tolist() == [3]
    qtbot.waitUntil(lambda: setting.view.fill_layer.visible)


def test_the_painted_layer_stays_the_active_one(setting):
    setting.what_if.active = True
    assert setting.viewer.layers.selection.active is setting.canvas.mask_layer


def test_a_map_that_comes_later_lies_over_the_filling(setting):
    setting.what_if.active = True
    layer = Image(np.zeros(SHAPE, np.float32))
    setting.viewer.layers.insert(1, layer)
    assert setting.viewer.layers.index(setting.view.fill_layer) == 1
    assert setting.viewer.layers.index(layer) == 2


def test_another_image_takes_the_layers_away(setting):
    setting.what_if.active = True
    image = cell()
    setting.session.set_image(image)
    assert list(setting.viewer.layers) == [setting.canvas.image_layer, setting.canvas.mask_layer]


def test_a_large_image_is_filled_in_a_small_picture_at_the_same_place(setting):
    size = (4100, 30)
    setting.canvas.model.new_image(np.zeros(size, np.uint8))
    image = image_from_array(np.zeros((*size, 3), np.uint8), "large.png")
    setting.canvas.show(image)
    setting.session.set_live(False)
    setting.session.set_image(image)
    setting.what_if.active = True
    layer = setting.view.fill_layer
    assert layer.data.shape == (1367, 10, 4)
    # Its corner is that of the image: half a pixel before the centre of the first.
    assert (layer.data_to_world((-0.5, -0.5)) == np.array([-0.5, -0.5])).all()


def test_the_colours_of_the_filling_are_adjusted_as_those_of_the_image(setting, qtbot):
    setting.view.look = lambda pixels: pixels // 2
    setting.what_if.active = True
    setting.what_if.region.apply(np.array([0]), REMOVED)
    qtbot.waitUntil(explained(setting.what_if))
    assert setting.view.fill_layer.data[0, 0].tolist() == [127, 127, 127, 255]
    setting.view.look = lambda pixels: pixels
    setting.view.refresh()
    assert setting.view.fill_layer.data[0, 0, 0] == 255


# The panel


def click(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_panel_takes_a_class_out_and_shows_the_change(setting, qtbot):
    panel = setting.panel
    panel.show()
    click(panel.classes[0])
    assert panel.toggle.isChecked()
    qtbot.waitUntil(explained(setting.what_if))
    assert panel.bars.texts() == ["50.0 % → 0.0 %", "50.0 % → 100.0 %"]
    assert panel.sentence.text().startswith("Without this part the network sees ")
    assert "100 % of it is out" in panel.classes[0].toolTip()
    click(panel.clear)
    qtbot.waitUntil(lambda: setting.what_if.variant is None)
    assert not panel.clear.isEnabled()
    click(panel.toggle)
    assert not setting.what_if.active
    assert not panel.bars.isVisible()


def test_a_class_that_is_not_in_the_mask_cannot_be_taken_out(setting):
    assert [button.isEnabled() for button in setting.panel.classes] == [True, False, False, False, True]


def test_the_panel_chooses_the_filling(setting):
    setting.panel.fill.setCurrentIndex(1)
    setting.panel.fill.activated.emit(1)
    assert setting.what_if.fill == "blur"


def test_without_live_it_says_why_nothing_follows(setting, qtbot):
    setting.session.set_live(False)
    setting.what_if.remove_class("nucleus")
    qtbot.waitUntil(lambda: setting.what_if.variant is not None)
    assert "Live" in setting.panel.sentence.text()


def test_without_an_image_there_is_nothing_to_begin(setting):
    setting.session.set_image(None)
    assert not setting.panel.toggle.isEnabled()
    assert not any(button.isEnabled() for button in setting.panel.classes)


def test_the_banner_says_how_much_is_out_and_leaves(setting, qtbot):
    assert setting.banner.isHidden()
    setting.what_if.remove_class("nucleus")
    qtbot.waitUntil(lambda: "50.0 %" in setting.banner.text.text())
    assert not setting.banner.isHidden()
    setting.banner.leave.click()
    assert not setting.what_if.active
    assert setting.banner.isHidden()


# Stock napari


@pytest.fixture
def stock(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    viewer = ViewerModel()
    widget = ExplainWidget(viewer, FakeEngine(by_darkness))
    window.setCentralWidget(QWidget())
    QVBoxLayout(window.centralWidget()).addWidget(widget)
    viewer.add_image(cell().pixels, rgb=True)
    window.show()
    qtbot.waitUntil(lambda: widget.session.result is not None)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    yield SimpleNamespace(window=window, viewer=viewer, widget=widget)
    widget.release()


def press(stock, name, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(stock.window, name, modifier)


def test_in_stock_napari_its_keys_work_while_it_is_active(stock):
    what_if, painting = stock.widget.what_if, stock.widget.painting
    press(stock, Qt.Key.Key_W)
    assert what_if.active
    assert painting.canvas.gestures.target is what_if.region
    what_if.region.apply(np.array([0]), REMOVED)
    press(stock, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not what_if.region.codes.any()
    press(stock, Qt.Key.Key_E)
    assert painting.model.tool == "eraser"
    press(stock, Qt.Key.Key_Escape)
    assert not what_if.active
    press(stock, Qt.Key.Key_B)
    assert painting.model.tool == "eraser"


def test_in_stock_napari_what_stands_there_is_no_image_to_work_on(stock, qtbot):
    stock.widget.what_if.active = True
    qtbot.wait(20)
    assert [layer.name for layer in stock.widget.painting.candidates()] == ["Image"]
    assert stock.widget.painting.canvas.image_layer.name == "Image"


def test_in_stock_napari_beside_the_annotate_widget_each_key_is_bound_once(stock, qtbot):
    press(stock, Qt.Key.Key_W)
    what_if = stock.widget.what_if
    annotate = AnnotateWidget(stock.viewer)
    stock.window.centralWidget().layout().addWidget(annotate)
    qtbot.waitUntil(lambda: annotate.panel.shortcuts is not None)
    what_if.region.apply(np.array([0]), REMOVED)
    press(stock, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not what_if.region.codes.any()
    annotate.release()
    press(stock, Qt.Key.Key_Escape)
    assert not what_if.active


def test_released_it_leaves_neither_layers_nor_brush(stock):
    stock.widget.what_if.active = True
    painting = stock.widget.painting
    stock.widget.release()
    assert [type(layer).__name__ for layer in stock.viewer.layers] == ["Image", "Labels"]
    assert painting.canvas.gestures.region is None


def test_a_negative_logit_has_a_minus_and_no_hyphen():
    assert _logits(Change("monocyte", 0.5, 0.5, 2.2, -2.1)) == "logit 2.2 → −2.1"
