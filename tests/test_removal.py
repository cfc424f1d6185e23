"""What stands in place of removed pixels."""

import numpy as np
import pytest

from allxai_desktop.removal import filling, remove


def split_image():
    """Left half (10, 20, 30), right half (200, 100, 50), 40×40."""
    pixels = np.empty((40, 40, 3), np.uint8)
    pixels[:, :20], pixels[:, 20:] = (10, 20, 30), (200, 100, 50)
    return pixels


def test_background_is_the_colour_of_the_background_everywhere():
    background = np.zeros((40, 40), bool)
    background[:5, :5] = True
    filled = filling(split_image(), "background", background)
    assert np.array_equal(np.unique(filled.reshape(-1, 3), axis=0), [[10, 20, 30]])


def test_background_is_local():
    background = np.zeros((40, 40), bool)
    background[:, [0, 39]] = True
    filled = filling(split_image(), "background", background)
    assert filled[20, 1].tolist() == [10, 20, 30]
    assert filled[20, 38].tolist() == [200, 100, 50]


def test_blur_of_one_colour_is_that_colour():
    pixels = np.full((300, 200, 3), 77, np.uint8)
    assert np.array_equal(filling(pixels, "blur"), pixels)


def test_blur_mixes_the_two_sides():
    filled = filling(split_image(), "blur")
    assert filled[20, 0].tolist() == [10, 20, 30]
    assert 10 < filled[20, 19, 0] < filled[20, 20, 0] < 200


def test_removing_changes_the_region_only():
    pixels = split_image()
    region = np.zeros((40, 40), bool)
    region[10:20, 10:20] = True
    background = np.zeros((40, 40), bool)
    background[:, 30:] = True
    removed = remove(pixels, region, "background", background)
    assert np.array_equal(removed[~region], pixels[~region])
    assert np.array_equal(np.unique(removed[region], axis=0), [[200, 100, 50]])


def test_without_a_background_the_surroundings_stand_in():
    pixels = split_image()
    region = np.zeros((40, 40), bool)
    region[:, 20:] = True
    assert np.unique(remove(pixels, region, "background").reshape(-1, 3), axis=0).tolist() == [[10, 20, 30]]


def test_removing_everything_leaves_the_blurred_image():
    pixels = split_image()
    everything = np.ones((40, 40), bool)
    assert np.array_equal(remove(pixels, everything, "background"), filling(pixels, "blur"))


def test_removing_nothing_is_the_image_itself():
    pixels = split_image()
    assert remove(pixels, np.zeros((40, 40), bool), "blur") is pixels


def test_unknown_fills_and_a_missing_background_are_refused():
    with pytest.raises(ValueError, match="no fill"):
        filling(split_image(), "noise")
    with pytest.raises(ValueError, match="no background"):
        filling(split_image(), "background", np.zeros((40, 40), bool))
