"""Superpixels: small regions of like colour that follow the edges of an image, to paint whole."""

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.painting.shapes import Indices, window_indices
from allxai_desktop.tasks import Dispatch, Progress, TaskRunner, at_once

TILE = 512
"""Side in px of the squares that are computed one by one, so that the first is there soon on any image."""
AREA = 80
"""Pixels of a superpixel, on average."""
COMPACTNESS = 10.0
ITERATIONS = 5

Tile = tuple[int, int]
"""Row and column of a tile."""


def segment(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the number of the superpixel of each pixel (H, W) of `pixels` (H, W, 3), by SLIC (Achanta 2012)."""
    from skimage.segmentation import slic

    count = max(round(pixels.shape[0] * pixels.shape[1] / AREA), 1)
    found: NDArray[np.uint16] = slic(
        pixels, n_segments=count, compactness=COMPACTNESS, max_num_iter=ITERATIONS, start_label=0
    ).astype(np.uint16)
    return found


class Superpixels:
    """The superpixels of an image, computed on a thread of its own where they are first asked for.

    `ready` follows each tile that became known.
    """

    ready = Signal()

    def __init__(self, dispatch: Dispatch = at_once) -> None:
        self._pixels: NDArray[np.uint8] = np.empty((0, 0, 3), np.uint8)
        self._tiles: dict[Tile, NDArray[np.uint16]] = {}
        self._wanted: list[Tile] = []
        self._tasks = TaskRunner(dispatch)
        self._tasks.finished.connect(self._on_finished)

    def close(self) -> None:
        """Stop computing."""
        self._wanted.clear()
        self._tasks.close()

    def new_image(self, pixels: NDArray[np.uint8] | None) -> None:
        """Take up `pixels` uint8 (H, W, 3), or none, and forget those before."""
        self._pixels = np.empty((0, 0, 3), np.uint8) if pixels is None else pixels
        self._tiles.clear()
        self._wanted.clear()
        self._tasks.cancel()

    def touched(self, indices: Indices) -> tuple[Indices, Indices]:
        """Return the pixels of all superpixels that have one of `indices` (n,), and those of unknown tiles.

        Unknown tiles are computed from now on, those asked for last first.
        """
        width = self._pixels.shape[1]
        rows, columns = np.divmod(indices, width)
        across = -(-width // TILE)
        numbers = rows // TILE * across + columns // TILE
        found, missed = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for number in np.unique(numbers).tolist():
            here = numbers == number
            tile = divmod(number, across)
            labels = self._tiles.get(tile)
            if labels is None:
                missed.append(indices[here])
                self._want(tile)
                continue
            hit = np.zeros(labels.max() + 1, bool)
            hit[labels[rows[here] % TILE, columns[here] % TILE]] = True
            found.append(window_indices(hit[labels], (tile[0] * TILE, tile[1] * TILE), width))
        return np.sort(np.concatenate(found)), np.concatenate(missed)

    def _want(self, tile: Tile) -> None:
        if tile in self._wanted:
            return
        self._wanted.append(tile)
        if not self._tasks.running:
            self._start(tile)

    def _start(self, tile: Tile) -> None:
        top, left = tile[0] * TILE, tile[1] * TILE
        part = self._pixels[top : top + TILE, left : left + TILE]

        def work(_progress: Progress) -> tuple[Tile, NDArray[np.uint16]]:
            return tile, segment(part)

        self._tasks.start(work)

    def _on_finished(self, result: tuple[Tile, NDArray[np.uint16]]) -> None:
        tile, labels = result
        self._tiles[tile] = labels
        self._wanted.remove(tile)
        if self._wanted:
            self._start(self._wanted[-1])
        self.ready.emit()
