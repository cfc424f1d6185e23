"""The histories of the masks that were left, for whoever comes back to one of them."""

from dataclasses import dataclass
from pathlib import Path

from allxai_desktop.painting.history import History
from allxai_desktop.painting.tiles import Codes, Flags, equal


@dataclass(frozen=True)
class _Left:
    history: History
    codes: Codes
    person: Flags
    nbytes: int


class LeftHistories:
    """Histories by the files of their masks, at most `max_bytes` together with these; the one left first goes first."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._left: dict[Path, _Left] = {}

    def keep(self, path: Path, history: History, codes: Codes, person: Flags) -> None:
        """Keep a history with the mask that it led to, which nobody changes any more, and the `person`'s pixels.

        One that is too large alone is not kept.
        """
        left = _Left(history, codes, person, history.nbytes + codes.nbytes + person.nbytes)
        if not history.nbytes or left.nbytes > self.max_bytes:
            return
        self._left[path] = left
        total = sum(one.nbytes for one in self._left.values())
        while total > self.max_bytes:
            total -= self._left.pop(next(iter(self._left))).nbytes

    def take(self, path: Path, codes: Codes, person: Flags) -> History | None:
        """Hand over the history of a mask where each pixel, and who set it, is as it was left; else forget it."""
        left = self._left.pop(path, None)
        if left is None or not equal(left.codes, codes) or not equal(left.person, person):
            return None
        return left.history
