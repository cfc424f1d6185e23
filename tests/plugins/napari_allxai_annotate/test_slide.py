from types import SimpleNamespace

import numpy as np
import pytest

from allxai_desktop.painting import shapes
from allxai_desktop.painting.tiles import Tiles
from allxai_desktop.slides.large import LargeImage
from napari_allxai_annotate.slide import mask_levels

# napari takes seconds to put a slide in the place of another image.
pytestmark = pytest.mark.slow
SHAPE = (3000, 2000)


@pytest.fixture
def slide(window):
    """Return the window with a slide, shown by an overview of a tenth of its size."""
    window.model.new_image(Tiles(SHAPE))
    pixels = np.full((300, 200, 3), 200, np.uint8)
    image = LargeImage(pixels, "slide.tif", "", pyramid=SimpleNamespace(shape=SHAPE), scale=10)
    window.canvas.show(image)
    return window


@pytest.fixture
def told(slide):
    found = []
    slide.canvas.gestures.told.connect(found.append)
    yield found
    slide.canvas.gestures.told.disconnect(found.append)


def test_levels_are_every_second_row_and_column():
    tiles = Tiles((1025, 600))
    tiles.flat[np.arange(1, 1025 * 600, 7)] = 3
    levels = mask_levels(tiles)
    whole = tiles[:, :]
    assert [level.shape for level in levels] == [(1025, 600), (513, 300), (257, 150)]
    for number, level in enumerate(levels):
        step = 2**number
        assert np.array_equal(np.asarray(level), whole[::step, ::step])
        assert np.array_equal(level[10:50, 20:90], whole[::step, ::step][10:50, 20:90])


def test_the_mask_lies_on_its_slide(slide):
    image, mask = slide.canvas.image_layer, slide.canvas.mask_layer
    assert mask.multiscale
    for corner, end in (((-0.5, -0.5), (-0.5, -0.5)), ((299.5, 199.5), (2999.5, 1999.5))):
        assert mask.data_to_world(end) == pytest.approx(image.data_to_world(corner))


def test_a_stroke_has_the_size_of_the_slide(slide, mouse):
    slide.model.brush_size = 101
    mouse.click(1500, 1000)
    assert slide.model.mask[1500, 1000] == 1
    assert slide.model.labelled == pytest.approx(np.pi * 50.5**2, rel=0.01)


def test_what_is_painted_and_undone_is_seen(slide):
    layer = slide.canvas.mask_layer
    slide.model.apply(np.arange(SHAPE[0] * SHAPE[1] // 2), 4)
    assert (np.asarray(layer._slice.image.raw)[0] == 4).all()
    slide.model.undo()
    assert not np.asarray(layer._slice.image.raw).any()


def test_the_outline_is_seen_where_two_of_its_pixels_share_one_of_the_screen(slide):
    slide.model.mask_outline = True
    assert slide.canvas.mask_layer.contour == 2


@pytest.mark.parametrize("tool", ["superpixel", "wand", "wire", "accept"])
def test_tools_that_go_by_the_whole_image_say_so(slide, mouse, told, tool):
    slide.model.tool = tool
    mouse.move(1400, 900)
    mouse.click(1500, 1000)
    assert told == ["This tool needs the whole image in memory: take a crop of the slide, and use it there."]
    assert not slide.model.mask.any()


def test_why_it_is_not_cleaned_up_is_said_in_the_menu_and_by_the_keys(slide, told, qtbot):
    menu = slide.panel.clean.entries
    menu.aboutToShow.emit()
    said = "Clean up needs the whole image in memory: take a crop of the slide, and use it there."
    assert (menu.refusal.isVisible(), menu.refusal.text()) == (True, said)
    qtbot.keyClick(slide.view.canvas.native, ">")
    assert told == [said]
    slide.model.new_image(np.zeros((4, 4), np.uint8))
    menu.aboutToShow.emit()
    assert not menu.refusal.isVisible()


def test_a_fill_that_is_too_wide_says_so(slide, mouse, told, monkeypatch):
    monkeypatch.setattr(shapes, "WIDEST", 500)
    slide.model.tool = "fill"
    mouse.click(1500, 1000)
    assert len(told) == 1
    assert told[0].startswith("This region is too wide")
    assert not slide.model.mask.any()


def test_a_closed_line_is_filled(slide, mouse, told):
    slide.model.tool = "polygon"
    for point in ((1000, 500), (1000, 900), (1400, 900), (1400, 500)):
        mouse.click(*point)
    slide.canvas.gestures.close_outline()
    assert told == []
    assert slide.model.labelled == pytest.approx(400 * 400, rel=0.05)


def test_a_cell_after_a_slide_is_shown_whole(slide, window, shown):
    window.model.new_image(np.full((30, 20), 3, np.uint8))
    window.show_image("cell.png")
    assert [layer.name for layer in window.viewer.layers] == ["cell.png", "Mask of cell.png"]
    assert not window.canvas.mask_layer.multiscale
    assert shown()
