"""Maps of noisy copies, of explainers that are known to be steady or not."""

import numpy as np
import pytest

from allxai_desktop.analyses.stability import COPIES, noisy_copies, stability
from allxai_desktop.tasks import Cancelled

PIXELS = np.full((20, 20, 3), 128, np.uint8)
RELEVANCE = np.arange(400, dtype=np.float32).reshape(20, 20)


def test_noise_is_two_per_cent_of_the_range():
    copies = list(noisy_copies(np.full((50, 50, 3), 128, np.uint8)))
    assert len(copies) == COPIES
    assert np.std(np.array(copies, float)) == pytest.approx(5.1, rel=0.02)
    assert copies[0].dtype == np.uint8
    np.testing.assert_array_equal(copies, list(noisy_copies(np.full((50, 50, 3), 128, np.uint8))))


def test_noise_stays_in_the_range():
    assert np.mean(list(noisy_copies(np.full((9, 9, 3), 255, np.uint8)))) > 250


def test_an_explainer_that_ignores_noise_is_wholly_stable():
    found = stability(lambda pixels, progress: 2 * RELEVANCE, PIXELS, RELEVANCE)
    assert found.correlations == pytest.approx((1.0,) * COPIES)
    assert found.overlaps == (1.0,) * COPIES


def test_the_mean_is_over_the_copies():
    maps = iter([RELEVANCE, -RELEVANCE] * (COPIES // 2))
    found = stability(lambda pixels, progress: next(maps), PIXELS, RELEVANCE)
    assert found.correlation == pytest.approx(0.0)
    assert found.overlap == pytest.approx(0.5)


def test_a_map_that_is_lost_counts_as_another_map():
    maps = iter([None] + [RELEVANCE] * (COPIES - 1))
    found = stability(lambda pixels, progress: next(maps), PIXELS, RELEVANCE)
    assert found.correlation == pytest.approx(1 - 1 / COPIES)


def test_the_explainers_own_progress_is_a_part_of_it():
    told = []

    def explain(pixels, progress):
        progress(0.5)
        return RELEVANCE

    stability(explain, PIXELS, RELEVANCE, told.append)
    assert told[:2] == pytest.approx([0.5 / COPIES, 1 / COPIES])
    assert told[-1] == 1.0


def test_progress_can_end_it():
    def progress(share):
        raise Cancelled

    with pytest.raises(Cancelled):
        stability(lambda pixels, watch: RELEVANCE, PIXELS, RELEVANCE, progress)
