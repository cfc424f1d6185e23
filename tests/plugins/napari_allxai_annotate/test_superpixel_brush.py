import numpy as np
import pytest
from qtpy.QtCore import Qt

from allxai_desktop.painting import superpixels as module


@pytest.fixture
def window(window, qtbot, monkeypatch):
    """Return the window with the superpixel brush in hand; each ten columns of the image are one superpixel."""
    monkeypatch.setattr(
        module, "segment", lambda part: np.tile(np.arange(part.shape[1]) // 10, (len(part), 1)).astype("u2")
    )
    window.show_image("strips.png")
    window.model.tool = "superpixel"
    window.model.brush_size = 4
    return window


@pytest.fixture
def known(window, mouse, qtbot):
    mouse.move(15, 15)
    qtbot.waitUntil(lambda: len(window.canvas.gestures.view.sides) > 0)


def test_pointing_outlines_what_would_be_painted(window, known, mouse):
    view = window.canvas.gestures.view
    # A strip of 40 × 10 px has 100 sides of pixels.
    assert len(view.sides) == 2 * 100
    window.model.tool = "brush"
    assert len(view.sides) == 0


def test_a_drag_paints_what_it_touches_in_one_step(window, known, mouse, shown):
    mouse.drag((15, 15), (15, 25))
    assert np.unique(np.nonzero(window.model.codes)[1]).tolist() == list(range(10, 30))
    assert np.count_nonzero(window.model.codes) == 40 * 20
    assert shown()
    window.model.undo()
    assert not window.model.codes.any()


def test_locks_hold_and_the_right_button_erases(window, known, mouse):
    window.model.apply(np.arange(15 * 60 + 10, 15 * 60 + 20), 4)
    window.model.locked = {4}
    mouse.click(15, 15)
    assert np.count_nonzero(window.model.codes == 1) == 390
    mouse.click(15, 15, Qt.MouseButton.RightButton)
    assert np.count_nonzero(window.model.codes) == 10


def test_a_click_before_the_superpixels_are_known_is_painted_when_they_are(window, mouse, qtbot):
    mouse.click(15, 15)
    qtbot.waitUntil(lambda: window.model.codes.any())
    assert np.count_nonzero(window.model.codes) == 400
    window.model.undo()
    assert not window.model.codes.any()


def test_a_click_on_the_image_before_is_not_painted_on_the_next(window, mouse, qtbot):
    mouse.press(15, 15)
    window.model.new_image(np.zeros(window.model.shape, np.uint8))
    window.show_image("other.png")
    mouse.release(15, 15)
    mouse.move(15, 35)
    qtbot.waitUntil(lambda: len(window.canvas.gestures.view.sides) > 0)
    assert not window.model.codes.any()
