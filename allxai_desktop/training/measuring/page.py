"""The page of a picture: head, axes, texts, legend and notes, one below the other.

All lengths are inches, from the top left corner of the figure; text sizes are points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from allxai_desktop.analyses.figure import DPI, GREY, PROGRAM
from allxai_desktop.analyses.text import FAMILY, Line, drawable, font, wrap
from allxai_desktop.i18n import _
from allxai_desktop.training.words import leaking_text, positive_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# An A4 page less its margins.
WIDTH = 7.4
MARGIN = 0.15
SIZE = 7.0
# Below axes: their ticks and what they measure; left of them too.
AXIS = 0.45


@dataclass(frozen=True)
class Caption:
    """What stands over a picture: `title`, the `classes` for people, and whether the figures leak."""

    title: str
    classes: tuple[str, ...] = ()
    leaking: bool = False


@dataclass
class Page:
    """A figure that grows downwards; `top` is where the next thing goes, `positive` the positive class for people."""

    width: float
    caption: Caption
    positive: str | None = None
    top: float = MARGIN
    _texts: list[Mapping[str, Any]] = field(default_factory=list)
    _boxes: list[tuple[float, float, float, float, Any]] = field(default_factory=list)
    _strokes: list[tuple[float, float, str, str]] = field(default_factory=list)
    _axes: list[tuple[Axes, tuple[float, float, float, float]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        from matplotlib.figure import Figure

        self._figure = Figure(figsize=(self.width, 1), dpi=DPI, facecolor="white")
        across = self.width - 2 * MARGIN
        for text, size, bold, color in (
            (self.caption.title, SIZE + 1.5, True, "black"),
            ("" if self.positive is None else positive_text(self.positive), SIZE, False, "black"),
            (leaking_text() if self.caption.leaking else "", SIZE, True, "#A61B1B"),
        ):
            if text:
                lines = wrap(text, across, size, bold=bold)
                self.lines(MARGIN, self.top, lines, color=color)
                self.top += lines_height(lines) + 0.03
        self.top += 0.08

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Return axes there."""
        axes = self._figure.add_axes((0, 0, 1, 1), label=str(len(self._axes)))
        self._axes.append((axes, (left, top, width, height)))
        return axes

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = SIZE,
        bold: bool = False,
        color: str = "black",
        across: str = "left",
        down: str = "top",
        rotation: float = 0,
    ) -> None:
        """Put one line there."""
        self._texts.append(
            {
                "x": x,
                "y": y,
                "s": drawable(text),
                "fontproperties": font(size, bold),
                "color": color,
                "horizontalalignment": across,
                "verticalalignment": down,
                "rotation": rotation,
                "rotation_mode": "anchor",
                "parse_math": False,
            }
        )

    def lines(
        self, x: float, y: float, lines: list[Line], *, color: str = "black", across: str = "left"
    ) -> None:
        """Put lines there, one below the other."""
        for line in lines:
            self.text(x, y, line.text, size=line.size, bold=line.bold, color=color, across=across)
            y += line.height

    def box(self, left: float, top: float, width: float, height: float, color: Any) -> None:
        """Put a filled box there."""
        self._boxes.append((left, top, width, height, color))

    def legend(self, entries: list[tuple[str, str, str, str]]) -> None:
        """Put a line for each (name, colour, stroke, what follows the name) at the top."""
        for name, color, stroke, text in entries:
            lines = wrap(f"{name} · {text}" if text else name, self.width - 2 * MARGIN - AXIS, SIZE)
            self._strokes.append((MARGIN, self.top + lines[0].height / 2 - 0.01, color, stroke))
            self.lines(MARGIN + 0.4, self.top, lines)
            self.top += lines_height(lines) + 0.01
        self.top += 0.05

    def note(self, text: str) -> None:
        """Put a paragraph at the top."""
        lines = wrap(text, self.width - 2 * MARGIN, SIZE - 0.5)
        self.lines(MARGIN, self.top, lines, color=GREY)
        self.top += lines_height(lines) + 0.02

    def figure(self) -> Figure:
        """Return the figure, the program named at its foot."""
        from matplotlib.patches import Rectangle

        self.note(f"{PROGRAM} · " + _("Research use only, not a medical device"))
        height = self.top + MARGIN / 2
        figure = self._figure
        figure.set_size_inches(self.width, height)
        for axes, (left, top, wide, high) in self._axes:
            axes.set_position(
                (left / self.width, 1 - (top + high) / height, wide / self.width, high / height)
            )
        ground = figure.add_axes((0, 0, 1, 1), label="ground", zorder=-1)
        ground.set_axis_off()
        ground.set_xlim(0, self.width)
        ground.set_ylim(height, 0)
        for left, top, wide, high, color in self._boxes:
            ground.add_patch(
                Rectangle((left, top), wide, high, facecolor=color, edgecolor="#CCCCCC", linewidth=0.4)
            )
        for x, y, color, stroke in self._strokes:
            ground.plot([x, x + 0.32], [y, y], color=color, linestyle=stroke, linewidth=1.5)
        for text in self._texts:
            ground.text(**text)
        return figure


def lines_height(lines: list[Line]) -> float:
    """Return how high `lines` are together."""
    return sum(line.height for line in lines)


def label_axes(axes: Axes, across: str, down: str) -> None:
    """Say what the axes of a curve measure."""
    axes.set_xlabel(across, fontproperties=font(SIZE), labelpad=2)
    axes.set_ylabel(down, fontproperties=font(SIZE), labelpad=2)
    axes.tick_params(labelsize=SIZE - 0.5, labelfontfamily=FAMILY, length=2, pad=2)
    axes.grid(color="#E2E2E2", linewidth=0.5)
    axes.set_axisbelow(True)
