"""A region that is painted in place of the mask, as what-if does."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from allxai_desktop.painting.engine import PaintModel

RIGHT = Qt.MouseButton.RightButton


@pytest.fixture
def region(window):
    made = PaintModel(np.zeros(window.model.shape, np.uint8))
    window.canvas.gestures.region = made
    yield made
    window.canvas.gestures.region = None


def painted(model):
    return np.flatnonzero(model.codes).tolist()


def test_strokes_go_to_the_region_and_leave_the_mask_and_its_history(window, mouse, region, shown):
    window.model.active = 3
    mouse.drag((10, 5), (10, 15))
    assert painted(region) == list(range(605, 616))
    assert region.codes.max() == 1
    assert not window.model.codes.any()
    assert not window.model.can_undo
    assert shown()


def test_the_right_button_and_the_eraser_put_back(window, mouse, region):
    mouse.drag((10, 5), (10, 15))
    mouse.drag((10, 8), (10, 9), button=RIGHT)
    window.model.tool = "eraser"
    mouse.drag((10, 12), (10, 13))
    assert painted(region) == [605, 606, 607, 610, 611, 614, 615]


def test_fill_takes_a_region_of_the_mask_and_a_polygon_its_inside(window, mouse, region):
    window.model.apply(np.array([0, 1, 60]), 4)
    window.model.tool = "fill"
    mouse.click(0, 0)
    assert painted(region) == [0, 1, 60]
    window.model.tool = "freehand"
    mouse.drag((10, 10), (10, 12), (12, 12), (12, 10))
    assert set(painted(region)) >= {671}


def test_locks_of_the_mask_do_not_hold_the_region(window, mouse, region):
    window.model.locked = {0}
    mouse.click(10, 5)
    assert painted(region) == [605]


def test_a_hidden_mask_stays_hidden(window, mouse, region):
    window.model.mask_visible = False
    mouse.click(10, 5)
    assert not window.model.mask_visible


def test_undo_and_redo_act_on_the_region(window, mouse, region):
    window.model.apply(np.array([0]), 4)
    assert not window.panel.undo.isEnabled()
    mouse.click(10, 5)
    assert window.panel.undo.isEnabled()
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert painted(region) == []
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert painted(window.model) == [0]
    shift = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(window, Qt.Key.Key_Z, shift)
    assert painted(region) == [605]
    window.canvas.gestures.region = None
    assert window.panel.undo.isEnabled()
    assert not window.panel.redo.isEnabled()


def test_escape_gives_up_the_outline_first_and_then_asks_to_leave(window, mouse, region):
    left = []
    window.canvas.left.connect(lambda: left.append(True))
    window.model.tool = "polygon"
    mouse.click(10, 5)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.canvas.gestures.drawing
    assert left == []
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert left == [True]


def test_a_stroke_in_hand_ends_where_it_is(window, mouse, region):
    mouse.press(10, 5)
    window.canvas.gestures.region = None
    mouse.move(10, 15)
    mouse.release(10, 15)
    assert painted(region) == [605]
    assert region.can_undo
    assert not window.model.codes.any()


def test_the_mouse_paints_a_region_also_where_nobody_annotates(window, mouse, region):
    window.canvas.gestures.enabled = False
    mouse.click(10, 5)
    assert painted(region) == [605]
    window.canvas.gestures.region = None
    mouse.click(10, 7)
    window.canvas.gestures.enabled = True
    assert not window.model.codes.any()
