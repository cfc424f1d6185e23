"""What-if in the real window, driven by mouse and keys."""

import numpy as np
import pytest
from canvas import canvas_point
from fake_engine import FakeEngine, by_darkness
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from allxai_desktop.masks.npz import load_mask

pytestmark = pytest.mark.slow

SIDE = 40
RIGHT = Qt.MouseButton.RightButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def opened(new_window, tmp_path_factory):
    """The window on the first of two images, dark on the left; it takes seconds to make, so the module shares it."""
    folder = tmp_path_factory.mktemp("what_if")
    pixels = np.full((SIDE, SIDE, 3), 250, np.uint8)
    pixels[:, :20] = 20
    (folder / "study").mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(pixels).save(folder / "study" / name)
    window = new_window(folder, FakeEngine(by_darkness))
    window.show()
    window.open_path(folder / "study")
    yield window, folder / "study"
    window.close()
    window.deleteLater()


@pytest.fixture
def window(opened, qtbot):
    made = opened[0]
    made.workspace.show(0)
    qtbot.waitUntil(lambda: made.workspace.index == 0 and made.session.result is not None, timeout=20_000)
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    # The first draw gives the camera its size: before it a click has no place in the image.
    qtbot.wait(200)
    made.paint.tool, made.paint.brush_size = "brush", 3
    # The right half is background: what is taken out on the left becomes bright.
    made.paint.apply(np.flatnonzero(made.workspace.image.pixels[..., 0] == 250), 5)
    yield made
    made.what_if.active = False
    made.what_if.clear()


def press(window, place, button=Qt.MouseButton.LeftButton):
    native = window.qt_viewer.canvas.native
    QTest.mousePress(native, button, Qt.KeyboardModifier.NoModifier, canvas_point(window, *place))


def move(window, place):
    QTest.mouseMove(window.qt_viewer.canvas.native, canvas_point(window, *place))


def release(window, place, button=Qt.MouseButton.LeftButton):
    native = window.qt_viewer.canvas.native
    QTest.mouseRelease(native, button, Qt.KeyboardModifier.NoModifier, canvas_point(window, *place))


def click(window, place, button=Qt.MouseButton.LeftButton):
    press(window, place, button)
    release(window, place, button)


def key(window, name, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window.qt_viewer.canvas.native, name, modifier)


def painted(window):
    return np.count_nonzero(window.what_if.region.codes)


def test_escape_ends_the_question_who_works_here_and_not_the_experiment(window, qtbot):
    window.what_if.active = True
    who = window.study_panel.who
    who.ask()
    QTest.keyClick(who.name, Qt.Key.Key_Escape)
    assert not who.form.isVisible()
    assert window.what_if.active


def test_the_prediction_follows_while_the_button_is_down(window, qtbot):
    key(window, Qt.Key.Key_W)
    assert window.what_if_banner.isVisible()
    window.paint.brush_size = 10
    press(window, (20, 5))
    qtbot.waitUntil(lambda: window.session.result.before is not None)
    first = window.what_if.comparison.changes[0].probability_after
    assert first < 0.5
    move(window, (20, 15))
    qtbot.waitUntil(lambda: window.what_if.comparison.changes[0].probability_after < first)
    assert window.what_if.region.in_stroke
    release(window, (20, 15))


def test_strokes_change_neither_mask_nor_file_and_escape_brings_the_image_back(window, opened, qtbot):
    window.paint.apply(np.arange(SIDE), 1)
    mask = window.paint.codes.copy()
    qtbot.waitUntil(lambda: window.workspace.saved == "saved")
    result = window.session.result
    key(window, Qt.Key.Key_W)
    click(window, (20, 5))
    window.what_if.remove_class("nucleus")
    qtbot.waitUntil(lambda: window.session.result is not None and window.session.result.before is not None)
    key(window, Qt.Key.Key_Escape)
    assert not window.what_if.active
    assert not window.what_if_banner.isVisible()
    assert window.session.result is result
    assert np.array_equal(window.paint.codes, mask)
    assert np.array_equal(window.canvas.image_layer.data, window.workspace.image.pixels)
    assert np.array_equal(load_mask(opened[1] / "masks" / "a.npz").codes, mask)
    key(window, Qt.Key.Key_Z, CTRL)
    assert np.array_equal(np.flatnonzero(window.paint.codes != mask), np.arange(SIDE))


def test_right_button_eraser_and_undo_act_on_what_is_taken_out(window):
    key(window, Qt.Key.Key_W)
    click(window, (20, 5))
    dab = painted(window)
    assert dab > 0
    click(window, (20, 5), RIGHT)
    assert painted(window) == 0
    key(window, Qt.Key.Key_Z, CTRL)
    assert painted(window) == dab
    key(window, Qt.Key.Key_E)
    click(window, (20, 5))
    assert painted(window) == 0
    key(window, Qt.Key.Key_Z, CTRL)
    key(window, Qt.Key.Key_Z, CTRL)
    key(window, Qt.Key.Key_Z, CTRL | SHIFT)
    assert painted(window) == dab


def test_brightness_changes_the_filling_with_the_image(window, qtbot):
    key(window, Qt.Key.Key_W)
    click(window, (20, 5))
    qtbot.waitUntil(lambda: window.what_if.variant is not None)
    before = window.what_if_view.fill_layer.data[20, 5, 0]
    window.view_bar.brightness.setValue(-50)
    qtbot.waitUntil(lambda: window.what_if_view.fill_layer.data[20, 5, 0] < before)
    assert window.what_if.variant.image.pixels[20, 5, 0] == before
    window.view_bar.clear()


def test_the_next_image_is_shown_as_it_is(window, qtbot):
    key(window, Qt.Key.Key_W)
    click(window, (20, 5))
    qtbot.waitUntil(lambda: window.session.result.before is not None)
    key(window, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: window.workspace.index == 1 and window.session.result is not None, timeout=20_000)
    assert not window.what_if.active
    assert window.session.result.before is None
    assert painted(window) == 0


def test_closing_in_what_if_leaves_the_mask_as_it_was(opened, qtbot):
    # The last test of the shared window: it closes it.
    window, folder = opened
    qtbot.waitUntil(lambda: window.session.result is not None and window.workspace.saved == "saved")
    before = {path: path.read_bytes() for path in (folder / "masks").glob("*")}
    window.what_if.active = True
    window.what_if.region.apply(np.arange(SIDE), 1)
    window.close()
    assert not window.what_if.active
    assert {path: path.read_bytes() for path in (folder / "masks").glob("*")} == before
