import numpy as np
import pytest
from qtpy.QtCore import Qt


@pytest.fixture
def window(window):
    """Return the window on an image of 40 × 60 px in three greys, side by side, with the wand in hand."""
    pixels = window.canvas.gestures.pixels
    pixels[:, :30] = 150
    pixels[:, 50:] = 0
    window.model.tool, window.model.tolerance = "wand", 9
    return window


def test_a_click_takes_the_region_under_the_mouse(window, mouse, shown):
    mouse.click(15, 15)
    assert np.count_nonzero(window.model.codes) == 1200
    assert (window.model.codes[:, :30] == 1).all()
    assert shown()


def test_a_drag_to_the_right_takes_more_and_back_again_less_in_one_step(window, mouse, shown):
    mouse.press(15, 15)
    mouse.move(15, 27)
    assert window.model.tolerance > 20
    assert (window.model.codes[:, :45] == 1).all()
    assert not window.model.codes[:, 52:].any()
    assert shown()
    mouse.move(15, 15)
    mouse.release(15, 15)
    assert np.count_nonzero(window.model.codes) == 1200
    assert shown()
    window.model.undo()
    assert not window.model.codes.any()


def test_a_class_that_is_chosen_during_a_drag_keeps_its_tolerance(window, mouse):
    mouse.press(15, 15)
    window.model.active = 4
    mouse.move(15, 27)
    mouse.release(15, 27)
    assert np.count_nonzero(window.model.codes == 1) == 1200
    assert window.model.tolerance == 12
    window.model.active = 1
    assert window.model.tolerance == 9


def test_locks_and_only_over_hold(window, mouse):
    window.model.apply(np.arange(12 * 60 + 12, 12 * 60 + 15), 4)
    window.model.locked = {4}
    mouse.click(15, 15)
    assert np.count_nonzero(window.model.codes == 1) == 1197


def test_the_right_button_erases_the_region(window, mouse):
    window.model.apply(np.arange(window.model.codes.size), 2)
    mouse.click(15, 15, Qt.MouseButton.RightButton)
    assert np.count_nonzero(window.model.codes == 0) == 1200


def test_the_row_of_the_size_shows_and_sets_the_tolerance(window, qtbot):
    panel, model = window.panel, window.model
    assert (panel.size_label.text(), panel.size_value.text()) == ("Tolerance", "9 ΔE")
    panel.size_slider.setValue(40)
    assert model.tolerance == 40
    qtbot.keyClick(window.view.canvas.native, "+")
    assert panel.size_value.value() == 41
    panel.size_value.setValue(7)
    assert (model.tolerance, model.brush_size) == (7, 1)
    model.tool = "brush"
    assert (panel.size_label.text(), panel.size_value.text()) == ("Size", "1 px")
