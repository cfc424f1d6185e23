"""A proposal without a network: dark nuclei, what surrounds them as their cell, the rest red cells and background."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_multiotsu
from skimage.morphology import remove_small_objects

Plane = NDArray[np.float32]

# Share of the pixels that are brighter than what counts as the light that passes where nothing lies.
_LIT = 95
# Below this optical density nothing is a cell.
_FAINT = 0.06
# Nuclei under this share of the image are platelets or dirt.
_SMALLEST = 1 / 700
# How far a cell may reach around its nucleus, in radii of a disc as large as the nucleus.
_REACH = 1.1


def optical_density(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how much light each channel (H, W, 3) loses, 0 where nothing lies (Beer–Lambert), in any lamp's light."""
    density: NDArray[np.float32] = np.maximum(-np.log((pixels.astype(np.float32) + 1) / lamp(pixels)), 0)
    return density


def lamp(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the light (3,) that passes where nothing lies in an image (H, W, 3), as its values + 1."""
    light: NDArray[np.float32] = (np.percentile(pixels, _LIT, axis=(0, 1)) + 1).astype(np.float32)
    return light


def classical_probabilities(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how likely each pixel of an image (H, W, 3) is of each class (H, W, 5), codes 1…5; vacuoles are not found.

    Nuclear dye takes red light, which red cells let through; everything that lies there takes green light. Otsu's
    thresholds divide both. What lies around a nucleus is its cell as far as its colour is nearer to that of the
    rim than to that of what lies far away.
    """
    density = np.stack(
        [ndimage.gaussian_filter(channel, 1) for channel in np.moveaxis(optical_density(pixels), 2, 0)]
    )
    red, green = density[0], density[1]
    pale = _thresholds(1 - np.exp(-green), 3)[0]
    lying = _soft(green, max(pale, _FAINT), 0.04)
    there = lying > 0.5
    # Between Otsu's, which takes in dark cytoplasm, and the upper one of two, which leaves out pale chromatin.
    dye = (_thresholds(red[there], 2)[0] + _thresholds(red[there], 3)[-1]) / 2
    nucleus = _soft(red, max(dye, 2 * _FAINT), 0.08) * lying
    dark = nucleus > 0.5
    large = remove_small_objects(ndimage.binary_opening(dark, _disc(1)), max_size=int(dark.size * _SMALLEST))
    specks = dark & ~ndimage.binary_dilation(large, _disc(2))
    nucleus = np.where(specks, 0, nucleus)
    cell = _cell(density, large, there & ~dark)
    found = np.zeros((*pixels.shape[:2], 5), np.float32)
    found[..., 0] = nucleus
    found[..., 1] = (1 - nucleus) * lying * cell
    found[..., 3] = (1 - nucleus) * lying * (1 - cell) * ~specks
    found[..., 4] = 1 - found.sum(axis=2)
    return found


def _disc(radius: int) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    found: NDArray[np.bool_] = np.hypot(rows, columns) <= radius
    return found


def _thresholds(values: Plane, classes: int) -> list[float]:
    """Return Otsu's thresholds between so many classes; fewer, or infinity, where there is less to divide."""
    if not values.size or values.min() == values.max():
        return [np.inf]
    for count in range(classes, 1, -1):
        try:
            found: list[float] = threshold_multiotsu(values, classes=count, nbins=128).tolist()  # type: ignore[no-untyped-call]
        except ValueError:
            continue
        return found
    return [np.inf]


def _soft(values: Plane, threshold: float, width: float) -> Plane:
    """Return 0…1, 0.5 at the threshold."""
    found: Plane = (1 / (1 + np.exp(np.clip((threshold - values) / width, -30, 30)))).astype(np.float32)
    return found


def _cell(density: Plane, nuclei: NDArray[np.bool_], lying: NDArray[np.bool_]) -> Plane:
    """Return how likely what lies at each pixel, if it is no nucleus, is of a cell with one of the nuclei."""
    if not nuclei.any():
        return np.zeros(nuclei.shape, np.float32)
    _labels, count = ndimage.label(ndimage.binary_dilation(nuclei, _disc(7)))
    radius = np.sqrt(nuclei.sum() / count / np.pi)
    distance = ndimage.distance_transform_edt(~nuclei)
    near, far = lying & (distance < 0.25 * radius), lying & (distance > (1 + _REACH) * radius)
    reach = _soft(-distance.astype(np.float32), -_REACH * radius, 0.15 * radius)
    if near.sum() < 20 or far.sum() < 20:
        return reach
    means = [density[:, part].mean(axis=1) for part in (near, far)]
    spread = sum(np.cov(density[:, part]) for part in (near, far)) / 2 + 1e-4 * np.eye(3)
    direction = np.linalg.solve(spread, means[0] - means[1])
    middle = (means[0] + means[1]) / 2
    score = np.tensordot(direction, density - middle[:, None, None], 1).astype(np.float32)
    score = ndimage.gaussian_filter(score, 2)
    colour = _soft(score, 0, 1)
    joined = nuclei | (lying & (reach * colour > 0.25))
    joined = ndimage.binary_opening(joined, _disc(3)) | nuclei
    labels, _count = ndimage.label(joined)
    kept = np.isin(labels, np.unique(labels[nuclei]))
    filled = ndimage.binary_fill_holes(ndimage.binary_closing(kept, _disc(3)))
    smooth: Plane = ndimage.gaussian_filter(filled.astype(np.float32), 1)
    return smooth
