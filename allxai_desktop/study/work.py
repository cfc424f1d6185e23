"""What a person does at the image that is shown, for its record: that it was painted, and how long it took."""

from __future__ import annotations

from collections.abc import Callable

from allxai_desktop.painting.history import Runs
from allxai_desktop.study.in_order import InOrder
from allxai_desktop.study.preview import hash_on_disk
from allxai_desktop.study.progress import ActiveTime, ItemProgress, Progress
from allxai_desktop.study.records import Records
from allxai_desktop.study.workspace import Workspace


class Work:
    """Follows the strokes and the signs of life at one image, and has `records` keep them.

    `row` is that of the image. `found` are the hashes of the masks as they were before anything was painted, by the
    file names of the images of one study; the thread that records fills it. `clock` gives seconds.
    """

    def __init__(
        self, workspace: Workspace, records: Records, worker: InOrder, clock: Callable[[], float]
    ) -> None:
        self.row: int | None = None
        self.found: dict[str, str | None] = {}
        self._workspace, self._records, self._worker, self._clock = workspace, records, worker, clock
        self._time = ActiveTime()
        self._painted = self._timed = False
        self._last_step: Runs | None = None
        self._back = True

    @property
    def in_place(self) -> bool:
        """Whether what is painted becomes the mask of the image, not a copy beside it."""
        if self.row is None or self._workspace.holder is not None:
            return False
        return self._workspace.mask_path == self._records.image(self.row).mask_path

    def touch(self) -> None:
        """Note a sign of life."""
        self._time.touch(self._clock())

    def open(self) -> None:
        """Begin another study, whose images are not there yet."""
        self.row, self.found = None, {}

    def begin(self, row: int) -> None:
        """Begin the work at the image of a row."""
        self.row = row
        self._painted = self._timed = False
        self.begin_strokes()
        self._time.take()
        self.touch()

    def begin_strokes(self) -> None:
        """Note what was painted until now, to know when all strokes from here on are taken back."""
        self._last_step, self._back = self._workspace.paint.last_step, True

    def stroke(self, known: ItemProgress) -> None:
        """Note a stroke, or one that was taken back, at the image of which so much is `known`."""
        assert self.row is not None
        back = self._workspace.paint.last_step is self._last_step
        # What is `known` may be from before the last stroke.
        told = back == self._back or (not back and not self._painted and known.state == "in-progress")
        if not told and self._records.kept and self.in_place:
            self._worker.hurry()
            self._record_edit(self.row)
        self._back, self._painted = back, True

    def submitted(self) -> None:
        """Note that there is a record from here on, which takes the time."""
        self._timed = True

    def leave(self) -> None:
        """Have recorded what was done until now."""
        row = self.row
        painted, timed = self._painted, self._timed
        if row is None or not (painted or timed):
            return
        self._painted = self._timed = False
        self.begin_strokes()
        self.touch()
        name, seconds = self._records.name(row), self._time.take()
        # What is submitted first makes the record, later than this.
        if (self._records.kept or timed) and self.in_place:
            if painted and self._records.kept:
                self._record_edit(row)
            self._records.run(lambda progress: progress.add_time(name, seconds), lambda _done: None)

    def _record_edit(self, row: int) -> None:
        name, item = self._records.name(row), self._records.image(row)
        found, person = self.found, self._workspace.person

        def work(progress: Progress) -> ItemProgress:
            # Where somebody else was quicker, it is a copy that was painted, and the mask is still theirs.
            self._workspace.unsaved()
            return progress.edited(person, name, found.get(name), hash_on_disk(item))

        self._records.change(name, work)
