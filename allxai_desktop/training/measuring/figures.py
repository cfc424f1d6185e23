"""Pictures of a training and of an evaluation: curves, ROC, reliability, as PNG or PDF.

All lengths are inches, from the top left corner of the figure; text sizes are points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from allxai_desktop.analyses.figure import check_format, encode
from allxai_desktop.files import write_whole
from allxai_desktop.i18n import _
from allxai_desktop.training.measuring.calibration import BINS, Reliability
from allxai_desktop.training.measuring.intervals import Estimate
from allxai_desktop.training.measuring.page import AXIS, MARGIN, WIDTH, Caption, Page, label_axes
from allxai_desktop.training.words import interval_text, title, value_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from allxai_desktop.training.measuring.evaluation import Evaluation

# Okabe and Ito; more curves than colours go on in other strokes.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STROKES = ("-", "--", ":")


@dataclass(frozen=True)
class Curves:
    """One number an epoch, None where it was not measured; accuracies 0…1."""

    train_loss: Sequence[float | None]
    validation_loss: Sequence[float | None] = ()
    train_accuracy: Sequence[float | None] = ()
    validation_accuracy: Sequence[float | None] = ()


def save_picture(path: str | Path, figure: Figure) -> None:
    """Write `figure` as the ending of `path` says, PNG or PDF. Raises `AllxaiError` as `save_figure` does."""
    write_whole(path, encode(figure, check_format(path)))


def draw_curves(curves: Curves, caption: Caption) -> Figure:
    """Return loss and accuracy by epoch, of training and validation."""
    from matplotlib.ticker import MaxNLocator

    panels = [(_("Loss"), curves.train_loss, curves.validation_loss, 1)]
    if _any(curves.train_accuracy) or _any(curves.validation_accuracy):
        panels.append((_("Accuracy (%)"), curves.train_accuracy, curves.validation_accuracy, 100))
    page = Page(WIDTH if len(panels) > 1 else WIDTH / 2 + 0.4, caption)
    room = (page.width - 2 * MARGIN - len(panels) * AXIS) / len(panels)
    top = page.top
    for number, (label, *series, factor) in enumerate(panels):
        left = MARGIN + number * (room + AXIS) + AXIS
        axes = page.axes(left, top, room - 0.1, 2.4)
        for values, color, stroke in zip(series, COLORS, STROKES, strict=False):
            numbers = [np.nan if value is None else factor * value for value in values]
            epochs = np.arange(1, len(numbers) + 1)
            # A run of one epoch has no line.
            axes.plot(epochs, numbers, color=color, linestyle=stroke, linewidth=1.3, marker=".", markersize=3)
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
        axes.set_xlim(0.4, len(curves.train_loss) + 0.6)
        label_axes(axes, _("Epoch"), label)
    page.top += 2.4 + AXIS
    validated = _any(curves.validation_loss) or _any(curves.validation_accuracy)
    names = [_("Training"), *([_("Validation")] if validated else [])]
    page.legend([(name, COLORS[i], STROKES[i], "") for i, name in enumerate(names)])
    return page.figure()


def draw_roc(evaluation: Evaluation, caption: Caption) -> Figure:
    """Return the ROC curve of the positive class, or of each of several classes against the rest."""
    names = dict(zip(evaluation.classes, caption.classes, strict=True))
    shown = [evaluation.positive] if evaluation.positive else list(evaluation.classes)
    page = Page(4.6, caption, names[evaluation.positive] if evaluation.positive else None)
    side = page.width - 2 * MARGIN - AXIS - 0.1
    axes = page.axes(MARGIN + AXIS, page.top, side, side)
    axes.plot([0, 100], [0, 100], color="#999999", linewidth=0.7)
    entries = []
    for number, name in enumerate(shown):
        curve = evaluation.roc[name]
        color, stroke = COLORS[number % len(COLORS)], STROKES[number // len(COLORS) % len(STROKES)]
        if curve is not None:
            axes.plot(
                100 * curve.false_positive_rate,
                100 * curve.true_positive_rate,
                color=color,
                linestyle=stroke,
                linewidth=1.3,
                clip_on=False,
                zorder=3,
            )
        area = evaluation.of_class[name]["auc"]
        entries.append((names[name], color, stroke, f"{title('auc')} {value_text('auc', area)}"))
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    label_axes(axes, _("False positives (% of the negative)"), _("True positives (% of the positive)"))
    page.top += side + AXIS
    page.legend(entries)
    if len(shown) > 1:
        page.note(_("Each class is the positive one against all others."))
    page.note(interval_text(evaluation.images, evaluation.groups))
    return page.figure()


def draw_reliability(evaluation: Evaluation, caption: Caption) -> Figure:
    """Return accuracy against certainty in `BINS` bins, before and after the temperature, and the images in each."""
    from matplotlib.ticker import MaxNLocator

    series: list[tuple[str, Reliability, Estimate]] = [
        (_("As trained"), evaluation.reliability, evaluation.overall["calibration_error"])
    ]
    if evaluation.reliability_scaled is not None:
        series.append(
            (
                _("Temperature {value}").format(value=f"{evaluation.temperature:.2f}"),
                evaluation.reliability_scaled,
                evaluation.overall["calibration_error_scaled"],
            )
        )
    page = Page(4.6, caption)
    side = page.width - 2 * MARGIN - AXIS - 0.1
    axes = page.axes(MARGIN + AXIS, page.top, side, side)
    axes.plot([0, 100], [0, 100], color="#999999", linewidth=0.7)
    entries = []
    page.top += side + 0.12
    below = page.axes(MARGIN + AXIS, page.top, side, 0.8)
    for number, (name, found, error) in enumerate(series):
        full = found.count > 0
        x, y = 100 * found.confidence[full], 100 * found.accuracy[full]
        # A bin of two images is no news: the area of its mark says so.
        area = 6 + 60 * found.count[full] / found.count.max()
        axes.scatter(
            x, y, area, color=COLORS[number], marker="os"[number], linewidth=0, clip_on=False, zorder=3
        )
        below.stairs(
            found.count, 100 * found.edges, color=COLORS[number], linestyle=STROKES[number], linewidth=1.2
        )
        text = f"{title('calibration_error')} {value_text('calibration_error', error)}"
        entries.append((name, COLORS[number], STROKES[number], text))
    for one in (axes, below):
        one.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    below.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    label_axes(axes, "", _("Right (%)"))
    axes.tick_params(labelbottom=False)
    label_axes(below, _("Probability of the predicted class (%)"), _("Images"))
    page.top += 0.8 + AXIS
    page.legend(entries)
    page.note(_("The area of a mark stands for the number of its images."))
    page.note(
        _("{bins} equal bins; the temperature was fitted on the validation part.").format(bins=BINS)
        if len(series) > 1
        else _("{bins} equal bins; no temperature was fitted.").format(bins=BINS)
    )
    page.note(interval_text(evaluation.images, evaluation.groups))
    return page.figure()


def _any(values: Sequence[float | None]) -> bool:
    return any(value is not None for value in values)
