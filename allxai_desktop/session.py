"""The live session: what is shown now, what is being computed, and what is stale.

Every change of image, network, explainer, target or rule raises a generation number; one worker
computes, and a result of an older generation is dropped. Painting never reaches the network: an
edit moves the class counts by the pixels that changed. An explainer on demand is computed when `compute` asks for it;
until then there is the prediction, without a map.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.errors import AllxaiError
from allxai_desktop.explainers.registry import EXPLAINERS, complete_settings
from allxai_desktop.i18n import _
from allxai_desktop.relevance import ClassShare, ShareCounter, pixel_weights
from allxai_desktop.session_engine import Engine, TorchEngine
from allxai_desktop.tasks import Cancelled, Dispatch, Progress, at_once, unwatched

if TYPE_CHECKING:
    from allxai_desktop.explainers.explain import Explanation
    from allxai_desktop.images import CellImage
    from allxai_desktop.networks.network import Prediction
    from allxai_desktop.painting.engine import PaintModel

CACHE_BYTES = 128 * 2**20
"""Of the maps that are kept: six of an image of 2592×1944."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choices:
    """What the user chose. `target` None means the predicted class, `colormap` None the explainer's own."""

    network: str | None = None
    explainer: str = "grad-cam"
    settings: tuple[tuple[str, Any], ...] = ()
    target: str | None = None
    rule: str = "red-channel"
    q: float = 0.1
    colormap: str | None = None

    @property
    def shown_colormap(self) -> str:
        """The colour map of the overlay and of the red-channel rule."""
        return self.colormap or EXPLAINERS[self.explainer].default_colormap


class Demand(Enum):
    """What there is to do for an explainer on demand: nothing, to ask for its map, or to wait for it."""

    NONE = "none"
    PENDING = "pending"
    COMPUTING = "computing"


@dataclass(frozen=True)
class Result:
    """An explanation, the weight of each pixel under the rule, and the warning that belongs beside it.

    `before` is the prediction for the image itself where a variant of it was explained, else None.
    """

    explanation: Explanation
    weights: NDArray[Any] | None
    domain_warning: str | None
    choices: Choices
    before: Prediction | None = None

    @property
    def relevant(self) -> NDArray[np.bool_] | None:
        """The relevant pixels (H, W): those with a weight above 0; None where the map is undefined."""
        return None if self.weights is None else self.weights > 0


@dataclass
class _Job:
    generation: int
    image: CellImage
    choices: Choices
    codes: NDArray[np.uint8]
    original: CellImage
    demand: Demand
    edits: list[tuple[NDArray[Any], NDArray[np.uint8], NDArray[np.uint8]]] = field(default_factory=list)


