"""Taking part of an image out: what stands in its place."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from allxai_desktop.i18n import N_

FILLS = {"background": N_("local background"), "blur": N_("blurred image")}
"""What may stand in place of removed pixels, and what it is called."""

# The filling is smooth, so it is computed on a picture with this longest side.
_COARSE = 96
# Radii (standard deviations) of what is averaged, as shares of the longest side: the first that reaches a known pixel.
_RADII = (0.05, 0.15, 0.5)


def filling(
    pixels: NDArray[np.uint8], fill: str, background: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) that holds for every pixel what stands there once it is removed.

    `blur`: the image, averaged with a Gaussian of 5 % of the longest side. `background`: the same average, of the
    pixels of `background` (H, W) only, or of wider ones where none is near. Raises `ValueError` for another fill
    and where there is no background.
    """
    if fill not in FILLS:
        raise ValueError(f"no fill called {fill!r}")
    if fill == "background" and (background is None or not background.any()):
        raise ValueError("there is no background to fill with")
    known = np.ones(pixels.shape[:2], bool) if fill == "blur" or background is None else background
    height, width = known.shape
    scale = min(1.0, _COARSE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    weight = _resized(known.astype(np.float32), size)
    sums = [_resized(np.where(known, pixels[..., c], 0).astype(np.float32), size) for c in range(3)]
    coarse = _averaged(np.stack(sums, axis=-1), weight)
    whole = [
        np.asarray(Image.fromarray(coarse[..., c]).resize((width, height), Image.Resampling.BILINEAR))
        for c in range(3)
    ]
    filled: NDArray[np.uint8] = np.rint(np.stack(whole, axis=-1)).clip(0, 255).astype(np.uint8)
    return filled


def remove(
    pixels: NDArray[np.uint8],
    region: NDArray[np.bool_],
    fill: str,
    background: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """Return the image (H, W, 3) with `region` (H, W) filled; where there is no background, with what lies around it.

    Raises `ValueError` as `filling` does.
    """
    if not region.any():
        return pixels
    if fill == "background" and (background is None or not (background & ~region).any()):
        background = ~region
    elif background is not None:
        background = background & ~region
    if fill == "background" and not background.any():  # type: ignore[union-attr]
        fill = "blur"
    return np.where(region[..., None], filling(pixels, fill, background), pixels)


def _averaged(sums: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sums (h, w, 3) ÷ weight (h, w), both averaged over the first radius that reaches something."""
    from scipy.ndimage import gaussian_filter

    result = np.zeros_like(sums)
    missing = np.ones(weight.shape, bool)
    for radius in _RADII:
        sigma = radius * max(weight.shape)
        near = gaussian_filter(weight, sigma, mode="nearest")
        reached = missing & (near > 1e-3)
        for channel in range(3):
            total = gaussian_filter(sums[..., channel], sigma, mode="nearest")
            result[..., channel][reached] = total[reached] / near[reached]
        missing &= ~reached
        if not missing.any():
            return result
    result[missing] = sums.sum((0, 1)) / weight.sum()
    return result


def _resized(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BOX))
