"""The pen of a graphics tablet, as Qt tells of it: first the pen, then the left button of a mouse."""

import numpy as np
import pytest
from qtpy.QtCore import QEvent
from tablet import ERASER, PEN, tablet

from napari_allxai_annotate.pen import PenEraser


@pytest.fixture
def watched(window):
    made = PenEraser(window.view.canvas.native, window.canvas.gestures)
    window.model.apply(np.arange(window.model.codes.size), np.uint8(5))
    yield window
    made.close()


def dab(mouse, end, at):
    tablet(mouse.native, QEvent.Type.TabletPress, end, mouse.place(*at))
    mouse.press(*at)
    tablet(mouse.native, QEvent.Type.TabletRelease, end, mouse.place(*at))
    mouse.release(*at)


def test_the_tip_paints_and_the_eraser_erases(watched, mouse):
    dab(mouse, PEN, (10, 10))
    dab(mouse, ERASER, (20, 20))
    assert (watched.model.codes[10, 10], watched.model.codes[20, 20]) == (1, 0)


def test_the_mouse_paints_after_the_eraser(watched, mouse):
    dab(mouse, ERASER, (20, 20))
    mouse.click(10, 10)
    assert watched.model.codes[10, 10] == 1


def test_the_mouse_paints_after_the_eraser_was_held_above_the_tablet(watched, mouse):
    dab(mouse, ERASER, (20, 20))
    tablet(mouse.native, QEvent.Type.TabletMove, ERASER, mouse.place(*(25, 25)))
    mouse.click(10, 10)
    assert watched.model.codes[10, 10] == 1
