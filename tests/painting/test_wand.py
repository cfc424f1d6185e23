import numpy as np
import pytest

from allxai_desktop.painting.wand import REACHES, Wand

WIDTH = 90


@pytest.fixture
def pixels():
    """Return 5 × 90 px: 30 columns each of grey 150, grey 200 (about 19 ΔE lighter) and grey 150 again."""
    made = np.full((5, WIDTH, 3), 150, np.uint8)
    made[:, 30:60] = 200
    return made


def columns(indices, width=WIDTH):
    return np.unique(indices % width).tolist()


def test_the_region_is_joined_and_of_like_colour(pixels):
    found = Wand(pixels, (2.4, 9.6)).region(9)
    assert columns(found) == list(range(30))
    assert len(found) == 5 * 30


def test_a_larger_tolerance_takes_more(pixels):
    wand = Wand(pixels, (2, 10))
    assert [len(wand.region(tolerance)) for tolerance in (9, 25)] == [150, 450]


def test_grain_does_not_break_a_region_up(pixels):
    grain = np.random.default_rng(0).choice([-25, 25], (5, WIDTH, 1))
    found = Wand((pixels + grain).astype(np.uint8), (2, 10)).region(9)
    assert len(set(columns(found)) & set(range(28))) == 28
    assert max(columns(found)) < 33


def test_the_pixel_itself_belongs_to_it(pixels):
    assert 2 * WIDTH + 30 in Wand(pixels, (2, 30)).region(0)


def test_off_the_image_there_is_nothing(pixels):
    for point in ((-1, 3), (5, 3), (2, -1), (2, WIDTH)):
        assert len(Wand(pixels, point).region(100)) == 0
    for point in ((0, 0), (4, WIDTH - 1)):
        assert len(Wand(pixels, point).region(100)) == 5 * WIDTH


def test_it_looks_no_farther_than_the_last_reach():
    reach = REACHES[-1]
    found = Wand(np.zeros((3, 4 * reach, 3), np.uint8), (1, 2 * reach)).region(5)
    assert columns(found, 4 * reach) == list(range(reach, 3 * reach + 1))
