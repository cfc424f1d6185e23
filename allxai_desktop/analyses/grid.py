"""One image under several explainers and networks: the cells of a grid, computed one after another."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.errors import AllxaiError
from allxai_desktop.explainers.registry import EXPLAINERS, ExplainerInfo, complete_settings, explainer
from allxai_desktop.i18n import _
from allxai_desktop.overlay import AUTO, value_range
from allxai_desktop.relevance import ClassShare, ShareCounter, pixel_weights
from allxai_desktop.tasks import Cancelled, Progress, unwatched

if TYPE_CHECKING:
    from allxai_desktop.explainers.explain import Explanation
    from allxai_desktop.images import CellImage
    from allxai_desktop.networks.card import Card
    from allxai_desktop.networks.network import Prediction

MAX_SIDE = 1024
MAX_PIXELS = 2**25
"""What is kept of each map has at most `MAX_SIDE` pixels a side; all maps together have at most `MAX_PIXELS`."""
STRONGEST = 0.005
"""Of a map of single pixels, this share of the strongest is drawn alike: with a scale up to its one highest pixel,
the rest would not be seen. Only in our own colours; the papers' reach to the ends of the map."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Method:
    """An explainer with the settings that are not its defaults: one row of the grid."""

    name: str
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def info(self) -> ExplainerInfo:
        """The explainer. Raises `ExplainerError` where there is none of that name."""
        return explainer(self.name)

    @property
    def title(self) -> str:
        """The name for people, in the current language."""
        title = _(self.info.title)
        return f"{title} ({', '.join(value for _key, value in self.settings)})" if self.settings else title


GRADIENT_X_INPUT = Method("gradient-x-input")


def methods() -> list[Method]:
    """Return each explainer, followed by its variants where it is live: one setting at another than its default."""
    return [
        method
        for name, info in EXPLAINERS.items()
        for method in (
            Method(name),
            *(
                Method(name, ((key, value),))
                for key, setting in ({} if info.on_demand else info.settings).items()
                for value in setting.choices
                if value != setting.default
            ),
        )
    ]


@dataclass(frozen=True)
class ComparisonChoices:
    """What is compared, and how it is drawn and counted.

    `target` None: each network's predicted class. `colormap`: one of `overlay.COLORMAPS`; `auto` leaves the
    red-channel rule with the papers' colours. `shared_scale`: the maps of a row have one colour scale, so that
    they compare; otherwise each has its own, so that weak ones are seen.
    """

    networks: tuple[str, ...] = ()
    methods: tuple[Method, ...] = tuple(
        Method(name) for name, info in EXPLAINERS.items() if not info.on_demand
    )
    target: str | None = None
    rule: str = "red-channel"
    q: float = 0.1
    colormap: str = AUTO
    shared_scale: bool = True

    def rule_colormap(self, method: Method) -> str:
        """The colour map that the red-channel rule counts."""
        return method.info.default_colormap if self.colormap == AUTO else self.colormap

    def clipped(self, method: Method) -> bool:
        """Whether the `STRONGEST` pixels are drawn alike."""
        return self.colormap == AUTO and not method.info.is_cam

    def centred(self, method: Method) -> bool:
        """Whether the colour scale has zero in its middle."""
        return method.info.signed if self.colormap == AUTO else self.colormap == "seismic"


@dataclass(frozen=True)
class Cell:
    """One explainer on one network.

    `explanation.relevance` is (h, w) as the grid keeps it; `extent` is the lowest and the highest value that the
    colours tell apart. It is of the whole map, as are the `shares`. Without a map, `problem` says why in a sentence.
    `warning`: the image does not look like those of the network's training. `twin`: why the map is by theory
    that of Gradient × Input, where the grid has both.
    """

    network: str
    method: Method
    explanation: Explanation | None
    extent: tuple[float, float] | None
    shares: dict[str, ClassShare]
    problem: str | None
    warning: str | None
    twin: str | None = None


