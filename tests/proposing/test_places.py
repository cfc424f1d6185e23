import numpy as np
import pytest

from allxai_desktop.proposing import places
from allxai_desktop.proposing.places import middle, unlabelled_region, unsure_regions


def blank(*shape):
    return np.zeros(shape, bool)


def test_unsure_regions_are_ranked_by_the_doubt_they_hold():
    uncertainty = np.zeros((60, 60), np.float32)
    uncertainty[5:15, 5:15] = 0.9
    uncertainty[30:50, 30:50] = 0.8
    regions = unsure_regions(uncertainty, blank(60, 60))
    assert [int(region[len(region) // 2]) // 60 > 20 for region in regions] == [True, False]
    assert len(regions[0]) == pytest.approx(400, rel=0.1)


def test_no_more_unsure_regions_than_asked_for():
    uncertainty = np.zeros((20, 90), np.float32)
    for column in (5, 25, 45, 65):
        uncertainty[5:15, column : column + 10] = 0.9
    assert len(unsure_regions(uncertainty, blank(20, 90), 2)) == 2


def test_a_ring_of_doubt_is_one_region_with_what_it_surrounds():
    uncertainty = np.zeros((40, 40), np.float32)
    uncertainty[5:35, 5:35] = 0.9
    uncertainty[14:26, 14:26] = 0
    (region,) = unsure_regions(uncertainty, blank(40, 40))
    assert 20 * 40 + 20 in region


def test_known_pixels_and_specks_are_no_unsure_regions():
    uncertainty = np.zeros((40, 40), np.float32)
    uncertainty[5:15, 5:15] = 0.9
    uncertainty[30:33, 30:33] = 1.0
    known = blank(40, 40)
    known[:20] = True
    assert unsure_regions(uncertainty, known) == ()


def test_unlabelled_regions_are_found_one_after_the_other():
    codes = np.full((6, 8), 5, np.uint8)
    codes[0, 6:] = codes[4:, :2] = 0
    seen = blank(6, 8)
    first = unlabelled_region(codes, seen)
    seen.reshape(-1)[first] = True
    second = unlabelled_region(codes, seen)
    seen.reshape(-1)[second] = True
    assert (first.tolist(), second.tolist()) == ([6, 7], [32, 33, 40, 41])
    assert unlabelled_region(codes, seen) is None


def test_of_a_large_unlabelled_region_a_part_is_taken(monkeypatch):
    monkeypatch.setattr(places, "REACH", 2)
    monkeypatch.setattr(places, "_BLOCK", 7)
    codes = np.zeros((10, 10), np.uint8)
    codes[:5] = 1
    assert unlabelled_region(codes, blank(10, 10)).tolist() == [50, 51, 52, 60, 61, 62, 70, 71, 72]


def test_the_middle_is_inside_a_region_that_bends():
    region = blank(9, 9)
    region[1:8, 1:3] = region[5:8, 1:8] = True
    row, column = middle(np.flatnonzero(region), (9, 9))
    assert region[row, column]
    assert (row, column) == (6, 2)


def test_the_middle_of_one_pixel_in_a_corner_is_that_pixel():
    assert middle(np.array([0]), (4, 4)) == (0, 0)
