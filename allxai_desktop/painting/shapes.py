"""Shapes as flat int64 indices (C order, strictly increasing) of an (H, W) image, clipped to it.

Points are (row, column); the centre of a pixel has whole coordinates. Every function costs the size of
its shape, not of the image, so that a brush event is as quick on a large image as on a small one.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.painting.tiles import Codes, Tiles

Indices = NDArray[np.int64]
WIDEST = 2048
"""How far from the point that was clicked a fill of a slide goes at most, in px."""

_EPSILON = 1e-9
_FIRST_WINDOW = 128


class TooWideError(AllxaiError):
    """A region of a slide that would not fit into memory, and what to do about it."""


def disc(center: tuple[float, float], diameter: int, shape: tuple[int, int]) -> Indices:
    """Return the pixels of a round brush at `center`: `stroke` with both ends there."""
    return stroke(center, center, diameter, shape)


def snap(point: tuple[float, float], diameter: int) -> tuple[float, float]:
    """Return where a brush of `diameter` px aimed at `point` really paints.

    Odd brushes lie on the centre of a pixel and even ones on a corner, so that the form is always the same.
    """
    shift = 0.0 if diameter % 2 else 0.5
    return (float(np.floor(point[0] + 0.5 - shift) + shift), float(np.floor(point[1] + 0.5 - shift) + shift))


def stroke(
    start: tuple[float, float], end: tuple[float, float], diameter: int, shape: tuple[int, int]
) -> Indices:
    """Return the pixels whose centre is within `diameter` / 2 of the segment from `start` to `end`."""
    (r0, c0), (r1, c1) = snap(start, diameter), snap(end, diameter)
    radius = diameter / 2
    first = max(int(np.ceil(min(r0, r1) - radius - _EPSILON)), 0)
    last = min(int(np.floor(max(r0, r1) + radius + _EPSILON)), shape[0] - 1)
    rows = np.arange(first, last + 1, dtype=np.int64)
    length = float(np.hypot(r1 - r0, c1 - c0))
    normal = ((c1 - c0) / length, (r1 - r0) / length) if length else (0.0, 0.0)

    def edge(side: int) -> NDArray[np.float64]:
        # A stroke is convex, so a row of it is one interval. Its end lies on the disc whose centre is a share
        # t of the way along the segment: where the straight side touches, or at an end of the segment.
        if r1 == r0:
            t = np.full(rows.shape, float(side * (c1 - c0) > 0))
        else:
            lean = -side * normal[0] * np.sign(r1 - r0)
            t = np.clip((rows - r0 - radius * lean) / (r1 - r0), 0, 1)
        across = np.sqrt(np.maximum(radius**2 - (rows - r0 - t * (r1 - r0)) ** 2, 0))
        ends: NDArray[np.float64] = c0 + t * (c1 - c0) + side * across
        return ends

    starts = np.ceil(edge(-1) - _EPSILON).astype(np.int64)
    stops = np.floor(edge(1) + _EPSILON).astype(np.int64) + 1
    return _runs(rows, starts, stops, shape)


def polygon(points: ArrayLike, shape: tuple[int, int]) -> Indices:
    """Return the pixels whose centre is inside the closed outline `points` (n, 2), by nonzero winding.

    Crossing its own line leaves no hole. Centres on an upper or left side are in, on a lower or right side
    out, so that neighbouring polygons neither overlap nor leave a gap.
    """
    corners = np.asarray(points, np.float64).reshape(-1, 2)
    ends = np.roll(corners, -1, axis=0)
    low, high = np.minimum(corners[:, 0], ends[:, 0]), np.maximum(corners[:, 0], ends[:, 0])
    first = np.clip(np.ceil(low), 0, shape[0]).astype(np.int64)
    spans = np.clip(np.ceil(high), 0, shape[0]).astype(np.int64) - first
    side = np.repeat(np.arange(len(corners)), spans)
    rows = first[side] + _count_up(spans)
    slope = (ends[side, 1] - corners[side, 1]) / (ends[side, 0] - corners[side, 0])
    columns = corners[side, 1] + (rows - corners[side, 0]) * slope
    turn = np.where(ends[side, 0] > corners[side, 0], 1, -1)
    order = np.lexsort((columns, rows))
    rows, crossings = rows[order], np.ceil(columns[order] - _EPSILON).astype(np.int64)
    # The turns of one row add up to 0, so one running sum over all rows is right.
    inside = np.flatnonzero(np.cumsum(turn[order]) != 0)
    return _runs(rows[inside], crossings[inside], crossings[inside + 1], shape)


def flood(codes: Codes, point: tuple[float, float]) -> tuple[NDArray[np.bool_], tuple[int, int]]:
    """Return the pixels with the code at `point`, joined to it by sides, as a window bool (h, w) and its corner.

    The window is empty where the point is off the image. Raises `TooWideError` for a region of a slide that goes
    beyond `WIDEST` px from the point.
    """
    # Half a second to import: the window is shown first.
    from skimage.measure import label

    row, column = nearest_pixel(point)
    height, width = codes.shape
    if not (0 <= row < height and 0 <= column < width):
        return np.zeros((0, 0), bool), (0, 0)
    reach = _FIRST_WINDOW
    while True:
        top, left = max(row - reach, 0), max(column - reach, 0)
        bottom, right = min(row + reach + 1, height), min(column + reach + 1, width)
        same = codes[top:bottom, left:right] == codes[row, column]
        if same.all():
            region: NDArray[np.bool_] = same
        else:
            # Twice as fast as skimage's flood on large regions.
            parts = label(same, connectivity=1)  # type: ignore[no-untyped-call]
            region = parts == parts[row - top, column - left]
        leaves_window = (
            (top > 0 and region[0].any())
            or (left > 0 and region[:, 0].any())
            or (bottom < height and region[-1].any())
            or (right < width and region[:, -1].any())
        )
        if not leaves_window:
            return region, (top, left)
        reach *= 4
        if isinstance(codes, Tiles):
            if reach > WIDEST:
                raise TooWideError(
                    _(
                        "This region is too wide to be filled at once: draw a closed line of this class around a part."
                    )
                )
            continue
        if (2 * reach) ** 2 > codes.size // 4:
            # One look at the whole is quicker than another at half of it before.
            reach = max(height, width)


def extent(points: ArrayLike) -> float:
    """Return the area in px of the rectangle around `points` (n, 2)."""
    return float(np.prod(np.ptp(np.asarray(points, np.float64), axis=0)))


def nearest_pixel(point: tuple[float, float]) -> tuple[int, int]:
    """Return the row and column of the pixel under `point`, which may lie off the image."""
    return int(np.floor(point[0] + 0.5)), int(np.floor(point[1] + 0.5))


def window_indices(region: NDArray[np.bool_], corner: tuple[int, int], width: int) -> Indices:
    """Return the pixels of `region` (h, w), a window at `corner` (row, column) of an image of that width."""
    rows, columns = np.arange(region.shape[0]), region.shape[1]
    # Where each row of the window begins in the image, less where it begins in the window.
    shift = (rows + corner[0]) * width + corner[1] - rows * columns
    inside: Indices = np.flatnonzero(region)
    inside += np.repeat(shift, np.count_nonzero(region, axis=1))
    return inside


def outline(indices: Indices, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the sides of pixels between `indices` (n,) and the rest: (m, 2, 2), the two ends of each side."""
    if not len(indices):
        return np.empty((0, 2, 2))
    rows, columns = np.divmod(indices, shape[1])
    top, left = rows.min() - 1, columns.min() - 1
    inside = np.zeros((rows.max() - top + 2, columns.max() - left + 2), bool)
    inside[rows - top, columns - left] = True
    # Below the pixel (row, column) its lower side runs from column - 0.5 to column + 0.5.
    corner = np.array([top, left])
    across = np.argwhere(inside[:-1] != inside[1:]) + corner
    along = np.argwhere(inside[:, :-1] != inside[:, 1:]) + corner
    half = np.array([[0.5, -0.5], [0.5, 0.5]])
    return np.concatenate([across[:, None] + half, along[:, None] + half[:, ::-1]])


def _runs(rows: Indices, starts: Indices, stops: Indices, shape: tuple[int, int]) -> Indices:
    """Return the indices of the pixels `starts`…`stops` - 1 of each row, clipped to the width."""
    starts = np.clip(starts, 0, shape[1])
    lengths = np.maximum(np.clip(stops, 0, shape[1]) - starts, 0)
    # In place: of a large polygon each array of indices takes 100 MB.
    found = np.repeat(rows * shape[1] + starts - _before(lengths), lengths)
    found += np.arange(len(found))
    return found


def _count_up(lengths: Indices) -> Indices:
    """Return 0, 1, … n - 1 for each n of `lengths`, end to end."""
    return np.arange(lengths.sum(), dtype=np.int64) - np.repeat(_before(lengths), lengths)


def _before(lengths: Indices) -> Indices:
    """Return the sum of the lengths before each."""
    return np.cumsum(lengths) - lengths
