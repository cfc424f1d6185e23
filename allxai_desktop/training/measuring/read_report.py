"""An evaluation read back from its file, for showing its figures and its misclassified images one by one."""

import json
import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.training.measuring.evaluation import Mistake
from allxai_desktop.training.measuring.intervals import Estimate, Reason
from allxai_desktop.training.words import TITLES, ClassTitles, titled

MAX_BYTES = 2**26
MAX_CLASSES = 1000
Unit = Literal["images", "pixels"]


class ReportError(AllxaiError):
    """A file of an evaluation that cannot be shown."""


@dataclass(frozen=True, eq=False)
class Report:
    """The figures of a network: `counts` (true class, predicted class) are of `unit`; `part` is what was evaluated.

    `overall` and `of_class` have the names of `words.TITLES`; the files of `mistakes` are relative to the data folder.
    """

    network: str
    part: str
    images: int
    groups: int | None
    classes: tuple[str, ...]
    positive: str | None
    leaking: bool
    caution: str
    overall: dict[str, Estimate]
    of_class: dict[str, dict[str, Estimate]]
    counts: NDArray[np.int64]
    unit: Unit
    mistakes: list[Mistake]
    class_titles: ClassTitles

    def class_title(self, name: str) -> str:
        """The class's name for people."""
        return titled(self.class_titles, name)


def read_report(path: Path) -> Report:
    """Return what the JSON file of a report holds.

    Raises `ReportError` for a file that cannot be read, is no report, or names an image outside of the data folder.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError("size")
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("object")
        return _report(found)
    except OSError as error:
        raise ReportError(
            _("{name} cannot be read: choose the file of an evaluation again.").format(name=path.name)
        ) from error
    except (ValueError, RecursionError) as error:
        raise ReportError(
            _("{name} is no evaluation ({reason}): choose the file evaluation.json of a run.").format(
                name=path.name, reason=error
            )
        ) from error


def _report(found: dict[str, Any]) -> Report:
    classes = found.get("classes")
    if not isinstance(classes, list) or not 0 < len(classes) <= MAX_CLASSES or not _texts(classes):
        raise ValueError("classes")
    positive = found.get("positive_class")
    if positive is not None and positive not in classes:
        raise ValueError("positive_class")
    estimates, confusion = _object(found, "estimates"), _object(found, "confusion")
    by_class = _object(estimates, "by_class")
    if set(by_class) != set(classes):
        raise ValueError("by_class")
    unit: Any = confusion.get("unit")
    if unit not in get_args(Unit):
        raise ValueError("unit")
    return Report(
        network=str(found.get("network", "")),
        part=str(found.get("evaluated", "test")),
        images=_count(found.get("images"), "images"),
        groups=None if found.get("groups") is None else _count(found["groups"], "groups"),
        classes=tuple(classes),
        positive=positive,
        leaking=found.get("leaking") is True,
        caution=str(found.get("caution", "")),
        overall=_estimates(_object(estimates, "overall")),
        of_class={name: _estimates(_object(by_class, name)) for name in classes},
        counts=_counts(confusion.get("counts"), len(classes)),
        unit=unit,
        mistakes=_mistakes(found, unit),
        class_titles=_class_titles(found.get("class_titles", {})),
    )


def _class_titles(found: Any) -> ClassTitles:
    if not isinstance(found, dict) or not all(isinstance(names, dict) for names in found.values()):
        raise ValueError("class_titles")
    if not all(_texts([*names.values()]) for names in found.values()):
        raise ValueError("class_titles")
    return found


def _object(found: dict[str, Any], key: str) -> dict[str, Any]:
    value = found.get(key)
    if not isinstance(value, dict):
        raise ValueError(key)
    return value


def _texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) and value for value in values)


def _count(value: Any, key: str) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(key)
    return value


def _counts(rows: Any, classes: int) -> NDArray[np.int64]:
    if not isinstance(rows, list) or len(rows) != classes:
        raise ValueError("counts")
    if any(not isinstance(row, list) or len(row) != classes for row in rows):
        raise ValueError("counts")
    if any(_count(value, "counts") > 2**53 for row in rows for value in row):
        raise ValueError("counts")
    return np.array(rows, np.int64)


def _estimates(found: dict[str, Any]) -> dict[str, Estimate]:
    # A figure that a later version adds has no name here.
    return {name: _estimate(value) for name, value in found.items() if name in TITLES}


def _estimate(found: Any) -> Estimate:
    if not isinstance(found, dict):
        raise ValueError("estimates")
    value, low, high = (found.get(key) for key in ("value", "low", "high"))
    if not all(number is None or _is_number(number) for number in (value, low, high)):
        raise ValueError("estimates")
    reason = found.get("reason")
    if reason is not None and reason not in get_args(Reason):
        raise ValueError("reason")
    return Estimate(value, low, high, cast(Reason | None, reason))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _mistakes(found: dict[str, Any], unit: Unit) -> list[Mistake]:
    rows = found.get("misclassified", [] if unit == "pixels" else None)
    if not isinstance(rows, list):
        raise ValueError("misclassified")
    return [_mistake(row) for row in rows]


def _mistake(row: Any) -> Mistake:
    if not isinstance(row, dict):
        raise ValueError("misclassified")
    texts: list[Any] = [row.get(key) for key in ("file", "true", "predicted")]
    probability: Any = row.get("probability")
    if not _texts(texts):
        raise ValueError("misclassified")
    if not _is_number(probability) or not 0 <= probability <= 1:
        raise ValueError("probability")
    file, true, predicted = texts
    # A drive, too, leads elsewhere on Windows.
    parts = PurePosixPath(file.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in file:
        raise ValueError("file")
    return Mistake(file, true, predicted, float(probability))
