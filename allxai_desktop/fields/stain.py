"""The stain of nuclei, and the size of the red cells, which is the measure of everything else in a field.

Nuclei take up the basic dye: they absorb red and green light and let blue through, whatever the recipe of the stain,
while red cells absorb blue as much as green, and grey dirt all three. So the optical densities of a pixel against
the white of the same field, red + green − 2·blue, tell nuclei apart without a colour being named.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MIN_STAIN = 0.35
"""Least stain of a nucleus; in 99 of 100 pixels red cells have less."""
UNKNOWN_DIAMETER = 75
"""Diameter of a red cell in px where a field shows none; it stands for the common 100× objective."""
_SIDE = 640
# In clumps, cells overlap: the discs that fit into them were measured on cells that lie alone beside them.
_DISC_SHARE = 0.8
_FEW = 3


def densities(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return for pixels uint8 (H, W, 3) the stain of nuclei and the optical density in green, float32 (H, W).

    Both are about 0 where the field is empty; its white is the median of its lightest fifth.
    """
    darkest = pixels.min(axis=2)
    light = pixels[darkest >= np.percentile(darkest, 80)]
    logarithms = np.log(np.arange(1, 257, dtype=np.float32))
    red, green, blue = (
        np.float32(np.log(np.median(light[:, channel]) + 1)) - logarithms[pixels[..., channel]]
        for channel in range(3)
    )
    red += green
    red -= 2 * blue
    return red, green


def shrink(values: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Return the mean of each step × step block of values (H, W); what is left over at the edges is left out."""
    height, width = (side - side % step for side in values.shape)
    blocks = values[:height, :width].reshape(height // step, step, width // step, step)
    means: NDArray[np.float32] = blocks.mean(axis=(1, 3))
    return means


def red_cell_diameter(stain: NDArray[np.float32], green: NDArray[np.float32]) -> float:
    """Return the diameter in px of the red cells of a field from its `densities` (H, W).

    It is the median of those that lie alone; in crowded fields it comes from the discs that fit into the stained
    area (a granulometry). `UNKNOWN_DIAMETER` where nothing is stained.
    """
    # Slow to import.
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    step: int = min(max(1, round(max(green.shape) / _SIDE)), *green.shape)
    stain, green = shrink(stain, step), shrink(green, step)
    level = float(threshold_otsu(np.clip(green, 0, 0.6)))  # type: ignore[no-untyped-call]
    stained = green > max(0.8 * level, 0.06)
    for hole in _parts(~stained):
        if hole.solidity > 0.9 and hole.area < stained.size / 50:
            stained[hole.slice][hole.image] = True
    nuclei = ndimage.binary_dilation(stain > MIN_STAIN, iterations=3)
    disc = _usual_disc(stained & ~nuclei)
    if disc is None:
        return UNKNOWN_DIAMETER
    alone = [
        cell.equivalent_diameter_area
        for cell in _parts(stained)
        if 0.6 * disc < cell.equivalent_diameter_area < 1.8 * disc
        and cell.solidity > 0.9
        and cell.eccentricity < 0.8
        and not _at_edge(cell.bbox, stained.shape)
        and nuclei[cell.slice][cell.image].mean() < 0.25
    ]
    if len(alone) >= _FEW:
        return float(np.median(alone)) * step
    return disc / _DISC_SHARE * step


def _parts(area: NDArray[np.bool_]) -> list[Any]:
    """Return skimage's properties of each part of `area` that is joined by sides."""
    from skimage.measure import label, regionprops

    parts: list[Any] = regionprops(label(area, connectivity=1))  # type: ignore[no-untyped-call]
    return parts


def _usual_disc(area: NDArray[np.bool_]) -> float | None:
    """Return the diameter of the discs that still fit into half of `area`."""
    from scipy import ndimage

    total = int(area.sum())
    depth = ndimage.distance_transform_edt(area)
    largest = float(depth.max(initial=0))
    if largest < 3:
        return None
    before = 3.0
    for radius in np.unique(np.geomspace(3, largest, 24)):
        covered = int((ndimage.distance_transform_edt(depth < radius) < radius).sum())
        if covered < total / 2:
            return 2 * before
        before = float(radius)
    return 2 * before


def _at_edge(box: tuple[int, int, int, int], shape: tuple[int, ...]) -> bool:
    top, left, bottom, right = box
    return top == 0 or left == 0 or bottom == shape[0] or right == shape[1]
