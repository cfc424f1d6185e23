"""The line at the foot of the window."""

from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from psygnal import Signal
from qtpy.QtWidgets import QMainWindow

from allxai_desktop.app.status import StatusLine
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session


class FakeWorkspace:
    saved_changed = Signal(str)
    saving_progressed = Signal(float)
    item_shown = Signal(int)
    saved = "saved"
    image = "an image"


@pytest.fixture
def window(qtbot):
    made = QMainWindow()
    made.viewer = ViewerModel()
    image = made.viewer.add_image(np.zeros((4, 5, 3), np.uint8), rgb=True)
    made.paint = PaintModel(np.zeros((4, 5), np.uint8))
    made.session = Session(made.paint)
    made.workspace = FakeWorkspace()
    made.canvas = SimpleNamespace(mask_layer=image)
    made.line = StatusLine(made)
    qtbot.addWidget(made)
    yield made
    made.session.close()


def test_it_names_the_class_at_the_cursor(window):
    window.viewer.cursor.position = (2.2, 3.0)
    assert window.line.cursor_text.text() == "3, 2 · Unlabelled"


def test_it_follows_the_brush_while_the_cursor_rests(window):
    window.viewer.cursor.position = (2.0, 3.0)
    window.paint.apply(np.array([2 * 5 + 3]), 2)
    assert window.line.cursor_text.text() == "3, 2 · Cytoplasm"


def test_an_edit_while_the_cursor_is_elsewhere_says_nothing(window):
    window.viewer.cursor.position = (-9.0, 3.0)
    window.paint.apply(np.array([0]), 2)
    assert window.line.cursor_text.text() == ""


def test_it_names_no_place_once_the_mouse_has_left_the_canvas(window):
    window.viewer.mouse_over_canvas = True
    window.viewer.cursor.position = (2.0, 3.0)
    window.viewer.mouse_over_canvas = False
    assert window.line.cursor_text.text() == ""


def test_it_names_no_place_of_the_image_before(window):
    window.viewer.cursor.position = (2.0, 3.0)
    window.workspace.item_shown.emit(1)
    assert window.line.cursor_text.text() == ""
