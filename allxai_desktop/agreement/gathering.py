"""The masks of a study side by side: first against second, each pair of people, and people against the proposal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.agreement.adjudication import check_pair
from allxai_desktop.agreement.metrics import Agreement, Compared, compare, summarise
from allxai_desktop.agreement.plan import FINAL_FOLDER, AgreementError, SecondPlan, final_path, second_path
from allxai_desktop.cellclasses import UNLABELLED
from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.images import CellImage, read_image
from allxai_desktop.masks.npz import MaskFile, load_mask
from allxai_desktop.study.folder import Study, StudyItem
from allxai_desktop.tasks import Progress, unwatched

Kind = Literal["people", "pair", "proposal"]
"""All second annotations against the first ones; those of two people; masks of people against the proposal."""
Propose = Callable[[CellImage], NDArray[np.uint8]]
"""Takes an image and returns the codes (H, W) proposed for it, 0 where nothing is."""


@dataclass(frozen=True)
class Pair:
    """Two masks of one image by two people; the first may be by nobody known (None)."""

    item: StudyItem
    first: str | None
    first_path: Path
    second: str
    second_path: Path


@dataclass(frozen=True, eq=False)
class Comparison:
    """A set of comparisons; `first` and `second` are pseudonyms where it is about two people."""

    kind: Kind
    agreement: Agreement
    first: str | None = None
    second: str | None = None


@dataclass(frozen=True, eq=False)
class Disagreement:
    """A pair as it was compared: `open_share` is what is left open of its differences by the final mask, None
    where there is no final mask; `adjudicator` who made that."""

    pair: Pair
    compared: Compared
    differing: int
    open_share: float | None = None
    adjudicator: str | None = None


@dataclass(frozen=True, eq=False)
class StudyAgreement:
    """All that was compared in a study: how many second annotations were drawn, and a sentence on what was left out."""

    drawn: int
    comparisons: tuple[Comparison, ...]
    disagreements: tuple[Disagreement, ...]
    problems: tuple[str, ...] = ()

    @property
    def ranked(self) -> list[Disagreement]:
        """The images with two masks, those that agree least first."""
        return sorted(self.disagreements, key=lambda one: one.compared.rank)


def pairs_of(study: Study, plan: SecondPlan) -> list[Pair]:
    """Return every two masks of one image by different people, in the order of the study; only masks that are there."""
    firsts = plan.first_annotators()
    people: dict[str, list[str]] = {}
    for drawn in plan.all():
        people.setdefault(drawn.item, []).append(drawn.person)
    found = []
    for item in study.items:
        name = item.image_path.name
        masks: list[tuple[str | None, Path]] = []
        if name in firsts:
            masks.append((firsts[name], item.mask_path))
        for person in people.get(name, []):
            path = second_path(study, item, person)
            if path.exists():
                masks.append((person, path))
        for (one, one_path), (other, other_path) in combinations(masks, 2):
            assert other is not None
            found.append(Pair(item, one, one_path, other, other_path))
    return found


def parts_of(study: Study) -> list[Study]:
    """Return the second annotations of a study and its final masks, as studies with trails of their own."""
    plan = SecondPlan(study)
    parts = [plan.part(person) for person in dict.fromkeys(one.person for one in plan.all())]
    folder = study.folder / FINAL_FOLDER
    if folder.is_dir():
        # Also those that are missing: their trail tells of them.
        finals = [replace(item, mask_path=final_path(study, item)) for item in study.items]
        parts.append(Study(folder, finals, _("Final masks")))
    return parts


def read_pair(pair: Pair) -> tuple[MaskFile, MaskFile]:
    """Read both masks. Raises `AllxaiError` where one cannot be read or they are of different images."""
    first, second = load_mask(pair.first_path), load_mask(pair.second_path)
    check_pair(pair.item.image_path.name, first, second)
    return first, second


def measure_study(
    study: Study, propose: Propose | None = None, progress: Progress = unwatched
) -> StudyAgreement:
    """Compare all there is; with `propose`, every mask of a person with the proposal too.

    Raises `AgreementError` where there is nothing to compare, `StoreError`.
    """
    plan = SecondPlan(study)
    pairs = pairs_of(study, plan)
    proposed = [] if propose is None else [item for item in study.items if item.mask_path.exists()]
    total = len(pairs) + len(proposed)
    done = 0
    problems: list[str] = []
    found: list[Disagreement] = []
    for pair in pairs:
        progress(done / total)
        done += 1
        try:
            found.append(_measure(study, pair))
        except AllxaiError as error:
            problems.append(str(error))
    against: list[Compared] = []
    for item in proposed:
        progress(done / total)
        done += 1
        try:
            assert propose is not None
            against.append(_against_proposal(item, propose))
        except AllxaiError as error:
            problems.append(str(error))
    if not found and not against:
        raise AgreementError(
            problems[0]
            if problems
            else _("Nothing to compare yet: no image was annotated a second time. Start a second annotation.")
        )
    comparisons = _people(found)
    if against:
        comparisons.append(Comparison("proposal", summarise(against)))
    return StudyAgreement(len(plan.all()), tuple(comparisons), tuple(found), tuple(problems))


def _people(found: list[Disagreement]) -> list[Comparison]:
    groups: dict[tuple[str | None, str], list[Compared]] = {}
    for one in found:
        groups.setdefault((one.pair.first, one.pair.second), []).append(one.compared)
    single = [Comparison("pair", summarise(part), *names) for names, part in groups.items()]
    if len(single) < 2:
        return single
    return [Comparison("people", summarise([one.compared for one in found])), *single]


def _measure(study: Study, pair: Pair) -> Disagreement:
    first, second = read_pair(pair)
    item = pair.item
    compared = compare(
        item.image_path.name,
        first.codes,
        second.codes,
        pixel_size_um=_pixel_size(item),
        subject=item.subject,
    )
    differ = first.codes != second.codes
    differing = int(differ.sum())
    final = _final_mask(study, item, differ.shape)
    if final is None:
        return Disagreement(pair, compared, differing)
    left = _left_open(final, differ)
    return Disagreement(
        pair, compared, differing, left / differing if differing else 0.0, final.meta.get("annotator")
    )


def next_open(study: Study, pairs: list[Pair], current: Pair) -> Pair | None:
    """Return the pair to adjudicate after `current`: the first without a final mask, else the next one whose final
    mask leaves regions open; None where all others are decided. What cannot be read is passed over."""
    for pair in pairs:
        if not final_path(study, pair.item).exists():
            return pair
    here = next((place for place, pair in enumerate(pairs) if pair.item == current.item), 0)
    for pair in pairs[here + 1 :] + pairs[:here]:
        with suppress(AllxaiError):
            first, second = read_pair(pair)
            differ = first.codes != second.codes
            final = _final_mask(study, pair.item, differ.shape)
            if pair.item != current.item and final is not None and _left_open(final, differ):
                return pair
    return None


def _final_mask(study: Study, item: StudyItem, shape: tuple[int, ...]) -> MaskFile | None:
    path = final_path(study, item)
    final = load_mask(path) if path.exists() else None
    return final if final is not None and final.codes.shape == shape else None


def _left_open(final: MaskFile, differ: NDArray[np.bool_]) -> int:
    return int((final.codes[differ] == UNLABELLED).sum())


def _pixel_size(item: StudyItem) -> float | None:
    if item.pixel_size_um is None:
        # Two masks can be compared without their image.
        with suppress(AllxaiError):
            return read_image(item.image_path).pixel_size_um
    return item.pixel_size_um


def _against_proposal(item: StudyItem, propose: Propose) -> Compared:
    image = read_image(item.image_path)
    mask = load_mask(item.mask_path, image)
    return compare(
        image.name,
        mask.codes,
        propose(image),
        pixel_size_um=item.pixel_size_um or image.pixel_size_um,
        subject=item.subject,
    )


def start_proposal(image: CellImage) -> NDArray[np.uint8]:
    """Return what the program proposes for an image that nobody has touched."""
    # The network comes with torch.
    from allxai_desktop.proposing.proposer import Proposer

    return Proposer(image).start().codes
