"""Keeps the mask of the image that is painted safe: who holds it, its journal, and a file that nobody else changed."""

import hashlib
import logging
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from allxai_desktop.errors import reason_of
from allxai_desktop.files import MOMENT_S, listed, patiently
from allxai_desktop.i18n import _
from allxai_desktop.images import CellImage
from allxai_desktop.masks.npz import MaskError, mask_bytes, mask_meta, put_mask
from allxai_desktop.painting.history import Runs
from allxai_desktop.painting.tiles import Codes, flat
from allxai_desktop.study.journal import Journal, journals_of
from allxai_desktop.study.journal_file import NO_FILE, Head
from allxai_desktop.study.locks import (
    Holder,
    Lock,
    PaintingSession,
    acquire,
    held_by_me,
    holder_of,
    left_behind,
    lock_path,
    take_by_force,
)
from allxai_desktop.study.opening import (
    Crashed,
    CrashedCopy,
    Found,
    candidates,
    free_copies,
    sha256_or_unknown,
)

log = logging.getLogger(__name__)


class _Lost(Exception):
    """Somebody else has changed the mask, or taken it over, while it was written."""


class MaskKeeper:
    """Journals each stroke on an image and saves its mask, beside the file where somebody else has it.

    `key` is where the mask of this image belongs, `path` where it is saved now, `meta` what its file said, `holder` who
    else paints it, `saved_strokes` how many of the `strokes` the last file had. `warn` is called with sentences for
    the user, on any thread. The lock is taken at the first stroke: who only looks holds up nobody.
    """

    def __init__(
        self,
        image: CellImage,
        found: Found,
        me: PaintingSession,
        person: str | None,
        warn: Callable[[str], None],
    ) -> None:
        self.key = found.key
        self.path = found.path
        self.holder = found.holder
        self.meta = found.meta
        self._image = image
        self._crashed, self._copies, self._others = found.crashed, found.copies, found.held
        self._taken = found.taken
        self._me, self._person, self._warn = me, person, warn
        self._sha256 = found.sha256
        self.saved_strokes = 0
        self._lock: Lock | None = None
        # Of the mask that was taken over, until a keeper of that one is there.
        self._forced: Lock | None = None
        self._held = self._retired = self._told = False
        self._swept: Path | None = None
        self._mutex = threading.RLock()
        height, width = found.codes.shape
        head = Head(image.sha256, found.sha256 or NO_FILE, height, width, me)
        self._journal = Journal(self.path, head, found.codes if found.sha256 == NO_FILE else None)

    @property
    def strokes(self) -> int:
        """How many strokes were journalled."""
        return self._journal.count

    @property
    def image_name(self) -> str:
        """The name of the image."""
        return self._image.name

    @property
    def clean(self) -> bool:
        """Whether the file has every stroke."""
        return self._journal.empty

    @property
    def kept(self) -> bool:
        """Whether every stroke is in a file, that of the mask or the journal."""
        return self.clean or self._journal.written

    @property
    def done(self) -> bool:
        """Whether the image was let go and nothing is left to save."""
        return self._retired and not self._held and self.clean

    def start(self, codes: Codes) -> bool:
        """Take over what a crash left, with which the mask is `codes` uint8 (H, W).

        Returns whether strokes were brought back, which are then to be saved.
        """
        # Once: who comes back to an image that could not be saved has it all.
        crashed, self._crashed = self._crashed, Crashed()
        self._set_aside(crashed, self.path)
        copies, self._copies = self._copies, ()
        for copy in copies:
            self._save_copy(copy)
        if held_by_me(lock_path(self.path), self._me):
            self._hold()
            self._beat()
        if crashed.recorded is None:
            for spent in crashed.spent:
                with suppress(OSError):
                    spent.path.unlink()
            self._clear_own()
            return False
        path = self.path
        self._hold()
        if self.path != path:
            # Who was quicker has brought them back there.
            self._journal.move(self.path, codes, self.strokes)
            return True
        try:
            self._journal.adopt(crashed.recorded, crashed.spent)
        except OSError as error:
            self._tell_unwritten(error)
        return True

    def stroke(self, runs: Runs, codes: Codes) -> None:
        """Journal a stroke that led to `codes` uint8 (H, W), before the next one begins."""
        if not self._held:
            path, changed = self.path, self._crashed_meanwhile()
            if not changed:
                self._hold()
                # Somebody may have painted and left since it was found: the stroke would fit nothing after a crash.
                changed = self.path == path and self._changed()
            if changed or self.path != path:
                before = codes.copy()
                for edit in runs.parts():
                    flat(before)[edit.indices] = edit.old & 0x7F
                if changed:
                    self._held = True
                    self._step_aside(before, self.strokes)
                else:
                    self._journal.move(self.path, before, self.strokes)
        try:
            self._journal.append(runs)
        except OSError as error:
            self._tell_unwritten(error)

    def save(self, _path: Path, codes: Codes, *, strokes: int, **facts: Any) -> None:
        """Write the mask uint8 (H, W) that has the first `strokes`; a file that somebody changed is left alone.

        Raises `MaskError`.
        """
        # Not at the first stroke: on a busy machine, a thread takes a while to start.
        self._beat()
        data = mask_bytes(self.path, codes, **facts)
        sha256 = hashlib.sha256(data).hexdigest()
        taken = self._taken_over()
        if not taken:
            # First: a save of who had it before that still came in would be written over unseen.
            self._sweep()
        if taken or self._changed():
            self._step_aside(codes, strokes)
            self._sweep()
        self._journal.announce(sha256, strokes)
        try:
            put_mask(self.path, data, self._look_again)
            # Whoever took it over may have cleared it away, or written over it.
            lost = self._taken_over()
        except _Lost:
            lost = True
        except MaskError as error:
            lost = self._taken_over() or self._changed()
            if not lost and not self._journal.written:
                raise
            if not lost:
                kept = _(
                    "Your strokes are kept on this computer and come back when the image is opened again."
                )
                raise MaskError(f"{error} {kept}") from error
        if lost:
            self.save(_path, codes, strokes=strokes, **facts)
            return
        self._sha256, self.saved_strokes = sha256, strokes
        self._journal.cut(sha256, strokes)
        with self._mutex:
            if self._retired and self.clean:
                self._release()

    def resume(self) -> None:
        """Go on with an image whose last stroke was not saved yet."""
        with self._mutex:
            self._retired = False

    def retire(self) -> None:
        """Let the image go as soon as its last stroke is saved."""
        with self._mutex:
            self._retired = True
            if self.clean:
                self._release()

    def hand_over(self) -> None:
        """Let the image go to another keeper of it, as one that was taken over."""
        with self._mutex:
            self._forced = None
            self.retire()

    def close(self) -> None:
        """Let the image go; what could not be saved stays in the journal."""
        with self._mutex:
            self._release()

    def take_over(self) -> None:
        """Take the mask from whoever holds it, who goes on in a copy. The image is then to be opened anew.

        It is let go with this one where that does not come to be. Raises `LockError`.
        """
        if self._others is not None:
            self._forced = take_by_force(lock_path(self._others), self._me, self._person)

    def _hold(self) -> None:
        """Take the lock, once; where somebody was quicker, that of a copy."""
        if self._held:
            return
        self._held = True
        got = self._acquire(self.path)
        if isinstance(got, Holder):
            # Who is beside the mask already takes over that one, no copy of it.
            self.holder, self._others = got, self._others or self.path
            self._go_beside()
            text = _("{person} has been painting {name} since {time}: what you paint is saved as {copy}.")
            self._warn(
                text.format(person=got.name, name=self._image.name, time=got.time, copy=self.path.name)
            )
        else:
            self._lock = got

    def _clear_own(self) -> None:
        """Take away what this person's own program left as it ended: it was told of, and is not at each opening."""
        gone = left_behind(lock_path(self.path), self._me)
        if gone is not None and gone.person == (self._person or ""):
            lock = self._acquire(self.path)
            if isinstance(lock, Lock):
                lock.release()

    def _crashed_meanwhile(self) -> bool:
        """Whether somebody painted the mask since it was found, and crashed before it was saved."""
        journals = journals_of(self.path, self._image.sha256)
        others = any(self._me.id not in path.name for path in journals)
        return others and holder_of(lock_path(self.path), self._me) is None

    def _changed(self) -> bool:
        """Whether the file is not the one that is known."""
        return sha256_or_unknown(self.path) not in (self._sha256, NO_FILE)

    def _taken_over(self) -> bool:
        return self._lock is not None and not self._lock.mine()

    def _look_again(self) -> None:
        """Raise `_Lost` where the file is another's by now: a slow disk, or a laptop's lid, may have held a save up."""
        if self._taken_over() or self._changed():
            raise _Lost

    def _beat(self) -> None:
        if self._lock is not None:
            self._lock.keep(self._on_lost)

    def _acquire(self, path: Path) -> Lock | Holder | None:
        try:
            return acquire(lock_path(path), self._me, self._person)
        except OSError:
            # Where no lock can be written, no mask can, as a rule; where one can, its hash still guards it.
            return None

    def _go_beside(self) -> None:
        """Save from now on in the first copy of which nothing is there yet, not even strokes, and that nobody has."""
        for candidate in free_copies(self.key, self._image.sha256, self._taken):
            got = self._acquire(candidate)
            if not isinstance(got, Holder):
                self.path, self._sha256, self._lock = candidate, NO_FILE, got
                return

    def _step_aside(self, codes: Codes, strokes: int) -> None:
        before, lock = self.path, self._lock
        taker = self.holder = holder_of(lock_path(before), self._me)
        self._others = self._others or before
        if lock is not None:
            lock.release()
        self._go_beside()
        self._journal.move(self.path, codes, strokes)
        person = _("Somebody") if taker is None else taker.name
        if taker is None:
            with suppress(MaskError):
                person = mask_meta(before).get("annotator") or person
        text = _(
            "{person} changed {name} or took it over after you opened it: what you paint is saved as {copy}. "
            "Compare the two."
        )
        self._warn(text.format(person=person, name=before.name, copy=self.path.name))

    def _on_lost(self, holder: Holder | None) -> None:
        if holder is not None:
            text = _("{person} took {name} over: what you paint from now on is saved as a copy.")
            self._warn(text.format(person=holder.name, name=self.path.name))

    def _release(self) -> None:
        for lock in (self._lock, self._forced):
            if lock is not None:
                lock.release()
        self._lock, self._forced, self._held = None, None, False

    def _save_copy(self, copy: CrashedCopy) -> None:
        if held_by_me(lock_path(copy.path), self._me):
            # What this session painted there is on its way.
            return
        lock = self._acquire(copy.path)
        if isinstance(lock, Holder):
            return
        try:
            # Otherwise somebody was quicker, who has brought it back.
            if sha256_or_unknown(copy.path) == copy.sha256:
                self._bring_back(copy)
        finally:
            if lock is not None:
                lock.release()

    def _bring_back(self, copy: CrashedCopy) -> None:
        crashed = copy.crashed
        self._set_aside(crashed, copy.path)
        if copy.codes is not None:
            try:
                data = mask_bytes(
                    copy.path,
                    copy.codes,
                    image=self._image,
                    annotator=copy.meta.get("annotator"),
                    created=copy.meta.get("created"),
                    accepted=crashed.accepted,
                )
                put_mask(copy.path, data)
            except MaskError:
                log.warning("A copy could not be brought back", exc_info=True)
                return
            text = (
                _(
                    "The program ended before it saved strokes on {name}, and somebody else has changed its mask "
                    "since: {copy} is that mask with the strokes over it. Compare the two."
                )
                if copy.strayed
                else _(
                    "The program ended before it saved {copy}, a second mask of {name}: it was brought back."
                )
            )
            self._warn(text.format(copy=copy.path.name, name=self._image.name))
        for recorded in (crashed.recorded, *crashed.spent):
            if recorded is not None:
                with suppress(OSError):
                    recorded.path.unlink()

    def _sweep(self) -> None:
        """Delete what a crash in the middle of a save left, which is no mask.

        So ends a save of whoever the image was just taken from, too: it would write over this one unseen, and is made
        again beside it.
        """
        if self._lock is None or self._swept == self.path:
            return
        self._swept = self.path
        pattern = re.escape(self.path.name) + r"\.[0-9a-f]{8}\.tmp"
        with suppress(OSError):
            for path in self.path.parent.iterdir():
                if re.fullmatch(r"\." + pattern, listed(path.name)):
                    patiently(path.unlink)

    def _set_aside(self, crashed: Crashed, mask_path: Path) -> None:
        for path in crashed.foreign:
            aside = candidates(path.with_suffix(".journal-aside"))
            place = next(place for place in aside if not place.exists())
            try:
                patiently(partial(path.rename, place), MOMENT_S)
            except OSError:
                log.warning("A journal could not be set aside", exc_info=True)
                continue
            text = _(
                "Strokes beside {name} are of another image, or cannot be read: they were set aside as {place}."
            )
            self._warn(text.format(name=mask_path.name, place=place.name))

    def _tell_unwritten(self, error: OSError) -> None:
        if not self._told:
            self._told = True
            text = _(
                "The strokes on {name} cannot be kept ({reason}): until the mask is saved, a crash would lose them. "
                "Free some space on the disk."
            )
            self._warn(text.format(name=self._image.name, reason=reason_of(error)))
