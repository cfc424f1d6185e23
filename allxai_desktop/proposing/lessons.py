"""What the finished masks of a study teach about its other images.

A laboratory's dye and lamp, and where its people draw a border, are the same in image after image. So the first
proposal of each is corrected by a logistic regression, as after a stroke (see `classifier`), that pixels of finished
images were given to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from allxai_desktop.proposing.features import Planes, pixel_features
from allxai_desktop.proposing.fitting import fit

# Pixels that are drawn from an image, and how much squared weights are punished, as against one image.
_PIXELS, _PUNISHED = 400, 0.1
_FLOOR = 1e-3


@dataclass(frozen=True, eq=False)
class Lesson:
    """Pixels of one finished image: features (N, F), logarithms (N, 5) of what was proposed first, classes (N,) 0…4."""

    features: Planes
    logs: Planes
    classes: NDArray[np.intp]


def lesson(pixels: NDArray[np.uint8], first: Planes, codes: NDArray[np.uint8]) -> Lesson | None:
    """Return the lesson of an image (H, W, 3) with its first probabilities (H, W, 5) and its mask (H, W).

    None where nothing is labelled.
    """
    labelled = np.flatnonzero(codes)
    if not labelled.size:
        return None
    places = np.random.default_rng(0).choice(labelled, min(_PIXELS, labelled.size), replace=False)
    features, logs = _inputs(pixels, first)
    return Lesson(features[places], logs[places], codes.ravel()[places].astype(np.intp) - 1)


class Correction:
    """What at least one lesson says of the first probabilities of other images."""

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        counts = [len(one.classes) for one in lessons]
        weights = np.concatenate([np.full(count, 1 / (count * len(lessons)), np.float32) for count in counts])
        features = np.concatenate([one.features for one in lessons])
        wanted = np.eye(5, dtype=np.float32)[np.concatenate([one.classes for one in lessons])]
        punished = np.full(features.shape[1], _PUNISHED / len(lessons), np.float32)
        logs = np.concatenate([one.logs for one in lessons])
        self._weights = fit(features, logs, wanted, weights, punished)

    def corrected(self, pixels: NDArray[np.uint8], first: Planes) -> Planes:
        """Return the probabilities (H, W, 5) of an image (H, W, 3) that follow from the `first` (H, W, 5)."""
        features, logs = _inputs(pixels, first)
        found: Planes = softmax(logs + features @ self._weights, axis=1).reshape(first.shape)
        return found


def _inputs(pixels: NDArray[np.uint8], first: Planes) -> tuple[Planes, Planes]:
    """Return features (H·W, F), the last of them 1, and logarithms (H·W, 5)."""
    features = pixel_features(pixels, first)
    flat = features.reshape(-1, features.shape[2])
    ones = np.ones((len(flat), 1), np.float32)
    return np.concatenate([flat, ones], axis=1), np.log(first.reshape(-1, 5) + np.float32(_FLOOR))
