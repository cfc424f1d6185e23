"""Copies of one image: equal pixels, near-copies, and copies that were turned or mirrored."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from allxai_desktop.training.views import symmetry

MAX_BITS = 4
"""Two images are near-copies if at most so many of the 256 bits of their difference hashes differ."""
# Grey levels that compression may move an even border by.
_EVEN = 16


def without_border(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) without the even border around a cell that was cut out; else the whole image.

    Two thirds of such an image are black: hashed with them, cells of one size would be near-copies of each other.
    """
    corner = pixels[0, 0].astype(np.int16)
    differs = (np.abs(pixels - corner) > _EVEN).any(axis=2)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        return pixels
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def difference_hash(pixels: Tensor) -> NDArray[np.uint64]:
    """Return the 256 bits (N, 4) of images (N, 3, h, w): is each cell of a 16 × 17 grid darker than the next?"""
    grey = functional.interpolate(
        pixels.float().mean(1, keepdim=True), (16, 17), mode="bilinear", antialias=True
    )[:, 0]
    bits = (grey[:, :, 1:] > grey[:, :, :-1]).flatten(1).numpy()
    return np.packbits(bits, axis=1).view(np.uint64)


def turned_hashes(pixels: Tensor) -> NDArray[np.uint64]:
    """Return the difference hashes (N, 8, 4) of square images and of their seven turned and mirrored copies."""
    return np.stack([difference_hash(symmetry(pixels, number, (-2, -1))) for number in range(8)], axis=1)


def near_duplicates(pixels: Tensor) -> list[int]:
    """Return a group number for each image of `pixels` (N, 3, h, w): near-copies share theirs."""
    return group_hashes(difference_hash(pixels)[:, None])


def group_hashes(hashes: NDArray[np.uint64], max_bits: int = MAX_BITS) -> list[int]:
    """Return a group number for each image: those share one that look alike, turned or not, and their copies' copies.

    `hashes` (N, 1, 4) come from `difference_hash`, (N, 8, 4) from `turned_hashes`. Every pair is compared, so the
    time grows with N², the memory with N.
    """
    # Equal hashes first, or a folder of blank images would be compared pair by pair.
    _, first, inverse = np.unique(hashes[:, 0], axis=0, return_index=True, return_inverse=True)
    first_of = first[inverse.reshape(-1)]
    different = np.sort(first)
    groups = list(range(len(hashes)))
    words = np.ascontiguousarray(hashes[different].transpose(1, 2, 0))
    for place, number in enumerate(different):
        upright = hashes[number, 0]
        for turned in words:
            # Few pairs agree in their first quarter, so the rest is seldom compared.
            close = np.flatnonzero(np.bitwise_count(turned[0, place + 1 :] ^ upright[0]) <= max_bits)
            close += place + 1
            bits = np.bitwise_count(turned[:, close] ^ upright[:, None]).sum(axis=0, dtype=np.int64)
            for other in different[close[bits <= max_bits]]:
                _join(groups, int(number), int(other))
    return [_root(groups, int(number)) for number in first_of]


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
