"""What the session asks for explanations: the registered networks."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from allxai_desktop.explainers.registry import EXPLAINERS, complete_settings
from allxai_desktop.i18n import _
from allxai_desktop.tasks import Progress

if TYPE_CHECKING:
    from allxai_desktop.explainers.explain import Explainer, Explanation
    from allxai_desktop.images import CellImage
    from allxai_desktop.session import Choices


class Engine(Protocol):
    """Explains an image with a network by name; called on the worker thread only."""

    def explain(
        self, image: CellImage, choices: Choices, progress: Progress
    ) -> tuple[Explanation, str | None]:
        """Return the explanation and the network's domain warning; `progress` is for explainers on demand."""

    def preview(self, image: CellImage, choices: Choices) -> tuple[Explanation, str | None]:
        """Return the same without a map, in one pass, whose seconds it tells."""


class TorchEngine:
    """The registered networks, loaded when they are first asked for."""

    def __init__(self) -> None:
        self._used: tuple[str, Explainer] | None = None
        self._warned: tuple[tuple[str, str], str | None] | None = None

    def explain(
        self, image: CellImage, choices: Choices, progress: Progress
    ) -> tuple[Explanation, str | None]:
        """Return the explanation and the domain warning. Raises `AllxaiError` for an unreadable network."""
        engine = self._explainer(choices)
        explanation = engine.explain(
            image.pixels, choices.explainer, choices.target, dict(choices.settings), progress
        )
        return explanation, self._warning(engine, image, choices)

    def preview(self, image: CellImage, choices: Choices) -> tuple[Explanation, str | None]:
        """Return the prediction, and in place of the map what to do for it. Raises as `explain` does."""
        from allxai_desktop.explainers.explain import Explanation

        engine = self._explainer(choices)
        start = perf_counter()
        prediction = engine.network.predict(image.pixels)
        seconds = perf_counter() - start
        target = choices.target or prediction.predicted
        explanation = Explanation(
            relevance=None,
            undefined=_("This map takes a while: press Compute."),
            target=target,
            logit=float(prediction.logits[engine.network.card.classes.index(target)]),
            probability=prediction.probabilities[target],
            prediction=prediction,
            explainer=choices.explainer,
            settings=complete_settings(EXPLAINERS[choices.explainer], dict(choices.settings)),
            conservation=None,
            seconds=seconds,
        )
        return explanation, self._warning(engine, image, choices)

    def _explainer(self, choices: Choices) -> Explainer:
        from allxai_desktop.explainers.explain import shared_explainer

        name = choices.network or ""
        if self._used is None or self._used[0] != name:
            # Only now, so that a live change of the explainer reads no card again.
            self._used = name, shared_explainer(name)
        return self._used[1]

    def _warning(self, engine: Explainer, image: CellImage, choices: Choices) -> str | None:
        # The same for every explainer and target, which are what changes most.
        key = choices.network or "", image.sha256
        if self._warned is None or self._warned[0] != key:
            self._warned = key, engine.network.domain_warning(image.pixels)
        return self._warned[1]
