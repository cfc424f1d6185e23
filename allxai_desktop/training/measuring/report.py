"""One JSON file and one Markdown page of an evaluation, beside its pictures."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.analyses.figure import PROGRAM
from allxai_desktop.files import write_whole
from allxai_desktop.i18n import _
from allxai_desktop.training.measuring.calibration import BINS, Reliability
from allxai_desktop.training.measuring.confusion import draw_confusion
from allxai_desktop.training.measuring.evaluation import Evaluation
from allxai_desktop.training.measuring.figures import draw_reliability, draw_roc, save_picture
from allxai_desktop.training.measuring.intervals import LEVEL, RESAMPLES, Estimate, as_dict
from allxai_desktop.training.measuring.metrics import summary
from allxai_desktop.training.measuring.page import Caption
from allxai_desktop.training.measuring.segmentation_metrics import SegmentationEvaluation
from allxai_desktop.training.words import (
    ClassTitles,
    cautions,
    interval_text,
    leaking_text,
    part_title,
    percent,
    positive_text,
    reason_text,
    title,
    titled,
    value_text,
)

FORMAT = 1
JSON_FILE = "evaluation.json"
PAGE_FILE = "evaluation.md"
# A page is read by people; the JSON file has all of them.
MISTAKES_ON_PAGE = 30


@dataclass(frozen=True)
class Part:
    """How many images a part of the data has, and from how many groups; None where they are not known."""

    images: int
    groups: int | None = None


@dataclass(frozen=True)
class Setting:
    """What was evaluated.

    `parts` are those of the split, `evaluated` the one of `parts` that the figures are of; `leaking`: augmented before
    it was split, as published; `group_kind` and `caution` in English.
    """

    network: str
    data: str
    split: str
    parts: Mapping[str, Part]
    evaluated: str = "test"
    leaking: bool = False
    group_kind: str | None = None
    caution: str = ""
    class_titles: ClassTitles = field(default_factory=dict)

    def class_title(self, name: str) -> str:
        """The class's name for people."""
        return titled(self.class_titles, name)

    @property
    def title(self) -> str:
        """What stands over the page and the pictures."""
        return f"{self.network} · {part_title(self.evaluated)}"

    def caption(self, classes: Iterable[str]) -> Caption:
        """What stands over the pictures."""
        return Caption(self.title, tuple(self.class_title(name) for name in classes), self.leaking)


def write_report(folder: Path, evaluation: Evaluation | SegmentationEvaluation, setting: Setting) -> None:
    """Write `JSON_FILE`, `PAGE_FILE` and, of a classifying network, its pictures as PNG and PDF into `folder`.

    Raises `WriteError`.
    """
    write_whole(folder / JSON_FILE, to_json(evaluation, setting).encode())
    write_whole(folder / PAGE_FILE, to_markdown(evaluation, setting).encode())
    if isinstance(evaluation, SegmentationEvaluation):
        return
    caption = setting.caption(evaluation.classes)
    for name, draw in (("confusion", draw_confusion), ("roc", draw_roc), ("reliability", draw_reliability)):
        figure = draw(evaluation, caption)
        for kind in ("png", "pdf"):
            save_picture(folder / f"{name}.{kind}", figure)


def card_metrics(evaluation: Evaluation | SegmentationEvaluation) -> dict[str, Any]:
    """Return what a network's card keeps: the `summary` and, under "estimates", all figures with their intervals.

    Of a segmentation, in place of the summary, the number of images and the pixels (true class, predicted class).
    """
    if isinstance(evaluation, SegmentationEvaluation):
        return {
            "images": evaluation.images,
            "groups": evaluation.groups,
            "pixel_confusion_rows_true": evaluation.confusion.tolist(),
            "interval": _interval(evaluation),
            "estimates": _estimates(evaluation),
        }
    found = summary(evaluation.confusion, evaluation.classes, evaluation.positive)
    return found | {
        "groups": evaluation.groups,
        "temperature": evaluation.temperature,
        "interval": _interval(evaluation),
        "estimates": _estimates(evaluation),
    }


