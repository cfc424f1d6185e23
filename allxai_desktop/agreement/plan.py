"""Which images are annotated a second time, by whom; where the second masks and the final ones are kept.

A second annotation is a study of its own inside the study: `second/<pseudonym>/`, with its own masks, states and trail.
Whoever works there sees the images and nothing of the first annotation, whose files are not opened.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from allxai_desktop.errors import AllxaiError, reason_of
from allxai_desktop.i18n import _
from allxai_desktop.masks.npz import MaskError, open_archive, read_meta
from allxai_desktop.study import progress
from allxai_desktop.study.folder import Study, StudyItem, existing
from allxai_desktop.study.locks import lock_path
from allxai_desktop.study.people import Person
from allxai_desktop.study.store import Part, StudyStore

SECOND_FOLDER = "second"
FINAL_FOLDER = "final"
PART = Part(
    "agreement",
    1,
    """
    CREATE TABLE second (
        item TEXT NOT NULL,
        person TEXT NOT NULL,
        share REAL NOT NULL,
        seed INTEGER NOT NULL,
        drawn TEXT NOT NULL,
        PRIMARY KEY (person, item)
    ) STRICT;
    """,
)


class AgreementError(AllxaiError):
    """A second annotation, or a comparison, that cannot be made, and what to do about it."""


@dataclass(frozen=True)
class Second:
    """An image (by its file name) that `person` (a pseudonym) annotates a second time; `drawn` is a time in UTC."""

    item: str
    person: str
    share: float
    seed: int
    drawn: str


def draw(names: Iterable[str], eligible: Iterable[str], share: float, seed: int) -> list[str]:
    """Return the `share` (above 0, at most 1; rounded up) of the `eligible` images, in the order of `names`.

    The seed puts all `names` in an order, from which those eligible are taken. Raises `ValueError` for another share.
    """
    if not 0 < share <= 1:
        raise ValueError("share")
    names, candidates = list(names), set(eligible)
    order = np.random.default_rng(seed).permutation(len(names))
    # A share such as 0.1 of 30 is 3, whatever floating point makes of it.
    count = math.ceil(round(share * len(candidates), 9))
    chosen = set([names[place] for place in order if names[place] in candidates][:count])
    return [name for name in names if name in chosen]


class SecondPlan:
    """The second annotations of a study, kept in its database."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.store = StudyStore.open(study.folder)

    def all(self) -> list[Second]:
        """Return all that were drawn, by person and then in the order of the study. Raises `StoreError`."""
        with self.store.reading(PART) as db:
            rows = [] if db is None else db.execute("SELECT * FROM second").fetchall()
        order = {item.image_path.name: place for place, item in enumerate(self.study.items)}
        found = [Second(*row) for row in rows]
        return sorted(found, key=lambda one: (one.person, order.get(one.item, len(order))))

    def first_annotators(self) -> dict[str, str | None]:
        """Return who painted the first mask, by image, for those that have one; None where nobody said who."""
        known = progress.Progress(self.store).items()
        found: dict[str, str | None] = {}
        there = existing(item.mask_path for item in self.study.items)
        for item in self.study.items:
            if item.mask_path in there:
                name = item.image_path.name
                found[name] = (known[name].annotator if name in known else None) or annotator_of(item)
        return found

    def start(self, person: str, share: float, seed: int) -> list[Second]:
        """Draw the `share` of the images whose first mask is by another person than `person`, and remember it.

        What `person` was given before is not drawn again. Raises `AgreementError`, `PersonError`, `StoreError`,
        `ValueError` as `draw`.
        """
        person = Person(person).name
        before = [one for one in self.all() if _same(one.person, person)]
        # One spelling a person: some file systems do not tell a07 from A07.
        person = before[0].person if before else person
        given = {one.item for one in before}
        firsts = self.first_annotators()
        eligible = [
            name for name, first in firsts.items() if name not in given and not _same(first or "", person)
        ]
        if not eligible:
            raise AgreementError(
                _(
                    "There is no image that another person than {person} has annotated and {person} has not: "
                    "annotate more first, or choose another person."
                ).format(person=person)
            )
        names = [item.image_path.name for item in self.study.items]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        found = [Second(name, person, share, seed, now) for name in draw(names, eligible, share, seed)]
        keep_states(second_folder(self.study, person))
        with self.store.writing(PART) as db:
            # Who was quicker may have drawn some of them for the same person.
            db.executemany(
                "INSERT OR IGNORE INTO second VALUES (?, ?, ?, ?, ?)",
                [(one.item, one.person, one.share, one.seed, one.drawn) for one in found],
            )
        return found

    def blind_study(self, person: str) -> Study:
        """Return what `person` annotates a second time, as a study without the first masks.

        It starts at the first image that they have not done. Raises `AgreementError` where there is nothing.
        """
        found = self.part(person)
        if not found.items:
            raise AgreementError(
                _("{person} has no second annotation: draw images first.").format(person=person)
            )
        done = self.done(found)
        return replace(found, start=0 if all(done) else done.index(False))

    def take_back(self, person: str) -> None:
        """Forget the images drawn for `person` on which nothing is painted yet. Raises `StoreError`, `StudyError`."""
        unpainted = self.unpainted(self.part(person))
        with self.store.writing(PART) as db:
            db.executemany(
                "DELETE FROM second WHERE person = ? AND item = ?", [(person, name) for name in unpainted]
            )

    def unpainted(self, part: Study) -> list[str]:
        """Return the file names of the images of a second annotation on which nothing is painted yet.

        Raises `StudyError`.
        """
        begun = existing(path for item in part.items for path in (item.mask_path, lock_path(item.mask_path)))
        return [
            item.image_path.name
            for item in part.items
            if begun.isdisjoint((item.mask_path, lock_path(item.mask_path)))
        ]

    def done(self, part: Study) -> list[bool]:
        """Return which images of a second annotation have a mask that nobody is still painting.

        Raises `StoreError`, `StudyError`.
        """
        known = progress.Progress(StudyStore.open(part.folder)).items()
        painting = {name for name, item in known.items() if item.state in ("in-progress", "returned")}
        there = existing(item.mask_path for item in part.items)
        return [item.mask_path in there and item.image_path.name not in painting for item in part.items]

    def waiting(self, person: str) -> tuple[Study, int] | None:
        """Return the second annotation by `person` and how many of its images are not done; None where all are."""
        if not self.part(person).items:
            return None
        found = self.blind_study(person)
        left = self.done(found).count(False)
        return (found, left) if left else None

    def part(self, person: str) -> Study:
        """Return the second annotation by `person` as a study of the images that are still there, if any."""
        mine = {one.item for one in self.all() if one.person == person}
        folder = second_folder(self.study, person)
        seconds = [replace(item, mask_path=folder / item.mask_path.name) for item in self.study.items]
        return Study(
            folder,
            [item for item in seconds if item.image_path.name in mine],
            _("Second annotation by {person}").format(person=person),
            person,
            # The first masks, too, are nothing to write over.
            others=self.study.mask_paths | {item.mask_path for item in seconds},
        )


