"""Views of an image that training learns from: the eight symmetries of the square, and a zoom into its middle."""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

Pixels = TypeVar("Pixels", Tensor, NDArray[Any])
Depth = TypeVar("Depth", np.uint8, np.int32)

SYMMETRIES = ("rot0", "rot90", "rot180", "rot270", "mirror", "mirror90", "mirror180", "mirror270")
"""Name of each symmetry: 0–3 are counter-clockwise quarter turns, 4–7 the same after swapping left and right."""


@dataclass(frozen=True, order=True)
class View:
    """How an image is seen: one of the eight symmetries, then a zoom into its middle (1 is none)."""

    symmetry: int = 0
    zoom: float = 1.0

    @property
    def name(self) -> str:
        """A part of a file name: `rot90`, `mirror_zoom1.2`."""
        return SYMMETRIES[self.symmetry] + (f"_zoom{self.zoom:.12g}" if self.zoom != 1 else "")


def symmetry(pixels: Pixels, number: int, axes: tuple[int, int] = (0, 1)) -> Pixels:
    """Return the symmetry `number` of `SYMMETRIES` of `pixels`, whose rows and columns are `axes`."""
    turns = number % 4
    if isinstance(pixels, Tensor):
        seen = pixels.flip(axes[1]) if number >= 4 else pixels
        return torch.rot90(seen, turns, axes)
    seen = np.flip(pixels, axes[1]) if number >= 4 else pixels
    return np.rot90(seen, turns, axes)


def zoom(pixels: NDArray[Depth], factor: float, *, labels: bool = False) -> NDArray[Depth]:
    """Return the middle 1/`factor` of each side of (H, W) or (H, W, 3), enlarged to the whole.

    Bilinear; `labels` are taken from the nearest pixel.
    """
    height, width = pixels.shape[:2]
    left, top = (width - width / factor) / 2, (height - height / factor) / 2
    kind = Image.Resampling.NEAREST if labels else Image.Resampling.BILINEAR
    box = (left, top, width - left, height - top)
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize((width, height), kind, box))


def see(pixels: NDArray[Depth], view: View, *, labels: bool = False) -> NDArray[Depth]:
    """Return an image uint8 (H, W, 3), or with `labels` a mask uint8 or int32 (H, W), as `view` shows it."""
    turned = symmetry(pixels, view.symmetry)
    return np.ascontiguousarray(turned) if view.zoom == 1 else zoom(turned, view.zoom, labels=labels)