@dataclass
class Grid:
    """What is compared, and the cells that are ready.

    `pixels` (h, w, 3) and `codes` (h, w) hold every `step`-th pixel of the image and its mask; `areas` counts them all.
    """

    image: CellImage
    pixels: NDArray[np.uint8]
    codes: NDArray[np.uint8]
    step: int
    areas: dict[str, ClassShare]
    cards: tuple[Card, ...]
    choices: ComparisonChoices
    cells: dict[tuple[str, Method], Cell] = field(default_factory=dict)

    @property
    def labelled(self) -> bool:
        """Whether the mask labels any pixel: without one there are no shares."""
        return any(share.area_share for share in self.areas.values())

    def row(self, method: Method) -> list[Cell]:
        """The cells of an explainer that are ready, in the order of the networks."""
        keys = ((card.name, method) for card in self.cards)
        return [self.cells[key] for key in keys if key in self.cells]

    @property
    def twins(self) -> tuple[Method, ...]:
        """The explainers whose maps are those of Gradient × Input on every network: they need no row of their own."""
        return tuple(
            method
            for method in self.choices.methods
            if len(row := self.row(method)) == len(self.cards) and row and all(cell.twin for cell in row)
        )

    def rows(self) -> list[Method]:
        """The explainers with a cell that is ready, but for those that are the same as another one."""
        twins = self.twins
        return [method for method in self.choices.methods if self.row(method) and method not in twins]

    def title(self, method: Method) -> str:
        """What stands before a row: its explainer, and those that are the same."""
        return " = ".join([method.title, *(twin.title for twin in self.twins if method == GRADIENT_X_INPUT)])

    def twin_notes(self) -> list[str]:
        """Why rows, or the cells of some networks, are the same: a sentence each."""
        twins = self.twins
        if twins:
            return list(dict.fromkeys(cell.twin for twin in twins for cell in self.row(twin) if cell.twin))
        found = {card.title: cell.twin for card in self.cards for cell in self.column(card.name) if cell.twin}
        return [f"{title}: {sentence}" for title, sentence in found.items()]

    def column(self, network: str) -> list[Cell]:
        """The cells of a network that are ready, in the order of the explainers."""
        keys = ((network, method) for method in self.choices.methods)
        return [self.cells[key] for key in keys if key in self.cells]

    def prediction(self, network: str) -> Prediction | None:
        """What the network predicts, once a cell has said it."""
        return next((cell.explanation.prediction for cell in self.column(network) if cell.explanation), None)

    def warning(self, network: str) -> str | None:
        """Why the network may not fit the image."""
        return next((cell.warning for cell in self.column(network) if cell.warning), None)

    def head(self, network: str) -> list[str]:
        """What stands over a column: the network, what it predicts, and the class explained where it was chosen."""
        card = next(card for card in self.cards if card.name == network)
        prediction, target = self.prediction(network), self.choices.target
        lines = [("⚠ " if self.warning(network) else "") + card.title]
        if prediction is None:
            return lines
        shares = {
            key: f"{card.class_title(key)} {100 * share:.1f}\u00a0%"
            for key, share in prediction.probabilities.items()
        }
        lines.append(_("Predicted: {name}").format(name=shares[prediction.predicted]))
        if target in shares:
            lines.append(_("Explained: {name}").format(name=shares[target]))
        return lines

    def row_limits(self, method: Method) -> tuple[float, float] | None:
        """The values at the ends of the one colour scale of a row; None without a map."""
        extents = [cell.extent for cell in self.row(method) if cell.extent]
        if not extents:
            return None
        return value_range(np.array(extents, np.float32), self.choices.centred(method))

    def limits(self, cell: Cell) -> tuple[float, float] | None:
        """The values at the ends of the colour scale of a cell; None without a map."""
        if cell.extent is None or self.choices.shared_scale:
            return self.row_limits(cell.method) if cell.extent else None
        return value_range(np.array(cell.extent, np.float32), self.choices.centred(cell.method))

    def scale_labels(self, method: Method) -> tuple[str, str, str] | None:
        """What stands at the top, the middle and the bottom of the colours of a row; None without a map.

        Numbers where the row has one scale, words where each map has its own.
        """
        limits, centred = self.row_limits(method), self.choices.centred(method)
        if limits is None:
            return None
        middle = "0" if centred else ""
        if not self.choices.shared_scale:
            return _("max"), middle, "−" + _("max") if centred else _("min")
        high, low = (_number(value, limits[1]) for value in limits[::-1])
        return high, middle, low


def _number(value: float, high: float) -> str:
    # Beside the other end, it is nothing.
    return "0" if abs(value) < 1e-3 * abs(high) else f"{value:.2g}".replace("-", "−")


class Engine(Protocol):
    """Explains with networks by name; called on the worker's thread only. May raise `AllxaiError`."""

    def explain(
        self, image: CellImage, network: str, method: Method, target: str | None, progress: Progress
    ) -> Explanation:
        """Return the explanation of the class `target`, None for the predicted one."""

    def warning(self, image: CellImage, network: str) -> str | None:
        """Return the network's domain warning."""

    def twin(self, network: str, method: Method) -> str | None:
        """Return why the map of `method` is by theory that of Gradient × Input, None where it is not."""


class SharedEngine:
    """The registered networks, as the rest of the program uses them."""

    def explain(
        self, image: CellImage, network: str, method: Method, target: str | None, progress: Progress
    ) -> Explanation:
        """Return the explanation of the class `target`, None for the predicted one."""
        from allxai_desktop.explainers.explain import shared_explainer

        found = shared_explainer(network)
        return found.explain(image.pixels, method.name, target, dict(method.settings), progress)

    def warning(self, image: CellImage, network: str) -> str | None:
        """Return the network's domain warning."""
        from allxai_desktop.explainers.explain import shared_explainer

        return shared_explainer(network).network.domain_warning(image.pixels)

    def twin(self, network: str, method: Method) -> str | None:
        """Return why the map of `method` is by theory that of Gradient × Input, None where it is not."""
        from allxai_desktop.analyses.equivalence import same_by_theory
        from allxai_desktop.explainers.explain import shared_explainer

        settings = complete_settings(method.info, dict(method.settings))
        module = shared_explainer(network).network.module
        return same_by_theory(module, GRADIENT_X_INPUT.name, method.name, settings.get("rules", ""))


