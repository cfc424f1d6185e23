import numpy as np
import pytest

from allxai_desktop.keys import KEYS
from allxai_desktop.painting import cleanup


def codes(text):
    return np.array([[int(digit) for digit in row] for row in text.split()], np.uint8)


def rows(mask):
    return " ".join("".join(map(str, row)) for row in mask)


def test_a_hole_below_the_size_is_filled_and_a_larger_one_is_not():
    mask = codes("2222222 2022002 2222002 2222222")
    assert rows(cleanup.fill_holes(mask, 2, 2)) == "2222222 2222002 2222002 2222222"
    assert rows(cleanup.fill_holes(mask, 2, 5)) == "2222222 2222222 2222222 2222222"


def test_another_class_in_a_hole_is_filled_but_no_vacuole():
    mask = codes("22222 21232 22222")
    assert rows(cleanup.fill_holes(mask, 2, 9)) == "22222 22232 22222"
    assert rows(cleanup.fill_holes(mask, 1, 9)) == rows(mask)


def test_what_reaches_the_border_of_the_image_is_no_hole():
    mask = codes("220 202 222")
    assert rows(cleanup.fill_holes(mask, 2, 9)) == "220 222 222"


def test_the_holes_of_every_class_are_filled():
    mask = codes("111444 101404 111444")
    assert rows(cleanup.fill_holes(mask, None, 9)) == "111444 111444 111444"


def test_an_island_takes_the_code_most_common_around_it():
    mask = codes("55555 51152 55552")
    assert rows(cleanup.remove_islands(mask, 1, 3)) == "55555 55552 55552"
    assert rows(cleanup.remove_islands(mask, 1, 2)) == rows(mask)


def test_the_islands_of_every_class_go_but_vacuoles_stay():
    mask = codes("555555 514535 555555")
    assert rows(cleanup.remove_islands(mask, None, 2)) == "555555 555535 555555"
    assert rows(cleanup.remove_islands(mask, 3, 2)) == "555555 514555 555555"


def test_pixels_that_meet_in_a_corner_are_islands_of_their_own():
    assert rows(cleanup.remove_islands(codes("5555 5155 5515 5555"), 1, 2)) == "5555 5555 5555 5555"


def test_what_is_inside_an_island_has_no_say_in_what_becomes_of_it():
    mask = codes("5555555 5511155 5511155 5511155 5555555")
    assert rows(cleanup.remove_islands(mask, 1, 10)) == " ".join(["5555555"] * 5)


def test_a_small_image_of_one_class_is_no_island():
    mask = codes("11 11")
    assert rows(cleanup.remove_islands(mask, 1, 100)) == "11 11"


def test_smoothing_takes_a_spike_and_keeps_a_straight_side():
    mask = codes("5555555 5551555 1111111 1111111 1111111")
    assert rows(cleanup.smooth(mask, None)) == "5555555 5555555 1111111 1111111 1111111"


@pytest.mark.parametrize(("mask", "smoothed"), [("22122", "22222"), ("2 2 1 2 2", "2 2 2 2 2")])
def test_smoothing_looks_along_rows_and_columns(mask, smoothed):
    assert rows(cleanup.smooth(codes(mask), None)) == smoothed


def test_smoothing_leaves_a_pixel_that_two_classes_have_as_much_of():
    # Around the middle, five of each column: ten of either class.
    assert rows(cleanup.smooth(codes("22113"), None))[2] == "1"
    assert rows(cleanup.smooth(codes("11223"), None))[2] == "2"


def test_smoothing_one_class_changes_only_what_it_wins_or_loses():
    mask = codes("5555555 5535455 5555555")
    assert rows(cleanup.smooth(mask, 4)) == "5555555 5535555 5555555"


def test_growing_takes_the_four_neighbours():
    assert rows(cleanup.grow(codes("0000 0100 0005"), 1)) == "0100 1110 0105"


def test_shrinking_gives_the_edge_to_its_neighbours_but_not_at_the_border():
    mask = codes("11115 11115 11115")
    assert rows(cleanup.shrink(mask, 1)) == "11155 11155 11155"


@pytest.mark.parametrize(
    ("mask", "shrunk"), [("12", "22"), ("21", "22"), ("1 2", "2 2"), ("2 1", "2 2"), ("131", "333")]
)
def test_each_side_counts_in_shrinking(mask, shrunk):
    assert rows(cleanup.shrink(codes(mask), 1)) == shrunk


@pytest.mark.parametrize("name", cleanup.ONE_CLASS)
def test_growing_and_shrinking_need_a_class(name):
    with pytest.raises(ValueError, match="one class"):
        cleanup.ACTIONS[name](codes("10"), None, 0)


def test_the_rest_becomes_background():
    assert rows(cleanup.rest_to_background(codes("010 200"))) == "515 255"


@pytest.mark.parametrize("name", cleanup.ACTIONS)
def test_the_mask_that_is_given_stays_and_every_action_has_a_key(name):
    mask = codes("00000 01010 02220")
    before = mask.copy()
    assert cleanup.ACTIONS[name](mask, 1, 9).dtype == np.uint8
    assert np.array_equal(mask, before)
    assert name in KEYS
