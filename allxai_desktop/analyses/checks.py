"""The checks of a map that take many passes of its network: what they are of, and how they are run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.analyses.faithfulness import (
    FILL,
    RANDOM_ORDERS,
    Faithfulness,
    block_numbers,
    order_by_relevance,
    random_orders,
    replacement_curves,
)
from allxai_desktop.analyses.stability import Stability, stability
from allxai_desktop.analyses.stages import stage
from allxai_desktop.explainers.registry import EXPLAINERS
from allxai_desktop.i18n import N_
from allxai_desktop.removal import filling
from allxai_desktop.tasks import Progress, unwatched

if TYPE_CHECKING:
    from torch import nn

    from allxai_desktop.analyses.randomisation import Randomisation
    from allxai_desktop.explainers.explain import Explainer, Explanation
    from allxai_desktop.images import CellImage
    from allxai_desktop.session import Session

CHECKS = {
    "faithfulness": N_("Taking parts away"),
    "stability": N_("Small noise"),
    "randomisation": N_("Random weights"),
}
"""The checks by name, with their English titles."""
_KEPT = 16


@dataclass(frozen=True, eq=False)
class Subject:
    """The map that is checked: what it is of, and the map (H, W) itself."""

    pixels: NDArray[np.uint8]
    sha256: str
    network: str
    explainer: str
    settings: Mapping[str, Any]
    target: str
    relevance: NDArray[np.float32]

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for two subjects whose checks have the same result."""
        return self.sha256, self.network, self.explainer, tuple(sorted(self.settings.items())), self.target


def subject_of(session: Session) -> Subject | None:
    """Return what the session shows now; None without a map, and while a variant of the image is shown."""
    image, result = session.image, session.result
    if image is None or result is None or result.before is not None:
        return None
    return subject(image, result.choices.network or "", result.explanation)


def subject(image: CellImage, network: str, explanation: Explanation) -> Subject | None:
    """Return an explanation of an image by the network called `network` as a subject; None where it is undefined."""
    if explanation.relevance is None:
        return None
    return Subject(
        image.pixels,
        image.sha256,
        network,
        explanation.explainer,
        explanation.settings,
        explanation.target,
        explanation.relevance,
    )


def shared(name: str) -> Explainer:
    """Return the explainer of a registered network. Raises `AllxaiError`."""
    from allxai_desktop.explainers.explain import shared_explainer

    return shared_explainer(name)


class Checks:
    """Runs the checks with the explainers that `explainer` returns by the network's name. Any thread may use it."""

    def __init__(self, explainer: Callable[[str], Explainer] = shared) -> None:
        self._explainer = explainer
        self._random: OrderedDict[tuple[str, ...], NDArray[np.float64]] = OrderedDict()

    def run(self, check: str, subject: Subject, progress: Progress = unwatched) -> Any:
        """Return the result of one of `CHECKS`. Raises `AllxaiError`, and what `progress` raises."""
        return getattr(self, check)(subject, progress)

    def faithfulness(self, subject: Subject, progress: Progress = unwatched) -> Faithfulness:
        """Return the curves of the target's probability; the removed parts are filled with the blurred image."""
        network = self._explainer(subject.network).network
        target = network.card.classes.index(subject.target)

        def score(images: Iterable[NDArray[np.uint8]]) -> NDArray[Any]:
            logits = np.asarray(network.logits(images), np.float64)
            powers = np.exp(logits - logits.max(1, keepdims=True))
            return np.asarray(powers[:, target] / powers.sum(1))

        pixels, filled = subject.pixels, filling(subject.pixels, FILL)
        blocks = block_numbers(*pixels.shape[:2])
        order = order_by_relevance(subject.relevance, blocks)
        # The random orders know nothing of the map, so that every explainer is compared with the same ones.
        key = subject.sha256, network.card.sha256, subject.target
        known = self._random.get(key)
        own = 1.0 if known is not None else 0.1
        (deletion,) = replacement_curves(
            score, pixels, filled, blocks, [order], progress=stage(progress, 0.0, own / 2)
        )
        (insertion,) = replacement_curves(
            score, filled, pixels, blocks, [order], progress=stage(progress, own / 2, own)
        )
        if known is None:
            orders = random_orders(RANDOM_ORDERS, blocks)
            known = self._random[key] = replacement_curves(
                score, pixels, filled, blocks, orders, progress=stage(progress, own, 1.0)
            )
            while len(self._random) > _KEPT:
                self._random.popitem(last=False)
        return Faithfulness(deletion, insertion, known)

    def stability(self, subject: Subject, progress: Progress = unwatched) -> Stability:
        """Compare with the maps of noisy copies, of the same class."""
        engine = self._explainer(subject.network)

        def explain(pixels: NDArray[np.uint8], watch: Progress) -> NDArray[np.float32] | None:
            return engine.explain(
                pixels, subject.explainer, subject.target, subject.settings, watch
            ).relevance

        return stability(explain, subject.pixels, subject.relevance, progress)

    def randomisation(self, subject: Subject, progress: Progress = unwatched) -> Randomisation:
        """Compare with the maps of the same class in random copies of the network."""
        from allxai_desktop.analyses.randomisation import randomisation
        from allxai_desktop.explainers.explain import Explainer
        from allxai_desktop.networks.network import Network

        network = self._explainer(subject.network).network

        def explain(module: nn.Module, watch: Progress) -> NDArray[np.float32] | None:
            engine = Explainer(Network(network.card, module))
            return engine.explain(
                subject.pixels, subject.explainer, subject.target, subject.settings, watch
            ).relevance

        return randomisation(explain, network.module, subject.relevance, progress)

    def twin(self, subject: Subject) -> str | None:
        """Return a sentence where another explainer draws the same map by theory. Raises `AllxaiError`."""
        from allxai_desktop.analyses.equivalence import same_by_theory

        module = self._explainer(subject.network).network.module
        for other in EXPLAINERS:
            reason = same_by_theory(
                module, subject.explainer, other, subject.settings.get("rules", "conserving")
            )
            if reason is not None:
                return reason
        return None
