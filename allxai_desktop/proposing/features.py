"""What the live classifier knows of each pixel: colour, surroundings, and what was proposed before anybody painted."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from allxai_desktop.proposing.classical import optical_density

Planes = NDArray[np.float32]

# Widths of the Gaussians in an image whose shorter side has `_SIDE` pixels; they grow with the image, within limits.
_SCALES, _SIDE, _GROWTH = (1.0, 2.0, 4.0), 180, (0.7, 2.0)
# Density that keeps the hue of pale pixels from being noise.
_PALE = 0.15
_FLOOR = 1e-4


def pixel_features(pixels: NDArray[np.uint8], probabilities: Planes) -> Planes:
    """Return the features (H, W, F) of an image (H, W, 3), each with mean 0 and deviation 1.

    Optical densities of the channels and their gradients at three scales, their shares, the logarithms of the
    `probabilities` (H, W, 5) and these smoothed, and the place.
    """
    density = optical_density(pixels)
    height, width = density.shape[:2]
    wide = growth((height, width))
    parts = []
    for scale in _SCALES:
        smooth = smoothed(density, wide * scale)
        red_green = smooth[..., :2]
        rows = np.diff(red_green, axis=0, append=red_green[-1:])
        columns = np.diff(red_green, axis=1, append=red_green[:, -1:])
        parts += [smooth, np.hypot(rows, columns)]
    parts.append(parts[0] / (parts[0].sum(axis=2, keepdims=True) + _PALE))
    parts += [np.log(probabilities + _FLOOR), smoothed(probabilities, wide * _SCALES[-1])]
    place = np.indices((height, width), np.float32) / max(height, width)
    parts.append(np.moveaxis(place, 0, 2))
    return standard(np.concatenate(parts, axis=2))


def growth(shape: tuple[int, ...]) -> float:
    """Return by how much widths are larger in an image (H, W) than in one whose shorter side has `_SIDE` pixels."""
    return min(max(min(shape) / _SIDE, _GROWTH[0]), _GROWTH[1])


def standard(planes: Planes) -> Planes:
    """Return planes (H, W, C) with mean 0 and deviation 1."""
    found = planes.astype(np.float32)
    found -= found.mean(axis=(0, 1))
    # What varies less than this is rounding.
    found /= np.maximum(found.std(axis=(0, 1)), 1e-3)
    return found


def smoothed(planes: Planes, sigma: float) -> Planes:
    """Return each plane of (H, W, C) smoothed by a Gaussian of `sigma` pixels."""
    found: Planes = ndimage.gaussian_filter(planes, (sigma, sigma, 0), truncate=3)
    return found
