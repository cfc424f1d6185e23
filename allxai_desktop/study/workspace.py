"""The open study: which image is shown, its mask, and how the mask gets to disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from os.path import isdir
from pathlib import Path
from typing import Any, Literal

from psygnal import Signal

from allxai_desktop.errors import AllxaiError
from allxai_desktop.files import keep_images
from allxai_desktop.i18n import _
from allxai_desktop.images import CellImage
from allxai_desktop.notice import Level, Notice
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.painting.history import Runs
from allxai_desktop.painting.tiles import Codes, Flags, Tiles
from allxai_desktop.session import Session
from allxai_desktop.slides.large import open_image
from allxai_desktop.study.autosave import Autosaver
from allxai_desktop.study.folder import Study, StudyItem
from allxai_desktop.study.image_ahead import ImageAhead
from allxai_desktop.study.keeper import MaskKeeper
from allxai_desktop.study.locks import Holder, PaintingSession, holders_in
from allxai_desktop.study.opening import find_mask
from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import Progress
from allxai_desktop.study.store import StudyStore
from allxai_desktop.study.waiting import where_to_begin
from allxai_desktop.tasks import Dispatch, at_once

SavedState = Literal["saved", "saving", "failed"]
SLIDE_SECONDS = 15.0
"""The mask of a slide is saved at most this often."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Loaded:
    study: Study
    index: int
    image: CellImage
    codes: Codes
    keeper: MaskKeeper
    notices: tuple[Notice, ...]
    accepted: Flags | None = None
    strokes: int = 0


