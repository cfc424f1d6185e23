"""The tools of painting and their settings, as one observable model."""

from collections.abc import Iterable
from typing import Any, Literal, get_args

from psygnal import Signal

from allxai_desktop.cellclasses import CODES, UNLABELLED

Tool = Literal["brush", "superpixel", "eraser", "fill", "wand", "polygon", "freehand", "wire", "accept"]
TOOLS: tuple[Tool, ...] = get_args(Tool)
NOT_DRAWING = ("eraser", "accept")
"""The tools that do not paint the active class."""
MIN_BRUSH, MAX_BRUSH = 1, 400
MIN_TOLERANCE, MAX_TOLERANCE = 1, 100
TOLERANCES = {1: 25, 2: 22, 3: 10, 4: 12, 5: 10}
"""The wand's tolerance for each class, until it is changed: the best of ten from 8 to 30.

In the middle of the regions of 24 smear images, the wand's mean IoU is 0.86, 0.62, 0.46, 0.34 and 0.92 with them. With
25 for all, a click on a red cell takes the background, too: 0.13, and 0.60 for the background.
"""


class ToolSettings:
    """Which tool is in hand, what it paints, what it leaves alone, and how the mask is shown."""

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

    def __init__(self) -> None:
        self._active, self._previous = CODES[0], CODES[1]
        self._tool: Tool = "brush"
        self._drawing_tool: Tool = "brush"
        self._brush_size, self._tolerances = 12, dict(TOLERANCES)
        self._locked: frozenset[int] = frozenset()
        self._only_over: int | None = None
        self._erase_to = UNLABELLED
        self._mask_visible, self._mask_opacity, self._mask_outline = True, 0.5, False

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
            before, self._previous = self.tolerance, self._active
            self._set("active", code)
            if self.tolerance != before:
                self.tolerance_changed.emit(self.tolerance)

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
        """How far from the colour pointed at the wand reaches for the active class, CIE 1976 ΔE; outside 1–100 it
        becomes the nearest."""
        return self._tolerances[self._active]

    @tolerance.setter
    def tolerance(self, distance: int) -> None:
        tolerance = min(max(int(distance), MIN_TOLERANCE), MAX_TOLERANCE)
        if tolerance != self.tolerance:
            self._tolerances[self._active] = tolerance
            self.tolerance_changed.emit(tolerance)

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
