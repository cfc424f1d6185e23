"""The cells of a comparison, computed one after another."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.analyses.grid import GRADIENT_X_INPUT, STRONGEST, Cell, ComparisonChoices, Grid, Method
from allxai_desktop.errors import AllxaiError
from allxai_desktop.explainers.registry import complete_settings
from allxai_desktop.i18n import _
from allxai_desktop.relevance import ClassShare, ShareCounter, pixel_weights
from allxai_desktop.tasks import Cancelled, Progress, unwatched

if TYPE_CHECKING:
    from allxai_desktop.explainers.explain import Explanation
    from allxai_desktop.images import CellImage
    from allxai_desktop.networks.card import Card

MAX_SIDE = 1024
MAX_PIXELS = 2**25
"""What is kept of each map has at most `MAX_SIDE` pixels a side; all maps together have at most `MAX_PIXELS`."""

log = logging.getLogger(__name__)


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
