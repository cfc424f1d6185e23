"""The open study: which image is shown, its mask, and how the mask gets to disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.images import CellImage, read_image
from allxai_desktop.masks.npz import MaskError, MaskFile, load_mask
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session
from allxai_desktop.study.ahead import ImageAhead
from allxai_desktop.study.autosave import Autosaver
from allxai_desktop.study.folder import Study, StudyItem
from allxai_desktop.study.people import Person
from allxai_desktop.study.store import StudyStore

Level = Literal["info", "warning", "error"]
SavedState = Literal["saved", "saving", "failed"]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notice:
    """One sentence for the user."""

    level: Level
    text: str


@dataclass(frozen=True)
class _Loaded:
    study: Study
    index: int
    image: CellImage
    codes: NDArray[np.uint8]
    mask_path: Path
    meta: dict[str, Any]
    notices: tuple[Notice, ...]


class Workspace:
    """Opens images off the window's thread, hands them to `paint` and `session`, saves each stroke.

    `dispatch` runs a callable on the thread that owns the widgets. `person` is who paints, where that is known.
    `item_left` tells that another image takes the place of this one, whose mask is still there.
    """

    study_opened = Signal(Study)
    item_left = Signal()
    item_shown = Signal(int)
    item_failed = Signal(int)
    saved_changed = Signal(str)
    noticed = Signal(Notice)

    def __init__(
        self, session: Session, dispatch: Callable[[Callable[[], None]], None] = lambda call: call()
    ) -> None:
        self.session = session
        self.paint: PaintModel = session.paint
        self.person: Person | None = None
        self.study: Study | None = None
        self.index: int | None = None
        self.image: CellImage | None = None
        self.mask_path: Path | None = None
        self.saved: SavedState = "saved"
        self._meta: dict[str, Any] = {}
        self._dispatch = dispatch
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="load")
        self._ahead = ImageAhead()
        self._request = 0
        self._asked: int | None = None
        self._autosaver = Autosaver(
            on_saved=lambda path: dispatch(lambda: self._on_saved(path)),
            on_error=lambda path, error: dispatch(lambda: self._on_save_error(path, error)),
        )
        self.paint.stroke_ended.connect(self.save)

    @property
    def item(self) -> StudyItem | None:
        """The item that is shown."""
        return None if self.study is None or self.index is None else self.study.items[self.index]

    def open(self, path: Path) -> None:
        """Open a study, a folder of images or one image; what is open stays where that fails.

        A study of one image is open once that image is read: a broken file must not take the place of a list.
        """
        try:
            study = Study.open(path)
            # A study that another version works on is left alone.
            StudyStore.open(study.folder)
        except AllxaiError as error:
            self.noticed.emit(Notice("error", str(error)))
            return
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
        if self.image is None or self.mask_path is None:
            return
        if not self.paint.codes.any() and not self.mask_path.exists():
            return
        self._set_saved("saving")
        self._autosaver.submit(self.mask_path, self.paint.codes.copy(), **self._mask_facts())

    def export(self, path: Path, form: str = "npz") -> None:
        """Write the mask to a file of the user's choice, on another thread, in a format of `masks.formats`."""
        if self.image is None:
            return
        codes, facts, stem = self.paint.codes.copy(), self._mask_facts(), Path(self.image.name).stem

        def write() -> None:
            # Slow to import, and few sessions export anything.
            from allxai_desktop.masks.exported import Exported
            from allxai_desktop.masks.formats import export_format

            try:
                export_format(form).write_image(path, Exported(codes, stem=stem, **facts))
            except AllxaiError as error:
                self._notice("error", str(error))
            else:
                self._notice("info", _("Mask exported as {name}.").format(name=path.name))

        self._loader.submit(write)

    def close(self, timeout: float = 30.0) -> bool:
        """Finish saving and stop. Returns whether all is on disk."""
        self.paint.end_stroke()
        if self.image is not None:
            self.item_left.emit()
        self.paint.stroke_ended.disconnect(self.save)
        self._ahead.close()
        done = self._autosaver.close(timeout)
        self._loader.shutdown(wait=True, cancel_futures=True)
        return done

    def unsaved(self, timeout: float = 30.0) -> bool:
        """Wait for running saves; True where something could not be written."""
        return not self._autosaver.flush(timeout)

    def _mask_facts(self) -> dict[str, Any]:
        return {
            "image": self.image,
            "annotator": self.person.name if self.person else self._meta.get("annotator"),
            "created": self._meta.get("created"),
        }

    def _enter(self, study: Study) -> None:
        self.study, self.index, self._asked = study, None, study.start
        self.study_opened.emit(study)

    def _load(self, request: int, study: Study, index: int) -> None:
        if request != self._request:
            return
        item = study.items[index]
        try:
            if self._autosaver.unsaved(item.mask_path) is not None:
                # What was painted a moment ago has to be on disk before it is read again.
                self._autosaver.flush(5.0)
            loaded = self._read(study, index)
        except AllxaiError as error:
            text = str(error)
            self._dispatch(lambda: self._skip(request, study, index, text))
        except Exception:
            log.exception("Opening an image failed")
            text = _("{name} could not be opened: see the log.").format(name=item.image_path.name)
            self._dispatch(lambda: self._skip(request, study, index, text))
        else:
            self._dispatch(lambda: self._present(request, loaded))

    def _read(self, study: Study, index: int) -> _Loaded:
        item = study.items[index]
        image = self._ahead.take(item.image_path) or read_image(item.image_path)
        if item.pixel_size_um is not None:
            image = replace(image, pixel_size_um=item.pixel_size_um)
        notices = [Notice("info", f"{image.name}: {note}") for note in image.notes]
        mask_path, mask, refused = self._usable_mask(item.mask_path, image)
        if refused:
            text = _("{reason} What you paint is saved as {name}; the file stays as it is.").format(
                reason=refused, name=mask_path.name
            )
            notices.append(Notice("warning", text))
        if mask is not None and mask.warning:
            notices.append(Notice("warning", mask.warning))
        codes = mask.codes if mask is not None else np.zeros(image.pixels.shape[:2], np.uint8)
        unsaved = self._autosaver.unsaved(mask_path)
        if unsaved is not None and unsaved.shape == codes.shape:
            codes = unsaved
        meta = mask.meta if mask is not None else {}
        return _Loaded(study, index, image, codes, mask_path, meta, tuple(notices))

    def _usable_mask(self, path: Path, image: CellImage) -> tuple[Path, MaskFile | None, str | None]:
        """Return where the mask of `image` is or will be, the mask if there is one, and why `path` is left alone.

        A file that is no mask of this image is never written over: `<stem>-2.npz`, `-3`, … take its place.
        """
        number, refused, candidate = 1, None, path
        while candidate.exists():
            try:
                return candidate, load_mask(candidate, image), refused
            except MaskError as error:
                refused = refused or str(error)
            number += 1
            candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
        return candidate, None, refused

    def _present(self, request: int, loaded: _Loaded) -> None:
        if request != self._request:
            return
        # A stroke in hand belongs to the image before.
        self.paint.end_stroke()
        if self.image is not None:
            self.item_left.emit()
        if loaded.study is not self.study:
            self._enter(loaded.study)
        self.session.set_image(None)
        self.index, self.image = loaded.index, loaded.image
        self.mask_path, self._meta = loaded.mask_path, loaded.meta
        if self.saved == "saving":
            # The end of that stroke is being saved for the image before; should it fail, it will be said.
            self._set_saved("saved")
        self.paint.new_image(loaded.codes)
        self.item_shown.emit(loaded.index)
        self.session.set_image(loaded.image)
        for notice in loaded.notices:
            self.noticed.emit(notice)

    def _skip(self, request: int, study: Study, index: int, text: str) -> None:
        if request == self._request:
            if study is self.study:
                self.item_failed.emit(index)
            self.noticed.emit(Notice("error", text))

    def _notice(self, level: Level, text: str) -> None:
        self._dispatch(lambda: self.noticed.emit(Notice(level, text)))

    def _on_saved(self, path: Path) -> None:
        if path == self.mask_path:
            self._set_saved("saved")

    def _on_save_error(self, path: Path, error: AllxaiError) -> None:
        self._set_saved("failed")
        self.noticed.emit(Notice("error", str(error)))

    def _set_saved(self, state: SavedState) -> None:
        if state != self.saved:
            self.saved = state
            self.saved_changed.emit(state)