def to_json(evaluation: Evaluation | SegmentationEvaluation, setting: Setting) -> str:
    """Return the JSON file: the same in every language, null where there is no number."""
    found: dict[str, Any] = {
        "format": FORMAT,
        "program": PROGRAM,
        "network": setting.network,
        "data": setting.data,
        "split": {
            "kind": setting.split,
            "group": setting.group_kind,
            "parts": {name: asdict(part) for name, part in setting.parts.items()},
        },
        "evaluated": setting.evaluated,
        "leaking": setting.leaking,
        "caution": setting.caution,
        "classes": list(evaluation.classes),
        "class_titles": {code: dict(names) for code, names in setting.class_titles.items()},
        "images": evaluation.images,
        "groups": evaluation.groups,
        "interval": _interval(evaluation),
        "estimates": _estimates(evaluation),
        "confusion": {
            "unit": "images" if isinstance(evaluation, Evaluation) else "pixels",
            "rows": "true class",
            "columns": "predicted class",
            "counts": evaluation.confusion.tolist(),
        },
    }
    if isinstance(evaluation, Evaluation):
        found |= {
            "positive_class": evaluation.positive,
            "roc": {
                name: None
                if curve is None
                else {
                    "false_positive_rate": _numbers(curve.false_positive_rate),
                    "true_positive_rate": _numbers(curve.true_positive_rate),
                }
                for name, curve in evaluation.roc.items()
            },
            "calibration": {
                "bins": BINS,
                "bins_of": "probability of the predicted class",
                "temperature": evaluation.temperature,
                "fitted_on": None if evaluation.temperature is None else "validation",
                "as_trained": _bins(evaluation.reliability),
                "with_temperature": _bins(evaluation.reliability_scaled),
            },
            "by_group": [asdict(result) for result in evaluation.by_group],
            "misclassified": [asdict(mistake) for mistake in evaluation.mistakes],
        }
    return json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def to_markdown(evaluation: Evaluation | SegmentationEvaluation, setting: Setting) -> str:
    """Return the page for people, in the current language."""
    blocks = [f"# {_cell(setting.title)}"]
    if setting.leaking:
        blocks.append(f"**{leaking_text()}**")
    facts = [
        _("Data: {text}").format(text=_cell(setting.data)),
        _("Split: {text}").format(text=_cell(_(setting.split))),
    ]
    if isinstance(evaluation, Evaluation) and evaluation.positive is not None:
        facts.append(positive_text(_cell(setting.class_title(evaluation.positive))))
    blocks.append("\n".join(f"- {fact}" for fact in facts))
    titles = [setting.class_title(name) for name in evaluation.classes]
    said = cautions(setting.caution, setting.evaluated, titles, evaluation.confusion)
    blocks += [f"> {_cell(text)}" for text in said]
    head = [_("Part"), _("Images")]
    rows = [[part_title(name), str(part.images)] for name, part in setting.parts.items()]
    if setting.group_kind is not None:
        head.append(_("Groups ({kind})").format(kind=_(setting.group_kind)))
        for row, part in zip(rows, setting.parts.values(), strict=True):
            row.append("–" if part.groups is None else str(part.groups))
    blocks.append(_table(head, rows))
    blocks += _figures(evaluation, setting)
    counts = evaluation.confusion
    names = [setting.class_title(name) for name in evaluation.classes]
    unit = _("images") if isinstance(evaluation, Evaluation) else _("pixels")
    blocks.append("## " + _("Confusion matrix ({unit}; rows are true classes)").format(unit=unit))
    blocks.append(
        _table(["", *names], [[name, *map(str, row)] for name, row in zip(names, counts, strict=True)])
    )
    if isinstance(evaluation, Evaluation):
        blocks += _groups(evaluation)
        blocks += _mistakes(evaluation, setting)
    blocks.append(f"{PROGRAM} · " + _("Research use only, not a medical device"))
    return "\n\n".join(blocks) + "\n"


def figure_lines(evaluation: Evaluation | SegmentationEvaluation, class_titles: ClassTitles) -> list[str]:
    """Return the figures that are not of one class, and those of each class of a segmentation, a line each."""
    found = [f"{title(name)}: {value_text(name, value)}" for name, value in _overall(evaluation).items()]
    if isinstance(evaluation, Evaluation) and evaluation.positive is not None:
        found.insert(0, positive_text(titled(class_titles, evaluation.positive)))
    if isinstance(evaluation, SegmentationEvaluation):
        found += [
            f"{title(figure)}, {titled(class_titles, name)}: {value_text(figure, value)}"
            for name, figures in evaluation.of_class.items()
            for figure, value in figures.items()
        ]
    return [*found, interval_text(evaluation.images, evaluation.groups)]


