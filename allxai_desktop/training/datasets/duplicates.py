"""Copies of one image: near-copies, and copies that were turned or mirrored."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from allxai_desktop.training.preparing.views import symmetry

MAX_BITS = 4
"""Two images are near-copies by difference hash if at most so many of its 256 bits differ."""
LEAST = 0.95
"""Two images are near-copies by fingerprint if the product of theirs is at least this.

Of 640 cells cut out (C-NMC), 23 pairs reach 0.97, each the same cell to the eye; no other pair passes 0.93.
"""
# Cells and darkest border, in grey levels: compression may lift black a little.
_GRID = 16
_BLACK = 16
# Rows that are compared with all others at once: 512 × 20,000 numbers take 40 MB.
_ROWS = 512


def difference_hash(pixels: Tensor) -> NDArray[np.uint64]:
    """Return the 256 bits (N, 4) of images (N, 3, h, w): is each cell of a 16 × 17 grid darker than the next?"""
    grey = functional.interpolate(
        pixels.float().mean(1, keepdim=True), (16, 17), mode="bilinear", antialias=True
    )[:, 0]
    bits = (grey[:, :, 1:] > grey[:, :, :-1]).flatten(1).numpy()
    return np.packbits(bits, axis=1).view(np.uint64)


def near_duplicates(pixels: Tensor) -> list[int]:
    """Return a group number for each image of `pixels` (N, 3, h, w): those with like difference hashes share theirs.

    Quick, and what the demo networks were split by; `group_fingerprints` finds more copies and fewer others.
    """
    hashes = difference_hash(pixels)
    groups = list(range(len(hashes)))
    for number, word in enumerate(hashes):
        bits = np.bitwise_count(hashes[number + 1 :] ^ word).sum(axis=1)
        for other in np.flatnonzero(bits <= MAX_BITS) + number + 1:
            _join(groups, number, int(other))
    return [_root(groups, number) for number in range(len(groups))]


def without_black_border(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) without the black border around a cell that was cut out; else the whole image.

    Two thirds of such an image are black: compared with them, cells of one size would be copies of each other.
    """
    bright = pixels.max(axis=2) > _BLACK
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    if not len(rows):
        return pixels
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fingerprint(pixels: Tensor) -> NDArray[np.float32]:
    """Return the detail of square images (N, 3, h, h) on a 16 × 16 grid, as vectors (N, 256) of length 1.

    Detail is what differs from the mean of 5 × 5 cells; its square root, with sign, keeps one outline from
    drowning the rest. An even image has none, and a vector of zeros.
    """
    grey = functional.interpolate(
        pixels.float().mean(1, keepdim=True), (_GRID, _GRID), mode="bilinear", antialias=True
    )
    around = functional.avg_pool2d(functional.pad(grey, (2, 2, 2, 2), mode="reflect"), 5, stride=1)
    # Half a grey level is rounding.
    detail = functional.softshrink(grey - around, 0.5)
    vectors = (detail.sign() * detail.abs().sqrt()).flatten(1)
    found: NDArray[np.float32] = functional.normalize(vectors).numpy()
    return found


def group_fingerprints(fingerprints: NDArray[np.float32]) -> list[int]:
    """Return a group number for each image: those share one that look alike, turned or not, and their copies' copies.

    Every pair is compared in the eight symmetries, which on a square grid are permutations of the numbers: the time
    grows with N², the memory with N.
    """
    count = len(fingerprints)
    groups = np.arange(count)
    for start in range(0, count, _ROWS):
        block = fingerprints[start : start + _ROWS].reshape(-1, _GRID, _GRID)
        alike = np.zeros((len(block), count - start), bool)
        for number in range(8):
            turned = symmetry(block, number, (1, 2)).reshape(len(block), -1)
            alike |= turned @ fingerprints[start:].T >= LEAST
        for row in np.flatnonzero(alike.sum(axis=1) > 1):
            found = np.unique(groups[start + np.flatnonzero(alike[row])])
            if len(found) > 1:
                groups[np.isin(groups, found)] = found[0]
    return [int(group) for group in groups]


def merge_groups(*groupings: Sequence[Hashable]) -> list[int]:
    """Return groups that hold together whatever any of `groupings`, each one entry an image, holds together.

    None stands for an image without a group in that grouping.
    """
    groups = list(range(len(groupings[0])))
    for grouping in groupings:
        first: dict[Hashable, int] = {}
        for number, name in enumerate(grouping):
            if name is not None:
                _join(groups, first.setdefault(name, number), number)
    return [_root(groups, number) for number in range(len(groups))]


def _root(groups: list[int], number: int) -> int:
    while groups[number] != number:
        groups[number] = groups[groups[number]]
        number = groups[number]
    return number


def _join(groups: list[int], first: int, second: int) -> None:
    low, high = sorted((_root(groups, first), _root(groups, second)))
    groups[high] = low
