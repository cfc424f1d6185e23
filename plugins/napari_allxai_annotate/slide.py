"""The mask of a slide as napari shows it: what is in view, at the resolution in view."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from allxai_desktop.painting.tiles import Tiles
from napari_allxai_annotate.private import keep_no_level

COARSEST = 256
"""The smallest level has at least this many pixels along its longer side."""


class MaskLevel:
    """Every `step`-th row and column of a mask, read where it is sliced."""

    ndim = 2

    def __init__(self, tiles: Tiles, step: int) -> None:
        self._tiles = tiles
        self._step = step
        self.dtype = tiles.dtype
        self.shape = tuple(-(-length // step) for length in tiles.shape)
        self.size = self.shape[0] * self.shape[1]

    def __getitem__(self, key: tuple[slice, slice]) -> NDArray[np.uint8]:
        rows, columns = (
            slice(one.start * self._step, one.stop * self._step, one.step * self._step)
            for one in (range(*part.indices(length)) for part, length in zip(key, self.shape, strict=True))
        )
        found: NDArray[np.uint8] = self._tiles[rows, columns]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:, :], dtype)


def mask_levels(tiles: Tiles) -> list[MaskLevel]:
    """Return the mask at falling resolutions, all of it first."""
    levels = [MaskLevel(tiles, 1)]
    while max(levels[-1].shape) >= 2 * COARSEST or len(levels) < 2:
        levels.append(MaskLevel(tiles, 2 ** len(levels)))
    return levels


def slide_layer(tiles: Tiles, **options: Any) -> Labels:
    """Return a layer that shows a mask; when that changes, the layer is to be refreshed."""
    layer = Labels(mask_levels(tiles), multiscale=True, **options)
    keep_no_level(layer)
    return layer