def _overall(evaluation: Evaluation | SegmentationEvaluation) -> dict[str, Estimate]:
    overall: dict[str, Estimate] = {str(name): found for name, found in evaluation.overall.items()}
    if isinstance(evaluation, Evaluation) and evaluation.positive is not None:
        its = evaluation.of_class[evaluation.positive]
        overall |= {
            "sensitivity": its["recall"],
            "specificity": its["specificity"],
            "fn_of_all": its["fn_of_all"],
        }
    return overall


def _figures(evaluation: Evaluation | SegmentationEvaluation, setting: Setting) -> list[str]:
    overall = _overall(evaluation)
    of_class = {
        name: {str(key): found for key, found in figures.items()}
        for name, figures in evaluation.of_class.items()
    }
    columns = list(next(iter(of_class.values())))
    shown = [*overall.items(), *(pair for figures in of_class.values() for pair in figures.items())]
    reasons = [found.reason for _name, found in shown if found.reason]
    marks = {reason: "¹²³⁴"[number] for number, reason in enumerate(dict.fromkeys(reasons))}

    def text(figure: str, found: Estimate) -> str:
        return value_text(figure, found) + (marks[found.reason] if found.reason else "")

    blocks = [
        "## " + _("Figures"),
        interval_text(evaluation.images, evaluation.groups),
        _table(
            [_("Figure"), _("Value")], [[title(name), text(name, found)] for name, found in overall.items()]
        ),
    ]
    if isinstance(evaluation, Evaluation):
        blocks.append(_("By class; each is the positive class against all others:"))
    blocks.append(
        _table(
            [_("Class"), *map(title, columns)],
            [
                [setting.class_title(name), *(text(column, figures[column]) for column in columns)]
                for name, figures in of_class.items()
            ],
        )
    )
    blocks += [f"{mark} {reason_text(reason)}" for reason, mark in marks.items()]
    if isinstance(evaluation, Evaluation):
        blocks.append(_calibration_note(evaluation))
    return blocks


def _calibration_note(evaluation: Evaluation) -> str:
    text = _("Calibration error: {bins} equal bins of the predicted class’s probability.").format(bins=BINS)
    if evaluation.temperature is None:
        return text + " " + _("No temperature was fitted.")
    return (
        text
        + " "
        + _("Temperature {value}, fitted on the validation part.").format(
            value=f"{evaluation.temperature:.3f}"
        )
    )


def _groups(evaluation: Evaluation) -> list[str]:
    if not evaluation.by_group:
        return []
    rows = [[result.group, str(result.images), percent(result.accuracy)] for result in evaluation.by_group]
    return ["## " + _("Each group"), _table([_("Group"), _("Images"), title("accuracy")], rows)]


def _mistakes(evaluation: Evaluation, setting: Setting) -> list[str]:
    found = evaluation.mistakes
    heading = "## " + _("Misclassified images: {count}").format(count=len(found))
    if not found:
        return [heading]
    rows = [
        [
            mistake.file,
            setting.class_title(mistake.true),
            setting.class_title(mistake.predicted),
            percent(mistake.probability),
        ]
        for mistake in found[:MISTAKES_ON_PAGE]
    ]
    blocks = [heading, _table([_("Image"), _("True class"), _("Predicted class"), _("Probability")], rows)]
    if len(found) > MISTAKES_ON_PAGE:
        blocks.append(
            _("The surest {shown} are shown; {file} lists all.").format(
                shown=MISTAKES_ON_PAGE, file=JSON_FILE
            )
        )
    return blocks


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """Return `text` on one line, without what Markdown would read as more than text."""
    line = " ".join(text.split())
    for sign in "\\|<*_`[":
        line = line.replace(sign, "\\" + sign)
    return line


def _interval(evaluation: Evaluation | SegmentationEvaluation) -> dict[str, Any]:
    return {
        "level": LEVEL,
        "method": "bias-corrected percentile bootstrap over "
        + ("images" if evaluation.groups is None else "groups"),
        "without_error_or_hit": "Clopper-Pearson",
        "resamples": RESAMPLES,
        "seed": evaluation.seed,
    }


def _estimates(evaluation: Evaluation | SegmentationEvaluation) -> dict[str, Any]:
    return {
        "overall": {name: as_dict(found) for name, found in evaluation.overall.items()},
        "by_class": {
            name: {figure: as_dict(found) for figure, found in figures.items()}
            for name, figures in evaluation.of_class.items()
        },
    }


def _bins(found: Reliability | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "count": found.count.tolist(),
        "confidence": _numbers(found.confidence),
        "accuracy": _numbers(found.accuracy),
    }


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 6) for value in values]
