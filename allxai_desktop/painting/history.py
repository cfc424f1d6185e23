"""Edits, and a history of them that is bounded by memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Source = Literal["human", "proposal"]


@dataclass(frozen=True)
class Edit:
    """Codes that changed: `indices` int64 (n,), flat, strictly increasing; `old`, `new` codes uint8 (n,).

    What the paint model notes beside the code, in the highest bit, comes back with it.
    """

    indices: NDArray[np.int64]
    old: NDArray[np.uint8]
    new: NDArray[np.uint8]
    source: Source = "human"


def merge(edits: Sequence[Edit]) -> Edit:
    """Return one edit with the effect of `edits` in turn. Raises `ValueError` where there is none."""
    if len(edits) == 1:
        return edits[0]
    indices = np.concatenate([edit.indices for edit in edits])
    old = np.concatenate([edit.old for edit in edits])
    new = np.concatenate([edit.new for edit in edits])
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
        breaks = (np.diff(edit.indices) != 1) | (np.diff(edit.old) != 0) | (np.diff(edit.new) != 0)
        at = np.concatenate([[0], np.flatnonzero(breaks) + 1])
        lengths = np.diff(np.append(at, len(edit.indices)))
        return cls(edit.indices[at], lengths, edit.old[at], edit.new[at], edit.source)

    def unpack(self) -> Edit:
        """Return the edit."""
        before = np.cumsum(self.lengths) - self.lengths
        indices = np.repeat(self.starts - before, self.lengths)
        indices += np.arange(len(indices))
        old, new = np.repeat(self.old, self.lengths), np.repeat(self.new, self.lengths)
        return Edit(indices, old, new, self.source)

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
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def push(self, step: Runs) -> None:
        """Add a step that was just made; what could be redone is forgotten."""
        self._undone.clear()
        self._done.append(step)
        total = sum(step.nbytes for step in self._done)
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

    def clear(self) -> None:
        """Forget every step."""
        self._done.clear()
        self._undone.clear()
