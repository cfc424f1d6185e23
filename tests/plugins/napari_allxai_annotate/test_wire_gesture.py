import numpy as np
import pytest
from qtpy.QtCore import Qt


@pytest.fixture
def window(window):
    """Return the window on a dark square, with the live wire in hand."""
    window.canvas.gestures.pixels[10:31, 20:41] = (90, 30, 120)
    window.model.tool = "wire"
    return window


def test_the_outline_follows_the_edge_to_the_mouse(window, mouse):
    view = window.canvas.gestures.view
    mouse.click(10, 30)
    mouse.move(20, 20)
    path = view.path
    assert all(9 <= row <= 11 or 19 <= column <= 21 for row, column in path)
    assert len(path) > 10
    assert len(view.marks) == 1


def test_a_few_clicks_fill_the_square_in_one_step(window, mouse, qtbot, shown):
    model = window.model
    for corner in ((10, 21), (10, 39), (30, 39), (30, 21)):
        mouse.click(*corner)
    qtbot.keyClick(window, Qt.Key.Key_Return)
    assert (model.codes[12:29, 22:39] == 1).all()
    outside = np.ones(model.shape, bool)
    outside[9:32, 19:42] = False
    assert not model.codes[outside].any()
    assert shown()
    model.undo()
    assert not model.codes.any()


def test_backspace_takes_a_whole_way_back(window, mouse, qtbot):
    gestures = window.canvas.gestures
    mouse.click(10, 30)
    mouse.click(20, 20)
    assert len(gestures.view.path) > 10
    qtbot.keyClick(window, Qt.Key.Key_Backspace)
    assert len(gestures.view.path) == 1
    # The wire starts from the click that is left.
    mouse.move(10, 28)
    assert len(gestures.view.path) == 3
    qtbot.keyClick(window, Qt.Key.Key_Backspace)
    assert not gestures.drawing


def test_a_double_click_closes_and_locks_hold(window, mouse):
    model = window.model
    model.apply(np.arange(15 * 60 + 25, 15 * 60 + 30), 4)
    model.locked = {4}
    for corner in ((10, 21), (10, 39), (30, 39)):
        mouse.click(*corner)
    mouse.double_click(30, 21)
    assert model.codes[20, 30] == 1
    assert (model.codes[15, 25:30] == 4).all()


def test_escape_gives_the_wire_up(window, mouse, qtbot):
    mouse.click(10, 30)
    mouse.click(20, 20)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.canvas.gestures.drawing
    assert not window.model.codes.any()
