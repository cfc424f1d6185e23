"""Figures of merit from a confusion matrix. A binary figure always names its positive class."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def confusion_matrix(truth: Sequence[int], predicted: Sequence[int], n_classes: int) -> NDArray[np.int64]:
    """Return counts (true class, predicted class)."""
    matrix = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(matrix, (np.asarray(truth, np.int64), np.asarray(predicted, np.int64)), 1)
    return matrix


def summary(matrix: NDArray[np.int64], classes: Sequence[str], positive: str | None = None) -> dict[str, Any]:
    """Return accuracy, balanced accuracy, recall and precision by class; with two classes, of `positive` too.

    A ratio over nothing is None. Raises `ValueError` for two classes without `positive` among them.
    """
    recall = [_ratio(matrix[i, i], matrix[i].sum()) for i in range(len(classes))]
    known = [value for value in recall if value is not None]
    found: dict[str, Any] = {
        "images": int(matrix.sum()),
        "accuracy": _ratio(np.trace(matrix), matrix.sum()),
        "balanced_accuracy": sum(known) / len(known) if known else None,
        "recall": dict(zip(classes, recall, strict=True)),
        "precision": {name: _ratio(matrix[i, i], matrix[:, i].sum()) for i, name in enumerate(classes)},
        "confusion": {"rows": "true class", "columns": "predicted class", "counts": matrix.tolist()},
    }
    if len(classes) == 2:
        if positive is None or positive not in classes:
            raise ValueError("a binary summary names its positive class")
        at = list(classes).index(positive)
        other = 1 - at
        tp, fn, fp, tn = (int(matrix[i]) for i in ((at, at), (at, other), (other, at), (other, other)))
        found |= {"positive_class": positive, "tp": tp, "fn": fn, "fp": fp, "tn": tn}
        found["sensitivity"] = _ratio(tp, tp + fn)
        found["specificity"] = _ratio(tn, tn + fp)
        found["error"] = _ratio(fn + fp, matrix.sum())
        found["fn_of_all"] = _ratio(fn, matrix.sum())
    return found


def _ratio(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if whole else None
