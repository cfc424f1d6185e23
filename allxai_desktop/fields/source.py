"""What crops and candidates come from: the pixels of an image in memory, or of a file that is read in parts."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.fields.candidates import Candidate, Found, find_candidates
from allxai_desktop.fields.crops import Box
from allxai_desktop.fields.stain import MIN_STAIN, densities, red_cell_diameter
from allxai_desktop.tasks import Progress

BLOCK = 2048
"""Side in px of the parts in which a large field is gone through."""
OVERLAP = 3
"""How far the parts reach into each other, in diameters of a red cell, so that each cell is whole in one."""
_SMALLEST = 16
# Stain is thinned out where the pixels of an overview are larger than nuclei.
_FAINT = MIN_STAIN / 2


class Field(Protocol):
    """The pixels of a field; `shape` is (height, width). `read` is called on worker threads."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in px."""

    @property
    def overview(self) -> NDArray[np.uint8]:
        """The whole field uint8 (h, w, 3), small enough for memory."""

    def read(self, row: int, column: int, height: int, width: int, step: int = 1) -> NDArray[np.uint8]:
        """Return the pixels uint8 (height // step, width // step, 3) of a part, which lies inside.

        `step` is a power of 2 by which they are brought down. Raises `ImageError`.
        """


class PixelField:
    """A field in memory: `pixels` uint8 (H, W, 3)."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.overview = pixels

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in px."""
        height, width = self.overview.shape[:2]
        return height, width

    def read(self, row: int, column: int, height: int, width: int, step: int = 1) -> NDArray[np.uint8]:
        """Return a part of the pixels; see `Field`."""
        return self.overview[row : row + height, column : column + width][::step, ::step]


def read_box(field: Field, box: Box) -> NDArray[np.uint8]:
    """Return the pixels uint8 (side, side, 3) of a box."""
    return np.ascontiguousarray(field.read(box.row, box.column, box.side, box.side))


def find_in_field(field: Field, progress: Progress) -> Found:
    """Return the candidate white cells of a field; a large one is gone through part by part.

    Raises `ImageError` where it cannot be read.
    """
    height, width = field.shape
    if height * width <= 2 * BLOCK**2:
        return find_candidates(field.read(0, 0, height, width))
    blocks = [
        (row, column, min(BLOCK, height - row), min(BLOCK, width - column))
        for row in range(0, height, BLOCK)
        for column in range(0, width, BLOCK)
    ]
    share = _stained_share(field, blocks)
    richest = max(range(len(blocks)), key=share.__getitem__)
    diameter = red_cell_diameter(*densities(field.read(*blocks[richest])))
    # Wide fields are gone through as small as the cells allow.
    step = 1
    while diameter / (2 * step) >= _SMALLEST:
        step *= 2
    found: list[Candidate] = []
    for number, (block, stained) in enumerate(zip(blocks, share, strict=True)):
        progress(number / len(blocks))
        if stained:
            found += _in_block(field, block, diameter, step)
    return Found(tuple(sorted(found, key=lambda cell: (cell.row, cell.column))), diameter)


def _stained_share(field: Field, blocks: list[tuple[int, int, int, int]]) -> list[float]:
    """Return for each block how much of it is stained in the overview."""
    overview = field.overview
    stain, green = densities(overview)
    marked = (stain > _FAINT) + 0.001 * (green > _FAINT)
    scale = overview.shape[0] / field.shape[0]
    shares = []
    for row, column, height, width in blocks:
        top, left = int(row * scale), int(column * scale)
        bottom, right = int((row + height) * scale) + 1, int((column + width) * scale) + 1
        part = marked[top:bottom, left:right]
        shares.append(float(part.mean()) if part.size and part.max() >= 1 else 0.0)
    return shares


def _in_block(field: Field, block: tuple[int, int, int, int], diameter: float, step: int) -> list[Candidate]:
    """Return the candidates whose centre lies in a block; what is around it is read with it."""
    row, column, height, width = block
    around = int(OVERLAP * diameter) // step * step
    top, left = max(row - around, 0) // step * step, max(column - around, 0) // step * step
    bottom, right = min(row + height + around, field.shape[0]), min(column + width + around, field.shape[1])
    pixels = field.read(top, left, bottom - top, right - left, step)
    shift = (step - 1) / 2
    moved = (
        Candidate(
            cell.row * step + shift + top, cell.column * step + shift + left, cell.radius * step, cell.score
        )
        for cell in find_candidates(pixels, diameter / step).candidates
    )
    return [
        cell
        for cell in moved
        if row <= cell.row + 0.5 < row + height and column <= cell.column + 0.5 < column + width
    ]
