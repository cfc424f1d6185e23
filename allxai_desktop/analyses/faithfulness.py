"""Deletion and insertion curves (Petsiuk et al. 2018, RISE) against random orders.

The image is cut into a grid of blocks, and whole blocks are taken out, the ones with the highest mean relevance
first (Montavon et al. 2018; `Selectivity` in Quantus). The relevance is ranked with its sign: what speaks for the
class comes first. The random orders are orders of the same blocks: single pixels at random would make a noise
that breaks a network faster than any region does, and every map would win or lose by its grain alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.tasks import Progress, unwatched

Score = Callable[[Iterable[NDArray[np.uint8]]], NDArray[Any]]
"""Takes n images (H, W, 3), to be read once, returns the target's probability for each (n,)."""
GRID = 16
STEPS = 20
# A map that beats all of 20 random orders does so by chance less than once in 20 times.
RANDOM_ORDERS = 20
FILL = "blur"
SEED = 0
_BATCH = 16


@dataclass(frozen=True)
class Faithfulness:
    """Scores step by step: `deletion`, `insertion` (steps + 1,) in the map's order, `random` (N, steps + 1) deletions.

    An area under a curve (AUC) is the mean score over the fraction of the image, by trapezoids: 0…1 for
    probabilities. A random order inserted is the reverse one deleted, read backwards, so that the
    same random curves serve both.
    """

    deletion: NDArray[np.float64]
    insertion: NDArray[np.float64]
    random: NDArray[np.float64]

    @property
    def deletion_auc(self) -> float:
        """Low where the map marks what the score rests on."""
        return float(area(self.deletion))

    @property
    def insertion_auc(self) -> float:
        """High where the map marks what the score rests on."""
        return float(area(self.insertion))

    @property
    def random_aucs(self) -> NDArray[np.float64]:
        """Of each random order (N,), for deletion and insertion alike."""
        return area(self.random)


def area(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area under curves (…, steps + 1) over 0…1."""
    return np.asarray(np.trapezoid(curve, dx=1 / (curve.shape[-1] - 1), axis=-1))


def block_numbers(height: int, width: int, grid: int = GRID) -> NDArray[np.intp]:
    """Return the number of each pixel's block (H, W), row by row; at most grid × grid blocks."""
    rows, columns = (np.arange(n) * min(grid, n) // n for n in (height, width))
    return rows[:, None] * min(grid, width) + columns


def order_by_relevance(relevance: NDArray[Any], blocks: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the numbers of the blocks, the highest mean relevance first, equal ones in a random order."""
    flat = blocks.ravel()
    mean = np.bincount(flat, np.asarray(relevance, np.float64).ravel()) / np.bincount(flat)
    return np.lexsort((np.random.default_rng(SEED).random(mean.size), -mean))


def random_orders(count: int, blocks: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Return `count` random orders of the blocks."""
    generator = np.random.default_rng(SEED)
    return [generator.permutation(int(blocks.max()) + 1) for _number in range(count)]


def replacement_curves(
    score: Score,
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    blocks: NDArray[np.intp],
    orders: Sequence[NDArray[np.intp]],
    steps: int = STEPS,
    progress: Progress = unwatched,
) -> NDArray[np.float64]:
    """Return the scores (orders, steps + 1) while the blocks of `before` give way to those of `after`, order by order.

    Both are (H, W, 3); step k has replaced the first round(k · blocks / steps) blocks. Raises what `progress` raises.
    """
    curves = np.empty((len(orders), steps + 1))
    curves[:, 0], curves[:, -1] = score([before])[0], score([after])[0]
    places = [(row, step) for row in range(len(orders)) for step in range(1, steps)]
    ranks = np.empty((len(orders), int(blocks.max()) + 1), np.intp)
    for row, order in enumerate(orders):
        ranks[row, order] = np.arange(order.size)
    for start in range(0, len(places), _BATCH):
        progress(start / len(places))
        batch = places[start : start + _BATCH]
        # One at a time: a slide of many megapixels is large.
        images = (
            np.where((ranks[row] < round(step * ranks.shape[1] / steps))[blocks][..., None], after, before)
            for row, step in batch
        )
        for (row, step), value in zip(batch, score(images), strict=True):
            curves[row, step] = value
    progress(1.0)
    return curves
