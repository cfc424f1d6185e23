"""What is looked at before a mask is submitted: all labelled, no specks, vacuoles inside the cell."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.cellclasses import BY_CODE, BY_KEY, CLASSES, UNLABELLED
from allxai_desktop.i18n import _

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
                return _("{count} pixels are not labelled").format(count=self.pixels)
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


def check(codes: NDArray[np.uint8], speck_px: int = SPECK_PX) -> list[Finding]:
    """Return what is to be looked at in a mask uint8 (H, W): unlabelled pixels first, then specks, then vacuoles."""
    return [*_unlabelled(codes), *_specks(codes, speck_px), *_vacuoles(codes)]


def _unlabelled(codes: NDArray[np.uint8]) -> list[Finding]:
    regions = _Regions(codes == UNLABELLED)
    if not len(regions.sizes):
        return []
    # The largest patch is the easiest to find, and the first to be filled.
    place = regions.place(int(regions.sizes.argmax()))
    return [Finding("unlabelled", UNLABELLED, int(regions.sizes.sum()), place)]


def _specks(codes: NDArray[np.uint8], below: int) -> list[Finding]:
    found = []
    for cls in CLASSES:
        if cls.code != _VACUOLE:
            regions = _Regions(codes == cls.code)
            found += regions.findings("speck", cls.code, regions.sizes < below)
    return found


def _vacuoles(codes: NDArray[np.uint8]) -> list[Finding]:
    regions = _Regions(codes == _VACUOLE)
    around, inside = np.zeros((2, len(regions.sizes)), np.int64)
    rows, columns = np.nonzero(regions.parts)
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        r, c = rows + down, columns + right
        kept = np.flatnonzero((r >= 0) & (r < codes.shape[0]) & (c >= 0) & (c < codes.shape[1]))
        beside, region = codes[r[kept], c[kept]], regions.parts[rows[kept], columns[kept]] - 1
        around += np.bincount(region[beside != _VACUOLE], minlength=len(around))
        inside += np.bincount(region[np.isin(beside, _CELL)], minlength=len(inside))
    return regions.findings("vacuole", _VACUOLE, inside < INSIDE * around)


class _Regions:
    """The regions of `own` bool (H, W), joined by sides: their numbers from 1 (H, W) and the size of each."""

    def __init__(self, own: NDArray[np.bool_]) -> None:
        from scipy.ndimage import find_objects, label

        self.parts, count = label(own)
        self.sizes: NDArray[np.int64] = np.bincount(self.parts.reshape(-1), minlength=count + 1)[1:]
        self._boxes = find_objects(self.parts)

    def place(self, at: int) -> tuple[int, int]:
        """Return row and column of the first pixel of region `at`, counted from 0."""
        rows, columns = self._boxes[at]
        row, column = np.argwhere(self.parts[rows, columns] == at + 1)[0]
        return int(rows.start + row), int(columns.start + column)

    def findings(self, kind: Kind, code: int, chosen: NDArray[np.bool_]) -> list[Finding]:
        """Return a finding for each region where `chosen` (n,) says so."""
        return [
            Finding(kind, code, int(self.sizes[at]), self.place(at)) for at in np.flatnonzero(chosen).tolist()
        ]
