import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.painting.engine import PaintModel
from napari_allxai_annotate.canvas import REDRAW_PIXELS, PaintCanvas


def at(*indices):
    return np.array(indices, np.int64)


def test_another_image_of_another_size_takes_the_place_of_the_one_before(window, shown):
    window.model.apply(at(0), 1)
    window.model.new_image(np.full((30, 20), 3, np.uint8))
    window.show_image("next.png")
    assert list(window.viewer.layers) == [window.canvas.image_layer, window.canvas.mask_layer]
    assert [layer.name for layer in window.viewer.layers] == ["next.png", "Mask of next.png"]
    assert window.canvas.image_layer.data.shape == (30, 20, 3)
    assert shown()


@pytest.mark.parametrize("visible", [True, False])
def test_napari_measures_another_image_of_another_size(window, visible):
    window.model.mask_visible = visible
    window.model.new_image(np.zeros((30, 20), np.uint8))
    window.show_image("next.png")
    assert window.viewer.layers.extent.world.tolist() == [[0, 0], [29, 19]]
    assert [axis.stop for axis in window.viewer.dims.range] == [29, 19]


def test_napari_cannot_undo_into_the_image_before(window, shown):
    window.canvas.mask_layer.paint((10, 10), 2)
    window.model.new_image(np.zeros(window.model.shape, np.uint8))
    window.show_image("next.png")
    window.canvas.mask_layer.undo()
    assert not window.model.codes.any()
    assert shown()


def test_an_image_without_a_pixel_size_follows_one_with_it(window):
    window.show_image(pixel_size_um=0.25)
    window.show_image()
    for layer in window.viewer.layers:
        assert layer.scale.tolist() == [1, 1]
        assert [str(unit) for unit in layer.units] == ["pixel", "pixel"]


def test_a_whole_image_stays_whole_in_a_canvas_of_another_size(window):
    camera, canvas = window.viewer.scene.camera, window.viewer.canvas
    canvas.size = (400, 600)
    window.canvas.fit()
    canvas.size = (200, 300)
    assert camera.zoom == pytest.approx(0.95 * 200 / 40)
    assert camera.center[-2:] == (19.5, 29.5)


def test_what_was_zoomed_to_stays_in_a_canvas_of_another_size(window):
    camera, canvas = window.viewer.scene.camera, window.viewer.canvas
    window.canvas.fit()
    camera.zoom, camera.center = 7, (10, 12)
    canvas.size = (200, 300)
    assert (camera.zoom, camera.center[-2:]) == (7, (10, 12))


def test_no_image_takes_the_layers_away(window):
    window.canvas.show(None)
    assert len(window.viewer.layers) == 0
    assert window.canvas.mask_layer is None


def test_other_layers_stay_above(window):
    overlay = window.viewer.add_image(np.zeros(window.model.shape))
    window.show_image("next.png")
    assert window.viewer.layers[-1] is overlay
    window.viewer.layers.remove(overlay)


def test_a_larger_map_of_the_image_before_does_not_make_the_next_one_small(window):
    overlay = window.viewer.add_image(np.zeros((400, 600)))
    window.model.new_image(np.zeros((30, 20), np.uint8))
    window.show_image("next.png")
    assert window.viewer.scene.camera.center[-2:] == (14.5, 9.5)
    window.viewer.layers.remove(overlay)


def test_the_pixel_size_scales_both_layers(window):
    window.show_image(pixel_size_um=0.25)
    for layer in window.viewer.layers:
        assert layer.scale.tolist() == [0.25, 0.25]
        assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]


def test_painting_on_a_scaled_image_hits_the_pixel_under_the_mouse(window, mouse, qtbot):
    window.show_image(pixel_size_um=0.25)
    qtbot.wait(30)
    mouse.click(10, 20)
    assert np.flatnonzero(window.model.codes).tolist() == [620]


def test_the_layer_shows_the_colours_of_the_classes(window):
    colormap = window.canvas.mask_layer.colormap
    for cls in CLASSES:
        assert np.allclose(colormap.map(cls.code), [*(part / 255 for part in cls.color), 1])
    assert colormap.map(0)[3] == 0


def test_the_classes_keep_their_colours_whatever_napari_is_asked_for(window):
    layer = window.canvas.mask_layer
    layer.new_colormap()
    colors = layer.colormap.color_dict
    assert np.allclose(colors[1], np.array([*CLASSES[0].color, 255]) / 255)


def test_every_edit_reaches_the_layer(window, shown):
    model = window.model
    model.apply(at(0, 5, 2399), 1)
    assert shown()
    model.undo()
    assert shown()
    model.redo()
    assert shown()


def test_an_edit_of_most_of_a_large_image_reaches_the_layer(window, shown):
    window.model.new_image(np.zeros((1000, 1000), np.uint8))
    window.show_image()
    window.model.apply(np.arange(REDRAW_PIXELS + 1), 3)
    assert shown()
    window.model.undo()
    assert shown()


def test_another_mask_of_the_same_size_is_shown(window, shown):
    window.model.new_image(np.full(window.model.shape, 4, np.uint8))
    window.show_image("next.png")
    assert shown()


