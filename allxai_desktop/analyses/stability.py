"""Does the map stay the same under noise too small to see? (Ghorbani et al. 2019; Alvarez-Melis & Jaakkola 2018)"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.analyses.similarity import spearman, top_overlap
from allxai_desktop.analyses.stages import stage
from allxai_desktop.tasks import Progress, unwatched

COPIES = 6
NOISE = 0.02
SEED = 0


@dataclass(frozen=True)
class Stability:
    """Of each noisy copy's map with that of the image: rank correlation (−1…1) and overlap of the top 10 % (0…1).

    Both are 0 for a copy whose map is undefined.
    """

    correlations: tuple[float, ...]
    overlaps: tuple[float, ...]

    @property
    def correlation(self) -> float:
        """The mean over the copies."""
        return float(np.mean(self.correlations))

    @property
    def overlap(self) -> float:
        """The mean over the copies."""
        return float(np.mean(self.overlaps))


def noisy_copies(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield `COPIES` copies of an image (H, W, 3) with Gaussian noise of 2 % of the range: 5.1 of 255."""
    generator = np.random.default_rng(SEED)
    for _number in range(COPIES):
        values = generator.standard_normal(pixels.shape, np.float32)
        values *= NOISE * 255
        values += pixels
        yield np.rint(values).clip(0, 255).astype(np.uint8)


def stability(
    explain: Callable[[NDArray[np.uint8], Progress], NDArray[Any] | None],
    pixels: NDArray[np.uint8],
    relevance: NDArray[Any],
    progress: Progress = unwatched,
) -> Stability:
    """Compare the map (H, W) of an image (H, W, 3) with those that `explain` makes of noisy copies.

    `explain` returns None for an undefined map. Raises what `progress` raises.
    """
    correlations, overlaps = [], []
    for number, copy in enumerate(noisy_copies(pixels)):
        found = explain(copy, stage(progress, number / COPIES, (number + 1) / COPIES))
        correlations.append(0.0 if found is None else spearman(relevance, found))
        overlaps.append(0.0 if found is None else top_overlap(relevance, found))
        progress((number + 1) / COPIES)
    return Stability(tuple(correlations), tuple(overlaps))
