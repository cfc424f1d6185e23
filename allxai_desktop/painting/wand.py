"""The magic wand: pixels of like colour, joined to the one that was pointed at."""

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.painting.shapes import Indices, nearest_pixel, window_indices

REACHES = (128, 512)
"""How far from the pixel the wand looks in px, first and where that is not enough: it costs this, not the image."""
SIGMA = 2.0
"""Colours are smoothed by a Gaussian of this many px first: the grain of chromatin would break a nucleus up.

On the nuclei of the sample study the wand's IoU is 0.87 with it and 0.60 without, at a tolerance of 25.
"""
MARGIN = 8
"""What lies this far outside a window still tells in it."""


class Wand:
    """Holds the colours around `point` (row, column) of `pixels` uint8 (H, W, 3), so that a drag can try tolerances."""

    def __init__(self, pixels: NDArray[np.uint8], point: tuple[float, float]) -> None:
        self._pixels = pixels
        self._at = nearest_pixel(point)
        height, width = pixels.shape[:2]
        self._inside = 0 <= self._at[0] < height and 0 <= self._at[1] < width
        self._windows: dict[int, tuple[NDArray[np.float32], int, int]] = {}

    def region(self, tolerance: float) -> Indices:
        """Return the pixels joined by sides whose colour is within `tolerance` (CIE 1976 ΔE) of the one pointed at.

        Empty where the point is off the image; the pixel itself always belongs to it.
        """
        # Half a second to import: the window is shown first.
        from scipy.ndimage import label

        if not self._inside:
            return np.empty(0, np.int64)
        for reach in REACHES:
            distance, top, left = self._window(reach)
            row, column = self._at[0] - top, self._at[1] - left
            like = distance <= tolerance
            like[row, column] = True
            parts, _count = label(like)
            found: NDArray[np.bool_] = parts == parts[row, column]
            if not (found[[0, -1]].any() or found[:, [0, -1]].any()):
                break
        return window_indices(found, (top, left), self._pixels.shape[1])

    def _window(self, reach: int) -> tuple[NDArray[np.float32], int, int]:
        """Return the distance in colour (h, w) around the point, and the row and column where it begins."""
        from scipy.ndimage import gaussian_filter
        from skimage.color import rgb2lab

        if reach not in self._windows:
            row, column = self._at
            top, left = max(row - reach, 0), max(column - reach, 0)
            above, before = min(top, MARGIN), min(left, MARGIN)
            wide = self._pixels[
                top - above : row + reach + 1 + MARGIN, left - before : column + reach + 1 + MARGIN
            ]
            smooth = gaussian_filter(wide.astype(np.float32) / 255, (SIGMA, SIGMA, 0))
            height, width = (
                min(at + reach + 1, size) for at, size in zip(self._at, self._pixels.shape, strict=False)
            )
            lab = rgb2lab(smooth[above : above + height - top, before : before + width - left])
            distance = np.linalg.norm(lab - lab[row - top, column - left], axis=2)
            self._windows[reach] = distance, top, left
        return self._windows[reach]
