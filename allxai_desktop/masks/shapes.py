"""Polygons from elsewhere as regions, with a word on those that leave their image."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.i18n import N_, _, counted
from allxai_desktop.masks.labels import Region
from allxai_desktop.masks.npz import MaskError
from allxai_desktop.masks.outlines import fill

# People draw a little past the edge; that is no sign of another image.
_MARGIN = 2.0


def polygon_region(label: str, ring: NDArray[np.float64], shape: tuple[int, int]) -> Region:
    """Return the pixels whose middle is in the ring (N, 2), x and y; what leaves the image is cut off."""
    return Region(label, *fill(ring, shape))


def outside_notes(rings: Iterable[NDArray[np.float64]], shape: tuple[int, int], name: str) -> tuple[str, ...]:
    """Return the note on rings that leave an image (H, W). Raises `MaskError` for one that is wholly outside."""
    height, width = shape
    count = 0
    for ring in rings:
        low, high = ring.min(axis=0), ring.max(axis=0)
        # What only touches the edge may be a part one pixel wide there, outlined through the middles of its pixels.
        if (high < 0).any() or low[0] > width or low[1] > height:
            raise MaskError(
                _("{name} has a region outside its image: it was drawn on an image of another size.").format(
                    name=name
                )
            )
        count += bool((low < -_MARGIN).any() or high[0] > width + _MARGIN or high[1] > height + _MARGIN)
    if not count:
        return ()
    one = N_("{name}: a region leaves the image and was cut off.")
    many = N_("{name}: {count} regions leave the image and were cut off.")
    return (counted(count, one, many, name=name),)


def line_notes(count: int, name: str) -> tuple[str, ...]:
    """Return the note on so many shapes that go round nothing."""
    if not count:
        return ()
    one = N_("{name}: a line or point without an area was left out.")
    many = N_("{name}: {count} lines and points without an area were left out.")
    return (counted(count, one, many, name=name),)
