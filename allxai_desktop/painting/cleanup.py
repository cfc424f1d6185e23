"""Clean-up of a mask: functions from codes uint8 (H, W) to new codes (H, W). Locks are the model's matter.

Regions are joined by sides. `code` is the class to clean, 1–5, or None for every class.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.cellclasses import BY_KEY, CODES, MAX_CODE, UNLABELLED
from allxai_desktop.painting.seeds import grow_from_seeds

Codes = NDArray[np.uint8]

VACUOLE, BACKGROUND = BY_KEY["vacuole"].code, BY_KEY["background"].code
SMOOTHING = 5
"""Side in px of the square in which `smooth` takes the majority."""


def fill_holes(codes: Codes, code: int | None, below: int) -> Codes:
    """Return `codes` with what a class encloses given to it, region by region, where smaller than `below` px.

    Vacuoles are holes by nature and stay.
    """
    found = codes.copy()
    for cls in CODES if code is None else (code,):
        holes = _enclosed(found == cls) & (found != VACUOLE)
        if holes.any():
            found[_smaller(holes, found, below)] = cls
    return found


def remove_islands(codes: Codes, code: int | None, below: int) -> Codes:
    """Return `codes` with each region smaller than `below` px given to the code most common along its sides.

    With every class, vacuoles stay: they are small by nature.
    """
    chosen = [cls for cls in CODES if cls != VACUOLE] if code is None else [code]
    islands = _smaller(np.isin(codes, chosen), codes, below)
    return _give_away(codes, islands)


def smooth(codes: Codes, code: int | None, below: int = 0) -> Codes:
    """Return `codes` with each pixel given to the majority of the square around it; a tie leaves it as it is.

    With a class, only pixels that it wins or loses change.
    """
    counts = [_count(codes == other) for other in range(MAX_CODE + 1)]
    best, most = codes.copy(), np.choose(codes, counts)
    for other, count in enumerate(counts):
        more = count > most
        best[more], most[more] = other, count[more]
    if code is not None:
        best = np.where((best == code) | (codes == code), best, codes)
    return best


def grow(codes: Codes, code: int | None, below: int = 0) -> Codes:
    """Return `codes` with the pixels beside the class given to it, by sides.

    Raises `ValueError` without a class.
    """
    own = codes == _one(code)
    beside = np.zeros_like(own)
    for here, there in _sides():
        beside[here] |= own[there]
    return np.where(beside, np.uint8(_one(code)), codes)


def shrink(codes: Codes, code: int | None, below: int = 0) -> Codes:
    """Return `codes` with the pixels of the class that lie beside another given to the code most common there.

    Raises `ValueError` without a class.
    """
    own = codes == _one(code)
    edge = np.zeros_like(own)
    for here, there in _sides():
        edge[here] |= own[here] & ~own[there]
    rows, columns = np.nonzero(edge)
    votes = np.zeros((len(rows), MAX_CODE + 1), np.uint8)
    for which, beside in neighbours(codes, rows, columns):
        votes[which, beside] += 1
    votes[:, _one(code)] = 0
    found = codes.copy()
    found[rows, columns] = votes.argmax(axis=1)
    return found


def neighbours(
    codes: Codes, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.intp], Codes]]:
    """Yield, for each of four sides, which of the pixels have a neighbour there, and the codes of those neighbours."""
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        r, c = rows + down, columns + right
        which = np.flatnonzero((r >= 0) & (r < codes.shape[0]) & (c >= 0) & (c < codes.shape[1]))
        yield which, codes[r[which], c[which]]


def rest_to_background(codes: Codes, code: int | None = None, below: int = 0) -> Codes:
    """Return `codes` with what is unlabelled given to the background."""
    return np.where(codes == UNLABELLED, np.uint8(BACKGROUND), codes)


ACTIONS: dict[str, Callable[[Codes, int | None, int], Codes]] = {
    "fill-holes": fill_holes,
    "remove-islands": remove_islands,
    "smooth": smooth,
    "grow": grow,
    "shrink": shrink,
    "rest": rest_to_background,
}
"""What can be done, in the order in which it is offered, by the names of the registry of keys."""
OVER_IMAGE: dict[str, Callable[[Codes, NDArray[np.uint8]], Codes]] = {"seeds": grow_from_seeds}
"""What goes by the pixels (H, W, 3) of the image and is done to all classes."""
NAMES = (*ACTIONS, *OVER_IMAGE)
ONE_CLASS = ("grow", "shrink")
"""Actions that need one class."""


def _one(code: int | None) -> int:
    if code is None:
        raise ValueError("this is done to one class")
    return code


def _sides() -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Return pairs of windows, of which the second holds a neighbour by side of each pixel of the first."""
    whole, front, back = slice(None), slice(None, -1), slice(1, None)
    return [
        ((front, whole), (back, whole)),
        ((back, whole), (front, whole)),
        ((whole, front), (whole, back)),
        ((whole, back), (whole, front)),
    ]


def _smaller(chosen: NDArray[np.bool_], codes: Codes, below: int) -> NDArray[np.bool_]:
    """Return the pixels of `chosen` (H, W) in regions of one code with fewer than `below` px."""
    from skimage.measure import label

    parts = label(np.where(chosen, codes + 1, 0), background=0, connectivity=1)  # type: ignore[no-untyped-call]
    sizes = np.bincount(parts.reshape(-1))
    found: NDArray[np.bool_] = chosen & np.take(sizes < below, parts)
    return found


def _enclosed(own: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels (H, W) outside `own` from which no way by sides leads to the border of the image."""
    from scipy.ndimage import label

    parts, count = label(~own)
    inner = np.ones(count + 1, bool)
    inner[0] = False
    for border in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
        inner[border] = False
    found: NDArray[np.bool_] = inner[parts]
    return found


def _give_away(codes: Codes, islands: NDArray[np.bool_]) -> Codes:
    from skimage.measure import label

    parts = label(islands, connectivity=1)  # type: ignore[no-untyped-call]
    votes = np.zeros((parts.max() + 1) * (MAX_CODE + 1), np.int64)
    for here, there in _sides():
        border = islands[here] & ~islands[there]
        cells = parts[here][border] * (MAX_CODE + 1) + codes[there][border]
        votes += np.bincount(cells, minlength=len(votes))
    votes = votes.reshape(-1, MAX_CODE + 1)
    winners = votes.argmax(axis=1).astype(np.uint8)
    # Surrounded by islands only, or the whole image.
    asked = votes.sum(axis=1) > 0
    found = codes.copy()
    change = islands & asked[parts]
    found[change] = winners[parts[change]]
    return found


def _count(own: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return how many pixels (H, W) of `own` the square around each pixel has; the border pixels repeat outside."""
    from scipy.ndimage import correlate1d

    ones = np.ones(SMOOTHING, np.uint8)
    rows = correlate1d(own.astype(np.uint8), ones, axis=0, mode="nearest")
    counted: NDArray[np.uint8] = correlate1d(rows, ones, axis=1, mode="nearest")
    return counted
