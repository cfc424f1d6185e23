"""Where two masks disagree, region by region, and the final mask that a third look makes of them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from skimage.measure import label

from allxai_desktop.agreement.plan import FINAL_FOLDER, AgreementError, final_path, keep_states
from allxai_desktop.cellclasses import MAX_CODE, UNLABELLED
from allxai_desktop.i18n import _
from allxai_desktop.images import CellImage
from allxai_desktop.masks.npz import MaskError, MaskFile, load_mask, save_mask
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.study.folder import Study, StudyItem

Side = Literal["first", "second"]
Decision = Literal["open", "first", "second", "own"]
"""What the final mask has in a region: pixels without a label, one side's class, or something else."""
Codes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Region:
    """Connected pixels (also by corners) with one code in the first mask and one other in the second.

    `indices` (n,) are flat and rise; `bounds` are top, left, bottom, right, the last two beyond the region.
    """

    indices: NDArray[np.int64]
    first: int
    second: int
    bounds: tuple[int, int, int, int]

    @property
    def size(self) -> int:
        """How many pixels it has."""
        return len(self.indices)

    def code(self, side: Side) -> int:
        """Return the code that one side gives it; 0 for no label."""
        return self.first if side == "first" else self.second


def regions_of(first: Codes, second: Codes) -> list[Region]:
    """Return the regions in which two masks uint8 (H, W) differ, the largest first.

    Raises `ValueError` for masks of two shapes.
    """
    if first.shape != second.shape:
        raise ValueError("shapes")
    pairs = np.where(first == second, 0, 1 + first.astype(np.int64) * (MAX_CODE + 1) + second)
    numbers = label(pairs, background=0, connectivity=2).reshape(-1)  # type: ignore[no-untyped-call]
    places = np.flatnonzero(numbers)
    order = np.argsort(numbers[places], kind="stable")
    places = places[order]
    ends = np.flatnonzero(np.diff(numbers[places])) + 1
    parts = np.split(places, ends) if len(places) else []
    width = first.shape[1]
    found = []
    for indices in parts:
        rows, columns = np.divmod(indices, width)
        bounds = int(rows[0]), int(columns.min()), int(rows[-1]) + 1, int(columns.max()) + 1
        start = indices[0]
        found.append(Region(indices, int(first.flat[start]), int(second.flat[start]), bounds))
    return sorted(found, key=lambda region: (-region.size, region.indices[0]))


def agreed(first: Codes, second: Codes) -> Codes:
    """Return what two masks uint8 (H, W) have in common, 0 elsewhere."""
    return np.where(first == second, first, np.uint8(UNLABELLED))


