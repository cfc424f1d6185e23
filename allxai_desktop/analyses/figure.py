"""The figure of a comparison, as in the source papers: explainers × networks on one page, as PNG or PDF.

All lengths are inches, from the top left corner of the figure; text sizes are points.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop import __version__
from allxai_desktop.analyses.grid import STRONGEST, Cell, Grid, Method
from allxai_desktop.analyses.text import NBSP, Line, drawable, font, wrap
from allxai_desktop.cellclasses import BY_KEY, CLASSES, CellClass
from allxai_desktop.errors import AllxaiError
from allxai_desktop.files import write_whole
from allxai_desktop.i18n import _
from allxai_desktop.overlay import COLORMAP_TITLES, blend, class_outlines, color_table, underlay
from allxai_desktop.relevance import RULE_TITLES, ClassShare, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 300
FORMATS = ("png", "pdf")
PROGRAM = f"AllXAI Desktop {__version__}"

# An A4 page less its margins; more rows or columns than fit make the figure larger, not its cells smaller.
PAGE = (7.4, 10.6)
CELL_SIDES = (1.15, 2.3)
MARGIN, GAP = 0.12, 0.14
LABEL, SCALE = 0.34, 0.62
STRIP, LEGEND_ROW = 0.36, 0.14
OPACITY = 0.75
GREY = "#666666"


def save_figure(path: str | Path, grid: Grid, name: str) -> None:
    """Write the figure of what is ready in `grid`; `name` stands under it for the image.

    The ending of `path` says which of `FORMATS`. The file names nothing but this program.
    Raises `AllxaiError` for another ending, for a grid without cells and where the file cannot be written.
    """
    write_whole(path, figure_bytes(grid, name, check_format(path)))


def check_format(path: str | Path) -> str:
    """Return which of `FORMATS` the ending of `path` asks for. Raises `AllxaiError` for another ending."""
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise AllxaiError(
            _("{name} cannot be written: give it the ending .png or .pdf.").format(name=Path(path).name)
        )
    return kind


def figure_bytes(grid: Grid, name: str, kind: str) -> bytes:
    """Return the file of one of `FORMATS`. Raises `AllxaiError` for a grid without cells."""
    return encode(draw_figure(grid, name), kind)


def encode(figure: Figure, kind: str) -> bytes:
    """Return `figure` as a file of one of `FORMATS` that names nothing but this program."""
    stream = io.BytesIO()
    metadata: dict[str, Any] = {"Software": PROGRAM}
    if kind == "pdf":
        from matplotlib.backends.backend_pdf import FigureCanvasPdf

        metadata = {"Creator": PROGRAM, "Producer": None, "CreationDate": None}
        FigureCanvasPdf(figure).print_pdf(stream, metadata=metadata)  # type: ignore[no-untyped-call]
    else:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        FigureCanvasAgg(figure).print_png(stream, metadata=metadata)  # type: ignore[no-untyped-call]
    return stream.getvalue()


def draw_figure(grid: Grid, name: str) -> Figure:
    """Return the figure of what is ready in `grid`, at `DPI`. Raises `AllxaiError` for a grid without cells."""
    from matplotlib.figure import Figure

    if not grid.cells:
        raise AllxaiError(_("There is nothing to draw yet: choose a network and an explainer, and compare."))
    plan = _Plan.of(grid, name)
    figure = Figure(figsize=(plan.width, plan.height), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    _Drawing(axes, grid, plan).draw()
    # Images set limits of their own.
    axes.set_xlim(0, plan.width)
    axes.set_ylim(plan.height, 0)
    axes.set_aspect("auto")
    return figure


@dataclass(frozen=True)
class _Plan:
    """Where everything goes."""

    rows: tuple[Method, ...]
    cell: tuple[float, float]
    picture: tuple[float, float]
    strip: float
    heads: list[list[Line]]
    head: float
    body: float
    notes: list[Line]
    beside: float | None
    width: float
    height: float

    @classmethod
    def of(cls, grid: Grid, name: str) -> _Plan:
        rows = tuple(grid.rows())
        columns = len(grid.cards) + 1
        strip = STRIP if grid.labelled else 0.0
        aspect = grid.pixels.shape[0] / grid.pixels.shape[1]
        across = (PAGE[0] - 2 * MARGIN - LABEL - SCALE - (columns - 1) * GAP) / columns
        # About an inch goes to heads and notes.
        down = (PAGE[1] - 1.2) / len(rows) - strip - GAP
        smallest, largest = CELL_SIDES
        width = min(max(min(across, down / aspect), smallest), largest, largest / aspect)
        # A long narrow image leaves room at its sides rather than take the room of the words.
        picture = width, width * aspect
        width, height = max(picture[0], smallest), max(picture[1], smallest)
        total = 2 * MARGIN + LABEL + columns * width + (columns - 1) * GAP + SCALE
        heads = [[Line(_("Image and mask") if grid.labelled else _("Image"), 7, bold=True)]]
        heads += [_network_head(grid, card.name, width) for card in grid.cards]
        head = max(map(_height, heads)) + 0.05
        body = len(rows) * (height + strip + GAP)
        source = height + (LEGEND_ROW * (len(CLASSES) + 1) + 0.2 if grid.labelled else 0.2)
        texts = _notes(grid, name)
        notes = [line for text in texts for line in [*wrap(text, width, 6.5), Line("", 4)]]
        beside = MARGIN + head + source if source + _height(notes) < body else None
        below = 0.0
        if beside is None:
            body = max(body, source)
            notes = [line for text in texts for line in wrap(text, total - 2 * MARGIN, 6.5)]
            below = _height(notes)
        bottom = 2 * MARGIN + head + body + below
        cell = width, height
        return cls(rows, cell, picture, strip, heads, head, body, notes, beside, total, bottom)

    def left(self, column: int) -> float:
        return MARGIN + column * (self.cell[0] + GAP) + (LABEL if column else 0)

    def top(self, row: int) -> float:
        return MARGIN + self.head + row * (self.cell[1] + self.strip + GAP)


def _height(lines: list[Line]) -> float:
    return sum(line.height for line in lines)


def _network_head(grid: Grid, network: str, width: float) -> list[Line]:
    title, *rest = grid.head(network)
    return wrap(title, width, 7, bold=True) + [line for text in rest for line in wrap(text, width, 6.5)]


def _notes(grid: Grid, name: str) -> list[str]:
    choices = grid.choices
    rule = _(RULE_TITLES[choices.rule]) + (
        f" ({100 * choices.q:g}{NBSP}%)" if choices.rule == "top-q" else ""
    )
    facts = [name] if name else []
    facts.append(_("Rule: {rule}").format(rule=rule))
    facts.append(_("Colours: {name}").format(name=_(COLORMAP_TITLES[choices.colormap])))
    facts.append(
        _("One colour scale per explainer")
        if choices.shared_scale
        else _("Each map has its own colour scale")
    )
    notes = [" · ".join(facts)]
    if grid.labelled:
        notes.append(
            _(
                "Under each map: relevance on each class in %; the black tick is the class’s share of the area."
            )
        )
    if any(choices.clipped(method) for method in choices.methods):
        notes.append(
            _(
                "Colours are full from the strongest {share} of a map’s pixels on; CAMs reach to their highest."
            ).format(share=f"{100 * STRONGEST:g}{NBSP}%")
        )
    notes += grid.twin_notes()
    for card in grid.cards:
        warning = grid.warning(card.name)
        if warning:
            notes.append(f"⚠ {card.title}: {warning}")
    for method in choices.methods:
        notes += [f"⚠ {method.title}, {doubt}" for doubt in grid.map_doubts(method)]
    notes.append(f"{PROGRAM} · " + _("Research use only, not a medical device"))
    return notes


class _Drawing:
    """Draws a grid by its plan."""

    def __init__(self, axes: Axes, grid: Grid, plan: _Plan) -> None:
        self.axes, self.grid, self.plan = axes, grid, plan
        self.under = underlay(grid.pixels)

    def draw(self) -> None:
        plan, grid = self.plan, self.grid
        for column, lines in enumerate(plan.heads):
            self._head(plan.left(column) + plan.cell[0] / 2, lines)
        self._source()
        for row, method in enumerate(plan.rows):
            self._label(row, method)
            for column, card in enumerate(grid.cards):
                cell = grid.cells.get((card.name, method))
                if cell is not None:
                    self._cell(plan.left(column + 1), plan.top(row), cell)
            self._scale(row, method)
        top = plan.beside or MARGIN + plan.head + plan.body
        for line in plan.notes:
            self._text(MARGIN, top, line.text, line.size, color=GREY)
            top += line.height

    def _head(self, center: float, lines: list[Line]) -> None:
        top = MARGIN + self.plan.head - 0.05 - _height(lines)
        for line in lines:
            self._text(center, top, line.text, line.size, bold=line.bold, across="center")
            top += line.height

    def _source(self) -> None:
        plan, grid = self.plan, self.grid
        left, top = plan.left(0), plan.top(0)
        self._picture(left, top, grid.pixels)
        if not grid.labelled:
            return
        scale = plan.picture[0] / grid.codes.shape[1]
        inset = self._inset()
        for key, lines in class_outlines(grid.codes):
            color = _rgb(BY_KEY[key])
            for line in lines:
                x, y = left + inset[0] + scale * line[:, 0], top + inset[1] + scale * line[:, 1]
                self.axes.plot(x, y, color="black", linewidth=1.5, alpha=0.5, zorder=3)
                self.axes.plot(x, y, color=color, linewidth=0.8, zorder=4)
        top += plan.cell[1] + 0.08
        self._text(left + plan.cell[0], top, _("Area"), 6, color=GREY, across="right")
        for cls in CLASSES:
            top += LEGEND_ROW
            self._box(left, top, 0.11, 0.11, _rgb(cls))
            self._text(
                left + 0.055,
                top + 0.055,
                cls.letter,
                6,
                bold=True,
                color=cls.ink,
                across="center",
                down="center",
            )
            self._text(left + 0.16, top + 0.055, cls.title, 6, down="center")
            area = percent(grid.areas[cls.key].area_share)
            self._text(left + plan.cell[0], top + 0.055, area, 6, across="right", down="center")

    def _label(self, row: int, method: Method) -> None:
        plan = self.plan
        lines = wrap(self.grid.title(method), plan.cell[1], 7.5, bold=True)
        x = plan.left(1) - 0.08 - _height(lines)
        middle = plan.top(row) + plan.cell[1] / 2
        for line in lines:
            x += line.height
            self._text(
                x, middle, line.text, line.size, bold=True, across="center", down="baseline", rotation=90
            )

    def _cell(self, left: float, top: float, cell: Cell) -> None:
        plan, grid = self.plan, self.grid
        limits = grid.limits(cell)
        if cell.explanation is None or cell.explanation.relevance is None or limits is None:
            self._box(left, top, plan.cell[0], plan.cell[1], "#EEEEEE")
            lines = wrap(cell.problem or "", plan.cell[0] - 0.12, 6)
            y = top + (plan.cell[1] - _height(lines)) / 2
            for line in lines:
                self._text(left + plan.cell[0] / 2, y, line.text, line.size, across="center", color="#444444")
                y += line.height
            return
        drawn = blend(
            self.under,
            cell.explanation.relevance,
            signed=grid.choices.centred(cell.method),
            colormap=grid.choices.colormap,
            opacity=OPACITY,
            limits=limits,
        )
        self._picture(left, top, drawn)
        if grid.labelled:
            self._shares(left, top + plan.cell[1] + 0.03, cell.shares)

    def _shares(self, left: float, top: float, shares: dict[str, ClassShare]) -> None:
        slot = self.plan.cell[0] / len(CLASSES)
        for number, cls in enumerate(CLASSES):
            share, x = shares[cls.key], left + number * slot
            middle, track = x + slot / 2, slot - 0.04
            value = "–" if share.relevant_share is None else f"{100 * share.relevant_share:.0f}"
            self._text(middle, top, value, 6, across="center")
            y = top + 0.115
            self._box(x + 0.02, y, track, 0.06, "#E2E2E2")
            if share.relevant_share:
                self._box(x + 0.02, y, track * share.relevant_share, 0.06, _rgb(cls))
            if share.area_share:
                tick = x + 0.02 + track * share.area_share
                self.axes.plot([tick, tick], [y - 0.015, y + 0.075], color="black", linewidth=0.7, zorder=5)
            self._text(middle, top + 0.2, cls.letter, 6, bold=True, across="center")

    def _scale(self, row: int, method: Method) -> None:
        plan, choices = self.plan, self.grid.choices
        labels = self.grid.scale_labels(method)
        if labels is None:
            return
        centred = choices.centred(method)
        left, top = plan.left(len(self.grid.cards)) + plan.cell[0] + 0.1, plan.top(row)
        height = plan.cell[1]
        table = color_table(choices.colormap, centred)[::-1, None]
        # What a strong colour looks like over white: over the image it is a mixture.
        bar = 1 - OPACITY * table[..., 3:] * (1 - table[..., :3])
        self._image(left, top, bar, (0.09, height))
        places = ((0.0, "top"), (height / 2, "center"), (height, "bottom"))
        for (y, down), text in zip(places, labels, strict=True):
            self._text(left + 0.12, top + y, text, 6, down=down)

    def _picture(self, left: float, top: float, pixels: NDArray[np.uint8]) -> None:
        inset = self._inset()
        self._image(left + inset[0], top + inset[1], pixels, self.plan.picture)

    def _inset(self) -> tuple[float, float]:
        """How far the picture lies inside its cell."""
        cell, picture = self.plan.cell, self.plan.picture
        return (cell[0] - picture[0]) / 2, (cell[1] - picture[1]) / 2

    def _image(self, left: float, top: float, pixels: NDArray[Any], size: tuple[float, float]) -> None:
        width, height = size
        self.axes.imshow(pixels, extent=(left, left + width, top + height, top), zorder=1)
        self._box(left, top, width, height, "none", edge="#999999")

    def _box(
        self, left: float, top: float, width: float, height: float, color: Any, edge: str = "none"
    ) -> None:
        from matplotlib.patches import Rectangle

        self.axes.add_patch(
            Rectangle((left, top), width, height, facecolor=color, edgecolor=edge, linewidth=0.4, zorder=2)
        )

    def _text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        bold: bool = False,
        color: str = "black",
        across: str = "left",
        down: str = "top",
        rotation: float = 0,
    ) -> None:
        self.axes.text(
            x,
            y,
            drawable(text),
            fontproperties=font(size, bold),
            color=color,
            horizontalalignment=across,
            verticalalignment=down,
            rotation=rotation,
            rotation_mode="anchor",
            parse_math=False,
            zorder=6,
        )


def _rgb(cls: CellClass) -> tuple[float, ...]:
    return tuple(level / 255 for level in cls.color)