def second_folder(study: Study, person: str) -> Path:
    """Return where the second masks of `person` are."""
    return study.folder / SECOND_FOLDER / person


def second_path(study: Study, item: StudyItem, person: str) -> Path:
    """Return where the second mask of an image by `person` is, or will be."""
    return second_folder(study, person) / item.mask_path.name


def final_path(study: Study, item: StudyItem) -> Path:
    """Return where the adjudicated mask of an image is, or will be."""
    return study.folder / FINAL_FOLDER / item.mask_path.name


def annotator_of(item: StudyItem) -> str | None:
    """Return the pseudonym in a mask; None where there is none, or no mask that can be read."""
    try:
        with open_archive(item.mask_path) as archive:
            meta: Mapping[str, object] = read_meta(archive, item.mask_path.name)
    except MaskError:
        return None
    found = meta.get("annotator")
    return found if isinstance(found, str) and found else None


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def keep_states(folder: Path) -> None:
    """Make a folder of masks with a database, so that the states of its images are kept.

    Raises `AgreementError` or `StoreError` where it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AgreementError(
            _("The folder {name} cannot be made ({reason}): ask for the right to write in the study.").format(
                name=folder.name, reason=reason_of(error)
            )
        ) from error
    with StudyStore.open(folder).writing(progress.PART):
        pass