class Adjudication:
    """Walks through the regions in which two masks differ while the final mask is in `paint`.

    `regions` are those of `regions_of`, where that was done already; `region_at` (H·W,) is the number of each pixel's
    region, −1 outside.

    What was decided is read from the final mask, so that painting and undo count as well as choosing a side. Begins
    without locks or "only over", which would keep a side from being chosen. `changed` follows every decision,
    `current_changed` the region that is looked at (its number, −1 where there is none).
    """

    changed = Signal()
    current_changed = Signal(int)

    def __init__(
        self, paint: PaintModel, first: Codes, second: Codes, regions: list[Region] | None = None
    ) -> None:
        self.paint, self.first, self.second = paint, first, second
        self.regions = regions_of(first, second) if regions is None else regions
        self.region_at = np.full(first.size, -1, np.int32)
        for number, region in enumerate(self.regions):
            self.region_at[region.indices] = number
        paint.locked, paint.only_over = (), None
        self.decisions: list[Decision] = [self._read(number) for number in range(len(self.regions))]
        self.current = self._open_after(-1) if self.open_count else (0 if self.regions else -1)
        paint.edited.connect(self._on_edited)

    def close(self) -> None:
        """Stop following the mask."""
        self.paint.edited.disconnect(self._on_edited)

    @property
    def region(self) -> Region | None:
        """The region that is looked at."""
        return self.regions[self.current] if self.current >= 0 else None

    @property
    def open_count(self) -> int:
        """How many regions wait for a decision."""
        return self.decisions.count("open")

    def go_to(self, number: int) -> None:
        """Look at a region. Raises `IndexError` for a number that no region has."""
        if not 0 <= number < len(self.regions):
            raise IndexError(number)
        if number != self.current:
            self.current = number
            self.current_changed.emit(number)

    def step(self, by: int) -> None:
        """Look at the next (or, below 0, the last) region by size; after the smallest comes the largest again."""
        if self.regions:
            self.go_to((self.current + by) % len(self.regions))

    def next_open(self) -> None:
        """Look at the next region that waits for a decision; the same one where there is no other."""
        if self.open_count:
            self.go_to(self._open_after(self.current))

    def may_choose(self, side: Side) -> bool:
        """Return whether one side has a label where it is looked at."""
        return self.region is not None and self.region.code(side) != UNLABELLED

    def choose(self, side: Side) -> None:
        """Give the region one side's class, as one undo step, and go on to the next that is open."""
        region = self.region
        if region is None or not self.may_choose(side):
            return
        self.paint.apply(region.indices, region.code(side))
        self.next_open()

    def choose_rest(self, side: Side) -> None:
        """Give every region that is still open one side's class, where it has one, as one undo step."""
        chosen = [
            region
            for region, decision in zip(self.regions, self.decisions, strict=True)
            if decision == "open" and region.code(side) != UNLABELLED
        ]
        if chosen:
            codes = [np.full(region.size, region.code(side), np.uint8) for region in chosen]
            self.paint.apply(np.concatenate([region.indices for region in chosen]), np.concatenate(codes))
            self.next_open()

    def _open_after(self, number: int) -> int:
        order = [*range(number + 1, len(self.regions)), *range(number + 1)]
        return next((other for other in order if self.decisions[other] == "open"), number)

    def _read(self, number: int) -> Decision:
        region = self.regions[number]
        codes = self.paint.codes.reshape(-1)[region.indices]
        if (codes == UNLABELLED).any():
            return "open"
        if (codes == region.first).all():
            return "first"
        return "second" if (codes == region.second).all() else "own"

    def _on_edited(self, indices: NDArray[np.int64], _old: object, _new: object) -> None:
        touched = np.unique(self.region_at[indices])
        before = list(self.decisions)
        for number in touched[touched >= 0].tolist():
            self.decisions[number] = self._read(number)
        if self.decisions != before:
            self.changed.emit()


# The final mask in the study


def check_pair(name: str, first: MaskFile, second: MaskFile) -> None:
    """Raise `AgreementError` where two masks are not of the same pixels."""
    hashes = {mask.meta.get("image_sha256") for mask in (first, second)} - {None}
    if first.codes.shape != second.codes.shape or len(hashes) > 1:
        raise AgreementError(
            _(
                "The two masks of {name} were made on different images: annotate it a second time anew."
            ).format(name=name)
        )


def start_final(
    study: Study, item: StudyItem, image: CellImage, first: Codes, second: Codes, adjudicator: str
) -> None:
    """Write the final mask with what two masks have in common, unless there is one; both masks stay as they are.

    Raises `MaskError`, and what `keep_states` raises.
    """
    path = final_path(study, item)
    keep_states(path.parent)
    if not path.exists():
        save_mask(path, agreed(first, second), image=image, annotator=adjudicator)


def with_finals(study: Study) -> Study:
    """Return the study with the final mask of each image that was adjudicated to the end: no pixel is unlabelled.

    Masks that cannot be read are left as they are.
    """
    return replace(study, items=[_with_final(study, item) for item in study.items])


def _with_final(study: Study, item: StudyItem) -> StudyItem:
    path = final_path(study, item)
    with suppress(MaskError):
        if path.exists() and load_mask(path).codes.all():
            return replace(item, mask_path=path)
    return item


def final_study(study: Study, items: list[StudyItem], adjudicator: str, start: int) -> Study:
    """Return images with their final masks as a study, whose masks, states and trail are in `final/`."""
    folder = study.folder / FINAL_FOLDER
    finals = [replace(item, mask_path=final_path(study, item)) for item in items]
    return Study(folder, finals, _("Adjudication by {person}").format(person=adjudicator), adjudicator, start)
