import numpy as np
import pytest

from allxai_desktop.overlay import (
    EDGE,
    OUTSIDE,
    adjust,
    blend,
    class_outlines,
    color_table,
    outline,
    value_range,
)


def test_signed_maps_are_centred_on_zero():
    assert value_range(np.array([[-1, 3]], np.float32), signed=True) == (-3.0, 3.0)


def test_other_maps_span_their_range():
    assert value_range(np.array([[1, 3]], np.float32), signed=False) == (1.0, 3.0)


def test_a_constant_map_has_a_range_that_can_be_drawn():
    assert value_range(np.full((1, 2), 2, np.float32), signed=False) == (2.0, 3.0)


def test_the_uniform_map_lets_the_image_through_where_there_is_no_relevance():
    assert color_table("auto", signed=False)[0, 3] == 0
    assert color_table("auto", signed=True)[127:129, 3].max() < 0.01
    assert color_table("auto", signed=True)[[0, 255], 3].tolist() == [1, 1]


def test_the_papers_maps_are_opaque():
    assert (color_table("jet", signed=False)[:, 3] == 1).all()


def test_outline_marks_both_sides_of_the_border():
    relevant = np.array([[0, 1, 1, 1, 0]], bool)
    assert outline(relevant).tolist() == [[OUTSIDE, EDGE, 0, EDGE, OUTSIDE]]


def test_outline_of_nothing_is_empty():
    assert not outline(np.zeros((3, 3), bool)).any()


def test_blend_mixes_the_map_by_its_opacity():
    pixels = np.full((1, 2, 3), 100, np.uint8)
    relevance = np.array([[0, 1]], np.float32)
    # Jet ends at red (0.5, 0, 0): half of 100 and half of 127.5.
    assert blend(pixels, relevance, signed=False, colormap="jet", opacity=0.5)[0, 1].tolist() == [114, 50, 50]


def test_no_adjustment_changes_no_pixel():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(adjust(levels, 0, 0), levels)


@pytest.mark.parametrize(
    ("brightness", "contrast", "expected"),
    [(1, 0, [128, 255, 255]), (-1, 0, [0, 32, 128]), (0, -1, [128, 128, 128]), (0, 1, [0, 255, 255])],
)
def test_adjustment_at_its_ends(brightness, contrast, expected):
    assert adjust(np.array([0, 160, 255], np.uint8), brightness, contrast).tolist() == expected


def test_limits_of_one_scale_take_the_place_of_the_maps_own():
    relevance = np.array([[1, 2]], np.float32)
    pixels = np.zeros((1, 2, 3), np.uint8)
    own = blend(pixels, relevance, signed=False, colormap="jet", opacity=1)
    shared = blend(pixels, relevance, signed=False, colormap="jet", opacity=1, limits=(1, 3))
    # Half of the scale is jet's green, its end dark red.
    assert own[0].tolist() == [[0, 0, 128], [128, 0, 0]]
    assert shared[0].tolist() == [[0, 0, 128], [122, 255, 125]]


def test_the_outline_of_a_class_runs_between_its_pixels_and_the_others():
    codes = np.full((4, 5), 5, np.uint8)
    codes[1:3, 1:4] = 1
    ((key, lines),) = class_outlines(codes)
    (line,) = lines
    assert key == "nucleus"
    assert (line.min(0).tolist(), line.max(0).tolist()) == ([1.0, 1.0], [4.0, 3.0])


def test_a_class_at_the_edge_of_the_image_is_closed_there():
    ((_key, lines),) = class_outlines(np.full((2, 2), 4, np.uint8))
    assert (lines[0].min(), lines[0].max()) == (0.0, 2.0)


def test_a_speckled_mask_has_no_outlines():
    # A chessboard of 256 × 256 has 2 · 256 · 255 steps.
    board = (1 + np.indices((256, 256)).sum(0) % 2).astype(np.uint8)
    assert class_outlines(board) == []
    assert len(class_outlines(board[:64, :64])) == 2
