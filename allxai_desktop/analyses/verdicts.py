"""What the figures about a map say: one sentence each that needs no statistics. The limits are ours, and stand here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from allxai_desktop.cellclasses import BY_KEY, CELL_CODES, UNLABELLED_KEY
from allxai_desktop.explainers.registry import explainer
from allxai_desktop.i18n import _

if TYPE_CHECKING:
    from allxai_desktop.analyses.faithfulness import Faithfulness
    from allxai_desktop.analyses.randomisation import Randomisation
    from allxai_desktop.analyses.stability import Stability
    from allxai_desktop.explainers.explain import Explanation
    from allxai_desktop.relevance import ClassShare

Level = Literal["good", "fair", "poor", "none"]
"""`good` speaks for the map, `poor` against it, `fair` is in between; `none`: nothing can be said."""

CONSERVED = 0.02
"""ΣR / logit this near to 1 is all of the score."""
MOSTLY_OUTSIDE = 0.25
"""More relevance outside the cell than this is worth a word."""
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
    figure = f"{ratio:.2f}"
    if abs(ratio - 1) <= CONSERVED:
        return Verdict(
            "good", figure, _("The relevance adds up to the class's score: the map accounts for all of it.")
        )
    if explainer(explanation.explainer).biases_absorb:
        return Verdict(
            "fair",
            figure,
            _(
                "The pixels' relevance adds up to {ratio} of the score: the network's biases hold the difference."
            ).format(ratio=_percent(ratio)),
        )
    return Verdict(
        "fair",
        figure,
        _(
            "The relevance adds up to {ratio} of the score: the rest got lost on the way back through the network."
        ).format(ratio=_percent(ratio)),
    )


@dataclass(frozen=True)
class OutsideShare:
    """Shares of what is labelled that lie outside the cell (nucleus, cytoplasm, vacuole), 0…1.

    `relevance`: of what counts as relevant under the present rule (of pixels; under `positive-mass` of the
    summed positive relevance). `area`: of the pixels.
    """

    relevance: float
    area: float


def outside_share(shares: Mapping[str, ClassShare]) -> OutsideShare | None:
    """Return the shares outside the cell.

    None without a map or any relevance, without a labelled cell, and where nothing but the cell is labelled and
    the rest is left open.
    """
    if not shares:
        return None
    cell = [share for key, share in shares.items() if key in BY_KEY and BY_KEY[key].code in CELL_CODES]
    rest = [share for key, share in shares.items() if key in BY_KEY and BY_KEY[key].code not in CELL_CODES]
    if not any(share.pixels for share in cell):
        return None
    if shares[UNLABELLED_KEY].pixels and not any(share.pixels for share in rest):
        return None
    if any(share.relevant_share is None for share in rest):
        return None
    return OutsideShare(
        sum(share.relevant_share or 0.0 for share in rest), sum(share.area_share or 0.0 for share in rest)
    )


def outside_verdict(shares: Mapping[str, ClassShare]) -> Verdict | None:
    """Return what the share of relevance outside the cell says; None where there is no such share."""
    outside = outside_share(shares)
    if outside is None:
        return None
    figure = _percent(outside.relevance)
    if outside.area and outside.relevance >= outside.area:
        return Verdict(
            "poor",
            figure,
            _(
                "Outside the cell lies {share} of the relevance, on {area} of the area: the map does not single"
                " out the cell."
            ).format(share=figure, area=_percent(outside.area)),
        )
    if outside.relevance > MOSTLY_OUTSIDE:
        return Verdict(
            "fair",
            figure,
            _(
                "Outside the cell lies {share} of the relevance: the network also looks at what surrounds the cell."
            ).format(share=figure),
        )
    return Verdict(
        "good",
        figure,
        _("The map keeps to the cell: only {share} of the relevance lies outside.").format(share=figure),
    )


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
    figure = _("rank correlation {value}, same top pixels {overlap}").format(
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
        "The network gives this class nearly the same score without the picture: this says nothing about the map."
    )


def _areas(auc: float, low: float, high: float) -> str:
    return _("area {value}, random orders {low} to {high}").format(
        value=f"{auc:.2f}", low=f"{low:.2f}", high=f"{high:.2f}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
