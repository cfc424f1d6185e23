"""What the colours of one image say of its classes, learnt from where the first proposal is sure."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from allxai_desktop.proposing.classical import optical_density
from allxai_desktop.proposing.features import Planes, growth, smoothed, standard
from allxai_desktop.proposing.fitting import fit, margins

# Pixels that are learnt from, and how much squared weights are punished.
_PIXELS, _PUNISHED = 2500, 2e-4
# Widths of the Gaussians as in `features`, for the mean colour at a pixel and of what surrounds it.
_SCALES = (1.0, 2.0, 4.0)
_SHARPEST = 0.5
# Density that keeps the hue of pale pixels from being noise.
_PALE = 0.15
_FLOOR = 0.01
_VACUOLE, _REST = 2, slice(3, 5)


def with_own_colours(pixels: NDArray[np.uint8], first: Planes) -> Planes:
    """Return probabilities (H, W, 5), half `first` (H, W, 5) and half what an image (H, W, 3) shows by its colours.

    Those of vacuoles stay, for they are as bright as the background, and few; so does what of the rest is red cell and
    what background, for the middle of a red cell is as pale.
    """
    known = first.reshape(-1, 5)
    inputs = _colours(pixels)
    vacuoles = known[:, _VACUOLE]
    count = len(known)
    places = np.random.default_rng(0).choice(count, min(_PIXELS, count), replace=False)
    likely = known[places].argmax(axis=1)
    weights = (margins(known[places]) ** 2 + _FLOOR) * (likely != _VACUOLE)
    if not weights.any():
        return first
    frequent = np.log(known.mean(axis=0) + 1e-3)
    found = fit(
        inputs[places],
        np.broadcast_to(frequent, (len(places), 5)),
        np.eye(5, dtype=np.float32)[likely],
        weights / weights.sum(),
        np.full(inputs.shape[1], _PUNISHED, np.float32),
    )
    own = softmax(frequent + inputs @ found, axis=1)
    own[:, _VACUOLE] = 0
    own *= ((1 - vacuoles) / own.sum(axis=1))[:, None]
    own[:, _VACUOLE] = vacuoles
    rest = known[:, _REST] + np.float32(1e-6)
    own[:, _REST] = own[:, _REST].sum(axis=1, keepdims=True) * rest / rest.sum(axis=1, keepdims=True)
    mixed = np.sqrt((known + _FLOOR) * (own + _FLOOR))
    mixed /= mixed.sum(axis=1, keepdims=True)
    result: Planes = mixed.reshape(first.shape).astype(np.float32)
    return result


def _colours(pixels: NDArray[np.uint8]) -> Planes:
    """Return features (H·W, F): densities at four scales, their shares, squares and products, and 1."""
    density = optical_density(pixels)
    wide = growth(pixels.shape[:2])
    planes = [smoothed(density, width) for width in (_SHARPEST, *(wide * scale for scale in _SCALES))]
    fine = planes[1]
    shares = fine / (fine.sum(axis=2, keepdims=True) + _PALE)
    scaled = standard(fine)
    planes += [shares, scaled**2, scaled[..., [0, 0, 1]] * scaled[..., [1, 2, 2]]]
    found = standard(np.concatenate(planes, axis=2)).reshape(-1, 3 * len(planes))
    return np.concatenate([found, np.ones((len(found), 1), np.float32)], axis=1)
