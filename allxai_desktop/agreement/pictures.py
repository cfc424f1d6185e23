"""How a region of disagreement is shown: hatched over the image, and what each side painted there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from allxai_desktop.agreement.adjudication import OPEN, Adjudication
from allxai_desktop.agreement.regions import Codes, Region
from allxai_desktop.cellclasses import CLASSES

WHITE, BLACK, EDGE = 1, 2, 3
"""What the pixels of `hatch` are: stripes of an open region, and the rim of the one that is looked at."""
SMALLEST_VIEW = 64
LARGEST_PICTURE = 256
STRIPE = 2
TINT = 0.45
Box = tuple[int, int, int, int]


def view_box(region: Region, shape: tuple[int, int]) -> Box:
    """Return a square (top, left, bottom, right) around a region with as much again around it, inside the image.

    It is cut where the image is smaller.
    """
    top, left, bottom, right = region.bounds
    side = max(2 * (bottom - top), 2 * (right - left), SMALLEST_VIEW)
    found = []
    for low, high, length in ((top, bottom, shape[0]), (left, right, shape[1])):
        start = max(0, min((low + high - side) // 2, length - side))
        found.append((start, min(start + side, length)))
    (first_row, last_row), (first_column, last_column) = found
    return first_row, first_column, last_row, last_column


def inside(region: Region, box: Box, width: int) -> NDArray[np.bool_]:
    """Return the pixels of a region in a box, of an image so wide."""
    top, left, bottom, right = box
    found = np.zeros((bottom - top, right - left), bool)
    rows, columns = np.divmod(region.indices, width)
    rows, columns = rows - top, columns - left
    seen = (rows >= 0) & (rows < found.shape[0]) & (columns >= 0) & (columns < found.shape[1])
    found[rows[seen], columns[seen]] = True
    return found


def rim(part: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels beside `part` (H, W), along rows or columns: what is in it stays to be seen."""
    found: NDArray[np.bool_] = ndimage.binary_dilation(part) & ~part
    return found


def side_picture(pixels: NDArray[np.uint8], codes: Codes, region: Region, box: Box) -> NDArray[np.uint8]:
    """Return the part of an image (H, W, 3) in a box, tinted as one side labelled it, the region in a white rim.

    A box much larger than `LARGEST_PICTURE` is thinned out.
    """
    top, left, bottom, right = box
    # A large region is seen small: every `step`-th pixel is enough.
    step = max(1, max(bottom - top, right - left) // LARGEST_PICTURE)
    seen = slice(top, bottom, step), slice(left, right, step)
    part, labels = pixels[seen], codes[seen]
    colors = np.zeros((max(cls.code for cls in CLASSES) + 1, 3))
    for cls in CLASSES:
        colors[cls.code] = cls.color
    tint = np.where(labels > 0, TINT, 0.0)[..., None]
    found: NDArray[np.uint8] = np.rint(part * (1 - tint) + colors[labels] * tint).astype(np.uint8)
    found[rim(inside(region, box, pixels.shape[1])[::step, ::step])] = 255
    return found


def hatched(model: Adjudication, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return how pixels (n,) at flat `indices` are drawn: `WHITE` and `BLACK` in open regions, else 0.

    The region that is looked at is free of stripes.
    """
    number = model.regions.at[indices]
    striped = model.decided == OPEN
    if model.current >= 0:
        striped[model.current] = False
    rows, columns = np.divmod(indices, model.first.shape[1])
    stripes = np.where((rows + columns) // STRIPE % 2, WHITE, BLACK)
    drawn = np.zeros(len(indices), bool)
    drawn[number >= 0] = striped[number[number >= 0]]
    return np.where(drawn, stripes, 0).astype(np.uint8)


def rim_of(region: Region, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Return the flat indices (n,) of the pixels around a region in an image of `shape`."""
    top, left, bottom, right = region.bounds
    box = max(top - 1, 0), max(left - 1, 0), min(bottom + 1, shape[0]), min(right + 1, shape[1])
    rows, columns = np.nonzero(rim(inside(region, box, shape[1])))
    found: NDArray[np.int64] = (rows + box[0]) * shape[1] + columns + box[1]
    return found