class Session:
    """State of the explain side, followed by any number of widgets through its signals.

    `dispatch` runs a callable on the thread that owns the widgets; without one, results arrive on
    the worker thread.
    """

    image_changed = Signal(object)
    choices_changed = Signal(Choices)
    result_changed = Signal(object)
    shares_changed = Signal(dict)
    busy_changed = Signal(bool)
    demand_changed = Signal(Demand)
    progress_changed = Signal(float)
    failed = Signal(str)

    def __init__(
        self,
        paint: PaintModel,
        engine: Engine | None = None,
        dispatch: Dispatch = at_once,
    ) -> None:
        self.paint = paint
        self.image: CellImage | None = None
        self.choices = Choices()
        self.result: Result | None = None
        self.live = True
        self.demand = Demand.NONE
        self._engine = engine or TorchEngine()
        self._dispatch = dispatch
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="explain")
        self._generation = 0
        self._job: _Job | None = None
        self._counter: ShareCounter | None = None
        self._weights: NDArray[Any] | None = None
        self._variant: CellImage | None = None
        self._original: Result | None = None
        self._pass_seconds: float | None = None
        self._predicted: tuple[CellImage, str | None, Prediction] | None = None
        self._cache: OrderedDict[tuple[object, ...], tuple[Explanation, str | None]] = OrderedDict()
        self._cache_lock = threading.Lock()
        paint.edited.connect(self._on_edited)

    @property
    def generation(self) -> int:
        """Raised by every change that a result depends on."""
        return self._generation

    @property
    def busy(self) -> bool:
        """Whether a result for the present choices is on its way."""
        return self._job is not None

    @property
    def outdated(self) -> bool:
        """Whether what is shown was made with other choices, which `live`, switched off, does not follow."""
        return not self.live and self.result is not None and self.result.choices != self.choices

    @property
    def shares(self) -> dict[str, ClassShare]:
        """Shares of the present mask and map; empty without an image."""
        return self._counter.shares() if self._counter else {}

    @property
    def expected_seconds(self) -> float | None:
        """How long the map on demand is likely to take; None where that is not known."""
        info = EXPLAINERS[self.choices.explainer]
        if info.passes is None or self._pass_seconds is None:
            return None
        return self._pass_seconds * info.passes(complete_settings(info, dict(self.choices.settings)))

    def set_image(self, image: CellImage | None) -> None:
        """Show `image`, whose mask is already in `paint`; the map of the image before is dropped at once."""
        self.image = image
        self._variant = self._original = None
        # A slide is not explained, but its classes are counted.
        counted = image is not None or not self.paint.whole
        self._show(None, ShareCounter(self.paint.mask) if counted else None)
        self.image_changed.emit(image)
        self._start()

    def set_variant(self, variant: CellImage | None) -> None:
        """Explain `variant`, of the size of the image, in place of the image; with None the image itself again.

        The map shown stays until that of the variant is there; the way back to the image is at once.
        """
        if variant is self._variant or self.image is None:
            return
        self._variant = variant
        if variant is None and self.result is not None and self.result.before is not None:
            kept = self._original
            if kept is not None and kept.choices != self.choices:
                kept = None
            self._show(kept, ShareCounter(self.paint.codes, None if kept is None else kept.weights))
        self._start()

    def choose(self, **changes: Any) -> None:
        """Change some of the `Choices`; another network drops a target that may not be among its classes."""
        choices = replace(self.choices, **changes)
        if choices.network != self.choices.network and "target" not in changes:
            choices = replace(choices, target=None)
        if choices.explainer != self.choices.explainer and "settings" not in changes:
            choices = replace(choices, settings=())
        if choices == self.choices:
            return
        if choices.network != self.choices.network:
            self._pass_seconds = None
        self.choices = choices
        self.choices_changed.emit(choices)
        self._follow()

    def set_live(self, live: bool) -> None:
        """Follow changes at once, or keep what is shown until `live` is on again."""
        self.live = live
        if live:
            self._follow()

    def compute(self) -> None:
        """Compute the map of the explainer on demand that is chosen."""
        if self.demand is Demand.PENDING:
            self._start(asked=True)

    def cancel(self) -> None:
        """Stop computing the map on demand."""
        if self.demand is Demand.COMPUTING:
            self._start()

    def close(self) -> None:
        """Stop: nothing is delivered after this."""
        self._generation += 1
        self._job = None
        self.paint.edited.disconnect(self._on_edited)
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _follow(self) -> None:
        """Start anew, but go on with a map on demand that is still the one that is wanted."""
        job = self._job
        still_wanted = (
            job is not None
            and job.demand is Demand.COMPUTING
            and _question(job.image, job.choices) == _question(job.image, self.choices)
        )
        if not still_wanted:
            self._start()

    def _start(self, *, asked: bool = False) -> None:
        self._generation += 1
        was_busy = self.busy
        self._job = None
        demand = Demand.NONE
        if self.image is not None and self.choices.network is not None:
            shown = self._variant or self.image
            if asked:
                demand = Demand.COMPUTING
            elif EXPLAINERS[self.choices.explainer].on_demand and not (
                self.live and self._known(shown, self.choices)
            ):
                demand = Demand.PENDING
            if self.live or asked:
                codes = self.paint.codes.copy()
                self._job = _Job(self._generation, shown, self.choices, codes, self.image, demand)
                self._worker.submit(self._run, self._job)
        self._set_demand(demand)
        if self.busy != was_busy:
            self.busy_changed.emit(self.busy)

    def _set_demand(self, demand: Demand) -> None:
        if demand is not self.demand:
            self.demand = demand
            self.demand_changed.emit(demand)

    def _run(self, job: _Job) -> None:
        if job.generation != self._generation:
            return
        try:
            result = self._compute(job)
            counter = ShareCounter(job.codes, result.weights)
        except Cancelled:
            return
        except AllxaiError as error:
            message = str(error)
            self._dispatch(lambda: self._fail(job, message))
        except Exception:
            log.exception("The explanation failed")
            message = _("The explanation failed: see the log, or choose another network or explainer.")
            self._dispatch(lambda: self._fail(job, message))
        else:
            self._dispatch(lambda: self._deliver(job, result, counter))

    def _compute(self, job: _Job) -> Result:
        choices = job.choices
        if job.demand is Demand.PENDING:
            explanation, warning = self._engine.preview(job.image, choices)
        else:
            explanation, warning = self._explain(job.image, choices, partial(self._progress, job))
        weights = None
        if explanation.relevance is not None:
            weights = pixel_weights(
                explanation.relevance, choices.rule, q=choices.q, colormap=choices.shown_colormap
            )
        before = None if job.image is job.original else self._prediction(job.original, choices)
        return Result(explanation, weights, warning, choices, before)

    def _prediction(self, image: CellImage, choices: Choices) -> Prediction:
        known = self._predicted
        if known is None or known[0] is not image or known[1] != choices.network:
            if EXPLAINERS[choices.explainer].on_demand:
                prediction = self._engine.preview(image, choices)[0].prediction
            else:
                # As a rule in the cache: it was shown before its variant was.
                prediction = self._explain(image, choices, unwatched)[0].prediction
            known = self._predicted = image, choices.network, prediction
        return known[2]

    def _progress(self, job: _Job, share: float) -> None:
        """Tell how far `job` is. Raises `Cancelled` when it is not wanted any more."""
        if job.generation != self._generation:
            raise Cancelled

        def tell() -> None:
            if job.generation == self._generation:
                self.progress_changed.emit(share)

        self._dispatch(tell)

    def _known(self, image: CellImage, choices: Choices) -> bool:
        with self._cache_lock:
            return _question(image, choices) in self._cache

    def _explain(
        self, image: CellImage, choices: Choices, progress: Progress
    ) -> tuple[Explanation, str | None]:
        key = _question(image, choices)
        with self._cache_lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        made = self._engine.explain(image, choices, progress)
        with self._cache_lock:
            # The map of the predicted class is also the map of that class by its name.
            self._cache[key] = self._cache[*key[:-1], made[0].target] = made
            while len(self._cache) > 2 and self._cached_bytes() > CACHE_BYTES:
                self._cache.popitem(last=False)
        return made

    def _cached_bytes(self) -> int:
        maps = {id(made[0]): made[0].relevance for made in self._cache.values()}
        return sum(relevance.nbytes for relevance in maps.values() if relevance is not None)

    def _deliver(self, job: _Job, result: Result, counter: ShareCounter) -> None:
        if job.generation != self._generation:
            return
        if job.demand is Demand.COMPUTING and self.live and job.choices != self.choices:
            # Another rule meanwhile: the map is now in the cache.
            self._start()
            return
        if job.demand is Demand.PENDING:
            self._pass_seconds = result.explanation.seconds
        else:
            self._set_demand(Demand.NONE)
        weights = result.weights
        for indices, old, new in job.edits:
            counter.update(old, new, None if weights is None else weights.reshape(-1)[indices])
        self._job = None
        if result.before is None:
            self._original = result
        self._show(result, counter)
        self.busy_changed.emit(False)

    def _show(self, result: Result | None, counter: ShareCounter | None) -> None:
        weights = None if result is None else result.weights
        self.result = result
        self._weights = None if weights is None else weights.reshape(-1)
        self._counter = counter
        self.result_changed.emit(result)
        self.shares_changed.emit(self.shares)

    def _fail(self, job: _Job, message: str) -> None:
        if job.generation != self._generation:
            return
        self._job = None
        if job.demand is Demand.COMPUTING:
            self._set_demand(Demand.PENDING)
        self._show(None, ShareCounter(self.paint.codes, None))
        self.busy_changed.emit(False)
        self.failed.emit(message)

    def _on_edited(self, indices: NDArray[Any], old: NDArray[np.uint8], new: NDArray[np.uint8]) -> None:
        if self._job is not None:
            self._job.edits.append((indices, old, new))
        if self._counter is not None:
            self._counter.update(old, new, None if self._weights is None else self._weights[indices])
            self.shares_changed.emit(self.shares)


def _question(image: CellImage, choices: Choices) -> tuple[object, ...]:
    """Return what an explanation depends on; the target comes last."""
    asked = (choices.network, choices.explainer, choices.settings)
    return (image.sha256, image.pixels.shape, *asked, choices.target)
