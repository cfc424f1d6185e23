"""Edits, and a history of them that is bounded by memory.

Where an edit takes place is told by flat indices or, where it is large, by a slice of them that covers whole rows: an
array of indices takes eight bytes a pixel, and reading through it ten times as long as through the rows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Source = Literal["human", "proposal"]
Place = NDArray[np.int64] | slice
LARGE = 500_000
"""Edits of more pixels than this are of whole rows, where they fill a good part of them."""
PART = 1 << 20
"""So many pixels of `Runs` are unpacked at a time."""
# No code, with or without the highest bit.
_STAYS = np.uint8(0x7F)


@dataclass(frozen=True)
class Edit:
    """Codes that changed: `indices` int64 (n,), flat, strictly increasing; `old`, `new` codes uint8 (n,).

    Of a large edit `indices` is a slice of n pixels, and `old` and `new` are equal where nothing changed. What the
    paint model notes beside the code, in the highest bit, comes back with it.
    """

    indices: Place
    old: NDArray[np.uint8]
    new: NDArray[np.uint8]
    source: Source = "human"

    def sparse(self) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the indices, old and new codes of the pixels that changed."""
        if not isinstance(self.indices, slice):
            return self.indices, self.old, self.new
        at = np.flatnonzero(self.old != self.new)
        return at + self.indices.start, self.old[at], self.new[at]


def pixels(place: Place) -> NDArray[np.int64]:
    """Return where an edit takes place as indices (n,)."""
    return np.arange(place.start, place.stop) if isinstance(place, slice) else place


def rows(first: int, last: int, count: int, width: int) -> slice | None:
    """Return the rows of an image of that width that hold the pixels `first` to `last`, as a slice of flat indices.

    None where `count` of these change that are few, or few for so many rows: indices are then the quicker way.
    """
    whole = slice(first // width * width, (last // width + 1) * width)
    return whole if count > LARGE and whole.stop - whole.start < 8 * count else None


def merge(edits: Sequence[Edit]) -> Edit:
    """Return one edit with the effect of `edits` in turn. Raises `ValueError` where there is none."""
    if len(edits) == 1:
        return edits[0]
    indices, old, new = (
        np.concatenate(parts) for parts in zip(*(edit.sparse() for edit in edits), strict=True)
    )
    unique, first = np.unique(indices, return_index=True)
    last = len(indices) - 1 - np.unique(indices[::-1], return_index=True)[1]
    changed = old[first] != new[last]
    return Edit(unique[changed], old[first][changed], new[last][changed], edits[0].source)


@dataclass(frozen=True)
class Runs:
    """An edit as runs of neighbouring pixels with equal codes: a fill of 25 million pixels takes some kB.

    `starts`, `lengths` int64 (r,), flat, in order and apart; `old`, `new` uint8 (r,) as in `Edit`.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    old: NDArray[np.uint8]
    new: NDArray[np.uint8]
    source: Source

    @classmethod
    def pack(cls, edit: Edit) -> "Runs":
        """Return the runs of an edit of at least one pixel."""
        indices, old, new = edit.indices, edit.old, edit.new
        breaks = (old[1:] != old[:-1]) | (new[1:] != new[:-1])
        if not isinstance(indices, slice):
            breaks |= np.diff(indices) != 1
        at = np.concatenate([[0], np.flatnonzero(breaks) + 1])
        lengths = np.diff(np.append(at, len(old)))
        if not isinstance(indices, slice):
            return cls(indices[at], lengths, old[at], new[at], edit.source)
        changed = old[at] != new[at]
        at, lengths = at[changed], lengths[changed]
        return cls(at + indices.start, lengths, old[at], new[at], edit.source)

    def unpack(self) -> Edit:
        """Return the edit, by indices."""
        before = np.cumsum(self.lengths) - self.lengths
        indices = np.repeat(self.starts - before, self.lengths)
        indices += np.arange(len(indices))
        old, new = np.repeat(self.old, self.lengths), np.repeat(self.new, self.lengths)
        return Edit(indices, old, new, self.source)

    def parts(self) -> Iterator[Edit]:
        """Yield the edit, by indices, in parts of at most `PART` pixels in their order."""
        stops = np.cumsum(self.lengths)
        for begin in range(0, int(stops[-1]), PART):
            end = min(begin + PART, int(stops[-1]))
            first, last = np.searchsorted(stops, begin, "right"), np.searchsorted(stops, end)
            inside = slice(first, last + 1)
            starts, lengths = self.starts[inside].copy(), self.lengths[inside].copy()
            before = begin - (stops[first] - lengths[0])
            starts[0] += before
            lengths[0] -= before
            lengths[-1] -= stops[last] - end
            yield Runs(starts, lengths, self.old[inside], self.new[inside], self.source).unpack()

    def over(self, values: Callable[[slice], NDArray[np.uint8]], width: int) -> Edit:
        """Return the edit: of whole rows where it is large, which have `values(slice)` uint8 (n,) before it."""
        stops = self.starts + self.lengths
        whole = rows(int(self.starts[0]), int(stops[-1]) - 1, int(self.lengths.sum()), width)
        if whole is None:
            return self.unpack()
        # Before each run, and after the last, lies what stays.
        bounds = np.concatenate([[whole.start], np.stack([self.starts, stops], 1).reshape(-1), [whole.stop]])
        parts = np.full(len(bounds) - 1, _STAYS, np.uint8)
        parts[1::2] = self.new
        new = np.repeat(parts, np.diff(bounds))
        old = values(whole)
        np.copyto(new, old, where=new == _STAYS)
        return Edit(whole, old, new, self.source)

    def inverse(self) -> "Runs":
        """Return the runs that take these back."""
        return Runs(self.starts, self.lengths, self.new, self.old, self.source)

    @property
    def nbytes(self) -> int:
        return self.starts.nbytes + self.lengths.nbytes + self.old.nbytes + self.new.nbytes


class History:
    """Undo and redo steps, at most `max_bytes` of them together; the last step is kept whatever its size."""

    def __init__(self, max_bytes: int = 64 << 20) -> None:
        self.max_bytes = max_bytes
        self._done: list[Runs] = []
        self._undone: list[Runs] = []

    @property
    def last(self) -> Runs | None:
        """The newest step that can be undone."""
        return self._done[-1] if self._done else None

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    @property
    def nbytes(self) -> int:
        return sum(step.nbytes for step in (*self._done, *self._undone))

    def push(self, step: Runs) -> None:
        """Add a step that was just made; what could be redone is forgotten."""
        self._undone.clear()
        self._done.append(step)
        total = self.nbytes
        while total > self.max_bytes and len(self._done) > 1:
            total -= self._done.pop(0).nbytes

    def undo(self) -> Runs:
        """Return what takes the last step back. Raises `IndexError` where there is none."""
        self._undone.append(self._done.pop())
        return self._undone[-1].inverse()

    def redo(self) -> Runs:
        """Return what makes the step undone last again. Raises `IndexError` where there is none."""
        self._done.append(self._undone.pop())
        return self._done[-1]
