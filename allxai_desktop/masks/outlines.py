"""Polygons along the edges of pixels: filled again, they give the same pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Ring = NDArray[np.int64]
"""Corners int (N, 2), x and y; the first is not repeated. Pixel (row, column) fills column…column + 1, row…row + 1."""

# Bounds the memory that a file with very many sides takes.
_SIDES_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class Outline:
    """The edge of one part whose pixels touch by their sides: x then y run anticlockwise, those of holes clockwise
    (with y upwards). Rings may touch in a corner and never cross."""

    outer: Ring
    holes: tuple[Ring, ...] = ()


def outlines(inside: NDArray[np.bool_]) -> list[Outline]:
    """Return the outlines of the parts of bool (H, W), from the top down."""
    parts, count = ndimage.label(inside)
    outer: dict[int, Ring] = {}
    holes: dict[int, list[Ring]] = {part: [] for part in range(1, count + 1)}
    for ring, row, column in _rings(inside):
        part = int(parts[row, column])
        if _signed_area(ring) > 0:
            outer[part] = _corners(ring)
        else:
            holes[part].append(_corners(ring))
    return [Outline(outer[part], tuple(holes[part])) for part in range(1, count + 1)]


def _rings(inside: NDArray[np.bool_]) -> list[tuple[Ring, int, int]]:
    """Return the closed walks along the edges, with a pixel to the right of each; corners in steps of one pixel."""
    height, width = inside.shape
    padded = np.pad(inside, 1)
    starts, directions = [], []
    pixels: list[tuple[int, int]] = []
    # Right along the top of a pixel, down its right side, left along its bottom, up its left side.
    for turned, (beside_row, beside_column, start_row, start_column) in enumerate(
        ((-1, 0, 0, 0), (0, 1, 0, 1), (1, 0, 1, 1), (0, -1, 1, 0))
    ):
        beside = padded[1 + beside_row :, 1 + beside_column :][:height, :width]
        row, column = np.nonzero(inside & ~beside)
        starts.append((row + start_row) * (width + 1) + column + start_column)
        directions.append(np.full(len(row), turned))
        pixels += zip(row.tolist(), column.tolist(), strict=True)
    start, direction = np.concatenate(starts), np.concatenate(directions)
    end = start + np.array([1, width + 1, -1, -width - 1])[direction]
    following = _following(start, end, direction)
    found, done = [], [False] * len(start)
    corner: list[int] = start.tolist()
    for first in range(len(corner)):
        walk: list[int] = []
        place: dict[int, int] = {}
        edge = first
        while not done[edge]:
            done[edge] = True
            if corner[edge] in place:
                # A ring that meets itself is no valid polygon: the loop is a ring of its own.
                cut = place[corner[edge]]
                found.append(walk[cut:])
                for old in walk[cut:]:
                    del place[corner[old]]
                del walk[cut:]
            place[corner[edge]] = len(walk)
            walk.append(edge)
            edge = following[edge]
        if walk:
            found.append(walk)
    return [
        (np.stack((start[walk] % (width + 1), start[walk] // (width + 1)), axis=1), *pixels[walk[0]])
        for walk in found
    ]


def _following(start: NDArray[np.int64], end: NDArray[np.int64], direction: NDArray[np.int64]) -> list[int]:
    """Return the edge after each: where two leave a corner the one that turns right, so that a pixel stays whole."""
    keys = start * 4 + direction
    order = np.argsort(keys)
    keys = keys[order]
    found = np.full(len(start), -1)
    for turn in (3, 0, 1):
        wanted = end * 4 + (direction + turn) % 4
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        hit = keys[place] == wanted
        found[hit] = order[place[hit]]
    following: list[int] = found.tolist()
    return following


def _signed_area(ring: Ring) -> int:
    x, y = ring.T
    return int((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) // 2


def _corners(ring: Ring) -> Ring:
    """Return the ring without the points on its straight sides."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    corners: Ring = ring[(before != after).any(axis=1)]
    return corners


def without_holes(outline: Outline) -> Ring:
    """Return one ring of the same pixels: each hole is joined by a cut along an edge between pixels, there and back."""
    ring = _dense(outline.outer)
    for hole in sorted((_dense(hole) for hole in outline.holes), key=lambda hole: int(hole[:, 0].min())):
        # From its leftmost corner straight to the left: what is met there is in the ring already.
        hole = np.roll(hole, -int(hole[:, 0].argmin()), axis=0)
        x, y = hole[0]
        met = np.nonzero((ring[:, 1] == y) & (ring[:, 0] <= x))[0]
        at = int(met[ring[met, 0].argmax()])
        ring = np.concatenate((ring[: at + 1], hole, hole[:1], ring[at:]))
    return _corners(ring)


def _dense(ring: Ring) -> Ring:
    """Return the ring with a corner every pixel."""
    step = np.roll(ring, -1, axis=0) - ring
    length = np.abs(step).sum(axis=1)
    side = np.repeat(np.arange(len(ring)), length)
    along = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    dense: Ring = ring[side] + np.sign(step)[side] * along[:, None]
    return dense


def fill(ring: NDArray[np.float64], shape: tuple[int, int]) -> tuple[NDArray[np.bool_], int, int]:
    """Return the pixels whose middle is in the ring (x, y), even-odd, as bool (h, w), top and left; h or w may be 0.

    What leaves the image of `shape` (H, W) is cut off. The time grows with the height of the sides and with the area;
    that of scikit-image's `polygon` grows with their product.
    """
    low = np.clip(np.floor(ring.min(axis=0)), 0, shape[::-1]).astype(int)
    high = np.clip(np.ceil(ring.max(axis=0)), 0, shape[::-1]).astype(int)
    (left, top), (width, height) = low.tolist(), np.maximum(high - low, 0).tolist()
    if not width or not height:
        return np.zeros((0, 0), np.bool_), top, left
    crossed = np.zeros((height, width + 1), np.uint8)
    starts = ring - low
    ends = np.roll(starts, -1, axis=0)
    for first in range(0, len(ring), _SIDES_AT_ONCE):
        _cross(crossed, starts[first : first + _SIDES_AT_ONCE], ends[first : first + _SIDES_AT_ONCE])
    inside: NDArray[np.bool_] = np.cumsum(crossed[:, :-1], axis=1, dtype=np.uint8) % 2 == 1
    return inside, top, left


def _cross(crossed: NDArray[np.uint8], starts: NDArray[np.float64], ends: NDArray[np.float64]) -> None:
    """Count in (h, w + 1) where sides from `starts` to `ends` (N, 2) cross the middle of a row, for the next pixel."""
    height, width = crossed.shape
    (x, y), (dx, dy) = starts.T, (ends - starts).T
    above, below = np.minimum(y, y + dy), np.maximum(y, y + dy)
    first, stop = (np.clip(np.ceil(side - 0.5), 0, height).astype(int) for side in (above, below))
    count = stop - first
    side = np.repeat(np.arange(len(count)), count)
    row = first[side] + np.arange(len(side)) - np.repeat(np.cumsum(count) - count, count)
    at = x[side] + (row + 0.5 - y[side]) * dx[side] / dy[side]
    column = np.clip(np.ceil(at - 0.5), 0, width - 1).astype(int)
    # It may overflow: whether it is odd is all that counts.
    np.add.at(crossed, (row, column), 1)
