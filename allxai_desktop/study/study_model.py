"""The open study as a person works through it: Enter, approving, returning, and what the list shows of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from psygnal import Signal

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.keys import KEYS
from allxai_desktop.masks.npz import MaskError
from allxai_desktop.notice import Level, Notice
from allxai_desktop.study.audit import Entry, broken, mask_sha256
from allxai_desktop.study.check_ahead import WAIT_S, CheckAhead, Checked
from allxai_desktop.study.checks import Finding
from allxai_desktop.study.folder import Study, StudyItem
from allxai_desktop.study.in_order import InOrder
from allxai_desktop.study.people import Person
from allxai_desktop.study.preview import hash_on_disk
from allxai_desktop.study.progress import Comment, ItemProgress, Progress
from allxai_desktop.study.records import Records
from allxai_desktop.study.states import OtherMaskError, StateError, step
from allxai_desktop.study.store import ReadOnlyError
from allxai_desktop.study.submitting import refused, submit, why_not_in_place
from allxai_desktop.study.waiting import next_waiting
from allxai_desktop.study.work import Work
from allxai_desktop.study.workspace import Workspace
from allxai_desktop.tasks import Dispatch, at_once

T = TypeVar("T")


class StudyModel:
    """Follows a `Workspace`. What takes long, or writes, is done on a thread of its own, in the order it was asked for.

    States are kept for a study, that is a folder with `study.toml` or `study.sqlite`, or one from which something
    was submitted. `findings` are what the last check found in the mask that is shown. `unsaid` takes back the notice
    that an image was not submitted, once it is.
    """

    person_changed = Signal(object)
    person_asked = Signal()
    item_changed = Signal(int)
    findings_changed = Signal()
    unsaid = Signal(Notice)

    def __init__(
        self,
        workspace: Workspace,
        dispatch: Dispatch = at_once,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.workspace = workspace
        self.findings: tuple[Finding, ...] = ()
        self._onward: tuple[int, bool] | None = None
        self._refused: dict[StudyItem, Notice] = {}
        self._checked: str | None = None
        self._under_way = self._told_read_only = False
        self._worker = InOrder(dispatch, self._on_failed)
        self._records = Records(self._worker)
        self._work = Work(workspace, self._records, self._worker, clock)
        self._check = CheckAhead(dispatch, self._on_failed)
        self._records.changed.connect(self.item_changed.emit)
        self._records.voided.connect(self._on_voided)
        self._records.received.connect(self._read_ahead)
        workspace.study_opened.connect(self._on_study)
        workspace.item_shown.connect(self._on_item)
        workspace.item_failed.connect(self._on_unreadable)
        workspace.item_left.connect(self._work.leave)
        workspace.paint.stroke_ended.connect(self._on_stroke)

    # What is known

    @property
    def person(self) -> Person | None:
        """Who works here, as far as it was said."""
        return self.workspace.person

    @person.setter
    def person(self, person: Person | None) -> None:
        if person != self.workspace.person:
            if self.person is not None:
                # What was painted until now is the work of who was here before.
                self._work.leave()
                if person is None or person.name != self.person.name:
                    self.workspace.paint.forget_steps()
                    self._work.begin_strokes()
            self.workspace.person = person
            self.person_changed.emit(person)
            self._read_ahead()

    @property
    def kept(self) -> bool:
        """Whether the states of this folder are kept already."""
        return self._records.kept

    def item(self, row: int) -> ItemProgress:
        """Return how far the image of a row is; "to-do" where nothing was recorded."""
        return self._records.item(row)

    @property
    def current(self) -> ItemProgress:
        """How far the image that is shown is."""
        return ItemProgress() if self.workspace.index is None else self.item(self.workspace.index)

    @property
    def reviewing(self) -> bool:
        """Whether the image that is shown waits for this person's judgement, or has it."""
        try:
            step(self.current.state, "return", self.person, self.current.annotator)
        except StateError:
            return False
        return True

    def next_row(self, reviewing: bool) -> int | None:
        """Return the row of the next image that waits for this person; see `next_waiting`."""
        here = self.workspace.index
        if here is None:
            return None
        name = self.person.name if self.person else None
        items, fields, unreadable = self._records.items(), self._records.fields, self.workspace.unreadable
        return next_waiting(items, here, name, reviewing=reviewing, fields=fields, unreadable=unreadable)

    def read_trail(self, receive: Callable[[list[Entry], str | None], None]) -> None:
        """Hand the audit trail to `receive`, the oldest entry first, and a sentence where its chain is broken."""

        def read(progress: Progress) -> tuple[list[Entry], str | None]:
            trail = progress.trail()
            return trail, broken(trail)

        self._records.run(read, lambda found: receive(*found))

    def read(self, work: Callable[[], T], receive: Callable[[T], None]) -> None:
        """Do `work`, which reads something else of the study, and hand what it returns to `receive`."""
        self._records.run(lambda _progress: work(), receive)

    # What a person does

    def touch(self) -> None:
        """Note a sign of life, for the time that an image takes."""
        self._work.touch()

    def enter(self) -> None:
        """Check the mask; where nothing is found, or the same as the last time, save, submit and go on to the next.

        A mask in which nothing is painted stays: it would say nothing, and its proposal looks like one.
        """
        workspace = self.workspace
        workspace.paint.end_stroke()
        if workspace.index is None or self._under_way:
            return
        self.touch()
        done = self.current.state in ("submitted", "approved")
        if done or workspace.index in self._records.fields:
            self._go_on(self.reviewing)
            return
        if not self._work.in_place:
            item = self._records.image(workspace.index)
            self._tell("warning", why_not_in_place(workspace, item))
            return
        if not workspace.paint.mask.any():
            text = _("Nothing is painted yet: paint, or press {key} to accept the proposal.")
            self._tell("info", text.format(key=KEYS["accept-all"].shown))
            return
        self._under_way = True
        row = workspace.index
        self._check.ask(workspace.paint.mask, lambda found: self._on_checked(row, *found))

    def dismiss(self) -> None:
        """Let what was found be."""
        self._set_findings(())

    def approve(self) -> None:
        """Approve the mask that is shown, and go on to the next that was submitted."""
        if self.current.state == "approved" and self.reviewing:
            self._go_on(reviewing=True)
            return
        self._judge(lambda progress, person, name, mask: progress.approve(person, name, mask))

    def may_return(self) -> bool:
        """Return whether this person may return the image that is shown; says why not."""
        if self.person is None:
            self.person_asked.emit()
            return False
        try:
            step(self.current.state, "return", self.person, self.current.annotator)
        except StateError as error:
            self._tell("warning", str(error))
            return False
        return True

    def send_back(self, place: tuple[int, int], text: str) -> None:
        """Return the image with a comment on the (row, column) `place`, and go on to the next that was submitted."""

        def judge(progress: Progress, person: Person, name: str, mask: str | None) -> ItemProgress:
            return progress.send_back(person, name, mask, Comment(person.name, *place, text))

        self._judge(judge)

    def read_again(self) -> None:
        """Take over what others recorded meanwhile."""
        self._records.read_again()

    def seen_on_disk(self, row: int, mask: str | None) -> None:
        """Note the hash of the mask on disk: where another one was submitted, or nothing painted, that is void."""
        item = self.item(row)
        if item.state in ("submitted", "approved") and row != self.workspace.index and not item.holds(mask):
            seen, name = self._records.image(row), self._records.name(row)
            # What was seen may be older than what was submitted meanwhile.
            self._records.change(
                name,
                lambda progress: progress.edited(self.person, name, None, hash_on_disk(seen), found=True),
            )

    def close(self) -> None:
        """Finish what is to be written, and stop."""
        workspace = self.workspace
        workspace.study_opened.disconnect(self._on_study)
        workspace.item_shown.disconnect(self._on_item)
        workspace.item_failed.disconnect(self._on_unreadable)
        workspace.item_left.disconnect(self._work.leave)
        workspace.paint.stroke_ended.disconnect(self._on_stroke)
        self._check.close()
        self._worker.close()

    # What the workspace tells

    def _on_study(self, study: Study) -> None:
        # The image of the study before is still there.
        self._work.leave()
        self._work.open()
        self._told_read_only = False
        self._records.open(study)

    def _on_item(self, row: int) -> None:
        self._work.begin(row)
        self._onward, self._checked, self._under_way = None, None, False
        self._set_findings(())
        self._check.changed(self.workspace.paint.mask)
        name, item = self._records.name(row), self._records.image(row)
        codes, found = self.workspace.paint.mask.copy(), self._work.found

        def work(progress: Progress) -> dict[str, ItemProgress]:
            # Here, and not once it is received: an edit may be asked for before.
            mask = found[name] = mask_sha256(codes)
            known = progress.items()
            if name in known and not known[name].holds(mask):
                known[name] = progress.edited(self.person, name, None, self._on_disk(item, mask), found=True)
            return known

        self._worker.pause(WAIT_S)
        self._records.read(work)
        # Not only once they are read: who knows the next image may want it sooner.
        self._read_ahead()

    def _on_unreadable(self, row: int) -> None:
        onward, self._onward = self._onward, None
        # Where it is the whole folder that is gone, the others are no better.
        if onward is not None and onward[0] == row and row in self.workspace.unreadable:
            self._go_on(onward[1])

    def _on_stroke(self) -> None:
        self.touch()
        if self.workspace.index is None:
            return
        self._work.stroke(self.current)
        self._under_way, self._checked = False, None
        self._check.changed(self.workspace.paint.mask, self._on_looked)

    def _on_looked(self, found: Checked) -> None:
        # What was found goes as it is mended.
        if self.findings:
            self._set_findings(found[0])

    # Steps

    def _on_checked(self, row: int, findings: tuple[Finding, ...], mask: str | None) -> None:
        self._under_way = False
        if row != self.workspace.index:
            return
        if findings and (findings != self.findings or mask != self._checked):
            self._checked = mask
            self._set_findings(findings)
            return
        known = self.current
        if known.state == "returned" and known.mask_sha256 == mask != self._checked:
            # Enter may have been meant for the image before.
            self._checked = mask
            text = _(
                "This image was returned, and its mask is as it was: mend it, or press {key} again to submit it so."
            )
            self._tell("warning", text.format(key=KEYS["submit"].shown))
            return
        self._checked = mask
        if self.workspace.saved != "saved":
            self.workspace.save()
        person, study = self.person, self._records.study
        assert study is not None
        if study.alone and not self.kept:
            self._tell("info", _("{name} is complete and saved.").format(name=self._records.name(row)))
            self._set_findings(())
            return
        if person is None:
            text = _("Say who you are, a pseudonym is enough; then press {key} again to submit.")
            self._tell("info", text.format(key=KEYS["submit"].shown))
            self.person_asked.emit()
            return
        self._set_findings(())
        self._work.submitted()
        self._under_way = True
        name, item = self._records.name(row), self._records.image(row)
        # The next image is drawn first; its mask is on disk or in the journal meanwhile.
        self._worker.pause(WAIT_S)
        self._records.change(
            name,
            lambda progress: submit(self.workspace, progress, person, item, mask, findings),
            lambda: self._over(row, item),
            lambda error: self._over(row, item, refused(self.workspace, study, row, error)),
        )
        # Where it is the last one it stays in sight, which is no work on it.
        self._work.leave()
        self._go_on(reviewing=False)

    def _over(self, row: int, item: StudyItem, notice: Notice | None = None) -> None:
        if row == self.workspace.index:
            self._under_way = False
        before = self._refused.pop(item, None)
        if notice is not None:
            self._refused[item] = notice
            self.workspace.noticed.emit(notice)
        elif before is not None:
            self.unsaid.emit(before)

    def _judge(self, judge: Callable[[Progress, Person, str, str | None], ItemProgress]) -> None:
        row, person, study = self.workspace.index, self.person, self._records.study
        if row is None or self._under_way:
            return
        if person is None:
            self.person_asked.emit()
            return
        self.workspace.paint.end_stroke()
        self._under_way = True
        name, codes = self._records.name(row), self.workspace.paint.mask.copy()
        self._records.change(
            name,
            lambda progress: judge(progress, person, name, mask_sha256(codes)),
            lambda: self._on_judged(row),
            lambda error: self._on_not_judged(study, row, error),
        )

    def _on_judged(self, row: int) -> None:
        if row == self.workspace.index:
            self._under_way = False
            self._go_on(reviewing=True)

    def _on_not_judged(self, study: Study | None, row: int, error: AllxaiError) -> None:
        here = study is self.workspace.study and row == self.workspace.index
        if not here or not isinstance(error, OtherMaskError):
            self._on_failed(error)
            return
        self._under_way = False
        # The mask before is what is shown.
        action = (_("Show it anew"), lambda: self.workspace.show(row))
        self.workspace.noticed.emit(Notice("error", str(error), action))

    def _go_on(self, reviewing: bool) -> None:
        row = self.next_row(reviewing)
        if row is not None:
            self._onward = row, reviewing
            self.workspace.show(row)
        elif reviewing:
            self._tell("info", _("Nothing is left to judge."))
        else:
            self._tell(
                "info",
                _("Nothing is left to paint: every image is submitted, somebody else's, or cannot be read."),
            )

    def _on_disk(self, item: StudyItem, shown: str | None) -> str | None:
        """Return the hash of the mask of an item; where it cannot be read, of the one that is `shown`.

        That may be a copy, or older than what somebody else submitted meanwhile.
        """
        self.workspace.unsaved()
        try:
            return hash_on_disk(item)
        except MaskError:
            return shown

    def _on_voided(self, name: str) -> None:
        if self.item(self._records.rows[name]).mask_sha256 is None:
            text = _("The approval of {name} is void, for nothing is painted in it.")
        else:
            text = _("The approval of {name} is void, for its mask was changed.")
        self._tell("warning", text.format(name=name))

    def _read_ahead(self) -> None:
        row = self.next_row(self.reviewing)
        if row is not None:
            self.workspace.prefetch(row)

    def _set_findings(self, findings: tuple[Finding, ...]) -> None:
        if findings != self.findings:
            self.findings = findings
            self.findings_changed.emit()

    def _tell(self, level: Level, text: str) -> None:
        self.workspace.noticed.emit(Notice(level, text))

    def _on_failed(self, error: AllxaiError) -> None:
        self._under_way = False
        if not isinstance(error, ReadOnlyError):
            self._tell("error", str(error))
        elif not self._told_read_only:
            self._told_read_only = True
            self._tell("warning", str(error))
