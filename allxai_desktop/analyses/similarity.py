"""How alike two relevance maps are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.relevance import pixel_weights

Map = NDArray[np.floating[Any]]
TOP = 0.1
_LONGEST_SIDE = 512


def spearman(a: Map, b: Map) -> float:
    """Return Spearman's rank correlation of two maps (H, W), −1…1, equal values sharing their mean rank.

    0 where one of them is constant.
    """
    from scipy.stats import rankdata

    ranks = [rankdata(_thinned(one)) for one in (a, b)]
    first, second = (one - one.mean() for one in ranks)
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / scale if scale > 0 else 0.0


def top_overlap(a: Map, b: Map) -> float:
    """Return how many of the highest 10 % of the pixels of `a` (H, W) are among those of `b`, 0…1.

    The top-k intersection of Ghorbani et al. 2019.
    """
    first, second = (pixel_weights(np.asarray(one, np.float32), "top-q", q=TOP) for one in (a, b))
    return float((first & second).sum() / first.sum())


def ssim(a: Map, b: Map) -> float:
    """Return the structural similarity (Wang et al. 2004) of two maps (H, W) ≥ 0, each divided by its maximum."""
    from skimage.metrics import structural_similarity

    # Seven pixels are the window; a smaller map is continued beyond its border.
    missing = [(0, max(0, 7 - side)) for side in a.shape]
    scaled = [np.pad(np.asarray(one, np.float64) / (one.max() or 1.0), missing, "edge") for one in (a, b)]
    similarity: Any = structural_similarity  # it has no types
    return float(similarity(*scaled, data_range=1.0, win_size=7))


def _thinned(values: Map) -> Map:
    """Return every k-th pixel, flat: the ranks of a quarter of a million say what those of millions do."""
    step = -(-max(values.shape) // _LONGEST_SIDE)
    return values[::step, ::step].ravel()
