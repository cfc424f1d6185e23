"""A button of the mouse whose release goes to another window."""

import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication

from napari_allxai_annotate.held_button import HeldButton

HELD = [(10, column) for column in range(10, 21)]


@pytest.fixture
def watched(window):
    made = HeldButton(window.view.canvas.native)
    yield window
    made.close()


def painted(window):
    return [tuple(place) for place in zip(*window.model.codes.nonzero(), strict=True)]


def begin(mouse):
    mouse.press(10, 10)
    mouse.move(10, 20)


def test_a_stroke_ends_where_it_was_when_the_mouse_comes_back_without_a_button(watched, mouse):
    begin(mouse)
    mouse.held = Qt.MouseButton.NoButton
    mouse.move(30, 40)
    mouse.move(30, 50)
    assert painted(watched) == HELD
    assert not watched.model.in_stroke


@pytest.mark.parametrize("kind", [QEvent.Type.WindowDeactivate, QEvent.Type.Hide])
def test_a_stroke_ends_when_another_window_comes_up(watched, mouse, kind):
    begin(mouse)
    QApplication.sendEvent(watched.view.canvas.native, QEvent(kind))
    assert not watched.model.in_stroke
    mouse.release(30, 40)
    assert painted(watched) == HELD


def test_the_next_stroke_is_one_of_its_own(watched, mouse):
    begin(mouse)
    mouse.held = Qt.MouseButton.NoButton
    mouse.move(30, 40)
    mouse.click(5, 5)
    assert painted(watched) == [(5, 5), *HELD]
    watched.model.undo()
    assert painted(watched) == HELD


def test_no_release_is_made_up_after_the_real_one(watched, mouse):
    released = []
    events = watched.view.canvas._scene_canvas.events
    events.mouse_release.connect(released.append)
    mouse.drag((10, 10), (10, 20))
    mouse.move(30, 40)
    events.mouse_release.disconnect(released.append)
    assert len(released) == 1
