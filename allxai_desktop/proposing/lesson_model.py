"""What the open study teaches about the image that is shown, learnt in the background as images are finished."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from psygnal import Signal

from allxai_desktop.errors import AllxaiError
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask
from allxai_desktop.proposing.model import LARGEST
from allxai_desktop.study.folder import StudyItem
from allxai_desktop.study.image_ahead import MAX_BYTES, WAIT_S
from allxai_desktop.study.study_model import StudyModel
from allxai_desktop.tasks import Dispatch, Progress, TaskRunner, at_once

if TYPE_CHECKING:
    from allxai_desktop.proposing.lessons import Correction, Lesson

IMAGES = 10
"""So many finished images are learnt from: more teach next to nothing, and each takes half a second to look at."""
_Finished = tuple[StudyItem, str | None]
Teach = Callable[[StudyItem], "Lesson | None"]


def _taught(item: StudyItem) -> Lesson | None:
    # Slow to import, and only where something is finished.
    from allxai_desktop.proposing.proposer import Proposer

    # What is wrong with a file is told where its image is opened.
    with suppress(AllxaiError, OSError):
        if item.image_path.stat().st_size <= MAX_BYTES:
            image = read_image(item.image_path)
            codes = load_mask(item.mask_path, image).codes
            if codes.size <= LARGEST:
                return Proposer(image).lesson(codes)
    return None


class LessonModel:
    """Learns from the submitted and approved images of a `StudyModel` that are nearest in its list to the one shown.

    That one is never learnt from, and nothing new is learnt while it is not `active`. What others record counts from
    the next image on. `correction_changed` tells the new `Correction`, or None where nothing was finished.
    """

    correction_changed = Signal(object)

    def __init__(
        self,
        study: StudyModel,
        dispatch: Dispatch = at_once,
        teach: Teach = _taught,
        *,
        active: bool = True,
    ) -> None:
        self.correction: Correction | None = None
        self._study = study
        self._teach = teach
        self._active = active
        self._rows: tuple[int, ...] = ()
        self._wanted: tuple[_Finished, ...] = ()
        self._lessons: dict[_Finished, Lesson | None] = {}
        self._tasks = TaskRunner(dispatch)
        self._tasks.finished.connect(self._set)
        study.item_changed.connect(self._on_item)
        study.workspace.item_shown.connect(self._on_shown)

    @property
    def busy(self) -> bool:
        """Whether something is being learnt."""
        return self._tasks.running

    @property
    def active(self) -> bool:
        """Whether a correction is wanted."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        if active != self._active:
            self._active = active
            self._follow()

    def close(self) -> None:
        """Stop; nothing is told after this."""
        self._study.item_changed.disconnect(self._on_item)
        self._study.workspace.item_shown.disconnect(self._on_shown)
        self._tasks.close()

    def _on_item(self, row: int) -> None:
        here, rows = self._study.workspace.index, self._rows
        if here is None or row == here:
            return
        person = self._study.person
        if rows and (person is None or self._study.item(row).annotator != person.name):
            # By what others record the proposal would be another one under the hand.
            return
        # Where a study is opened, thousands come at once that are too far, or not finished.
        near = len(rows) < IMAGES or abs(row - here) <= abs(rows[-1] - here)
        if row in rows or (near and self._is_finished(row)):
            self._follow()

    def _on_shown(self, _row: int) -> None:
        self._follow()

    def _follow(self) -> None:
        self._rows = tuple(islice(self._nearest(), IMAGES))
        wanted = tuple(self._finished(row) for row in self._rows)
        # In another order they teach the same.
        if set(wanted) == set(self._wanted) or (wanted and not self._active):
            return
        self._wanted = wanted
        if wanted:
            self._tasks.start(lambda progress: self._learn(wanted, progress))
        else:
            self._tasks.cancel()
            self._set(None)

    def _nearest(self) -> Iterator[int]:
        study, here = self._study.workspace.study, self._study.workspace.index
        if study is None or here is None:
            return
        for away in range(1, len(study.items)):
            for row in (here - away, here + away):
                if 0 <= row < len(study.items) and self._is_finished(row):
                    yield row

    def _is_finished(self, row: int) -> bool:
        return self._study.item(row).state in ("submitted", "approved")

    def _finished(self, row: int) -> _Finished:
        study = self._study.workspace.study
        assert study is not None
        return study.items[row], self._study.item(row).mask_sha256

    def _learn(self, wanted: tuple[_Finished, ...], progress: Progress) -> Correction | None:
        # The image that was just shown is drawn first.
        time.sleep(WAIT_S)
        from allxai_desktop.proposing.lessons import Correction

        for number, finished in enumerate(wanted):
            progress(number / len(wanted))
            if finished not in self._lessons:
                self._lessons[finished] = self._teach(finished[0])
        self._lessons = {finished: self._lessons[finished] for finished in wanted}
        lessons = [lesson for lesson in self._lessons.values() if lesson is not None]
        return Correction(lessons) if lessons else None

    def _set(self, correction: Correction | None) -> None:
        if correction is not self.correction:
            self.correction = correction
            self.correction_changed.emit(correction)
