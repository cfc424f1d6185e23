import numpy as np
import pytest
from napari.layers import Labels
from napari.layers.labels._labels_utils import get_contours

from napari_allxai_annotate import contours


def test_a_square_keeps_its_rim():
    codes = np.zeros((5, 6), np.uint8)
    codes[1:4, 1:5] = 2
    assert contours.contours(codes, 1).tolist() == [
        [0, 0, 0, 0, 0, 0],
        [0, 2, 2, 2, 2, 0],
        [0, 2, 0, 0, 2, 0],
        [0, 2, 2, 2, 2, 0],
        [0, 0, 0, 0, 0, 0],
    ]


@pytest.mark.parametrize("thickness", [1, 2, 3, 5])
@pytest.mark.parametrize("shape", [(1, 5), (4, 1), (6, 7)])
def test_as_napari_finds_them(shape, thickness):
    codes = np.random.default_rng(1).integers(0, 6, shape).astype(np.uint8)
    codes = np.kron(codes, np.ones((3, 3), np.uint8))
    assert np.array_equal(contours.contours(codes, thickness), get_contours(codes, thickness, 0))


def test_a_part_of_a_layer_is_drawn_as_napari_draws_it():
    layer = Labels(np.random.default_rng(2).integers(0, 3, (20, 30)))
    layer.contour = 2
    part = (slice(4, 9), slice(0, 12))
    theirs = layer._raw_to_displayed(layer.data, part)
    contours.quicken(layer)
    assert np.array_equal(layer._raw_to_displayed(layer.data, part), theirs)


def test_a_layer_is_left_with_the_outlines_of_napari():
    layer = Labels(np.zeros((2, 2), int))
    contours.quicken(layer)
    contours.leave(layer)
    assert layer._calculate_contour.__func__ is Labels._calculate_contour


def test_filled_masks_have_no_outlines():
    layer = Labels(np.zeros((2, 2), int))
    contours.quicken(layer)
    assert layer._calculate_contour(layer.data, (slice(0, 2), slice(0, 2))) is None
