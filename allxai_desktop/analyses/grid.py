"""One image under several explainers and networks: what is compared, and what a picture of it shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.analyses.verdicts import map_doubt
from allxai_desktop.explainers.registry import EXPLAINERS, ExplainerInfo, explainer
from allxai_desktop.i18n import _
from allxai_desktop.overlay import AUTO, value_range
from allxai_desktop.relevance import ClassShare

if TYPE_CHECKING:
    from allxai_desktop.explainers.explain import Explanation
    from allxai_desktop.images import CellImage
    from allxai_desktop.networks.card import Card
    from allxai_desktop.networks.network import Prediction

STRONGEST = 0.005
"""Of a map of single pixels, this share of the strongest is drawn alike: with a scale up to its one highest pixel,
the rest would not be seen. Only in our own colours; the papers' reach to the ends of the map."""


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

    def map_doubts(self, method: Method) -> list[str]:
        """Which maps of an explainer are not to be relied on, and why: a sentence for each network."""
        titles = {card.name: card.title for card in self.cards}
        return [
            f"{titles[cell.network]}: {why}"
            for cell in self.row(method)
            if cell.explanation is not None and (why := map_doubt(cell.explanation))
        ]

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
