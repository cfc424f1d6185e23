"""The words for the figures of a network, in the current language."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.analyses.text import NBSP
from allxai_desktop.i18n import N_, _, language
from allxai_desktop.training.measuring.intervals import FEWEST_GROUPS, Estimate, Reason

TITLES = {
    "accuracy": N_("Accuracy"),
    "balanced_accuracy": N_("Balanced accuracy"),
    "auc": N_("AUC"),
    "cross_entropy": N_("Loss (cross-entropy)"),
    "calibration_error": N_("Calibration error"),
    "calibration_error_scaled": N_("Calibration error with temperature"),
    "recall": N_("Recall"),
    "precision": N_("Precision"),
    "sensitivity": N_("Sensitivity"),
    "specificity": N_("Specificity"),
    "fn_of_all": N_("% FN of all"),
    "pixel_accuracy_pooled": N_("Pixel accuracy, all pixels"),
    "pixel_accuracy_mean": N_("Pixel accuracy, mean over images"),
    "dice_pooled": N_("Dice, all pixels"),
    "dice_mean": N_("Dice, mean over images"),
    "iou_pooled": N_("IoU, all pixels"),
    "iou_mean": N_("IoU, mean over images"),
}
_NUMBERS = {"auc", "cross_entropy"}
# With fewer groups the bootstrap's intervals come out too narrow (Cameron, Gelbach and Miller 2008).
MANY_GROUPS = 20
PARTS = {
    "train": N_("Training"),
    "val": N_("Validation"),
    "validation": N_("Validation"),
    "test": N_("Test"),
    "unseen": N_("Never seen"),
}


ClassTitles = Mapping[str, Mapping[str, str]]
"""Language → class → its name for people."""


def title(figure: str) -> str:
    """Return the name of one of `TITLES` for people."""
    return _(TITLES[figure])


def part_title(part: str) -> str:
    """Return the name of a part of the data for people."""
    return _(PARTS[part]) if part in PARTS else part


def percent(share: float | None) -> str:
    """Return a share 0…1 in percent, a dash for None."""
    return "–" if share is None else f"{100 * share:.1f}{NBSP}%"


def titled(class_titles: ClassTitles, name: str) -> str:
    """Return what a class is called in the current language; as in the data where nothing else is known."""
    return class_titles.get(language(), {}).get(name, name)


def value_text(figure: str, estimate: Estimate) -> str:
    """Return the value with its interval, where it has one."""
    if estimate.value is None:
        return "–"
    factor, places, unit = (1, 3, "") if figure in _NUMBERS else (100, 1, f"{NBSP}%")
    text = f"{factor * estimate.value:.{places}f}{unit}"
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} ({factor * estimate.low:.{places}f}–{factor * estimate.high:.{places}f})"


def reason_text(reason: Reason) -> str:
    """Return a sentence that says why a figure has no value or no interval."""
    match reason:
        case "undefined":
            return _("There is nothing to count.")
        case "few-groups":
            return _(
                "No interval: a class comes from fewer than {count} groups (subjects, or images where those are not"
                " known)."
            ).format(count=FEWEST_GROUPS)
        case "unstable":
            return _("No interval: too many resamples lack a class.")
        case "no-spread":
            return _("No interval: every resample gives the same value.")


def leaking_text() -> str:
    """Return the mark of figures from data that were augmented before they were split."""
    return _(
        "LEAKING: copies of one image lie in training and in this part, as in the papers. These figures flatter."
    )


def lacking_text(part: str, classes: Iterable[str]) -> str:
    """Return a sentence on the `classes` that a part has no image of."""
    return _("The part “{part}” has no image of the class {classes}, and says nothing about it.").format(
        part=part_title(part), classes=", ".join(classes)
    )


def cautions(caution: str, part: str, classes: Sequence[str], counts: NDArray[np.int64]) -> list[str]:
    """Return what figures of `part` do not say, in sentences.

    `caution` is that of a card, English or ""; `counts` (true class, predicted class) are those of the `classes`.
    """
    lacking = [name for name, row in zip(classes, counts, strict=True) if not row.any()]
    return [*([_(caution)] if caution else []), *([lacking_text(part, lacking)] if lacking else [])]


def positive_text(name: str) -> str:
    """Return what says which class counts as positive."""
    return _("Positive class: {name}").format(name=name)


def interval_text(images: int, groups: int | None) -> str:
    """Return what the brackets of `value_text` are; `groups` is None where every image is its own."""
    if groups is None and images < FEWEST_GROUPS:
        return _("No interval: there are fewer than {count} images.").format(count=FEWEST_GROUPS)
    if groups is None:
        return _("In brackets: 95 % interval, bootstrap over {count} images.").format(count=images)
    if groups < FEWEST_GROUPS:
        return _("No interval: there are fewer than {count} groups.").format(count=FEWEST_GROUPS)
    text = _(
        "In brackets, where there are groups enough: 95 % interval, bootstrap over {count} groups."
    ).format(count=groups)
    return (
        text if groups >= MANY_GROUPS else f"{text} {_('With so few groups intervals come out too narrow.')}"
    )


def duration(seconds: float) -> str:
    """Return a time for people: 42 s, 3 min, 2.5 h, 3.1 d."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 48 else _("{days:.1f} days").format(days=hours / 24)
