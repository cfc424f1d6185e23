"""Whether an image looks like those that a network was trained on, from simple statistics of its pixels.

Two checks: the share of near-black pixels (cells cut out on black against whole fields), and the
Mahalanobis distance of eight statistics of colour and texture to those of the training images.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.i18n import _
from allxai_desktop.networks.card import Card

NEAR_BLACK = 12
"""A pixel is near black if its brightest channel is at most this."""
# Statistics are taken on about this many pixels a side, so that they cost little and do not depend on resolution.
SIDE = 96
DEVIATION_FLOOR = 1.5
DISTANCE_MARGIN = 1.5
BLACK_MARGIN = 0.05


def near_black_share(pixels: NDArray[np.uint8]) -> float:
    """Return the share of near-black pixels of an image (H, W, 3)."""
    return float((pixels.max(axis=2) <= NEAR_BLACK).mean())


def statistics(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return eight statistics of the pixels of an image (H, W, 3) that are not near black.

    Mean and standard deviation of brightness, red−green and blue−green, the standard deviation of
    blue−red, and the logarithm of the mean absolute difference between neighbours.
    """
    height, width = pixels.shape[:2]
    rows = max(1, round(height / SIDE))
    columns = max(1, round(width / SIDE))
    # Means over blocks: single pixels of large images would measure their noise.
    small = pixels[: height // rows * rows, : width // columns * columns].astype(np.float64)
    small = small.reshape(height // rows, rows, width // columns, columns, 3).mean(axis=(1, 3))
    seen = small.max(axis=2) > NEAR_BLACK
    if not seen.any():
        seen[:] = True
    red, green, blue = small[seen].T
    brightness = (red + green + blue) / 3
    grey = small.mean(axis=2)
    texture = np.concatenate(
        [
            np.abs(np.diff(grey, axis=axis))[np.take(seen, range(1, seen.shape[axis]), axis=axis)]
            for axis in (0, 1)
        ]
    )
    return np.array(
        [
            brightness.mean(),
            brightness.std(),
            (red - green).mean(),
            (red - green).std(),
            (blue - green).mean(),
            (blue - green).std(),
            (blue - red).std(),
            10 * np.log(texture.mean() + 0.1) if texture.size else 0.0,
        ]
    )


def distance(found: NDArray[np.float64], mean: NDArray[np.float64], precision: NDArray[np.float64]) -> float:
    """Return the Mahalanobis distance of the statistics `found` to `mean`; `precision` is the inverse covariance."""
    offset = found - mean
    return float(np.sqrt(offset @ precision @ offset))


def fit_limits(train: Sequence[NDArray[np.uint8]], held_out: Sequence[NDArray[np.uint8]]) -> dict[str, Any]:
    """Return the limits that go on a card, from training images and others of the same set, (H, W, 3) each."""
    found = [
        np.array([[near_black_share(pixels), *statistics(pixels)] for pixels in part])
        for part in (train, held_out)
    ]
    return limits_of(*found)


def limits_of(train: NDArray[np.float64], held_out: NDArray[np.float64]) -> dict[str, Any]:
    """Return the limits from (N, 9) each: share of near-black pixels and the eight statistics of an image."""
    mean = train[:, 1:].mean(axis=0)
    # A floor on each deviation: a set from one laboratory varies less than it may.
    covariance = np.cov(train[:, 1:].T) + np.eye(len(mean)) * DEVIATION_FLOOR**2
    precision = np.linalg.inv(covariance).astype(np.float64)
    far = [distance(found, mean, precision) for found in held_out[:, 1:]]
    black = [*train[:, 0].tolist(), *held_out[:, 0].tolist()]
    return {
        "near_black_share": [
            round(max(0.0, min(black) - BLACK_MARGIN), 4),
            round(min(1.0, max(black) + BLACK_MARGIN), 4),
        ],
        "mean": mean.round(6).tolist(),
        "precision": precision.round(9).tolist(),
        "max_distance": round(DISTANCE_MARGIN * float(np.quantile(far, 0.99)), 4),
    }


def domain_warning(card: Card, pixels: NDArray[np.uint8]) -> str | None:
    """Return a sentence for the user if the image (H, W, 3) does not look like those of the card's network.

    Also where the card does not say what they look like.
    """
    limits = card.domain.get("limits")
    if not limits:
        return _(
            "What images this network was trained on is not known: see for yourself whether this one is alike."
        )
    black = near_black_share(pixels)
    low, high = limits["near_black_share"]
    cut_outs = low > 0
    if cut_outs and black < low:
        return _(
            "The network knows cells cut out on black, which this image is not: do not rely on its answer."
        )
    if not cut_outs and black > high:
        return _(
            "Much of this image is black; the network knows whole fields of a smear: do not rely on its answer."
        )
    far = distance(statistics(pixels), np.array(limits["mean"]), np.array(limits["precision"]))
    if black > high or far > limits["max_distance"]:
        return _("This image looks unlike those that the network was trained on: do not rely on its answer.")
    return None
