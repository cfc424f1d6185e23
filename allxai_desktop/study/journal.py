"""The journal of a mask: each finished stroke is in it before the next begins, until the mask file has it too.

One file for each session that paints: `<stem>.<session>.journal` beside the mask, or in the user's own folder where
that one cannot be written; `journal_file` has what is in it. Before a mask file takes its place, a record with its
SHA-256 says how many strokes it has; so at any moment the file on disk is one that the journal knows. Once a mask file
has every stroke, the journal goes.

Strokes are handed to the system without waiting for the disk, which outlives the program but not the power; the
saving thread, which announces each mask file, waits for it.
"""

import hashlib
import os
import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from platformdirs import user_data_path

from allxai_desktop.files import MOMENT_S, listed, patiently
from allxai_desktop.painting.history import Runs
from allxai_desktop.painting.tiles import Codes
from allxai_desktop.study.journal_file import (
    NO_FILE,
    Head,
    Recorded,
    base_record,
    head_record,
    place_record,
    read_place,
    saved_record,
    stroke_record,
)


class Journal:
    """Appends strokes to a journal file that is made at the first; a place that fails is replaced by the next.

    `append` belongs to the painting thread, the rest to the saving thread. `count` strokes were appended so far;
    `empty` tells that the mask file has all of what was painted.
    """

    def __init__(self, mask_path: Path, head: Head, codes: Codes | None = None) -> None:
        """Start from the mask file that `head` names or, where there is none, from `codes` uint8 (H, W)."""
        self.count = 0
        self.empty = True
        self._mask_path = mask_path
        self._mutex = threading.Lock()
        self._adopted: list[Path] = []
        self._path: Path | None = None
        self._strokes: list[bytes] = []
        self._records = bytearray()
        self._written = 0
        self._start(head, codes)

    @property
    def written(self) -> bool:
        """Whether every stroke is in a file."""
        return self._written == len(self._records)

    def adopt(self, recorded: Recorded, others: Sequence[Recorded] = ()) -> None:
        """Go on where a journal of a dead session ended; it and `others` are deleted when the mask file is there.

        Raises `OSError` as `append` does.
        """
        with self._mutex:
            self._start(replace(self._head, mask=recorded.head.mask))
            self._records += recorded.body
            self._strokes = [stroke_record(runs) for runs in recorded.strokes]
            self.count, self.empty = len(self._strokes), False
            self._adopted = [recorded.path, *(other.path for other in others)]
            self._write()

    def append(self, runs: Runs) -> None:
        """Write a stroke. Raises `OSError` where no place can be written; it is then written with the next."""
        record = stroke_record(runs)
        with self._mutex:
            self._records += record
            self._strokes.append(record)
            self.count += 1
            self.empty = False
            self._write()

    def announce(self, mask_sha256: str, count: int) -> None:
        """Note that a mask file with the first `count` strokes is about to be written, and wait for the disk."""
        with self._mutex:
            had = count - (self.count - len(self._strokes))
            self._records += saved_record(mask_sha256, had)
            if self.empty:
                # Nothing to keep yet, but a stroke may come before the file is there.
                return
            try:
                self._write()
            except OSError:
                return
            path = self._path
        assert path is not None
        with suppress(OSError), patiently(lambda: path.open("rb+"), MOMENT_S) as stream:
            os.fsync(stream.fileno())

    def cut(self, mask_sha256: str, count: int) -> None:
        """Forget the strokes, where a mask file on disk has all of them."""
        with self._mutex:
            if count != self.count:
                return
            try:
                for path in (*self._adopted, *([] if self._path is None else [self._path])):
                    patiently(partial(path.unlink, missing_ok=True), MOMENT_S)
            except OSError:
                # Written on: a file that stayed would not fit the next mask file.
                return
            self._adopted, self._path = [], None
            self._start(replace(self._head, mask=mask_sha256))
            self.empty = True

    def move(self, mask_path: Path, codes: Codes, count: int) -> None:
        """Lie beside a mask that is not there yet, and start from `codes` uint8 (H, W) with the first `count` strokes.

        Where that cannot be written, it is with the next stroke.
        """
        with self._mutex:
            rest = self._strokes[count - (self.count - len(self._strokes)) :]
            before, self._path, self._mask_path = self._path, None, mask_path
            self._start(replace(self._head, mask=NO_FILE), codes)
            self._strokes, self.empty = rest, False
            self._records += b"".join(rest)
            with suppress(OSError):
                self._write()
                if before is not None:
                    self._drop(before)

    def _start(self, head: Head, codes: Codes | None = None) -> None:
        self._head, self._written, self._strokes = head, 0, []
        self._records = bytearray(head_record(head))
        if codes is not None and codes.any():
            self._records += base_record(codes)

    def _write(self) -> None:
        before, good = self._path, self._written
        failure = OSError()
        for place in [*([] if before is None else [before]), *self._places()]:
            if place == before != self._path:
                continue
            try:
                self._put(place)
            except OSError as error:
                failure, self._path, self._written = error, None, 0
                continue
            self._path = place
            if before is not None and before != place:
                self._drop(before)
            return
        self._path, self._written = before, good
        raise failure

    def _drop(self, path: Path) -> None:
        """Delete a journal whose strokes are elsewhere, now or with the next that is cut."""
        try:
            path.unlink()
        except OSError:
            self._adopted.append(path)

    def _put(self, path: Path) -> None:
        new = self._written == 0
        place = self._place_record(path)
        flags = os.O_WRONLY | getattr(os, "O_BINARY", 0) | (os.O_CREAT | os.O_EXCL if new else 0)
        try:
            handle = patiently(lambda: os.open(path, flags, 0o666), 0.0 if new else MOMENT_S)
        except FileNotFoundError:
            if not new:
                raise
            # Not before: the painting waits for this, and a disk that is far takes a while for each question.
            path.parent.mkdir(parents=path.parent == _own_folder(), exist_ok=True)
            handle = os.open(path, flags, 0o666)
        data = (place if new else b"") + bytes(self._records[self._written :])
        try:
            # A record that a full disk cut short is written over.
            _write_at(handle, 0 if new else len(place) + self._written, data)
        except OSError:
            if new:
                with suppress(OSError):
                    path.unlink()
            raise
        self._written = len(self._records)

    def _place_record(self, path: Path) -> bytes:
        # Never in a study, which others may get.
        inside = path.parent != _own_folder()
        return b"" if inside else place_record(self._mask_path)

    def _places(self) -> list[Path]:
        name = f"{self._mask_path.stem}.{self._head.session.id}.journal"
        place = hashlib.sha256(os.fsencode(self._mask_path.absolute())).hexdigest()[:8]
        return [
            self._mask_path.with_name(name),
            _own_folder() / f"{self._head.image[:32]}.{place}.{name}",
        ]