class Workspace:
    """Opens images off the window's thread, hands them to `paint` and `session`, saves each stroke.

    `dispatch` runs a callable on the thread that owns the widgets. `person` is who paints, where that is known.
    `mask_saved` tells where the mask belongs that came to the disk, in its place or as a copy; `saving_progressed`
    what share 0…1 of a mask is written, where that takes long. `item_left` tells that another image takes the place of
    this one, whose mask is still there. What `is_field` says is a field of many cells is not explained. `unreadable`
    are the rows whose images could not be read when they were last asked for, though their folder was there.
    """

    study_opened = Signal(Study)
    item_left = Signal()
    item_shown = Signal(int)
    item_failed = Signal(int)
    holder_changed = Signal()
    saved_changed = Signal(str)
    mask_saved = Signal(Path)
    saving_progressed = Signal(float)
    noticed = Signal(Notice)

    def __init__(self, session: Session, dispatch: Dispatch = at_once) -> None:
        self.session = session
        self.paint: PaintModel = session.paint
        self.person: Person | None = None
        self.study: Study | None = None
        self.index: int | None = None
        self.unreadable: set[int] = set()
        self.image: CellImage | None = None
        self.saved: SavedState = "saved"
        self.is_field: Callable[[CellImage], bool] = lambda _image: False
        self._me = PaintingSession.new()
        self._keeper: MaskKeeper | None = None
        self._keepers: dict[Path, MaskKeeper] = {}
        self._dispatch = dispatch
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="load")
        self._ahead = ImageAhead()
        self._request = 0
        self._asked: int | None = None
        self._autosaver = Autosaver(
            on_saved=lambda path: dispatch(lambda: self._on_saved(path)),
            on_error=lambda path, error: dispatch(lambda: self._on_save_error(path, error)),
        )
        self.paint.stroke_ended.connect(self._on_stroke)

    @property
    def item(self) -> StudyItem | None:
        """The item that is shown."""
        return None if self.study is None or self.index is None else self.study.items[self.index]

    @property
    def mask_path(self) -> Path | None:
        """Where the mask that is shown is saved."""
        return None if self._keeper is None else self._keeper.path

    @property
    def holder(self) -> Holder | None:
        """Who else paints the mask of this image; what is painted here is then saved as a copy."""
        return None if self._keeper is None else self._keeper.holder

    @property
    def kept(self) -> bool:
        """Whether every stroke is in a file; where no mask could be saved, it comes back at the next opening."""
        return all(keeper.kept for keeper in self._keepers.values())

    @property
    def unsaved_names(self) -> list[str]:
        """The images, by name, with strokes that no mask on disk has."""
        return [keeper.image_name for keeper in self._keepers.values() if not keeper.clean]

    @property
    def originals(self) -> list[Path]:
        """The files of the study's images, and of their masks."""
        study = self.study
        return [] if study is None else [*(item.image_path for item in study.items), *study.mask_paths]

    def holders(self, study: Study) -> dict[str, Holder]:
        """Return who else holds which masks now: stem of the mask → holder. Reads the disk."""
        folders = {item.mask_path.parent for item in study.items}
        return {stem: holder for folder in folders for stem, holder in holders_in(folder, self._me).items()}

    def open(self, path: Path) -> bool:
        """Open a study where it waits for this person, or one image; False where that fails: what is open stays."""
        try:
            study = Study.open(path)
            # A study that another version works on is left alone.
            known = Progress(StudyStore.open(study.folder)).items()
            study = replace(study, start=where_to_begin(study, known, self.person))
        except AllxaiError as error:
            self.noticed.emit(Notice("error", str(error)))
            return False
        self.open_study(study)
        return True

    def open_study(self, study: Study) -> None:
        """Show a study, from its start.

        One of a single image is open once that image is read: a broken file must not take the place of a list.
        """
        if len(study.items) > 1:
            self._enter(study)
        self._request += 1
        self._loader.submit(self._load, self._request, study, study.start)

    def show(self, index: int) -> None:
        """Show item `index` of the study as soon as it is read; what cannot be read is said and skipped."""
        if self.study is None or not 0 <= index < len(self.study.items):
            return
        self._request += 1
        self._asked = index
        self._loader.submit(self._load, self._request, self.study, index)

    def prefetch(self, index: int) -> None:
        """Read the image of item `index` now, for it will probably be asked for next."""
        if self.study is not None:
            self._ahead.read(self.study.items[index].image_path)

    def step(self, by: int) -> None:
        """Go `by` items on or, below 0, back, from the item asked for last: one that cannot be read is no end."""
        if self._asked is not None:
            self.show(self._asked + by)

    def save(self) -> None:
        """Save the mask as it is now, on another thread; an image without a single label gets no new file."""
        keeper = self._keeper
        # A stroke in hand is in no journal yet, and is saved when it ends.
        if keeper is None or self.paint.in_stroke:
            return
        if keeper.clean and not self.paint.mask.any() and not keeper.path.exists():
            return
        self._set_saved("saving")
        mask, facts = self.paint.mask.copy(), self._mask_facts()
        if isinstance(mask, Tiles):
            # Takes seconds; until then the strokes are in the journal.
            facts |= {"within": SLIDE_SECONDS, "progress": self._tell_progress}
        self._autosaver.submit(
            keeper.key, mask, keeper.save, strokes=keeper.strokes, accepted=self.paint.accepted, **facts
        )

    def take_over(self) -> None:
        """Take the mask from whoever holds it, who goes on in a copy, and show it as it was saved last.

        Who goes on to another image meanwhile stays there, and takes nothing over.
        """
        keeper, index, request = self._keeper, self.index, self._request
        if keeper is None or keeper.holder is None or index is None:
            return

        def work() -> None:
            try:
                keeper.take_over()
            except AllxaiError as error:
                self._notice("error", str(error))
            else:
                self._dispatch(lambda: self.show(index) if request == self._request else None)

        self._loader.submit(work)

    def export(self, path: Path, form: str = "npz") -> None:
        """Write the mask to a file of the user's choice, on another thread, in a format of `masks.formats`.

        No image of the study and no mask is written over.
        """
        if self.image is None:
            return
        originals = self.originals
        codes, accepted, stem = self.paint.mask.copy(), self.paint.accepted, Path(self.image.name).stem
        facts = self._mask_facts()

        def write() -> None:
            # Slow to import, and few sessions export anything.
            from allxai_desktop.masks.formats import write_mask

            try:
                keep_images(path, originals)
                write_mask(path, form, codes, stem=stem, accepted=accepted, **facts)
            except AllxaiError as error:
                self._notice("error", str(error))
            else:
                self._notice("info", _("Mask exported as {name}.").format(name=path.name))

        self._loader.submit(write)

    def close(self, timeout: float = 30.0) -> bool:
        """Finish saving and stop: an image that is being read is not shown. Returns whether all is on disk."""
        self._request += 1
        self.paint.end_stroke()
        if self.image is not None:
            self.item_left.emit()
        self.paint.stroke_ended.disconnect(self._on_stroke)
        self._ahead.close()
        done = self._autosaver.close(timeout)
        self._loader.shutdown(wait=True, cancel_futures=True)
        for keeper in self._keepers.values():
            keeper.close()
        return done

    @property
    def saving(self) -> bool:
        """Whether a mask is being written, or is about to be."""
        return self._autosaver.busy

    def unsaved(self, timeout: float = 30.0, *, patient: bool = True) -> bool:
        """Wait for running saves; True where something could not be written.

        After `timeout` seconds also where it was not written yet; for who is `patient`, that begins anew with each
        sign that a mask is being written.
        """
        return not self._autosaver.flush(timeout, patient=patient)

    def _mask_facts(self) -> dict[str, Any]:
        meta = {} if self._keeper is None else self._keeper.meta
        return {
            "image": self.image,
            "annotator": self.person.name if self.person else meta.get("annotator") or self._study_annotator,
            "created": meta.get("created"),
        }

    @property
    def _study_annotator(self) -> str | None:
        return None if self.study is None else self.study.annotator

    def _on_stroke(self, runs: Runs) -> None:
        if self._keeper is not None:
            before = self.holder
            self._keeper.stroke(runs, self.paint.mask)
            if self.holder is not before:
                self.holder_changed.emit()
        self.save()

    def _enter(self, study: Study) -> None:
        self.study, self.index, self._asked = study, None, study.start
        self.unreadable = set()
        self.study_opened.emit(study)

    def _load(self, request: int, study: Study, index: int) -> None:
        if request != self._request:
            return
        item = study.items[index]
        known = self._keepers.get(item.mask_path)
        strokes = 0 if known is None else known.strokes
        try:
            if self._autosaver.unsaved(item.mask_path) is not None:
                # What was painted a moment ago has to be on disk before it is read again.
                self._autosaver.flush(5.0)
            loaded = replace(self._read(study, index), strokes=strokes)
        except AllxaiError as error:
            # With the folder that it lies in it may be back in a moment.
            text, lost = str(error), isdir(item.image_path.parent)
            self._dispatch(lambda: self._skip(request, study, index, text, lost=lost))
        except Exception:
            log.exception("Opening an image failed")
            text = _("{name} could not be opened: see the log.").format(name=item.image_path.name)
            self._dispatch(lambda: self._skip(request, study, index, text, lost=True))
        else:
            self._dispatch(lambda: self._present(request, loaded))

    def _read(self, study: Study, index: int) -> _Loaded:
        item = study.items[index]
        image = item.sized(self._ahead.take(item.image_path) or open_image(item.image_path))
        notices = [Notice("info", f"{image.name}: {note}") for note in image.notes]
        keeper, unsaved = self._keepers.get(item.mask_path), self._autosaver.unsaved(item.mask_path)
        if keeper is not None and unsaved is not None and unsaved[0].shape == image.shape:
            codes, facts = unsaved
            return _Loaded(study, index, image, codes, keeper, tuple(notices), facts["accepted"])
        person = self.person.name if self.person else study.annotator
        # A copy beside this mask must not be taken for that of another image.
        found = find_mask(item.mask_path, image, self._me, person, study.mask_paths)
        notices += [Notice("warning", note) for note in found.notes]
        keeper = MaskKeeper(image, found, self._me, person, lambda text: self._notice("warning", text))
        return _Loaded(study, index, image, found.codes, keeper, tuple(notices), found.accepted)

    def _present(self, request: int, loaded: _Loaded) -> None:
        if request != self._request:
            return
        # A stroke in hand belongs to the image before.
        self.paint.end_stroke()
        here = self._keeper
        if here is not None and here.path == loaded.keeper.path and here.strokes != loaded.strokes:
            # It was painted on while it was read anew.
            self._loader.submit(self._load, request, loaded.study, loaded.index)
            return
        if self.image is not None:
            self.item_left.emit()
        if loaded.study is not self.study:
            self._enter(loaded.study)
        self.session.set_image(None)
        self.index, self.image = loaded.index, loaded.image
        self.unreadable.discard(loaded.index)
        self._keep(loaded.keeper)
        if self.saved == "saving":
            # The end of that stroke is being saved for the image before; should it fail, it will be said.
            self._set_saved("saved")
        self.paint.new_image(loaded.codes, loaded.accepted, loaded.keeper.key)
        self.item_shown.emit(loaded.index)
        explained = loaded.image.whole and not self.is_field(loaded.image)
        self.session.set_image(loaded.image if explained else None)
        self.holder_changed.emit()
        for notice in loaded.notices:
            self.noticed.emit(notice)
        if loaded.keeper.start(loaded.codes):
            self.save()

    def _keep(self, keeper: MaskKeeper) -> None:
        before, self._keeper = self._keeper, keeper
        keeper.resume()
        others = {key: other for key, other in self._keepers.items() if not other.done}
        # At once: another thread may be going through them.
        self._keepers = others | {keeper.key: keeper}
        if before is not None and before is not keeper:
            # At once, where the same image is shown anew.
            if before.key == keeper.key:
                before.hand_over()
            else:
                self._loader.submit(before.retire)

    def _skip(self, request: int, study: Study, index: int, text: str, *, lost: bool) -> None:
        if request == self._request:
            if study is self.study:
                if lost:
                    self.unreadable.add(index)
                self.item_failed.emit(index)
            self.noticed.emit(Notice("error", text))
            # Of a study that was just opened, nothing is on screen yet: go on, from the top at its end.
            after = (index + 1) % len(study.items)
            if study is self.study and self.index is None and after != study.start:
                self.show(after)

    def _notice(self, level: Level, text: str) -> None:
        self._dispatch(lambda: self.noticed.emit(Notice(level, text)))

    def _on_saved(self, path: Path) -> None:
        if self._keeper is not None and path == self._keeper.key:
            # A later stroke may be on its way already.
            if self._keeper.saved_strokes == self._keeper.strokes:
                self._set_saved("saved")
            # It may have found that somebody else changed the file.
            self.holder_changed.emit()
        self.mask_saved.emit(path)

    def _on_save_error(self, path: Path, error: AllxaiError) -> None:
        self._set_saved("failed")
        self.noticed.emit(Notice("error", str(error)))

    def _tell_progress(self, share: float) -> None:
        self._autosaver.beat()
        self._dispatch(lambda: self.saving_progressed.emit(share))

    def _set_saved(self, state: SavedState) -> None:
        if state != self.saved:
            self.saved = state
            self.saved_changed.emit(state)
