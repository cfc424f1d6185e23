"""The mask being painted, its history, and the settings of the tools, as one observable model."""

from collections.abc import Iterable
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.cellclasses import CODES, MAX_CODE, UNLABELLED
from allxai_desktop.painting.history import Edit, History, Place, Runs, Source, merge, rows

Tool = Literal["brush", "superpixel", "eraser", "fill", "wand", "polygon", "freehand", "wire", "accept"]
TOOLS: tuple[Tool, ...] = get_args(Tool)
NOT_DRAWING = ("eraser", "accept")
"""The tools that do not paint the active class."""
MIN_BRUSH, MAX_BRUSH = 1, 400
MIN_TOLERANCE, MAX_TOLERANCE = 1, 100
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


class PaintModel:
    """A mask and all that the painting tools need. The mask changes through `apply`, `undo` and `redo` only.

    `edited(indices, old, new)` follows every change of pixels, also in mid-stroke and from undo and redo, with what an
    `Edit` holds: `indices` is a slice where the change is large;
    `stroke_ended(runs)` follows each finished stroke, undo or redo that changed something, with the `Runs` it changed.
    """

    edited = Signal(object, object, object)
    stroke_ended = Signal(Runs)
    history_changed = Signal()
    image_replaced = Signal()
    active_changed = Signal(int)
    tool_changed = Signal(str)
    brush_size_changed = Signal(int)
    tolerance_changed = Signal(int)
    locked_changed = Signal(object)
    only_over_changed = Signal(object)
    erase_to_changed = Signal(int)
    mask_visible_changed = Signal(bool)
    mask_opacity_changed = Signal(float)
    mask_outline_changed = Signal(bool)

    def __init__(self, codes: NDArray[np.uint8] | None = None, *, history_bytes: int = 64 << 20) -> None:
        self._history = History(history_bytes)
        self._stroke: list[Edit] | None = None
        self._stroke_source: Source = "human"
        self._active, self._previous = CODES[0], CODES[1]
        self._tool: Tool = "brush"
        self._drawing_tool: Tool = "brush"
        self._brush_size, self._tolerance = 12, 25
        self._locked: frozenset[int] = frozenset()
        self._only_over: int | None = None
        self._erase_to = UNLABELLED
        self._mask_visible, self._mask_opacity, self._mask_outline = True, 0.5, False
        self.new_image(np.zeros((0, 0), np.uint8) if codes is None else codes)

    # The mask

    @property
    def codes(self) -> NDArray[np.uint8]:
        """The mask, uint8 (H, W): a read-only view that follows every edit."""
        return self._view

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the mask."""
        height, width = self._codes.shape
        return height, width

    @property
    def person(self) -> NDArray[np.bool_]:
        """The labelled pixels that a person, not a proposal, set last, bool (H, W): a read-only view.

        Labelling a proposal's pixel as what it is already makes it a person's.
        """
        return self._person_view

    @property
    def labelled(self) -> int:
        """How many pixels have a class."""
        return self._labelled

    @property
    def accepted_share(self) -> float:
        """Share of the labelled pixels that a proposal set last, 0…1; 0 where nothing is labelled."""
        return 1 - self._by_person / self._labelled if self._labelled else 0.0

    def new_image(self, codes: NDArray[np.uint8], accepted: NDArray[np.bool_] | None = None) -> None:
        """Start on a copy of `codes` uint8 (H, W) with an empty history.

        Labelled pixels are a person's but for those `accepted`, bool (H, W), from a proposal before.
        Raises `ValueError` where `codes` is no mask.
        """
        if codes.ndim != 2 or codes.dtype != np.uint8 or (codes.size and codes.max() > MAX_CODE):
            raise ValueError(f"a mask is uint8 (H, W) with codes 0 to {MAX_CODE}")
        self._stroke = None
        self._codes = np.array(codes, order="C")
        self._flat = self._codes.reshape(-1)
        self._view = self._codes.view()
        self._view.flags.writeable = False
        person: NDArray[np.bool_] = self._codes != UNLABELLED
        self._labelled = int(np.count_nonzero(person))
        if accepted is not None:
            person &= ~accepted
        self._person = person.reshape(-1)
        self._person_view = person.view()
        self._person_view.flags.writeable = False
        self._by_person = int(np.count_nonzero(person))
        self._history.clear()
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
        self._stroke, self._stroke_source = [], source

    def apply(self, indices: NDArray[np.int64], code: int | NDArray[np.uint8]) -> int:
        """Give the pixels at flat `indices` (n,) the `code` (one, or n of them).

        Pixels of locked classes, those that "only over" leaves out and, in a stroke of a proposal, those of a
        person stay as they are. Outside a stroke it is an undo step of its own. Returns how many pixels changed,
        in their code or in whose they are.
        """
        if self._stroke is None:
            self.begin_stroke()
            try:
                return self.apply(indices, code)
            finally:
                self.end_stroke()
        given = np.asarray(code, np.uint8)
        if self._stroke_source == "human":
            given = given | (given != UNLABELLED) * _PERSON
        if (indices[1:] <= indices[:-1]).any():
            indices, first = np.unique(indices, return_index=True)
            given = given[first] if given.ndim else given
        edit, count = self._edit(indices, given)
        if count:
            self._stroke.append(edit)
            self._write(edit)
        return count

    def _edit(self, indices: NDArray[np.int64], given: NDArray[np.uint8]) -> tuple[Edit, int]:
        """Return the edit that gives what may change `given`, with the person's bit, and of how many pixels it is."""
        whole = rows(int(indices[0]), int(indices[-1]), len(indices), self.shape[1]) if len(indices) else None
        if whole is None:
            old = self._values(indices)
            new = np.broadcast_to(given, old.shape)
            change = self._changes(old, new)
            # All of a large fill changes, as a rule: no copy of it then.
            part = slice(None) if change.all() else change
            return Edit(indices[part], old[part], new[part], self._stroke_source), int(np.count_nonzero(change))
        old = self._values(whole)
        painted = old.copy()
        painted[slice(None) if len(indices) == len(old) else indices - whole.start] = given
        change = self._changes(old, painted)
        np.copyto(painted, old, where=~change)
        return Edit(whole, old, painted, self._stroke_source), int(np.count_nonzero(change))

    def _values(self, place: Place) -> NDArray[np.uint8]:
        """Return the codes at `place` with the person's bit (n,)."""
        values: NDArray[np.uint8] = self._flat[place] | self._person[place].view(np.uint8) << np.uint8(7)
        return values

    def _changes(self, old: NDArray[np.uint8], new: NDArray[np.uint8]) -> NDArray[np.bool_]:
        change: NDArray[np.bool_] = (old != new) & self.may_change(old & _CODE)
        if self._stroke_source == "proposal":
            change &= old < _PERSON
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
            return
        step = merge(edits)
        if len(step.old):
            runs = Runs.pack(step)
            self._history.push(runs)
            self.history_changed.emit()
            self.stroke_ended.emit(runs)

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

    # Settings

    @property
    def active(self) -> int:
        """The code that is painted, 1–5. Choosing one leaves eraser and "accept" for the tool used before."""
        return self._active

    @active.setter
    def active(self, code: int) -> None:
        if code not in CODES:
            raise ValueError(f"no class has the code {code}")
        if self._tool in NOT_DRAWING:
            self.tool = self._drawing_tool
        if code != self._active:
            self._previous = self._active
            self._set("active", code)

    @property
    def previous(self) -> int:
        """The code that was painted before `active`."""
        return self._previous

    def swap_active(self) -> None:
        """Return to the class before this one."""
        self.active = self._previous

    @property
    def tool(self) -> Tool:
        """The tool in hand, one of `TOOLS`."""
        return self._tool

    @tool.setter
    def tool(self, tool: Tool) -> None:
        if tool not in TOOLS:
            raise ValueError(f"no tool is called {tool}")
        if tool not in NOT_DRAWING:
            self._drawing_tool = tool
        self._set("tool", tool)

    @property
    def erase_to(self) -> int:
        """The code that erasing leaves: 0, or a class."""
        return self._erase_to

    @erase_to.setter
    def erase_to(self, code: int) -> None:
        if code not in (UNLABELLED, *CODES):
            raise ValueError(f"no class has the code {code}")
        self._set("erase_to", code)

    def toggle_erase_to(self) -> None:
        """Let erasing leave the active class, or nothing again."""
        self.erase_to = UNLABELLED if self._erase_to else self._active

    @property
    def brush_size(self) -> int:
        """Diameter of brush and eraser in pixels; a value outside 1–400 becomes the nearest of them."""
        return self._brush_size

    @brush_size.setter
    def brush_size(self, diameter: int) -> None:
        self._set("brush_size", min(max(int(diameter), MIN_BRUSH), MAX_BRUSH))

    def step_brush_size(self, steps: int) -> None:
        """Grow (or, below 0, shrink) the brush by about a tenth of its size a step, at least 1 px."""
        for _ in range(abs(steps)):
            step = max(1, round(self._brush_size / 10))
            self.brush_size += step if steps > 0 else -step

    @property
    def tolerance(self) -> int:
        """How far from the colour pointed at the wand reaches, CIE 1976 ΔE; outside 1–100 it becomes the nearest."""
        return self._tolerance

    @tolerance.setter
    def tolerance(self, distance: int) -> None:
        self._set("tolerance", min(max(int(distance), MIN_TOLERANCE), MAX_TOLERANCE))

    def step_size(self, steps: int) -> None:
        """Raise (or, below 0, lower) the brush size, or with the wand the tolerance."""
        if self._tool == "wand":
            self.tolerance += steps
        else:
            self.step_brush_size(steps)

    @property
    def locked(self) -> frozenset[int]:
        """Codes whose pixels are never painted over."""
        return self._locked

    @locked.setter
    def locked(self, codes: Iterable[int]) -> None:
        self._set("locked", frozenset(codes))

    def set_locked(self, code: int, locked: bool) -> None:
        """Lock or release one class."""
        self.locked = self._locked | {code} if locked else self._locked - {code}

    @property
    def only_over(self) -> int | None:
        """The one code that may be painted over (0: only what is unlabelled), or None for any."""
        return self._only_over

    @only_over.setter
    def only_over(self, code: int | None) -> None:
        self._set("only_over", code)

    @property
    def mask_visible(self) -> bool:
        """Whether the mask is shown over the image."""
        return self._mask_visible

    @mask_visible.setter
    def mask_visible(self, visible: bool) -> None:
        self._set("mask_visible", bool(visible))

    @property
    def mask_opacity(self) -> float:
        """How opaque the mask is drawn, 0–1."""
        return self._mask_opacity

    @mask_opacity.setter
    def mask_opacity(self, opacity: float) -> None:
        self._set("mask_opacity", min(max(float(opacity), 0.0), 1.0))

    @property
    def mask_outline(self) -> bool:
        """Whether the mask is drawn as the outline of its regions instead of filled."""
        return self._mask_outline

    @mask_outline.setter
    def mask_outline(self, outline: bool) -> None:
        self._set("mask_outline", bool(outline))

    def _set(self, name: str, value: Any) -> None:
        if getattr(self, f"_{name}") != value:
            setattr(self, f"_{name}", value)
            getattr(self, f"{name}_changed").emit(value)