def test_the_layer_keeps_no_history_of_its_own(window, shown):
    window.model.apply(at(0, 1), 1)
    window.canvas.mask_layer.undo()
    assert shown()


def test_the_look_of_the_mask_follows_the_model(window):
    layer, model = window.canvas.mask_layer, window.model
    model.mask_opacity = 0.25
    assert layer.opacity == 0.25
    model.mask_outline = True
    assert (layer.contour, layer.opacity) == (1, 0.5)
    model.mask_outline = False
    assert (layer.contour, layer.opacity) == (0, 0.25)
    model.mask_visible = False
    assert not layer.visible


def test_the_model_follows_the_layer_list_of_napari(window):
    layer, model = window.canvas.mask_layer, window.model
    layer.visible = False
    layer.opacity = 0.75
    layer.selected_label = 3
    assert (model.mask_visible, model.mask_opacity, model.active) == (False, 0.75, 3)


# What napari's own tools and scripts do to the layer


def test_a_stroke_of_napari_becomes_one_undo_step(window, shown):
    layer, model = window.canvas.mask_layer, window.model
    with layer.block_history():
        layer.paint((10, 10), 2)
        layer.paint((10, 30), 2)
    assert (model.codes == 2).sum() > 100
    assert shown()
    model.undo()
    assert not model.codes.any()
    assert shown()


def test_undo_of_napari_does_no_harm(window, shown):
    window.canvas.mask_layer.paint((10, 10), 2)
    painted = window.model.codes.copy()
    assert painted.any()
    window.canvas.mask_layer.undo()
    assert np.array_equal(window.model.codes, painted)
    assert shown()


def test_a_script_that_writes_the_data_is_taken_over_on_refresh(window, shown):
    window.canvas.mask_layer.data[3, 4] = 5
    window.canvas.mask_layer.refresh()
    assert window.model.codes[3, 4] == 5
    assert shown()


def test_locks_hold_for_napari_too(window, shown):
    window.model.apply(at(0, 1, 2), 1)
    window.model.set_locked(1, True)
    window.canvas.mask_layer.data_setitem((np.array([0, 0]), np.array([2, 3])), 4)
    assert window.model.codes[0, :4].tolist() == [1, 1, 1, 4]
    assert shown()


def test_codes_that_are_no_class_are_taken_back(window, shown):
    window.canvas.mask_layer.paint((10, 10), 9)
    assert not window.model.codes.any()
    assert shown()


def test_napari_keeps_its_tool_while_settings_change(window):
    window.canvas.mask_layer.mode = "paint"
    window.model.active = 4
    assert window.canvas.mask_layer.mode == "paint"


def test_our_tools_rest_while_one_of_napari_is_in_hand(window, mouse):
    window.canvas.mask_layer.mode = "pick"
    mouse.drag((10, 10), (10, 20))
    assert not window.model.codes.any()


def test_space_holds_the_tool_of_napari(window):
    layer = window.canvas.mask_layer
    layer.mode = "fill"
    window.canvas.gestures.panning = True
    assert layer.mode == "pan_zoom"
    window.canvas.gestures.panning = False
    assert layer.mode == "fill"


def test_a_removed_mask_layer_is_let_go(window):
    window.viewer.layers.remove(window.canvas.mask_layer)
    assert window.canvas.mask_layer is None
    window.model.apply(at(0), 1)


# Without a window


@pytest.fixture
def canvas():
    made = PaintCanvas(ViewerModel(), PaintModel(np.zeros((4, 5), np.uint8)))
    yield made
    made.close()


def test_an_image_layer_that_is_there_can_be_painted(canvas):
    image = canvas.viewer.add_image(np.zeros((4, 5, 3), np.uint8), rgb=True, scale=(2, 2))
    canvas.attach(image, image.data)
    assert canvas.mask_layer.data.dtype == np.uint8
    assert canvas.mask_layer.scale.tolist() == [2, 2]
    assert canvas.viewer.layers.selection.active is canvas.mask_layer


def test_a_labels_layer_that_is_there_is_painted_in_place(canvas):
    image = canvas.viewer.add_image(np.zeros((4, 5, 3), np.uint8), rgb=True)
    labels = Labels(np.zeros((4, 5), np.int32))
    canvas.viewer.add_layer(labels)
    canvas.attach(image, image.data, labels)
    canvas.model.apply(at(7), 3)
    assert labels.data[1, 2] == 3
    assert len(canvas.viewer.layers) == 2


def test_closing_gives_everything_back():
    viewer = ViewerModel()
    lists = (
        viewer.mouse_drag_callbacks,
        viewer.mouse_move_callbacks,
        viewer.mouse_wheel_callbacks,
        viewer.mouse_double_click_callbacks,
    )
    before = [list(callbacks) for callbacks in lists]
    overlays = set(viewer.scene.overlays)
    canvas = PaintCanvas(viewer, PaintModel(np.zeros((4, 5), np.uint8)))
    assert [list(callbacks) for callbacks in lists] != before
    canvas.close()
    assert [list(callbacks) for callbacks in lists] == before
    assert set(viewer.scene.overlays) == overlays
