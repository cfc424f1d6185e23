"""A light classifier that learns from the pixels that a person painted, in a fraction of a second.

It adds to the logarithms of the first probabilities a linear function of the features (logistic regression that
begins at the first proposal), and for each stroke that contradicted them one more feature: how like the stroke a pixel
is in colour and how near. Pixels drawn from the first proposal hold it in place, less so where they are like a stroke
of another class, and no class much less as a whole.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import softmax

from allxai_desktop.proposing.classical import optical_density
from allxai_desktop.proposing.features import Planes, pixel_features, smoothed
from allxai_desktop.proposing.fitting import fit, margins

# Pixels that are drawn from the first proposal, and at most from a person's.
_WEAK, _PAINTED = 1500, 3000
# What a person's pixels weigh together grows up to so many, in pixels of the first proposal.
_ENOUGH, _WEIGHT = 300, 0.3
# What a pixel between two classes of the first proposal still weighs.
_DOUBTED = 0.02
# The share of its weight that a class keeps against strokes of others: without it one of cytoplasm could take the
# whole nucleus away.
_HELD = 0.7
# Squared weights are punished so much: those of the features, and those of likeness to a stroke.
_GLOBAL, _LOCAL = 0.025, 0.003
_STROKES = 16
# A stroke reaches this share of the shorter side, and as many densities beyond the spread of its own colour; one of
# fewer pixels than a disc of radius 5 less far, for it lies in something thin.
_REACH, _COLOUR, _DISC = 0.3, 0.1, 80
_FLOOR = 1e-4


@dataclass(frozen=True, eq=False)
class Likeness:
    """How like one stroke of class `code` each pixel (H·W,) is, 0…1."""

    code: int
    values: Planes


class PixelClassifier:
    """Learns the classes of one image (H, W, 3), beginning with `probabilities` (H, W, 5)."""

    def __init__(self, pixels: NDArray[np.uint8], probabilities: Planes) -> None:
        self._shape = pixels.shape[:2]
        self._first = probabilities.reshape(-1, 5)
        self._logs = np.log(self._first + _FLOOR)
        features = pixel_features(pixels, probabilities).reshape(len(self._first), -1)
        self._features = np.concatenate([features, np.ones((len(features), 1), np.float32)], axis=1)
        self._colour = smoothed(optical_density(pixels), 1).reshape(-1, 3)
        self._random = np.random.default_rng(0)
        self._weak = self._random.choice(len(features), min(_WEAK, len(features)), replace=False)
        self._known: dict[bytes, Likeness] = {}

    def learn(self, codes: NDArray[np.uint8]) -> Planes:
        """Return the probabilities (H, W, 5) that follow from `codes` (H, W), 0 where a person said nothing."""
        painted = np.flatnonzero(codes)
        if not painted.size:
            return self._first.reshape(*self._shape, 5)
        strokes = self._strokes(codes)
        if painted.size > _PAINTED:
            painted = np.random.default_rng(0).choice(painted, _PAINTED, replace=False)
        weak, places = self._weak, np.concatenate([self._weak, painted])
        weights = np.empty(len(places), np.float32)
        # What the first proposal doubts is for the strokes to say.
        weights[: len(weak)] = margins(self._first[weak]) + _DOUBTED
        weights[len(weak) :] = _WEIGHT * len(weak) / max(_ENOUGH, len(painted))
        likely = self._first[weak].argmax(axis=1) + 1
        weights[: len(weak)] *= _kept(strokes, weak, likely, weights[: len(weak)])
        wanted = np.concatenate([self._first[weak], np.eye(5, dtype=np.float32)[codes.ravel()[painted] - 1]])
        inputs = self._inputs(strokes)
        punished = np.full(inputs.shape[1], _GLOBAL, np.float32)
        punished[self._features.shape[1] :] = _LOCAL
        found = fit(inputs[places], self._logs[places], wanted, weights / weights.sum(), punished)
        return smoothed(softmax(self._logs + inputs @ found, axis=1).reshape(*self._shape, 5), 1)

    def _inputs(self, strokes: list[Likeness]) -> Planes:
        return np.concatenate([self._features, *(stroke.values[:, None] for stroke in strokes)], axis=1)

    def _strokes(self, codes: NDArray[np.uint8]) -> list[Likeness]:
        """Return the likeness to the connected strokes that contradict the first proposal most."""
        parts: list[tuple[float, int, NDArray[np.int64]]] = []
        for code in np.unique(codes[codes > 0]).tolist():
            labels, count = ndimage.label(codes == code)
            places = np.argsort(labels, axis=None, kind="stable")
            sizes = np.bincount(labels.ravel(), minlength=count + 1)
            for part in np.split(places, np.cumsum(sizes)[:-1])[1:]:
                parts.append((float((1 - self._first[part, code - 1]).sum()), code, part))
        parts.sort(key=lambda one: -one[0])
        known = {bytes([code]) + part.tobytes(): (code, part) for _doubt, code, part in parts[:_STROKES]}
        self._known = {
            key: self._known.get(key) or self._likeness(code, part) for key, (code, part) in known.items()
        }
        return list(self._known.values())

    def _likeness(self, code: int, part: NDArray[np.int64]) -> Likeness:
        own = self._colour[part]
        spread = _COLOUR**2 * np.eye(3)
        if len(part) > 4:
            spread = spread + np.cov(own.T)
        away = self._colour - own.mean(axis=0)
        unlike = ((away @ np.linalg.inv(spread).astype(np.float32)) * away).sum(axis=1)
        outside = np.ones(self._shape, bool)
        outside.ravel()[part] = False
        reach = _REACH * min(self._shape) * min(1, len(part) / _DISC)
        far = ndimage.distance_transform_edt(outside).ravel() / reach
        return Likeness(code, np.exp(-(unlike + far**2) / 2).astype(np.float32))


def _kept(
    strokes: list[Likeness], places: NDArray[np.int64], likely: NDArray[np.int64], weights: Planes
) -> Planes:
    """Return the share, 0…1, that the pixels at `places` (N,), of codes `likely` (N,), keep of their `weights` (N,)."""
    kept = np.ones(len(places), np.float32)
    for stroke in strokes:
        kept *= np.where(likely == stroke.code, 1, 1 - stroke.values[places])
    for code in np.unique(likely):
        own = likely == code
        share = np.average(kept[own], weights=weights[own])
        if share < _HELD:
            kept[own] += (1 - kept[own]) * (_HELD - share) / (1 - share)
    return kept
