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

# Pixels that are drawn from an image, half of them in cells, and how much squared weights are punished, as against one
# image.
_PIXELS, _PUNISHED = 1000, 3
_FLOOR = 1e-3
_VACUOLE = 2


@dataclass(frozen=True, eq=False)
class Lesson:
    """Pixels of one finished image: features (N, F), logarithms (N, 5) of what was proposed first, classes (N,) 0…4.

    `weights` (N,) add up to 1: each pixel counts as much as it has others of its image to stand for.
    """

    features: Planes
    logs: Planes
    classes: NDArray[np.intp]
    weights: Planes


def lesson(pixels: NDArray[np.uint8], first: Planes, codes: NDArray[np.uint8]) -> Lesson | None:
    """Return the lesson of an image (H, W, 3) with its first probabilities (H, W, 5) and its mask (H, W).

    Vacuoles are left out, see `Correction`. None where nothing else is labelled.
    """
    classes = codes.reshape(-1).astype(np.intp) - 1
    parts = [np.flatnonzero((classes == 0) | (classes == 1)), np.flatnonzero(classes > _VACUOLE)]
    random = np.random.default_rng(0)
    drawn = [random.choice(part, min(_PIXELS // 2, part.size), replace=False) for part in parts]
    places = np.concatenate(drawn)
    if not places.size:
        return None
    shares = [np.full(few.size, part.size / max(1, few.size)) for part, few in zip(parts, drawn, strict=True)]
    weights = np.concatenate(shares).astype(np.float32)
    features, logs = _inputs(pixels, first)
    return Lesson(features[places], logs[places], classes[places], weights / weights.sum())


class Correction:
    """What at least one lesson says of the first probabilities of other images.

    Those of vacuoles stay: they are few, and a rule that was learnt from them takes cytoplasm for vacuoles.
    """

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        features = np.concatenate([one.features for one in lessons])
        logs = np.concatenate([one.logs for one in lessons])
        wanted = np.eye(5, dtype=np.float32)[np.concatenate([one.classes for one in lessons])]
        weights = (np.concatenate([one.weights for one in lessons]) / len(lessons)).astype(np.float32)
        punished = np.full(features.shape[1], _PUNISHED / len(lessons), np.float32)
        self._weights = fit(features, logs, wanted, weights, punished)

    def corrected(self, pixels: NDArray[np.uint8], first: Planes) -> Planes:
        """Return the probabilities (H, W, 5) of an image (H, W, 3) that follow from the `first` (H, W, 5)."""
        features, logs = _inputs(pixels, first)
        found = softmax(logs + features @ self._weights, axis=1)
        vacuoles = first.reshape(-1, 5)[:, _VACUOLE]
        found[:, _VACUOLE] = 0
        found *= ((1 - vacuoles) / found.sum(axis=1))[:, None]
        found[:, _VACUOLE] = vacuoles
        result: Planes = found.reshape(first.shape)
        return result


def _inputs(pixels: NDArray[np.uint8], first: Planes) -> tuple[Planes, Planes]:
    """Return features (H·W, F), the last of them 1, and logarithms (H·W, 5)."""
    features = pixel_features(pixels, first)
    flat = features.reshape(-1, features.shape[2])
    ones = np.ones((len(flat), 1), np.float32)
    return np.concatenate([flat, ones], axis=1), np.log(first.reshape(-1, 5) + np.float32(_FLOOR))