def new_grid(
    image: CellImage,
    codes: NDArray[np.uint8],
    cards: Sequence[Card],
    choices: ComparisonChoices,
    areas: dict[str, ClassShare] | None = None,
) -> Grid:
    """Return the grid without its cells. `codes`: the mask (H, W), which is copied; `areas`: its shares, if known.

    Raises `AllxaiError` for an explainer, a setting, a rule, a fraction or a colour map that there is not.
    """
    for method in choices.methods:
        complete_settings(method.info, dict(method.settings))
        pixel_weights(
            np.zeros((1, 1), np.float32), choices.rule, q=choices.q, colormap=choices.rule_colormap(method)
        )
    step = _step(codes.shape, len(cards) * len(choices.methods))
    return Grid(
        image=image,
        pixels=np.ascontiguousarray(image.pixels[::step, ::step]),
        codes=codes[::step, ::step].copy(),
        step=step,
        areas=areas or ShareCounter(codes).shares(),
        cards=tuple(cards),
        choices=choices,
    )


def compute_cells(
    grid: Grid,
    codes: NDArray[np.uint8],
    engine: Engine,
    deliver: Callable[[Cell], None],
    *,
    progress: Progress = unwatched,
    known: Mapping[tuple[str, Method], Explanation] | None = None,
) -> None:
    """Compute each cell of `grid` with the mask `codes` (H, W) and deliver it, network by network.

    What fails is a cell with a sentence. `known` are whole maps that need not be computed again.
    What `progress` raises ends the work.
    """
    known = known or {}
    choices = grid.choices
    total = max(len(grid.cards) * len(choices.methods), 1)
    done = 0
    for card in grid.cards:
        try:
            warning = engine.warning(grid.image, card.name)
        except AllxaiError:
            # Each of its cells says what is wrong.
            warning = None
        for method in choices.methods:
            explanation, problem = known.get((card.name, method)), None
            if explanation is None:
                inner = _part(progress, done, total)
                explanation, problem = _explain(engine, grid, card.name, method, inner)
            cell = _cell(grid, codes, card.name, method, explanation, problem, warning)
            if cell.extent and GRADIENT_X_INPUT in choices.methods:
                cell = replace(cell, twin=engine.twin(card.name, method))
            deliver(cell)
            done += 1
            progress(done / total)


def _part(progress: Progress, done: int, total: int) -> Progress:
    return lambda share: progress((done + share) / total)


def _explain(
    engine: Engine, grid: Grid, network: str, method: Method, progress: Progress
) -> tuple[Explanation | None, str | None]:
    try:
        return engine.explain(grid.image, network, method, grid.choices.target, progress), None
    except Cancelled:
        raise
    except AllxaiError as error:
        return None, str(error)
    except Exception:
        log.exception("%s failed on %s", method.name, network)
        return None, _("The explanation failed: see the log, or choose another network or explainer.")


def _cell(
    grid: Grid,
    codes: NDArray[np.uint8],
    network: str,
    method: Method,
    explanation: Explanation | None,
    problem: str | None,
    warning: str | None,
) -> Cell:
    choices = grid.choices
    relevance = None if explanation is None else explanation.relevance
    if explanation is None or relevance is None:
        reason = problem or (explanation.undefined if explanation else None)
        return Cell(network, method, explanation, None, {}, reason, warning)
    try:
        weights = pixel_weights(relevance, choices.rule, q=choices.q, colormap=choices.rule_colormap(method))
    except AllxaiError as error:
        # Said in the explanation too, which may be taken over into another grid.
        return Cell(
            network,
            method,
            replace(explanation, relevance=None, undefined=str(error)),
            None,
            {},
            str(error),
            warning,
        )
    extent = _extent(relevance, clip=choices.clipped(method))
    if grid.step > 1:
        explanation = replace(explanation, relevance=relevance[:: grid.step, :: grid.step].copy())
    return Cell(network, method, explanation, extent, ShareCounter(codes, weights).shares(), None, warning)


def _extent(relevance: NDArray[np.float32], *, clip: bool) -> tuple[float, float]:
    low, high = float(relevance.min()), float(relevance.max())
    if clip:
        strong = float(np.quantile(np.abs(relevance), 1 - STRONGEST))
        # A map of a few pixels has no strongest ones.
        if strong > 0:
            return max(low, -strong), min(high, strong)
    return low, high


def _step(shape: tuple[int, ...], cells: int) -> int:
    """Every how many pixels a map is kept, for as many `cells`."""
    height, width = shape
    return max(
        math.ceil(max(height, width) / MAX_SIDE),
        math.ceil(math.sqrt(cells * height * width / MAX_PIXELS)),
        1,
    )
