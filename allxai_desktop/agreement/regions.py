"""Where two masks disagree, region by region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label

from allxai_desktop.cellclasses import MAX_CODE

Side = Literal["first", "second"]
Codes = NDArray[np.uint8]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Region:
    """Connected pixels (also by corners) with one code in the first mask and one other in the second.

    `indices` (n,) are flat and rise; `bounds` are top, left, bottom, right, the last two beyond the region.
    """

    indices: Numbers
    first: int
    second: int
    bounds: tuple[int, int, int, int]

    @property
    def size(self) -> int:
        """How many pixels it has."""
        return len(self.indices)

    def code(self, side: Side) -> int:
        """Return the code that one side gives it; 0 for no label."""
        return self.first if side == "first" else self.second


class Regions(Sequence[Region]):
    """The regions in which two masks uint8 (H, W) differ, the largest first; each is made when it is asked for.

    There can be hundreds of thousands, so what is asked of many is asked of arrays: `at` int32 (H·W,) is the number of
    each pixel's region, −1 outside; `sizes` (n,) are their pixels, `first` and `second` uint8 (n,) their codes.

    Raises `ValueError` for masks of two shapes.
    """

    def __init__(self, first: Codes, second: Codes) -> None:
        if first.shape != second.shape:
            raise ValueError("shapes")
        self._width = first.shape[1]
        pairs = np.where(first == second, 0, 1 + first.astype(np.int64) * (MAX_CODE + 1) + second)
        found = label(pairs, background=0, connectivity=2).reshape(-1)  # type: ignore[no-untyped-call]
        places = np.flatnonzero(found)
        labels = found[places] - 1
        sizes = np.bincount(labels)
        starts = np.zeros(len(sizes), np.int64)
        # Of several places for one number the last one stays: the first pixel.
        starts[labels[::-1]] = places[::-1]
        by_size = np.lexsort((starts, -sizes))
        numbers = np.empty(len(sizes), np.int32)
        numbers[by_size] = np.arange(len(sizes), dtype=np.int32)
        self.at = np.full(first.size, -1, np.int32)
        self.at[places] = numbers[labels]
        self.sizes: Numbers = sizes[by_size]
        self.first, self.second = (codes.reshape(-1)[starts[by_size]] for codes in (first, second))
        self._places = places[np.argsort(self.at[places], kind="stable")]
        self._ends: Numbers = np.cumsum(self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)

    @overload
    def __getitem__(self, number: int) -> Region: ...

    @overload
    def __getitem__(self, number: slice) -> list[Region]: ...

    def __getitem__(self, number: int | slice) -> Region | list[Region]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        number = range(len(self))[number]
        end = self._ends[number]
        indices = self._places[end - self.sizes[number] : end]
        rows, columns = np.divmod(indices, self._width)
        bounds = int(rows[0]), int(columns.min()), int(rows[-1]) + 1, int(columns.max()) + 1
        return Region(indices, int(self.first[number]), int(self.second[number]), bounds)

    def codes(self, side: Side) -> Codes:
        """Return the code (n,) that one side gives each region; 0 for no label."""
        return self.first if side == "first" else self.second

    def pixels(self, numbers: Numbers) -> Numbers:
        """Return the flat indices of the pixels of regions, one region after the other."""
        sizes = self.sizes[numbers]
        total = np.cumsum(sizes)
        # Counted from the start of each region: where that is in `_places`, less where it is in what is returned.
        shift = np.repeat(self._ends[numbers] - total, sizes)
        return self._places[np.arange(len(shift)) + shift]

    def touched(self, indices: Numbers) -> Numbers:
        """Return the numbers of the regions that have pixels at flat `indices`."""
        hit = np.zeros(len(self) + 1, bool)
        # Those in no region, −1, are the last.
        hit[self.at[indices]] = True
        return np.flatnonzero(hit[:-1])
