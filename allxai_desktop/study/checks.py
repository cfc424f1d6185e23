"""What is looked at before a mask is submitted: all labelled, no specks, vacuoles inside the cell."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.cellclasses import BY_CODE, BY_KEY, UNLABELLED
from allxai_desktop.i18n import N_, _, counted
from allxai_desktop.painting.cleanup import neighbours
from allxai_desktop.painting.tiles import Codes, Tiles, count_labelled

Kind = Literal["unlabelled", "speck", "vacuole"]
SPECK_PX = 12
"""A region of a class smaller than this is taken for a slip; vacuoles are small by nature and are let be."""
INSIDE = 0.5
"""Of the pixels around a vacuole, at least this share is nucleus or cytoplasm."""
_VACUOLE = BY_KEY["vacuole"].code
_CELL = (BY_KEY["nucleus"].code, BY_KEY["cytoplasm"].code)


@dataclass(frozen=True)
class Finding:
    """Something to look at: what, the class, how many pixels, and the (row, column) of one of them."""

    kind: Kind
    code: int
    pixels: int
    place: tuple[int, int]

    @property
    def text(self) -> str:
        """The finding in the current language."""
        match self.kind:
            case "unlabelled":
                return counted(
                    self.pixels, N_("{count} pixel is not labelled"), N_("{count} pixels are not labelled")
                )
            case "speck":
                return _("A speck of {name}: {count} px").format(
                    name=BY_CODE[self.code].title.lower(), count=self.pixels
                )
            case _:
                return _("A vacuole of {count} px lies outside the cell").format(count=self.pixels)

    @property
    def note(self) -> str:
        """The finding in English, as the audit trail keeps it."""
        row, column = self.place
        what = {
            "unlabelled": "unlabelled",
            "speck": f"speck of {BY_CODE[self.code].key}" if self.code else "",
            "vacuole": "vacuole outside the cell",
        }[self.kind]
        return f"{what}, {self.pixels} px at row {row}, column {column}"


def check(codes: Codes, speck_px: int = SPECK_PX) -> list[Finding]:
    """Return what is to be looked at in a mask uint8 (H, W): unlabelled pixels first, then specks, then vacuoles.

    Of a slide it is only the unlabelled pixels.
    """
    if isinstance(codes, Tiles):
        return _unlabelled_of_slide(codes)
    if not codes.size:
        return []
    parts, sizes = _regions(codes)
    return [
        *_unlabelled(codes, parts, sizes),
        *_specks(codes, parts, sizes, speck_px),
        *_vacuoles(codes, parts, sizes),
    ]


def _regions(codes: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the regions of one code, joined by sides: a number from 1 for each pixel (H × W,), and their sizes."""
    from skimage.measure import label

    parts = label(codes + np.uint8(1), background=0, connectivity=1).reshape(-1)  # type: ignore[no-untyped-call]
    return parts, np.bincount(parts)


def _unlabelled(
    codes: NDArray[np.uint8], parts: NDArray[np.int64], sizes: NDArray[np.int64]
) -> list[Finding]:
    rest = np.flatnonzero(codes == UNLABELLED)
    if not len(rest):
        return []
    # The largest patch is the easiest to find, and the first to be filled; its middle, for its first pixel is often at
    # the edge of the image.
    patches = parts[rest]
    largest = rest[patches == patches[sizes[patches].argmax()]]
    rows, columns = np.divmod(largest, codes.shape[1])
    nearest = ((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2).argmin()
    return [Finding("unlabelled", UNLABELLED, len(rest), _place(largest[nearest], codes))]


def _unlabelled_of_slide(codes: Tiles) -> list[Finding]:
    count, top = codes.size - count_labelled(codes), 0
    for band in codes.bands():
        if count and not band.all():
            row, column = divmod(int((band == UNLABELLED).argmax()), codes.shape[1])
            return [Finding("unlabelled", UNLABELLED, count, (top + row, column))]
        top += len(band)
    return []


def _specks(
    codes: NDArray[np.uint8], parts: NDArray[np.int64], sizes: NDArray[np.int64], below: int
) -> list[Finding]:
    small = sizes < below
    # No region has the number 0.
    if not small[1:].any():
        return []
    found = _findings("speck", np.flatnonzero(small[parts]), codes, parts, sizes)
    return [finding for finding in found if finding.code not in (UNLABELLED, _VACUOLE)]


def _vacuoles(codes: NDArray[np.uint8], parts: NDArray[np.int64], sizes: NDArray[np.int64]) -> list[Finding]:
    own = np.flatnonzero(codes == _VACUOLE)
    if not len(own):
        return []
    around, inside = np.zeros((2, len(sizes)), np.int64)
    rows, columns = np.divmod(own, codes.shape[1])
    for kept, beside in neighbours(codes, rows, columns):
        region = parts[own[kept]]
        around += np.bincount(region[beside != _VACUOLE], minlength=len(sizes))
        inside += np.bincount(region[np.isin(beside, _CELL)], minlength=len(sizes))
    outside = inside < INSIDE * around
    return _findings("vacuole", own[outside[parts[own]]], codes, parts, sizes)


def _findings(
    kind: Kind,
    pixels: NDArray[np.int64],
    codes: NDArray[np.uint8],
    parts: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> list[Finding]:
    """Return a finding for each region of `pixels` (n,), class by class, in the order of their first pixels."""
    regions, firsts = np.unique(parts[pixels], return_index=True)
    firsts = pixels[firsts]
    flat = codes.reshape(-1)
    found = [
        Finding(kind, int(flat[first]), int(sizes[region]), _place(first, codes))
        for region, first in zip(regions, firsts, strict=True)
    ]
    return sorted(found, key=lambda finding: (finding.code, finding.place))


def _place(index: np.int64, codes: NDArray[np.uint8]) -> tuple[int, int]:
    row, column = divmod(int(index), codes.shape[1])
    return row, column
