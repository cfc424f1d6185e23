"""Figures of merit from a confusion matrix. A binary figure always names its positive class."""

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Roc:
    """The corners of a ROC curve from (0, 0) to (1, 1): rates in 0…1, along falling thresholds."""

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]


def roc_curve(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> Roc | None:
    """Return the curve of `scores` (N,), high for `positive` (N,); None where all or none are positive.

    Equal scores are one step, aslant where both classes share them.
    """
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    hits = np.add.reduceat(positive[order].astype(np.int64), starts)[::-1]
    alarms = np.add.reduceat((~positive)[order].astype(np.int64), starts)[::-1]
    if not hits.sum() or not alarms.sum():
        return None
    turns = np.ones(len(hits), bool)
    # Steps of one direction are one line: the cross product of neighbours is zero.
    turns[:-1] = hits[:-1] * alarms[1:] != hits[1:] * alarms[:-1]
    corners = [np.concatenate([[0.0], np.cumsum(n)[turns] / n.sum()]) for n in (alarms, hits)]
    return Roc(*corners)


def auc(
    positive: NDArray[np.bool_], scores: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the area under the ROC curve (B,) for each row of image weights (B, N); NaN where a class has none.

    It is the share of pairs in which the positive image (N,) has the higher score (N,), ties counting half
    (Mann and Whitney 1947).
    """
    alarms, hits = np.flatnonzero(~positive), np.flatnonzero(positive)
    alarms = alarms[np.argsort(scores[alarms], kind="stable")]
    below = np.zeros((len(weights), len(alarms) + 1))
    np.cumsum(weights[:, alarms], axis=1, out=below[:, 1:])
    first, last = (np.searchsorted(scores[alarms], scores[hits], side) for side in ("left", "right"))
    beaten = (below[:, first] + below[:, last]) / 2
    weight = weights[:, hits]
    return ratio((weight * beaten).sum(axis=1), weight.sum(axis=1) * below[:, -1])


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Return `part` / `whole`, NaN where `whole` is zero: for arrays that stay inside, as None does outside."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    known = np.full(part.shape, np.nan)
    np.divide(part, whole, out=known, where=whole != 0)
    return known


def weighted_mean(weights: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean (B,) of `values` (N,) by `weights` (B, N) over the images that have one: no NaN."""
    known = ~np.isnan(values)
    return ratio(weights[:, known] @ values[known], weights[:, known].sum(axis=1))
