"""Cells that were cut out on black, as in C-NMC 2019: without the light around them no dye could be measured."""

import numpy as np
from numpy.typing import NDArray

# Values up to which a pixel is black, and the share of them that no field of a smear has.
_BLACK, _SHARE = 8, 0.05
_LIGHT = 240


def on_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) with light in place of the black around a cell that was cut out; others as they are."""
    black: NDArray[np.bool_] = np.max(pixels, axis=2) <= _BLACK
    if black.mean() <= _SHARE:
        return pixels
    found: NDArray[np.uint8] = np.where(black[..., None], np.uint8(_LIGHT), pixels)
    return found
