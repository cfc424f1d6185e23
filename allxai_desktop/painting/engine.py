"""The mask being painted, its history, and the settings of the tools, as one observable model."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.cellclasses import MAX_CODE, UNLABELLED
from allxai_desktop.painting.history import Edit, History, Place, Runs, Source, merge, rows
from allxai_desktop.painting.left_histories import LeftHistories
from allxai_desktop.painting.settings import (
    MAX_BRUSH,
    MAX_TOLERANCE,
    MIN_BRUSH,
    MIN_TOLERANCE,
    TOOLS,
    Tool,
    ToolSettings,
)
from allxai_desktop.painting.shapes import window_indices
from allxai_desktop.painting.tiles import Codes, Flags, Tiles, combined, count_labelled, flat, highest

# In an edit, beside the code of a pixel: that a person set it. Undo brings it back with the code.
_CODE, _PERSON = np.uint8(0x7F), np.uint8(0x80)

__all__ = [
    "MAX_BRUSH",
    "MAX_TOLERANCE",
    "MIN_BRUSH",
    "MIN_TOLERANCE",
    "TOOLS",
    "Edit",
    "PaintModel",
    "Source",
    "Tool",
]


class PaintModel(ToolSettings):
    """A mask and all that the painting tools need. The mask changes through `apply`, `undo` and `redo` only.

    `edited(indices, old, new)` follows every change of pixels, also in mid-stroke and from undo and redo, with what an
    `Edit` holds: `indices` is a slice where the change is large. `stroke_ended(runs)` follows each finished stroke,
    undo or redo that changed something, with the `Runs` it changed. `held_back` follows a stroke that changed nothing
    because of "only over" or a lock.
    """

    edited = Signal(object, object, object)
    stroke_ended = Signal(Runs)
    held_back = Signal()
    history_changed = Signal()
    image_replaced = Signal()

    def __init__(self, codes: NDArray[np.uint8] | None = None, *, history_bytes: int = 64 << 20) -> None:
        super().__init__()
        self._history = History(history_bytes)
        self._left = LeftHistories(history_bytes)
        self._path: Path | None = None
        self._stroke: list[Edit] | None = None
        self._stroke_source: Source = "human"
        self._held = False
        self.new_image(np.zeros((0, 0), np.uint8) if codes is None else codes)

    # The mask

    @property
    def codes(self) -> NDArray[np.uint8]:
        """The mask, uint8 (H, W): a read-only view that follows every edit.

        Raises `ValueError` for that of a slide, which is never whole in memory; see `mask`.
        """
        return _array(self._view)

    @property
    def mask(self) -> Codes:
        """The mask, uint8 (H, W), of a slide as `Tiles`: it follows every edit, and is read only."""
        return self._view

    @property
    def whole(self) -> bool:
        """Whether the mask is an array in memory, not that of a slide."""
        return not isinstance(self._view, Tiles)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the mask."""
        height, width = self._view.shape
        return height, width

    @property
    def person(self) -> NDArray[np.bool_]:
        """The labelled pixels that a person, not a proposal, set last, bool (H, W): a read-only view.

        Labelling a proposal's pixel as what it is already makes it a person's. Raises `ValueError` for a slide.
        """
        return _array(self._person_view)

    @property
    def accepted(self) -> Flags | None:
        """The labelled pixels that a proposal set last, bool (H, W): a copy; None where there are none."""
        if self._by_person == self._labelled:
            return None
        found: Flags = combined(_by_proposal, self._view, self._person_view)
        return found

    @property
    def labelled(self) -> int:
        """How many pixels have a class."""
        return self._labelled

    def new_image(self, codes: Codes, accepted: Flags | None = None, path: Path | None = None) -> None:
        """Start on a copy of `codes` uint8 (H, W), with an empty history.

        Labelled pixels are a person's but for those `accepted`, bool (H, W), from a proposal before. The history of a
        mask whose file is `path` comes back with it where it is as it was left, in the codes and in who set them.
        Raises `ValueError` where `codes` is no mask.
        """
        if codes.ndim != 2 or codes.dtype != np.uint8 or highest(codes) > MAX_CODE:
            raise ValueError(f"a mask is uint8 (H, W) with codes 0 to {MAX_CODE}")
        # Half a stroke is in no history.
        if self._path is not None and not self._stroke:
            self._left.keep(self._path, self._history, self._view, self._person_view)
        self._stroke = None
        codes = codes.copy()
        person: Flags = combined(_by_person, codes, *([] if accepted is None else [accepted]))
        self._flat, self._person = flat(codes), flat(person)
        self._labelled, self._by_person = count_labelled(codes), count_labelled(person)
        self._view: Codes = _read_only(codes)
        self._person_view: Flags = _read_only(person)
        self._path = path
        known = None if path is None else self._left.take(path, self._view, self._person_view)
        self._history = known or History(self._history.max_bytes)
        self.image_replaced.emit()
        self.history_changed.emit()

    # Edits

    @property
    def in_stroke(self) -> bool:
        """Whether a stroke is open. It closes on `undo` and `new_image` too, so a drag should look here."""
        return self._stroke is not None

    def begin_stroke(self, source: Source = "human") -> None:
        """Open a stroke: all that is applied until `end_stroke` is one undo step."""
        self.end_stroke()
        self._stroke, self._stroke_source, self._held = [], source, False

    def apply(self, indices: NDArray[np.int64], code: int | NDArray[np.uint8]) -> int:
        """Give the pixels at flat `indices` (n,) the `code` (one, or n of them).

        Pixels of locked classes, those that "only over" leaves out and, in a stroke of a proposal, those of a
        person stay as they are. Outside a stroke it is an undo step of its own. Returns how many pixels changed,
        in their code or in whose they are.
        """
        given = np.asarray(code, np.uint8)
        if (indices[1:] <= indices[:-1]).any():
            indices, first = np.unique(indices, return_index=True)
            given = given[first] if given.ndim else given
        with self._some_stroke():
            given = self._by_whom(given)
            span = (int(indices[0]), int(indices[-1])) if len(indices) else (0, 0)
            whole = rows(*span, len(indices), self.shape[1])
            if whole is not None:
                old = self._values(whole)
                painted = old.copy()
                painted[slice(None) if len(indices) == len(old) else indices - whole.start] = given
                return self._paint_rows(whole, old, painted)
            old = self._values(indices)
            new = np.broadcast_to(given, old.shape)
            change = self._changes(old, new)
            return self._paint(Edit(indices[change], old[change], new[change], self._stroke_source))

    def apply_window(self, inside: NDArray[np.bool_], corner: tuple[int, int], code: int) -> int:
        """Give the pixels of `inside` (h, w), a window at `corner` (row, column), the `code`; see `apply`.

        For large regions, whose indices alone take longer than to paint them.
        """
        width = self.shape[1]
        whole = slice(corner[0] * width, (corner[0] + len(inside)) * width)
        if rows(whole.start, whole.stop - 1, int(np.count_nonzero(inside)), width) is None:
            return self.apply(window_indices(inside, corner, width), code)
        with self._some_stroke():
            old = self._values(whole)
            painted = old.copy()
            window = painted.reshape(-1, width)[:, corner[1] : corner[1] + inside.shape[1]]
            np.copyto(window, self._by_whom(np.uint8(code)), where=inside)
            return self._paint_rows(whole, old, painted)

    @contextmanager
    def _some_stroke(self) -> Iterator[None]:
        """Paint in the stroke that is open, or in one for this alone."""
        alone = self._stroke is None
        if alone:
            self.begin_stroke()
        try:
            yield
        finally:
            if alone:
                self.end_stroke()

    def _by_whom(self, given: Any) -> Any:
        return given | (given != UNLABELLED) * _PERSON if self._stroke_source == "human" else given

    def _paint_rows(self, whole: slice, old: NDArray[np.uint8], painted: NDArray[np.uint8]) -> int:
        change = self._changes(old, painted)
        np.copyto(painted, old, where=~change)
        count = int(np.count_nonzero(change))
        if count:
            self._paint(Edit(whole, old, painted, self._stroke_source))
        return count

    def _paint(self, edit: Edit) -> int:
        if len(edit.old):
            assert self._stroke is not None
            self._stroke.append(edit)
            self._write(edit)
        return len(edit.old)

    def _values(self, place: Place) -> NDArray[np.uint8]:
        """Return the codes at `place` with the person's bit (n,)."""
        values: NDArray[np.uint8] = self._person[place].view(np.uint8) << np.uint8(7)
        values |= self._flat[place]
        return values

    def _changes(self, old: NDArray[np.uint8], new: NDArray[np.uint8]) -> NDArray[np.bool_]:
        wanted: NDArray[np.bool_] = old != new
        if self._stroke_source == "proposal":
            wanted &= old < _PERSON
        change = wanted & self.may_change(old & _CODE)
        self._held |= bool(wanted.any() and not change.any())
        return change

    def may_change(self, old: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return for codes (n,) whether "only over" and the locks let their pixels be painted."""
        allowed = np.ones(old.shape, bool) if self._only_over is None else old == self._only_over
        for locked in self._locked:
            allowed &= old != locked
        return allowed

    def replace_stroke(self, indices: NDArray[np.int64], code: int) -> int:
        """Make the open stroke consist of giving `code` to `indices` (n,) alone, for previews; see `apply`.

        Only pixels that differ from the stroke so far are written. Raises `ValueError` where no stroke is open.
        """
        if self._stroke is None:
            raise ValueError("no stroke is open")
        if self._stroke:
            at, old, new = merge(self._stroke).sparse()
            keep = np.isin(at, indices, assume_unique=True) & (new & _CODE == code)
            back = Edit(at[~keep], new[~keep], old[~keep])
            kept = Edit(at[keep], old[keep], new[keep], self._stroke_source)
            self._stroke = [kept] if keep.any() else []
            if not keep.all():
                self._write(back)
        return self.apply(indices, code)

    def end_stroke(self) -> None:
        """Close the stroke and keep it as one undo step. Nothing happens where none is open."""
        edits, self._stroke = self._stroke, None
        if not edits:
            if edits is not None and self._held:
                self.held_back.emit()
            return
        step = merge(edits)
        if len(step.old):
            runs = Runs.pack(step)
            self._history.push(runs)
            self.history_changed.emit()
            self.stroke_ended.emit(runs)

    @property
    def last_step(self) -> Runs | None:
        """The newest step that can be undone."""
        return self._history.last

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo; the open stroke counts."""
        return bool(self._stroke) or self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to redo."""
        return self._history.can_redo and not self._stroke

    def undo(self) -> None:
        """Take the last step (in mid-stroke: the stroke so far) back, exactly, whatever is locked now."""
        self.end_stroke()
        if self._history.can_undo:
            self._step(self._history.undo())

    def redo(self) -> None:
        """Make the step undone last again."""
        self.end_stroke()
        if self._history.can_redo:
            self._step(self._history.redo())

    def forget_steps(self) -> None:
        """Forget what could be undone or redone, here and in the masks that were left: another person goes on."""
        self.end_stroke()
        self._history = History(self._history.max_bytes)
        self._left = LeftHistories(self._left.max_bytes)
        self.history_changed.emit()

    def _step(self, runs: Runs) -> None:
        self._write(runs.over(self._values, self.shape[1]))
        self.history_changed.emit()
        self.stroke_ended.emit(runs)

    def _write(self, edit: Edit) -> None:
        old, new = edit.old & _CODE, edit.new & _CODE
        self._flat[edit.indices] = new
        self._person[edit.indices] = edit.new >= _PERSON
        self._labelled += int(np.count_nonzero(new)) - int(np.count_nonzero(old))
        self._by_person += int(np.count_nonzero(edit.new >= _PERSON)) - int(
            np.count_nonzero(edit.old >= _PERSON)
        )
        self.edited.emit(edit.indices, old, new)


def _array(values: NDArray[Any] | Tiles) -> NDArray[Any]:
    if isinstance(values, Tiles):
        raise ValueError("the mask of a slide is no array")
    return values


def _read_only(values: Any) -> Any:
    if isinstance(values, Tiles):
        return values
    view = values.view()
    view.flags.writeable = False
    return view


def _by_person(codes: NDArray[np.uint8], accepted: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    person: NDArray[np.bool_] = codes != UNLABELLED
    if accepted is not None:
        person &= ~accepted
    return person


def _by_proposal(codes: NDArray[np.uint8], person: NDArray[np.bool_]) -> NDArray[np.bool_]:
    accepted: NDArray[np.bool_] = (codes != UNLABELLED) & ~person
    return accepted