def _write_at(handle: int, place: int, data: bytes) -> None:
    """Write to a file that is open, from `place` on, and close it. Raises `OSError`."""
    try:
        os.lseek(handle, place, os.SEEK_SET)
        done = 0
        while done < len(data):
            done += os.write(handle, data[done:])
    finally:
        os.close(handle)


def journals_of(mask_path: Path, image_sha256: str) -> list[Path]:
    """Return the journal files of a mask, beside it and in the user's own folder."""
    name = re.escape(mask_path.stem) + r"\.[0-9a-f]{16}\.journal"
    found = []
    for folder, pattern in (
        (mask_path.parent, name),
        (_own_folder(), re.escape(image_sha256[:32]) + r"\.[0-9a-f]{8}\." + name),
    ):
        with suppress(OSError):
            names = [listed(path.name) for path in folder.iterdir()]
            found += [folder / name for name in names if re.fullmatch(pattern, name)]
    return sorted(path for path in found if not _of_another(path, mask_path))


def _of_another(path: Path, mask_path: Path) -> bool:
    """Whether a journal in the user's own folder is of a mask elsewhere, whose study has not been moved from there."""
    if path.parent != _own_folder():
        return False
    place = read_place(path)
    if place is None:
        return False
    study, here = place.parent.parent, mask_path.parent.parent
    same = place.parts[-2:] == mask_path.parts[-2:] and here.exists()
    return study.exists() and not (same and study.samefile(here))


def _own_folder() -> Path:
    # Not the folder of caches, which a system may empty.
    return user_data_path("allxai-desktop", appauthor=False) / "journals"
