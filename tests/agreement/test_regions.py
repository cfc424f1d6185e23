import numpy as np
import pytest

from allxai_desktop.agreement.regions import Regions

# Three regions: four pixels nucleus | cytoplasm, two cytoplasm | background, one unlabelled | red cell.
FIRST = np.array([[1, 1, 1, 5, 5, 5], [1, 1, 5, 5, 2, 2], [5, 5, 5, 5, 5, 5], [0, 5, 5, 5, 5, 5]], np.uint8)
SECOND = np.array([[2, 2, 1, 5, 5, 5], [2, 2, 5, 5, 5, 5], [5, 5, 5, 5, 5, 5], [4, 5, 5, 5, 5, 5]], np.uint8)


def test_regions_are_told_apart_by_both_codes_the_largest_first():
    found = Regions(FIRST, SECOND)
    assert [(region.first, region.second, region.size) for region in found] == [
        (1, 2, 4),
        (2, 5, 2),
        (0, 4, 1),
    ]
    assert [region.bounds for region in found] == [(0, 0, 2, 2), (1, 4, 2, 6), (3, 0, 4, 1)]
    assert found[0].indices.tolist() == [0, 1, 6, 7]


def test_pixels_that_touch_by_a_corner_are_one_region_and_other_codes_are_not():
    first = np.array([[1, 5], [5, 1]], np.uint8)
    assert [region.size for region in Regions(first, np.full((2, 2), 5, np.uint8))] == [2]
    assert len(Regions(first, np.array([[2, 5], [5, 3]], np.uint8))) == 2


def test_masks_that_agree_have_no_regions():
    assert len(Regions(FIRST, FIRST)) == 0
    with pytest.raises(ValueError, match="shapes"):
        Regions(FIRST, SECOND.T)


def test_pixels_of_several_regions_come_one_region_after_the_other():
    regions = Regions(FIRST, SECOND)
    assert regions.pixels(np.array([2, 0])).tolist() == [18, 0, 1, 6, 7]
    assert regions.pixels(np.array([], int)).tolist() == []
    assert regions.touched(np.array([2, 7, 10])).tolist() == [0, 1]
    assert regions.touched(np.array([2, 18])).tolist() == [2]


def test_a_slice_and_a_number_from_the_end_are_understood():
    regions = Regions(FIRST, SECOND)
    assert [region.size for region in regions[1:]] == [2, 1]
    assert regions[-1].size == 1
    with pytest.raises(IndexError):
        regions[3]
