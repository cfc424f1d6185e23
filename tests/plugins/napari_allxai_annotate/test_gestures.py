import numpy as np
import pytest
from qtpy.QtCore import Qt

from allxai_desktop.cellclasses import BY_CODE

RIGHT = Qt.MouseButton.RightButton


def test_a_drag_paints_one_stroke_between_the_events(window, mouse, shown):
    window.model.active = 2
    mouse.drag((10, 5), (10, 15))
    assert np.flatnonzero(window.model.codes).tolist() == list(range(605, 616))
    assert shown()
    window.model.undo()
    assert not window.model.codes.any()
    assert shown()


def test_shares_can_follow_while_the_mouse_is_down(window, mouse):
    seen = []
    window.model.edited.connect(lambda indices, old, new: seen.append(len(indices)))
    mouse.press(10, 5)
    mouse.move(10, 8)
    assert seen == [1, 3]
    mouse.release(10, 8)


def test_why_a_stroke_paints_nothing_is_told(window, mouse):
    told = []
    window.canvas.gestures.told.connect(told.append)
    window.model.only_over = 1
    mouse.drag((10, 5), (10, 15))
    window.model.only_over = None
    mouse.drag((10, 5), (10, 15))
    window.model.set_locked(window.model.active, True)
    mouse.drag((10, 5), (10, 15), button=RIGHT)
    window.model.set_locked(0, True)
    window.model.only_over = 0
    mouse.drag((10, 10), (10, 20))
    assert told == [
        "Nothing was painted: “Only over” is set to Nucleus.",
        "Nothing was painted: all that could change there is locked.",
        "Nothing was painted: all that could change there is locked.",
    ]


def test_the_right_button_erases(window, mouse, shown):
    mouse.drag((10, 5), (10, 15))
    mouse.drag((10, 8), (10, 20), button=RIGHT)
    assert np.flatnonzero(window.model.codes).tolist() == [605, 606, 607]
    assert shown()


def test_the_eraser_and_the_right_button_can_leave_a_class(window, mouse, qtbot):
    model = window.model
    model.active = 5
    qtbot.keyClick(window.view.canvas.native, "E", Qt.KeyboardModifier.ShiftModifier)
    assert model.erase_to == 5
    model.active = 1
    mouse.click(10, 10)
    mouse.click(20, 20, RIGHT)
    model.tool = "eraser"
    mouse.drag((10, 10), (10, 12))
    assert np.flatnonzero(model.codes == 5).tolist() == [610, 611, 612, 1220]
    assert np.allclose(window.canvas.gestures.view.color, np.array(BY_CODE[5].color) / 255)
    qtbot.keyClick(window.view.canvas.native, "E", Qt.KeyboardModifier.ShiftModifier)
    mouse.click(20, 20)
    assert np.flatnonzero(model.codes).tolist() == [610, 611, 612]


def test_the_accepting_brush_hands_on_what_is_under_it_and_the_right_button_still_erases(window, mouse):
    model, gestures = window.model, window.canvas.gestures
    model.apply(np.arange(600, 620), 3)
    model.tool = "accept"
    before, gestures.accept = gestures.accept, lambda indices: model.apply(indices, 2)
    mouse.drag((9, 5), (9, 8))
    mouse.drag((10, 5), (10, 8))
    mouse.click(10, 15, RIGHT)
    gestures.accept = before
    assert np.flatnonzero(model.codes == 2).tolist() == [545, 546, 547, 548]
    assert model.codes[10, 15] == 0
    assert not model.person[9].any()
    model.undo()
    model.undo()
    assert not model.codes[9].any()


def test_painting_leaves_the_camera_alone(window, mouse):
    camera = window.viewer.scene.camera
    before = camera.center, camera.zoom
    for button in (Qt.MouseButton.LeftButton, RIGHT):
        mouse.drag((10, 5), (30, 45), button=button)
    mouse.double_click(10, 10)
    assert (camera.center, camera.zoom) == before


def test_a_quick_second_stroke_is_painted_too(window, mouse):
    mouse.click(10, 10)
    mouse.second_press(10, 10)
    mouse.move(10, 20)
    mouse.release(10, 20)
    assert np.count_nonzero(window.model.codes) == 11


def test_undo_in_mid_stroke_ends_the_stroke(window, mouse):
    mouse.press(10, 5)
    mouse.move(10, 10)
    window.canvas.undo()
    mouse.move(10, 20)
    mouse.release(10, 20)
    assert not window.model.codes.any()
    mouse.drag((10, 5), (10, 6))
    assert np.count_nonzero(window.model.codes) == 2


def test_another_image_in_mid_stroke_is_not_painted(window, mouse):
    mouse.press(10, 5)
    window.model.new_image(np.zeros(window.model.shape, np.uint8))
    window.show_image("other.png")
    mouse.move(10, 20)
    mouse.release(10, 20)
    assert not window.model.codes.any()


def test_fill(window, mouse, shown):
    window.model.tool = "fill"
    window.model.active = 5
    mouse.click(10, 10)
    assert (window.model.codes == 5).all()
    mouse.click(10, 10, RIGHT)
    assert (window.model.codes == 0).all()
    assert shown()


@pytest.fixture
def corners(window, mouse):
    window.model.tool = "polygon"
    window.model.active = 3
    for corner in ((4.5, 4.5), (4.5, 14.5), (9.5, 14.5)):
        mouse.click(*corner)
    mouse.move(9.5, 4.5)


