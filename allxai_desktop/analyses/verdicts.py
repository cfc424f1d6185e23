"""What the figures about a map say: one sentence each that needs no statistics. The limits are ours, and stand here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.cellclasses import CELL_CODES, CODES, MAX_CODE, UNLABELLED
from allxai_desktop.explainers.registry import explainer
from allxai_desktop.i18n import _
from allxai_desktop.relevance import count_codes

if TYPE_CHECKING:
    from allxai_desktop.analyses.faithfulness import Faithfulness
    from allxai_desktop.analyses.randomisation import Randomisation
    from allxai_desktop.analyses.stability import Stability
    from allxai_desktop.explainers.explain import Explanation

Level = Literal["good", "fair", "poor", "none"]
"""`good` speaks for the map, `poor` against it, `fair` is in between; `none`: nothing can be said."""

CONSERVED = 0.02
"""ΣR / logit this near to 1 is all of the score."""
BLOWN_UP = 100, 1000
"""From so many times the score, and such a sum, a map is the noise of sums that are nearly zero and divide."""
MOSTLY_INSIDE = 0.25
"""With less relevance than this outside, the map keeps to the cell."""
LEAST_FALL = 0.1
"""A score that falls by less while the whole image is taken away says nothing about any part of it."""
STEADY, PARTLY_STEADY = 0.8, 0.5
"""Rank correlation with the maps of noisy copies."""
SAME_MAP, RELATED_MAP = 0.7, 0.4
"""Rank correlation of |R| with the maps of random networks: from here on the same picture, or a related one."""
SAME_WITH_LAST = 0.9
"""The same with only the last layer random. Higher, because everything before it is still the trained network."""


@dataclass(frozen=True)
class Verdict:
    """A sentence, the figure that it rests on, and how it speaks for the map."""

    level: Level
    figure: str
    sentence: str


def conservation_verdict(explanation: Explanation) -> Verdict | None:
    """Return what ΣR / logit says; None where the explainer promises nothing about it."""
    ratio = explanation.conservation
    if ratio is None:
        return None
    blown_up = abs(ratio) >= BLOWN_UP[0] and abs(ratio * explanation.logit) >= BLOWN_UP[1]
    number = f"{ratio:{'.1e' if blown_up else '.2f'}}".replace("-", "−")
    figure = f"ΣR ÷ logit = {number}"
    if blown_up:
        sentence = _(
            "The pixels' relevance adds up to {ratio} of the score: it was divided by sums that are nearly zero. "
            "Do not rely on this map."
        )
        return Verdict("poor", figure, sentence.format(ratio=number))
    if abs(ratio - 1) <= CONSERVED:
        return Verdict(
            "good", figure, _("The pixels' relevance adds up to the score: the map accounts for all of it.")
        )
    if explainer(explanation.explainer).biases_absorb:
        sentence = _(
            "The pixels' relevance adds up to {ratio} of the score: the network's biases hold the difference."
        )
    else:
        sentence = _(
            "The pixels' relevance adds up to {ratio} of the score: the rest was lost on the way through the network."
        )
    return Verdict("fair", figure, sentence.format(ratio=number))


def map_doubt(explanation: Explanation) -> str | None:
    """Return why a map is not to be relied on, where its sum says so."""
    verdict = conservation_verdict(explanation)
    return verdict.sentence if verdict is not None and verdict.level == "poor" else None


@dataclass(frozen=True)
class OutsideShare:
    """Shares of the labelled pixels' positive relevance and of their area that lie outside the cell, 0…1.

    The cell is nucleus, cytoplasm and vacuole. The summed positive relevance needs no threshold; under the papers'
    rule nearly every pixel without relevance counts as relevant in a signed map.
    """

    relevance: float
    area: float


def per_class(codes: NDArray[np.uint8], weights: NDArray[Any] | None = None) -> NDArray[Any]:
    """Return the number of pixels (n,) of each class code (6,), or the sum of their weights (n,)."""
    if weights is None:
        return count_codes(codes)
    # In pieces that stay in the processor's cache: `bincount` makes sixteen bytes of each pixel first.
    pieces = len(codes) // 2**16 + 1
    parts = zip(np.array_split(codes, pieces), np.array_split(weights, pieces), strict=True)
    sums: NDArray[Any] = np.sum([np.bincount(*part, minlength=MAX_CODE + 1) for part in parts], axis=0)
    return sums


def outside_share(mass: NDArray[Any], pixels: NDArray[Any]) -> OutsideShare | None:
    """Return the shares outside the cell, from the positive relevance and the number of pixels of each class code (6,).

    None without a labelled cell, without any relevance, and where nothing but the cell is labelled.
    """
    cell = list(CELL_CODES)
    rest = [code for code in CODES if code not in CELL_CODES]
    total = float(mass[cell].sum() + mass[rest].sum())
    inside, outside = int(pixels[cell].sum()), int(pixels[rest].sum())
    if not inside or total <= 0 or not (outside or pixels[UNLABELLED] == 0):
        return None
    return OutsideShare(float(mass[rest].sum()) / total, outside / (inside + outside))


def outside_verdict(outside: OutsideShare) -> Verdict:
    """Return what the share of relevance outside the cell says."""
    share, area = _percent(outside.relevance), _percent(outside.area)
    figure = _("area outside {area}").format(area=area)
    if outside.area and outside.relevance >= outside.area:
        level: Level = "poor"
        sentence = _(
            "{share} of the positive relevance lies outside the cell, no less than its part of the area ({area}):"
            " the map does not single out the cell."
        )
    elif outside.relevance > MOSTLY_INSIDE:
        level = "fair"
        sentence = _(
            "{share} of the positive relevance lies outside the cell: the network also looks at what surrounds it."
        )
    else:
        level = "good"
        sentence = _("The map keeps to the cell: {share} of the positive relevance lies outside.")
    return Verdict(level, figure, sentence.format(share=share, area=area))


def deletion_verdict(found: Faithfulness) -> Verdict:
    """Better than every random order: good; worse than every one: poor."""
    randoms = found.random_aucs
    figure = _areas(found.deletion_auc, randoms.min(), randoms.max())
    if found.deletion[0] - found.deletion[-1] < LEAST_FALL:
        return Verdict("none", figure, _no_fall())
    if found.deletion_auc < randoms.min():
        return Verdict(
            "good",
            figure,
            _(
                "Taking away what the map marks lowers the score faster than taking away random parts:"
                " the map points at what the network uses."
            ),
        )
    if found.deletion_auc > randoms.max():
        return Verdict(
            "poor",
            figure,
            _(
                "Taking away what the map marks lowers the score more slowly than taking away random parts:"
                " the map points past what the network uses."
            ),
        )
    return Verdict(
        "fair",
        figure,
        _(
            "Taking away what the map marks lowers the score no faster than taking away random parts can:"
            " no sign that the network uses it."
        ),
    )


def insertion_verdict(found: Faithfulness) -> Verdict:
    """Better than every random order: good; worse than every one: poor."""
    randoms = found.random_aucs
    figure = _areas(found.insertion_auc, randoms.min(), randoms.max())
    if found.deletion[0] - found.deletion[-1] < LEAST_FALL:
        return Verdict("none", figure, _no_fall())
    if found.insertion_auc > randoms.max():
        return Verdict(
            "good",
            figure,
            _(
                "Showing only what the map marks brings the score back sooner than random parts do:"
                " the network recognises the class by it."
            ),
        )
    if found.insertion_auc < randoms.min():
        return Verdict(
            "poor",
            figure,
            _(
                "Showing only what the map marks brings the score back later than random parts do:"
                " the network needs what the map leaves out."
            ),
        )
    return Verdict(
        "fair",
        figure,
        _("Showing only what the map marks brings the score back no sooner than random parts can."),
    )


def stability_verdict(found: Stability) -> Verdict:
    """By the mean rank correlation with the maps of the noisy copies."""
    figure = _("rank correlation {value}, strongest pixels kept {overlap}").format(
        value=f"{found.correlation:.2f}", overlap=_percent(found.overlap)
    )
    if found.correlation >= STEADY:
        return Verdict("good", figure, _("Noise too small to see leaves the map as it is."))
    if found.correlation >= PARTLY_STEADY:
        return Verdict(
            "fair",
            figure,
            _(
                "Noise too small to see changes the details of the map: trust its regions, not its single pixels."
            ),
        )
    return Verdict(
        "poor",
        figure,
        _("Noise too small to see draws another map: do not read anything into its single pixels."),
    )


def randomisation_verdict(found: Randomisation) -> Verdict:
    """By the mean rank correlation of |R| with the maps of random networks, then with only the last layer random."""
    everything, last = found.all_correlation, found.last_correlation
    if everything is None:
        return Verdict(
            "none", "–", _("This explainer is not defined on the random networks that were tried.")
        )
    figure = _("likeness {value}, only the last layer random {last}").format(
        value=f"{everything:.2f}", last="–" if last is None else f"{last:.2f}"
    )
    if everything >= SAME_MAP:
        return Verdict(
            "poor",
            figure,
            _(
                "A network that learned nothing gives nearly the same map: it follows the picture,"
                " not what the network learned."
            ),
        )
    if last is not None and last >= SAME_WITH_LAST:
        return Verdict(
            "poor",
            figure,
            _(
                "With the last layer random the map stays nearly the same: it shows what the network notices,"
                " not what speaks for this class."
            ),
        )
    if everything >= RELATED_MAP:
        return Verdict(
            "fair",
            figure,
            _(
                "A network that learned nothing gives a similar map: part of what is marked only follows the picture."
            ),
        )
    return Verdict(
        "good",
        figure,
        _("A network that learned nothing gives another map: this one shows what the network learned."),
    )


def _no_fall() -> str:
    return _(
        "Without the picture the score of this class is nearly as high, or higher: this says nothing about the map."
    )


def _areas(auc: float, low: float, high: float) -> str:
    return _("area {value}, random orders {low} to {high}").format(
        value=f"{auc:.2f}", low=f"{low:.2f}", high=f"{high:.2f}"
    )


def _percent(share: float) -> str:
    # The sign stays with its number at the end of a line.
    return f"{100 * share:.0f}\u00a0%"
