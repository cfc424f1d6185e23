"""Dice, IoU and pixel accuracy of a segmenting network, pooled and as means over images."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.training.measuring.intervals import Basis, Bootstrap, Estimate
from allxai_desktop.training.measuring.metrics import ratio, weighted_mean

Overlap = Literal["dice_pooled", "dice_mean", "iou_pooled", "iou_mean"]
"""`_pooled`: of the pixels of all images; `_mean`: over the images in which the class is drawn or true."""
Overall = Literal["pixel_accuracy_pooled", "pixel_accuracy_mean"]
_Key = tuple[str, int | None]


def pixel_confusion(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], n_classes: int, ignore: int | None = None
) -> NDArray[np.int64]:
    """Return counts of pixels (true class, predicted class) of one image; true `ignore` pixels are in none.

    Raises `ValueError` for masks of two shapes and for a class outside 0…`n_classes` − 1.
    """
    if truth.shape != predicted.shape:
        raise ValueError("shapes")
    counted = np.ones(truth.shape, bool) if ignore is None else truth != ignore
    pairs = [np.asarray(mask[counted], np.int64) for mask in (truth, predicted)]
    if any(part.size and (part.min() < 0 or part.max() >= n_classes) for part in pairs):
        raise ValueError("class")
    cells = np.bincount(pairs[0] * n_classes + pairs[1], minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes)


@dataclass(frozen=True)
class SegmentationEvaluation:
    """`confusion` counts pixels (true class, predicted class); a class that is nowhere has no value."""

    classes: tuple[str, ...]
    images: int
    groups: int | None
    seed: int
    confusion: NDArray[np.int64]
    overall: dict[Overall, Estimate]
    of_class: dict[str, dict[Overlap, Estimate]]


def evaluate_segmentation(
    confusions: Sequence[NDArray[np.int64]],
    classes: tuple[str, ...],
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> SegmentationEvaluation:
    """Measure images by their `pixel_confusion`; `groups` names the group of each. Raises `ValueError` for none."""
    if not len(confusions):
        raise ValueError("images")
    matrices = np.stack(confusions).astype(np.float64)
    boot = Bootstrap(len(matrices), groups, seed=seed)
    hits, either, sizes = _overlaps(matrices)
    bases: dict[_Key, Basis] = {
        ("pixel_accuracy_" + kind, None): Basis((matrices.sum(axis=(1, 2)) > 0,))
        for kind in ("pooled", "mean")
    }
    for number in range(len(classes)):
        there = Basis((either[:, number] > 0,))
        bases |= {(name, number): there for name in ("dice_pooled", "dice_mean", "iou_pooled", "iou_mean")}
    found = boot.estimates(partial(_figures, matrices, hits, either, sizes), bases)
    overall: dict[Overall, Estimate] = {
        "pixel_accuracy_pooled": found["pixel_accuracy_pooled", None],
        "pixel_accuracy_mean": found["pixel_accuracy_mean", None],
    }
    of_class: dict[str, dict[Overlap, Estimate]] = {
        title: {
            "dice_pooled": found["dice_pooled", number],
            "dice_mean": found["dice_mean", number],
            "iou_pooled": found["iou_pooled", number],
            "iou_mean": found["iou_mean", number],
        }
        for number, title in enumerate(classes)
    }
    return SegmentationEvaluation(
        classes,
        len(matrices),
        None if groups is None else boot.groups,
        seed,
        matrices.sum(axis=0).astype(np.int64),
        overall,
        of_class,
    )


def _overlaps(matrices: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return pixels in both masks, in either, and the sum of the two, each (…, classes)."""
    hits = np.diagonal(matrices, axis1=-2, axis2=-1)
    sizes = matrices.sum(axis=-1) + matrices.sum(axis=-2)
    return hits, sizes - hits, sizes


def _figures(
    matrices: NDArray[np.float64],
    hits: NDArray[np.float64],
    either: NDArray[np.float64],
    sizes: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> dict[_Key, NDArray[np.float64]]:
    """Return every figure (B,) for image weights (B, N)."""
    pixels = matrices.sum(axis=(1, 2))
    pooled, united, summed = (weights @ part for part in (hits, either, sizes))
    found: dict[_Key, NDArray[np.float64]] = {
        ("pixel_accuracy_pooled", None): ratio(pooled.sum(axis=1), weights @ pixels),
        ("pixel_accuracy_mean", None): weighted_mean(weights, ratio(hits.sum(axis=1), pixels)),
    }
    dice, iou = ratio(2 * hits, sizes), ratio(hits, either)
    for number in range(hits.shape[1]):
        found["dice_pooled", number] = ratio(2 * pooled[:, number], summed[:, number])
        found["dice_mean", number] = weighted_mean(weights, dice[:, number])
        found["iou_pooled", number] = ratio(pooled[:, number], united[:, number])
        found["iou_mean", number] = weighted_mean(weights, iou[:, number])
    return found
