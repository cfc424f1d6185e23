"""Likeness of maps, by hand."""

import numpy as np
import pytest

from allxai_desktop.analyses.similarity import spearman, ssim, top_overlap


def a_map(*rows):
    return np.array(rows, np.float32)


def test_ranks_do_not_see_the_size_of_values():
    assert spearman(a_map([1, 2], [3, 4]), a_map([0, 10], [100, 1000])) == pytest.approx(1.0)


def test_the_opposite_order_is_minus_one():
    assert spearman(a_map([1, 2], [3, 4]), a_map([4, 3], [2, 1])) == pytest.approx(-1.0)


def test_equal_values_share_their_mean_rank():
    # Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: products of deviations 2.25 + 0 + 0 + 2.25 of √(4.5 · 5).
    assert spearman(a_map([1, 2], [2, 3]), a_map([1, 2], [3, 4])) == pytest.approx(4.5 / np.sqrt(22.5))


def test_a_constant_map_has_no_order_to_agree_with():
    assert spearman(a_map([1, 1], [1, 1]), a_map([1, 2], [3, 4])) == 0.0


def test_overlap_counts_the_strongest_tenth():
    first, second = np.zeros((2, 4, 5), np.float32)
    first[0, :2] = 9  # the strongest 2 of 20
    second[0, 1:3] = 9
    assert top_overlap(first, second) == 0.5


def test_ssim_of_a_scaled_map_is_one():
    values = np.arange(64, dtype=np.float32).reshape(8, 8)
    assert ssim(values, 5 * values) == pytest.approx(1.0)
    assert ssim(values, values[::-1].copy()) < 0.5


def test_ssim_takes_the_smallest_maps():
    assert ssim(a_map([1, 2], [3, 4]), a_map([1, 2], [3, 4])) == pytest.approx(1.0)