def test_a_polygon_is_drawn_live_and_closed_by_enter(window, corners, mouse, qtbot, shown):
    # Three corners and the mouse.
    assert len(window.canvas.gestures.view.path) == 4
    mouse.click(9.5, 4.5)
    qtbot.keyClick(window, Qt.Key.Key_Return)
    # Clicks reach the canvas in whole screen pixels, so the sides lie within a pixel.
    assert abs(np.count_nonzero(window.model.codes) - 50) <= 15
    assert (window.model.codes[6:9, 6:14] == 3).all()
    assert not window.model.codes[:4].any()
    assert shown()
    assert len(window.canvas.gestures.view.path) == 0


def test_a_polygon_is_closed_by_a_double_click(window, corners, mouse):
    mouse.double_click(9.5, 4.5)
    assert window.model.codes[7, 10] == 3
    assert not window.canvas.gestures.drawing


def test_escape_gives_a_polygon_up(window, corners, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.canvas.gestures.drawing
    assert not window.model.codes.any()


def test_backspace_and_undo_take_the_last_corner_back(window, corners, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_Backspace)
    assert len(window.canvas.gestures.view.path) == 2
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(window.canvas.gestures.view.path) == 1
    qtbot.keyClick(window, Qt.Key.Key_Backspace)
    assert not window.canvas.gestures.drawing


def test_another_tool_gives_a_polygon_up_and_says_so(window, corners):
    told = []
    window.canvas.gestures.told.connect(told.append)
    window.model.tool = "brush"
    assert not window.canvas.gestures.drawing
    window.model.tool = "polygon"
    assert told == ["The unfinished outline was dropped: another tool is in hand."]


def test_a_polygon_begun_with_the_right_button_erases(window, mouse, qtbot):
    window.model.apply(np.arange(2400), 1)
    window.model.tool = "polygon"
    for corner in ((4.5, 4.5), (4.5, 14.5), (9.5, 14.5), (9.5, 4.5)):
        mouse.click(*corner, RIGHT)
    qtbot.keyClick(window, Qt.Key.Key_Return)
    assert window.model.codes[7, 10] == 0
    assert window.model.codes[20, 20] == 1


def test_a_freehand_outline_is_filled_on_release(window, mouse):
    window.model.tool = "freehand"
    mouse.press(5, 5)
    for point in ((5, 20), (15, 20), (15, 5)):
        mouse.move(*point)
    assert len(window.canvas.gestures.view.path) == 4
    mouse.release(15, 5)
    assert window.model.codes[10, 12] == 1
    assert abs(np.count_nonzero(window.model.codes) - 150) < 30
    window.model.undo()
    assert not window.model.codes.any()


def test_ctrl_and_wheel_change_the_brush_and_the_wheel_zooms(window, mouse):
    zoom = window.viewer.scene.camera.zoom
    mouse.wheel(3, Qt.KeyboardModifier.ControlModifier)
    assert window.model.brush_size == 2
    assert window.viewer.scene.camera.zoom == zoom
    mouse.wheel(1)
    assert window.viewer.scene.camera.zoom > zoom


def test_space_moves_the_image_while_it_is_held(window, mouse, qtbot):
    window.viewer.mouse_over_canvas = True
    center = window.viewer.scene.camera.center
    qtbot.keyPress(window, Qt.Key.Key_Space)
    mouse.drag((10, 10), (20, 30))
    qtbot.wait(50)
    qtbot.keyRelease(window, Qt.Key.Key_Space)
    assert window.viewer.scene.camera.center != center
    assert not window.model.codes.any()
    mouse.drag((10, 10), (10, 12))
    assert window.model.codes.any()


def test_space_away_from_the_canvas_presses_buttons(window, qtbot):
    window.viewer.mouse_over_canvas = False
    lock = window.panel.rows[0].lock
    lock.setFocus()
    qtbot.keyClick(lock, Qt.Key.Key_Space)
    assert window.model.locked == {1}


def test_the_brush_shows_its_size_and_colour(window, mouse):
    view = window.canvas.gestures.view
    window.model.brush_size = 7
    window.model.active = 4
    mouse.move(20, 30)
    assert view.center == (20, 30)
    assert view.radius == (3.5, 3.5)
    assert view.color == (213 / 255, 94 / 255, 0)
    window.model.tool = "eraser"
    assert view.color == (1, 1, 1)
    window.model.tool = "fill"
    assert view.center is None


def test_the_brush_stays_under_the_mouse_where_the_view_moves_without_it(window, mouse):
    mouse.move(20, 30)
    before = mouse.place(20, 30)
    camera = window.viewer.scene.camera
    camera.zoom *= 2
    camera.center = (0, 24, 28)
    assert window.canvas.gestures.view.center != (20, 30)
    after = mouse.place(*window.canvas.gestures.view.center)
    # A brush lies on whole pixels.
    assert (after - before).manhattanLength() <= camera.zoom


def test_painting_shows_a_hidden_mask(window, mouse):
    window.model.mask_visible = False
    mouse.click(10, 10)
    assert window.canvas.mask_layer.visible


def test_nothing_is_painted_without_an_image(window, mouse):
    place = mouse.place(10, 10)
    window.canvas.show(None)
    mouse.place = lambda row, column: place
    mouse.drag((10, 10), (20, 20))
    assert not window.model.codes.any()


def test_nothing_is_painted_in_3d(window, mouse):
    place = mouse.place(10, 10)
    window.viewer.dims.ndisplay = 3
    mouse.place = lambda row, column: place
    mouse.drag((10, 10), (10, 10))
    assert not window.model.codes.any()
