import numpy as np
import pytest

from allxai_desktop import i18n
from allxai_desktop.painting.tiles import Tiles
from allxai_desktop.study.checks import Finding, check

N, C, V, R, B = 1, 2, 3, 4, 5


@pytest.fixture
def cell():
    """Return a whole cell: nucleus in cytoplasm in background, uint8 (20, 20)."""
    codes = np.full((20, 20), B, np.uint8)
    codes[3:17, 3:17] = C
    codes[6:12, 6:12] = N
    return codes


def test_a_complete_mask_has_nothing_to_look_at(cell):
    assert check(cell) == []


def test_unlabelled_pixels_are_counted_and_the_middle_of_the_largest_patch_is_pointed_at(cell):
    cell[0, 0] = 0
    cell[18, 5:8] = 0
    assert check(cell) == [Finding("unlabelled", 0, 4, (18, 6))]


def test_an_empty_mask_is_all_unlabelled():
    assert check(np.zeros((3, 4), np.uint8)) == [Finding("unlabelled", 0, 12, (1, 1))]


def test_of_a_slide_the_unlabelled_pixels_are_counted_and_the_first_is_pointed_at():
    codes = Tiles((1100, 7))
    codes.flat[slice(0, 1100 * 7)] = B
    assert check(codes) == []
    codes.flat[np.array([1000 * 7 + 3, 1050 * 7])] = 0
    assert check(codes) == [Finding("unlabelled", 0, 2, (1000, 3))]


def test_each_speck_is_found_with_its_class_and_place(cell):
    cell[1, 1:3] = R
    cell[18, 18] = N
    assert check(cell) == [Finding("speck", N, 1, (18, 18)), Finding("speck", R, 2, (1, 1))]


def test_pixels_that_meet_at_a_corner_are_two_specks(cell):
    cell[0, 0] = cell[1, 1] = R
    assert [(found.pixels, found.place) for found in check(cell)] == [(1, (0, 0)), (1, (1, 1))]


def test_a_region_of_the_least_size_is_no_speck(cell):
    cell[0, :4] = R
    assert check(cell, speck_px=4) == []
    assert len(check(cell, speck_px=5)) == 1


def test_a_vacuole_in_the_cell_is_fine_however_small(cell):
    cell[4, 4] = V
    assert check(cell) == []


def test_a_vacuole_at_the_rim_of_the_cell_is_fine(cell):
    cell[3, 8:11] = V
    assert check(cell) == []


def test_a_vacuole_in_the_background_is_found(cell):
    cell[4, 4] = V
    cell[18, 2:4] = V
    assert check(cell) == [Finding("vacuole", V, 2, (18, 2))]


def test_a_vacuole_that_fills_the_image_is_let_be():
    assert check(np.full((5, 5), V, np.uint8)) == []


def test_a_finding_says_what_and_the_trail_keeps_it_in_english(cell):
    cell[18, 18] = N
    (found,) = check(cell)
    assert found.text == "A speck of nucleus: 1 px"
    i18n.set_language("es")
    assert found.note == "speck of nucleus, 1 px at row 18, column 18"
