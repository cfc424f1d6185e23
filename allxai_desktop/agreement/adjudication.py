"""The final mask that a third look makes of two, region by region of their disagreement."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.agreement.plan import FINAL_FOLDER, AgreementError, final_path, keep_states
from allxai_desktop.agreement.regions import Codes, Numbers, Region, Regions, Side
from allxai_desktop.cellclasses import UNLABELLED
from allxai_desktop.i18n import N_, _, counted
from allxai_desktop.images import CellImage
from allxai_desktop.masks.npz import MaskError, MaskFile, load_mask, save_mask
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.study.folder import Study, StudyItem
from allxai_desktop.study.locks import held, lock_path

Decision = Literal["open", "first", "second", "own"]
"""What the final mask has in a region: pixels without a label, one side's class, or something else."""
DECISIONS: tuple[Decision, ...] = get_args(Decision)
OPEN, FIRST, SECOND, OWN = range(len(DECISIONS))
_PATIENCE_S = 1.0


def agreed(first: Codes, second: Codes) -> Codes:
    """Return what two masks uint8 (H, W) have in common, 0 elsewhere."""
    return np.where(first == second, first, np.uint8(UNLABELLED))


class Adjudication:
    """Walks through the regions in which two masks differ while the final mask is in `paint`.

    `regions` are those of the two masks, where they were looked for already. What was decided is read from the final
    mask, so that painting and undo count as well as choosing a side. Begins without locks or "only over", which would
    keep a side from being chosen. `changed` follows every decision, `current_changed` the region that is looked at (its
    number, −1 where there is none).
    """

    changed = Signal()
    current_changed = Signal(int)

    def __init__(
        self, paint: PaintModel, first: Codes, second: Codes, regions: Regions | None = None
    ) -> None:
        self.paint, self.first, self.second = paint, first, second
        self.regions = Regions(first, second) if regions is None else regions
        paint.locked, paint.only_over = (), None
        self.decided = self._read(np.arange(len(self.regions)))
        self.current = self._open_after(-1) if self.open_count else (0 if len(self.regions) else -1)
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
        return int(np.count_nonzero(self.decided == OPEN))

    def decision(self, number: int) -> Decision:
        """Return what was decided of a region; `decided` uint8 (n,) has the places of all in `DECISIONS`."""
        return DECISIONS[int(self.decided[number])]

    def go_to(self, number: int) -> None:
        """Look at a region. Raises `IndexError` for a number that no region has."""
        if not 0 <= number < len(self.regions):
            raise IndexError(number)
        if number != self.current:
            self.current = number
            self.current_changed.emit(number)

    def step(self, by: int) -> None:
        """Look at the next region by size, or below 0 the one before; after the smallest comes the largest again."""
        if len(self.regions):
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
        codes = self.regions.codes(side)
        chosen = np.flatnonzero((self.decided == OPEN) & (codes != UNLABELLED))
        if len(chosen):
            self.paint.apply(
                self.regions.pixels(chosen), np.repeat(codes[chosen], self.regions.sizes[chosen])
            )
            self.next_open()

    def _open_after(self, number: int) -> int:
        waiting = np.flatnonzero(self.decided == OPEN)
        later = waiting[waiting > number]
        return int((later if len(later) else waiting)[0])

    def _read(self, numbers: Numbers) -> NDArray[np.uint8]:
        """Return what is decided (m,) of the regions with these numbers (m,)."""
        if not len(numbers):
            return np.zeros(0, np.uint8)
        sizes = self.regions.sizes[numbers]
        starts = np.cumsum(sizes) - sizes
        codes = self.paint.codes.reshape(-1)[self.regions.pixels(numbers)]

        def all_have(side: Side) -> NDArray[np.bool_]:
            same = codes == np.repeat(self.regions.codes(side)[numbers], sizes)
            found: NDArray[np.bool_] = np.logical_and.reduceat(same, starts)
            return found

        found = np.where(all_have("first"), FIRST, np.where(all_have("second"), SECOND, OWN))
        found[np.logical_or.reduceat(codes == UNLABELLED, starts)] = OPEN
        return found.astype(np.uint8)

    def _on_edited(self, indices: Numbers, _old: object, _new: object) -> None:
        touched = self.regions.touched(indices)
        now = self._read(touched)
        if (now != self.decided[touched]).any():
            self.decided[touched] = now
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
    if path.exists():
        return
    # Another adjudicator may begin at the same time, and decide something before this one is written.
    with held(lock_path(path), _PATIENCE_S):
        # Whoever still holds it then began none: without it, what both agree on would be left without a label.
        if not path.exists():
            save_mask(path, agreed(first, second), image=image, annotator=adjudicator)


def with_finals(study: Study) -> Study:
    """Return the study with the final mask of each image that was adjudicated to the end: no pixel is unlabelled.

    Masks that cannot be read are left as they are.
    """
    return replace(study, items=[_with_final(study, item) for item in study.items])


def unfinished_note(study: Study, finals: Study) -> list[str]:
    """Return a sentence on the final masks of a study that are not in `finals`, made by `with_finals`, if any."""
    names = [
        item.image_path.name
        for item, final in zip(study.items, finals.items, strict=True)
        if item == final and final_path(study, item).exists()
    ]
    if not names:
        return []
    one = N_("The final mask of {names} has open regions or cannot be read: the first mask went out.")
    many = N_(
        "{count} final masks have open regions or cannot be read, and the first masks went out: {names}."
    )
    return [counted(len(names), one, many, names=", ".join(names))]


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
    title = _("Adjudication by {person}").format(person=adjudicator)
    others = study.mask_paths | {final_path(study, item) for item in study.items}
    return Study(folder, finals, title, adjudicator, start, others=others)
