"""The words and numbers of agreement for people, in the current language."""

from __future__ import annotations

from allxai_desktop.agreement.gathering import Comparison, Disagreement
from allxai_desktop.agreement.metrics import Agreement, Figure
from allxai_desktop.analyses.text import NBSP
from allxai_desktop.i18n import N_, _, counted
from allxai_desktop.training.measuring.intervals import Estimate
from allxai_desktop.training.words import interval_text, percent

FIGURE_TITLES: dict[Figure, str] = {
    "dice": N_("Dice"),
    "iou": N_("IoU"),
    "kappa": N_("κ"),
    "distance": N_("Boundary distance"),
    "hausdorff95": N_("95 % Hausdorff"),
}
FIGURE_TIPS: dict[Figure, str] = {
    "dice": N_("Twice the pixels in both masks ÷ the pixels of the two masks"),
    "iou": N_("Pixels in both masks ÷ pixels in either"),
    "kappa": N_("Cohen's kappa of this class against the rest: 1 agrees in all, 0 no more than by chance"),
    "distance": N_("Mean distance between the boundaries, both ways"),
    "hausdorff95": N_("95 % of one boundary is at most this far from the other; mean over images"),
}
SHOWN: dict[Figure, str] = {
    "dice": "dice_pooled",
    "iou": "iou_pooled",
    "kappa": "kappa_pooled",
    "distance": "distance_pooled",
    "hausdorff95": "hausdorff95_mean",
}
"""The figure over all images that a table shows for each figure of an image."""


def unit(in_um: bool) -> str:
    """Return the unit of distances."""
    return "µm" if in_um else "px"


def heading(figure: Figure, in_um: bool) -> str:
    """Return what stands over a column."""
    text = _(FIGURE_TITLES[figure])
    return f"{text}, {unit(in_um)}" if figure in ("distance", "hausdorff95") else text


def person(name: str | None) -> str:
    """Return a pseudonym, or what stands for nobody known."""
    return name or _("not named")


def title(comparison: Comparison) -> str:
    """Return what is compared."""
    if comparison.kind == "people":
        return _("All second annotations")
    if comparison.kind == "proposal":
        return _("People and proposal")
    return f"{person(comparison.first)} – {person(comparison.second)}"


def extent(agreement: Agreement) -> str:
    """Return how many images were compared, and how much of them."""
    labelled = sum(int(one.confusion.sum()) for one in agreement.images)
    pixels = sum(one.pixels for one in agreement.images)
    images = counted(agreement.image_count, N_("{count} image"), N_("{count} images"))
    return _("{images}; {share} of the pixels are labelled in both masks").format(
        images=images, share=percent(labelled / pixels if pixels else None)
    )


def overall(agreement: Agreement) -> str:
    """Return κ and the share of the pixels with one class, over all images."""
    return _("κ over the five classes: {kappa} · same class: {same} of the pixels").format(
        kappa=estimate_text("kappa", agreement.overall["kappa_pooled"]),
        same=estimate_text("agreement", agreement.overall["agreement_pooled"]),
    )


def brackets(agreement: Agreement) -> str:
    """Return what stands in brackets."""
    return interval_text(agreement.image_count, agreement.groups)


def number(figure: str, value: float | None) -> str:
    """Return a value; a dash for none."""
    if value is None:
        return "–"
    if figure.startswith("kappa"):
        return f"{value:.3f}".replace("-", "−")
    if figure.startswith(("distance", "hausdorff95")):
        return f"{value:.2f}"
    return percent(value)


def estimate_text(figure: str, estimate: Estimate) -> str:
    """Return a value with its interval, where it has one."""
    text = number(figure, estimate.value)
    if estimate.low is None or estimate.high is None:
        return text
    low, high = (number(figure, end).removesuffix(f"{NBSP}%") for end in (estimate.low, estimate.high))
    return f"{text} ({low}–{high})"


def decided(one: Disagreement) -> str:
    """Return how far the adjudication of an image is."""
    if one.open_share is None:
        return ""
    if not one.open_share:
        return _("adjudicated by {person}").format(person=person(one.adjudicator))
    return _("{share} open").format(share=percent(one.open_share))
