"""Candidate white cells of a microscope field: nuclei by their stain, measured by the red cells beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.fields.stain import MIN_STAIN, densities, red_cell_diameter, shrink

# Chosen on every second image of bccd_masks and on pairs of touching cells: see tests/benchmarks/bench_fields.py.
STAIN_SHARE = 0.5
"""A nucleus has this share of the usual stain of what has at least `MIN_STAIN`."""
MIN_NUCLEUS = 0.55
"""Least area of a nucleus, in areas of a red cell of the field: most platelets, and dirt, are smaller."""
NECK = 0.3
"""Nuclei that touch are parted where they are narrower than this share of the smaller one."""
LOBE_GAP = 0.5
"""How far apart the lobes of one nucleus lie at most, in diameters of a red cell."""
MAX_EXTENT = 2.4
"""The largest extent of a nucleus with lobes, in diameters of a red cell."""
MARGIN = 0.05
"""What a cell has around its nucleus, in diameters of a red cell."""
WORKING_DIAMETER = 24
"""Diameter of a red cell in px at the size that is worked on, at least."""
_MIN_PIECE = 0.06

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Candidate:
    """What is likely to be a white cell: centre and radius in px of the field.

    `score` 0…1 is 1 for a nucleus at least as large as a red cell and stained as the others of the field.
    """

    row: float
    column: float
    radius: float
    score: float


@dataclass(frozen=True)
class Found:
    """The candidates of a field from top to bottom, and the diameter of its red cells in px."""

    candidates: tuple[Candidate, ...]
    red_cell_diameter: float


def find_candidates(pixels: NDArray[np.uint8], diameter: float | None = None) -> Found:
    """Return the candidate white cells of a field, pixels uint8 (H, W, 3).

    `diameter` is that of its red cells in px, where it is known.
    """
    from scipy import ndimage

    stain, green = densities(pixels)
    if diameter is None:
        diameter = red_cell_diameter(stain, green)
    step = max(1, int(diameter / WORKING_DIAMETER))
    unit = diameter / step
    if min(stain.shape) < step:
        return Found((), diameter)
    stain = ndimage.gaussian_filter(shrink(stain, step), unit / WORKING_DIAMETER)
    stained = stain[stain > MIN_STAIN]
    if not len(stained):
        return Found((), diameter)
    usual = float(np.median(stained))
    nuclei = ndimage.binary_opening(stain > max(MIN_STAIN, STAIN_SHARE * usual))
    area = np.pi * unit**2 / 4
    found = []
    for places in _joined(_pieces(nuclei, unit), unit):
        if len(places) < MIN_NUCLEUS * area:
            continue
        centre = (places.min(axis=0) + places.max(axis=0)) / 2
        radius = _extent(places, centre) / 2 + MARGIN * unit
        row, column = (centre + 0.5) * step - 0.5
        score = min(1.0, len(places) / area) * min(1.0, float(stain[tuple(places.T)].mean()) / usual)
        found.append(Candidate(float(row), float(column), float(radius * step), score))
    return Found(tuple(sorted(found, key=lambda cell: (cell.row, cell.column))), diameter)


def _pieces(nuclei: NDArray[np.bool_], unit: float) -> list[Places]:
    """Return the places (n, 2) of each connected nucleus, of those that touch apart."""
    from skimage.measure import label, regionprops

    pieces: list[Places] = []
    area = np.pi * unit**2 / 4
    for part in regionprops(label(nuclei)):  # type: ignore[no-untyped-call]
        if part.area < _MIN_PIECE * area:
            continue
        split = _parted(part.image, unit) if part.area > area else part.image.astype(np.int64)
        corner = np.array(part.bbox[:2])
        pieces += [np.argwhere(split == number) + corner for number in np.unique(split) if number]
    return pieces


def _parted(mask: NDArray[np.bool_], unit: float) -> NDArray[np.int64]:
    """Return labels (H, W), 0 outside the mask: one for each nucleus of those that touch."""
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    depth = ndimage.gaussian_filter(depth, unit / 16)
    peaks = peak_local_max(  # type: ignore[no-untyped-call]
        depth, min_distance=max(2, int(0.3 * unit)), threshold_abs=0.25 * unit, exclude_border=False
    )
    if len(peaks) < 2:
        return mask.astype(np.int64)
    seeds = np.zeros(mask.shape, np.int64)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    parts: NDArray[np.int64] = watershed(-depth, seeds, mask=mask)  # type: ignore[no-untyped-call]
    while True:
        widest, one, other = _widest_neck(parts, depth)
        if widest < NECK:
            return parts
        parts[parts == other] = one


def _widest_neck(parts: NDArray[np.int64], depth: NDArray[np.float64]) -> tuple[float, int, int]:
    """Return the widest neck between two parts, as a share of the smaller one, and the two; 0 for one part."""
    pairs = [np.stack([parts[:-1], parts[1:]]), np.stack([parts[:, :-1], parts[:, 1:]])]
    depths = [np.minimum(depth[:-1], depth[1:]), np.minimum(depth[:, :-1], depth[:, 1:])]
    sides = np.concatenate([np.sort(pair, axis=0).reshape(2, -1) for pair in pairs], axis=1)
    depths_there = np.concatenate([part.reshape(-1) for part in depths])
    border = (sides[0] > 0) & (sides[0] != sides[1])
    best = (0.0, 0, 0)
    for one, other in np.unique(sides[:, border], axis=1).T:
        there = border & (sides[0] == one) & (sides[1] == other)
        smaller = min(depth[parts == one].max(), depth[parts == other].max())
        best = max(best, (float(depths_there[there].max() / smaller), int(one), int(other)))
    return best


def _joined(pieces: list[Places], unit: float) -> list[Places]:
    """Return the pieces with the lobes of one nucleus put together, the nearest first."""
    from scipy.spatial import cKDTree

    gaps: dict[tuple[int, int], float] = {}
    alive = dict(enumerate(pieces))

    def measure(one: int, other: int) -> None:
        a, b = alive[one], alive[other]
        if np.abs(a.mean(axis=0) - b.mean(axis=0)).max() > MAX_EXTENT * unit:
            return
        both = np.concatenate([a, b])
        if _extent(both, both.mean(axis=0)) > MAX_EXTENT * unit:
            return
        gap = float(cKDTree(a).query(b)[0].min())
        if gap <= LOBE_GAP * unit:
            gaps[one, other] = gap

    if len(pieces) < 2:
        return pieces
    centres = cKDTree(np.array([piece.mean(axis=0) for piece in pieces]))
    for one, other in sorted(centres.query_pairs(MAX_EXTENT * unit)):
        measure(one, other)
    while gaps:
        one, other = min(gaps, key=lambda pair: (gaps[pair], pair))
        alive[one] = np.concatenate([alive[one], alive.pop(other)])
        gaps = {pair: gap for pair, gap in gaps.items() if not {one, other} & set(pair)}
        for third in alive:
            if third != one:
                measure(min(one, third), max(one, third))
    return list(alive.values())


def _extent(places: Places, centre: NDArray[np.float64]) -> float:
    """Return the diameter of the circle around `centre` that holds all places (n, 2)."""
    return 2 * float(np.sqrt(((places - centre) ** 2).sum(axis=1).max()))
