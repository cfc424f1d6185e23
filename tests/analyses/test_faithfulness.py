"""Deletion and insertion on a linear score over four pixels, by hand."""

import numpy as np
import pytest

from allxai_desktop.analyses.faithfulness import (
    Faithfulness,
    block_numbers,
    order_by_relevance,
    random_orders,
    replacement_curves,
)
from allxai_desktop.tasks import Cancelled

# Red channel of a 2×2 image; the score is 0.4, 0.3, 0.2 and 0.1 of them.
WEIGHTS = np.array([[0.4, 0.3], [0.2, 0.1]])
IMAGE = np.full((2, 2, 3), 255, np.uint8)
NOTHING = np.zeros((2, 2, 3), np.uint8)


def score(images):
    return np.array([(image[..., 0] / 255 * WEIGHTS).sum() for image in images])


def curve(before, after, *order):
    blocks = block_numbers(2, 2)
    return replacement_curves(score, before, after, blocks, [np.array(order)], steps=4)[0]


def test_deletion_takes_the_blocks_out_in_their_order():
    np.testing.assert_allclose(curve(IMAGE, NOTHING, 0, 1, 2, 3), [1, 0.6, 0.3, 0.1, 0])


def test_insertion_puts_them_in():
    np.testing.assert_allclose(curve(NOTHING, IMAGE, 0, 1, 2, 3), [0, 0.4, 0.7, 0.9, 1])


def test_area_is_the_mean_score_over_the_image():
    found = Faithfulness(
        deletion=curve(IMAGE, NOTHING, 0, 1, 2, 3),
        insertion=curve(NOTHING, IMAGE, 0, 1, 2, 3),
        random=np.array([[1, 0.5, 0], [1, 1, 0]]),
    )
    # Trapezoids of width ¼: (0.5 + 0.6 + 0.3 + 0.1) / 4 and (0.4 + 0.7 + 0.9 + 0.5) / 4.
    assert found.deletion_auc == pytest.approx(0.375)
    assert found.insertion_auc == pytest.approx(0.625)
    np.testing.assert_allclose(found.random_aucs, [0.5, 0.75])


def test_an_order_shown_is_the_reverse_one_taken_away_read_backwards():
    shown = curve(NOTHING, IMAGE, 2, 0, 3, 1)
    np.testing.assert_allclose(shown, curve(IMAGE, NOTHING, 1, 3, 0, 2)[::-1])


def test_several_orders_are_scored_in_batches_of_images():
    sizes = []

    def counted(images):
        images = list(images)
        sizes.append(len(images))
        return score(images)

    blocks = block_numbers(2, 2)
    found = replacement_curves(counted, IMAGE, NOTHING, blocks, random_orders(6, blocks), steps=4)
    assert found.shape == (6, 5)
    # The two ends are common to all orders; 6 · 3 steps lie between them.
    assert sizes == [1, 1, 16, 2]
    np.testing.assert_allclose(found[:, [0, -1]], [[1, 0]] * 6)


def test_steps_take_whole_blocks():
    blocks = block_numbers(2, 2)
    found = replacement_curves(score, IMAGE, NOTHING, blocks, [np.arange(4)], steps=2)
    np.testing.assert_allclose(found, [[1, 0.3, 0]])


def test_blocks_cover_the_image_evenly():
    blocks = block_numbers(5, 4, grid=2)
    assert blocks.tolist() == [[0, 0, 1, 1]] * 3 + [[2, 2, 3, 3]] * 2


def test_no_block_is_smaller_than_a_pixel():
    assert block_numbers(2, 3).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_highest_mean_comes_first():
    blocks = np.array([[0, 0, 0, 1], [2, 2, 3, 3]])
    relevance = np.array([[1, 1, 1, 2], [-5, 1, 3, 3]], np.float32)
    assert order_by_relevance(relevance, blocks).tolist() == [3, 1, 0, 2]


def test_equal_blocks_come_in_no_order_of_place():
    blocks = block_numbers(16, 16)
    order = order_by_relevance(np.zeros((16, 16), np.float32), blocks)
    assert sorted(order) == list(range(256))
    assert abs(np.corrcoef(order, np.arange(256))[0, 1]) < 0.2


def test_random_orders_are_the_same_each_time():
    blocks = block_numbers(4, 4)
    first, second = random_orders(2, blocks), random_orders(2, blocks)
    np.testing.assert_array_equal(first, second)
    assert first[0].tolist() != first[1].tolist()


def test_progress_can_end_it():
    def progress(share):
        if share > 0:
            raise Cancelled

    blocks = block_numbers(2, 2)
    with pytest.raises(Cancelled):
        replacement_curves(score, IMAGE, NOTHING, blocks, random_orders(9, blocks), 4, progress)
