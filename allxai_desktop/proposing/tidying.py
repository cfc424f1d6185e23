"""What a proposal must look like as a whole: cells have a nucleus, and no holes."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from allxai_desktop.proposing.features import Planes

_NUCLEUS, _VACUOLE = 1, 3
# Nuclei under this share of the largest are none; holes under this share of all cells are part of their cell.
_SMALL, _HOLE = 0.1, 0.15

Codes = NDArray[np.uint8]


def tidied(probabilities: Planes, given: Codes) -> Codes:
    """Return the likeliest codes (H, W) of probabilities (H, W, 5), or those `given` (H, W) where these are not 0.

    Nuclei much smaller than the largest become the next likeliest class, cells without a nucleus what lies around
    them, and gaps in a cell a part of it. What touches a given pixel stays.
    """
    codes = np.where(given > 0, given, probabilities.argmax(axis=2) + 1).astype(np.uint8)

    def take(parts: NDArray[np.intp], which: NDArray[np.bool_], classes: list[int]) -> None:
        which[0] = False
        which[np.unique(parts[given > 0])] = False
        wrong = which[parts]
        codes[wrong] = np.array(classes, np.uint8)[
            probabilities[wrong][:, np.array(classes) - 1].argmax(axis=1)
        ]

    nuclei, _count = ndimage.label(codes == _NUCLEUS)
    sizes = np.bincount(nuclei.ravel())
    take(nuclei, sizes < _SMALL * max(sizes[1:], default=0), [2, 3, 4, 5])
    cells, count = ndimage.label(codes <= _VACUOLE)
    without = np.ones(count + 1, bool)
    without[np.unique(cells[codes == _NUCLEUS])] = False
    take(cells, without, [4, 5])
    cell = codes <= _VACUOLE
    gaps, _count = ndimage.label(~cell)
    small = np.bincount(gaps.ravel()) < _HOLE * cell.sum()
    for rim in (gaps[0], gaps[-1], gaps[:, 0], gaps[:, -1]):
        small[rim] = False
    take(gaps, small, [1, 2, 3])
    return codes
