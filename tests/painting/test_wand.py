import numpy as np
import pytest

from allxai_desktop.painting.wand import REACHES, Wand


@pytest.fixture
def pixels():
    """Return grey 7 × 9 px with a square of slightly other grey, and a far dark pixel."""
    made = np.full((7, 9, 3), 200, np.uint8)
    made[2:5, 2:5] = 190
    made[6, 8] = 20
    return made


def test_the_region_is_joined_and_of_like_colour(pixels):
    wand = Wand(pixels, (3.4, 2.6))
    rows, columns = np.divmod(wand.region(2), 9)
    assert sorted(set(rows.tolist())) == sorted(set(columns.tolist())) == [2, 3, 4]
    assert len(rows) == 9


def test_a_larger_tolerance_takes_more(pixels):
    wand = Wand(pixels, (3, 3))
    assert [len(wand.region(tolerance)) for tolerance in (2, 10, 100)] == [9, 62, 63]


def test_another_part_of_the_same_colour_is_not_taken():
    pixels = np.zeros((3, 7, 3), np.uint8)
    pixels[:, 3] = 255
    assert len(Wand(pixels, (1, 1)).region(5)) == 9


def test_one_noisy_pixel_does_not_decide_but_belongs(pixels):
    pixels[0, 6] = 120
    assert len(Wand(pixels, (0, 6)).region(30)) == 62


def test_off_the_image_there_is_nothing(pixels):
    assert len(Wand(pixels, (-1, 3)).region(100)) == 0


def test_it_looks_no_farther_than_the_last_reach():
    reach = REACHES[-1]
    pixels = np.zeros((3, 4 * reach, 3), np.uint8)
    columns = Wand(pixels, (1, 2 * reach)).region(5) % (4 * reach)
    assert (columns.min(), columns.max()) == (reach, 3 * reach)
