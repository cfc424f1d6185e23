"""How far a network's probabilities can be believed, and one temperature that mends them (Guo et al. 2017)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from allxai_desktop.training.measuring.metrics import ratio

BINS = 15
# Beyond these the answers say nothing of a temperature.
COLDEST_AND_WARMEST = 1e-3, 1e3


@dataclass(frozen=True)
class Reliability:
    """Equal bins of the predicted class's probability, (low, high] with `edges` (bins + 1,).

    `count`, `confidence` (mean probability) and `accuracy` are (bins,), the last two NaN in empty bins.
    """

    edges: NDArray[np.float64]
    count: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error (ECE): the mean of |accuracy − confidence| over the images, 0…1."""
        return float(np.nansum(self.count * np.abs(self.accuracy - self.confidence)) / self.count.sum())


def bin_of(confidence: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin, from 0, of each probability (N,)."""
    return np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)


def reliability(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> Reliability:
    """Return the bins of probabilities (N, classes) against the true classes (N,)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    bins = bin_of(confidence)
    count = np.bincount(bins, minlength=BINS)
    return Reliability(
        np.linspace(0, 1, BINS + 1),
        count,
        ratio(np.bincount(bins, confidence, BINS), count),
        ratio(np.bincount(bins, right, BINS), count),
    )


def cross_entropy(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return −ln of the true class's probability for each image (N,)."""
    return -np.asarray(log_softmax(logits, axis=1))[np.arange(len(truth)), truth]


def scaled(logits: NDArray[np.float64], temperature: float = 1.0) -> NDArray[np.float64]:
    """Return the probabilities (N, classes) of `logits` divided by `temperature`."""
    return np.asarray(softmax(logits / temperature, axis=1))


def fit_temperature(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float | None:
    """Return the temperature with the smallest cross-entropy on these images, which must be the validation part's.

    None where they determine none: with every image right the colder is always the better, and with answers no
    better than chance the warmer.
    """
    # Half a second that whoever only opens the training window need not wait.
    from scipy.optimize import brentq

    # The cross-entropy is convex in 1/T; this is its slope there.
    def slope(coldness: float) -> float:
        expected = (scaled(logits, 1 / coldness) * logits).sum(axis=1)
        return float(np.mean(expected - logits[images, truth]))

    images = np.arange(len(truth))
    chance = np.mean(logits.mean(axis=1) - logits[images, truth])
    if chance >= 0 or np.all(logits.max(axis=1) == logits[images, truth]):
        return None
    low, high = COLDEST_AND_WARMEST
    if not slope(1 / high) < 0 < slope(1 / low):
        return None
    return float(1 / brentq(slope, 1 / high, 1 / low, xtol=1e-10))
