"""Where on an image to look next: unlabelled pixels, and where a proposal is unsure."""

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.cellclasses import UNLABELLED
from allxai_desktop.painting.shapes import Indices, window_indices

UNSURE = 0.5
"""From this uncertainty on, smoothed, a pixel is worth a look: the second class has half the lead of a sure one."""
SMOOTH_PX = 1.5
SMALLEST = 12
"""Unsure regions of fewer pixels are left out: one click near an edge is no gain."""
REACH = 512
_BLOCK = 1 << 20


def unsure_regions(
    uncertainty: NDArray[np.float32], known: NDArray[np.bool_], count: int = 3
) -> tuple[Indices, ...]:
    """Return the regions, flat indices (n,), where clicking tells most: at most `count`, the most unsure first.

    `uncertainty` (H, W) is 0…1; pixels that are `known` (H, W) count for nothing. A region counts by the sum over its
    pixels, so that a wide doubt goes before a sharp one.
    """
    from scipy import ndimage

    doubt = np.where(known, 0, ndimage.gaussian_filter(uncertainty, SMOOTH_PX))
    labels, found = ndimage.label(doubt > UNSURE)
    numbers = np.arange(1, found + 1)
    size = np.bincount(labels.reshape(-1), minlength=found + 1)[1:]
    total = np.bincount(labels.reshape(-1), doubt.reshape(-1), found + 1)[1:]
    large = numbers[size >= SMALLEST]
    best = large[np.argsort(-total[large - 1], kind="stable")][:count]
    # A doubt around something sure is one place to look at.
    return tuple(np.flatnonzero(ndimage.binary_fill_holes(labels == number)) for number in best)


def unlabelled_region(codes: NDArray[np.uint8], seen: NDArray[np.bool_]) -> Indices | None:
    """Return the first unlabelled region, flat indices (n,), of `codes` (H, W) with a pixel not `seen` (H, W).

    Of a large one it is the part within `REACH` px, so that the cost is bounded. None where there is no such pixel.
    """
    from scipy import ndimage

    flat, skip = codes.reshape(-1), seen.reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        wanted = (flat[start : start + _BLOCK] == UNLABELLED) & ~skip[start : start + _BLOCK]
        if not wanted.any():
            continue
        row, column = divmod(start + int(wanted.argmax()), codes.shape[1])
        top, left = max(row - REACH, 0), max(column - REACH, 0)
        window = codes[top : row + REACH + 1, left : column + REACH + 1] == UNLABELLED
        labels, _count = ndimage.label(window)
        return window_indices(labels == labels[row - top, column - left], (top, left), codes.shape[1])
    return None


def middle(region: Indices, shape: tuple[int, int]) -> tuple[int, int]:
    """Return the row and column of the pixel of `region` (n,) that is farthest from its edge."""
    from scipy import ndimage

    rows, columns = np.divmod(region, shape[1])
    top, left = int(rows.min()) - 1, int(columns.min()) - 1
    inside = np.zeros((int(rows.max()) - top + 2, int(columns.max()) - left + 2), bool)
    inside[rows - top, columns - left] = True
    depth = ndimage.distance_transform_edt(inside)
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(row) + top, int(column) + left
