"""The journal of a mask: each finished stroke is in it before the next begins, until the mask file has it too.

One file for each session that paints: `<stem>.<session>.journal` beside the mask, or in the user's own folder where
that one cannot be written, which begins with where the mask belongs. It starts with a head that names the image, and
the mask file that the strokes start from, by their SHA-256. A stroke is a record of runs. Before a mask file takes
its place, a record with its SHA-256 says how many strokes it has; so at any moment the file on disk is one that the
journal knows. Once a mask file has every stroke, the journal goes.

Strokes are handed to the system without waiting for the disk, which outlives the program but not the power; the
saving thread, which announces each mask file, waits for it.
"""

import hashlib
import json
import os
import re
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from platformdirs import user_data_path

from allxai_desktop.cellclasses import MAX_CODE
from allxai_desktop.errors import AllxaiError, reason_of
from allxai_desktop.painting.history import Edit, Runs
from allxai_desktop.painting.tiles import Codes, Flags, Tiles, bands, flat
from allxai_desktop.study.locks import PaintingSession

NO_FILE = "0" * 64
"""Stands for the SHA-256 of a mask file that does not exist yet."""

_RECORD = struct.Struct("<cQ")
_CRC = struct.Struct("<I")
_MARK = struct.Struct("<32sQ")
_HEAD, _BASE, _STROKE, _SAVED, _PLACE = b"H", b"B", b"S", b"M", b"P"
_CODE = 0x7F
_MAX_BYTES = 2**30
_LONGEST_PLACE = 2**16


class JournalError(AllxaiError):
    """A file that is no journal, or whose strokes do not fit the mask."""


@dataclass(frozen=True)
class Head:
    """Where the strokes of a journal belong: SHA-256 of image and mask file, size of the mask, whose session."""

    image: str
    mask: str
    height: int
    width: int
    session: PaintingSession


@dataclass(frozen=True, eq=False)
class Recorded:
    """What a journal file holds: the records after its head, `damaged` where more follows than a torn last one.

    `base` is what the strokes start from where that is no file; `saved` are the mask files announced: SHA-256 and how
    many of the strokes each has.
    """

    path: Path
    head: Head
    base: Runs | None
    strokes: list[Runs]
    saved: list[tuple[str, int]]
    body: bytes
    damaged: bool

    def had_by(self, mask_sha256: str) -> int | None:
        """Return how many of the strokes a mask file has; None where it is not one that the journal knows."""
        for sha256, count in reversed(self.saved):
            if sha256 == mask_sha256:
                return count
        return 0 if mask_sha256 == self.head.mask else None

    def lacking(self, mask_sha256: str, had: int) -> bool:
        """Whether a mask file that has the first `had` strokes lacks some, or is not there and lacks the base."""
        return had < len(self.strokes) or (mask_sha256 == NO_FILE and self.base is not None)

    def has(self, other: "Recorded") -> bool:
        """Whether this journal goes on where another ended."""
        return self.head.mask == other.head.mask and self.body.startswith(other.body)

    def is_of(self, image_sha256: str, shape: tuple[int, ...]) -> bool:
        """Whether the strokes are of an image, whose mask has that shape."""
        return (self.head.image, self.head.height, self.head.width) == (image_sha256, *shape)

    def painted(self, codes: Codes, accepted: Flags | None, had: int) -> tuple[Codes, Flags]:
        """Return the mask uint8 (H, W) with the strokes after the first `had` on it, and its `accepted` bool (H, W).

        Those are the pixels that a proposal set last. Raises `JournalError` where strokes do not find the codes that
        they changed.
        """
        painted = codes.copy()
        empty = Tiles(codes.shape, bool) if isinstance(codes, Tiles) else np.zeros(codes.shape, bool)
        proposed = empty if accepted is None else accepted.copy()
        values, proposals = flat(painted), flat(proposed)
        # A mask file that is there has it, be it without any stroke.
        base = [] if had or self.base is None or codes.any() else [self.base]
        for runs in (*base, *self.strokes[had:]):
            for edit in runs.parts():
                if (values[edit.indices] & _CODE != edit.old & _CODE).any():
                    raise JournalError("the strokes are of another mask")
                values[edit.indices] = edit.new & _CODE
                # What the strokes start from counts as a person's, as the codes of any mask do.
                by_proposal = (edit.new > 0) & (edit.new <= _CODE) & (runs is not self.base)
                proposals[edit.indices] = by_proposal
        return painted, proposed


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
            self._strokes = [_record(_STROKE, _runs_bytes(runs)) for runs in recorded.strokes]
            self.count, self.empty = len(self._strokes), False
            self._adopted = [recorded.path, *(other.path for other in others)]
            self._write()

    def append(self, runs: Runs) -> None:
        """Write a stroke. Raises `OSError` where no place can be written; it is then written with the next."""
        record = _record(_STROKE, _runs_bytes(runs))
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
            self._records += _record(_SAVED, _MARK.pack(bytes.fromhex(mask_sha256), had))
            if self.empty:
                # Nothing to keep yet, but a stroke may come before the file is there.
                return
            try:
                self._write()
            except OSError:
                return
            path = self._path
        assert path is not None
        with suppress(OSError), path.open("rb+") as stream:
            os.fsync(stream.fileno())

    def cut(self, mask_sha256: str, count: int) -> None:
        """Forget the strokes, where a mask file on disk has all of them."""
        with self._mutex:
            if count != self.count:
                return
            try:
                for path in (*self._adopted, *([] if self._path is None else [self._path])):
                    path.unlink(missing_ok=True)
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
                    before.unlink()

    def _start(self, head: Head, codes: Codes | None = None) -> None:
        self._head, self._written, self._strokes = head, 0, []
        self._records = bytearray(_record(_HEAD, json.dumps(asdict(head)).encode()))
        if codes is not None and codes.any():
            self._records += _record(_BASE, _runs_bytes(_whole(codes)))

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
                with suppress(OSError):
                    before.unlink()
            return
        self._path, self._written = before, good
        raise failure

    def _put(self, path: Path) -> None:
        new = self._written == 0
        place = self._place_record(path)
        if new:
            path.parent.mkdir(parents=path.parent == _own_folder(), exist_ok=True)
        flags = os.O_WRONLY | getattr(os, "O_BINARY", 0)
        handle = os.open(path, flags | os.O_CREAT | os.O_EXCL if new else flags, 0o666)
        try:
            # A record that a full disk cut short is written over.
            os.lseek(handle, 0 if new else len(place) + self._written, os.SEEK_SET)
            data = (place if new else b"") + bytes(self._records[self._written :])
            done = 0
            while done < len(data):
                done += os.write(handle, data[done:])
        except OSError:
            if new:
                with suppress(OSError):
                    path.unlink()
            raise
        finally:
            os.close(handle)
        self._written = len(self._records)

    def _place_record(self, path: Path) -> bytes:
        # Never in a study, which others may get.
        inside = path.parent != _own_folder()
        return b"" if inside else _record(_PLACE, os.fsencode(self._mask_path.absolute()))

    def _places(self) -> list[Path]:
        name = f"{self._mask_path.stem}.{self._head.session.id}.journal"
        place = hashlib.sha256(os.fsencode(self._mask_path.absolute())).hexdigest()[:8]
        return [
            self._mask_path.with_name(name),
            _own_folder() / f"{self._head.image[:32]}.{place}.{name}",
        ]


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file; `NO_FILE` where there is none. Raises `OSError`."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return NO_FILE


def journals_of(mask_path: Path, image_sha256: str) -> list[Path]:
    """Return the journal files of a mask, beside it and in the user's own folder."""
    name = re.escape(mask_path.stem) + r"\.[0-9a-f]{16}\.journal"
    found = []
    for folder, pattern in (
        (mask_path.parent, name),
        (_own_folder(), re.escape(image_sha256[:32]) + r"\.[0-9a-f]{8}\." + name),
    ):
        with suppress(OSError):
            found += [path for path in folder.iterdir() if re.fullmatch(pattern, path.name)]
    return sorted(path for path in found if not _of_another(path, mask_path))


def _of_another(path: Path, mask_path: Path) -> bool:
    """Whether a journal in the user's own folder is of a mask elsewhere, whose study has not been moved from there."""
    if path.parent != _own_folder():
        return False
    try:
        with path.open("rb") as stream:
            kind, payload, _end = next(_records(stream.read(_LONGEST_PLACE)))
    except (OSError, ValueError, StopIteration):
        return False
    if kind != _PLACE:
        return False
    place = Path(os.fsdecode(payload))
    study, here = place.parent.parent, mask_path.parent.parent
    same = place.parts[-2:] == mask_path.parts[-2:] and here.exists()
    return study.exists() and not (same and study.samefile(here))


def read_journal(path: Path) -> Recorded:
    """Read a journal as far as it is whole. Raises `JournalError` where not even its head is."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise JournalError(f"{path.name} is too large for a journal")
        data = path.read_bytes()
    except OSError as error:
        raise JournalError(f"{path.name} cannot be read: {reason_of(error)}") from error
    head: Head | None = None
    base: Runs | None = None
    strokes: list[Runs] = []
    saved: list[tuple[str, int]] = []
    begin = end = 0
    damaged = False
    try:
        for kind, payload, after in _records(data):
            if kind == _PLACE and head is None:
                continue
            if head is None:
                head, begin = _head(kind, payload), after
            elif kind == _STROKE:
                strokes.append(_runs(payload, head.height * head.width))
            elif kind == _BASE and base is None and not strokes:
                base = _runs(payload, head.height * head.width)
            elif kind == _SAVED:
                sha256, count = _MARK.unpack(payload)
                saved.append((sha256.hex(), min(count, len(strokes))))
            else:
                raise ValueError("unknown record")
            end = after
    except (ValueError, KeyError, TypeError, struct.error, RecursionError):
        damaged = True
    if head is None:
        raise JournalError(f"{path.name} is no journal")
    return Recorded(path, head, base, strokes, saved, data[begin:end], damaged)


def _own_folder() -> Path:
    # Not the folder of caches, which a system may empty.
    return user_data_path("allxai-desktop", appauthor=False) / "journals"


def _record(kind: bytes, payload: bytes) -> bytes:
    body = _RECORD.pack(kind, len(payload)) + payload
    return body + _CRC.pack(zlib.crc32(body))


def _records(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield kind, payload and end of each whole record; a torn last one ends them. Raises `ValueError` on damage."""
    start = 0
    while start + _RECORD.size <= len(data):
        kind, length = _RECORD.unpack_from(data, start)
        at = start + _RECORD.size
        if at + length + _CRC.size > len(data):
            return
        if zlib.crc32(data[start : at + length]) != _CRC.unpack_from(data, at + length)[0]:
            raise ValueError("the checksum differs")
        start = at + length + _CRC.size
        yield kind, data[at : at + length], start


def _whole(codes: Codes) -> Runs:
    """Return a mask of which something is labelled as what was painted on an empty one."""
    parts, start = [], 0
    for band in bands(codes):
        if band.any():
            new = band.reshape(-1)
            parts.append(Runs.pack(Edit(slice(start, start + new.size), np.zeros_like(new), new)))
        start += band.size
    starts, lengths, old, new = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("starts", "lengths", "old", "new")
    )
    return Runs(starts, lengths, old, new, "human")


def _head(kind: bytes, payload: bytes) -> Head:
    if kind != _HEAD:
        raise ValueError("a journal starts with its head")
    found = json.loads(payload)
    return Head(
        str(found["image"]),
        str(found["mask"]),
        int(found["height"]),
        int(found["width"]),
        PaintingSession.of(found["session"]),
    )


def _runs_bytes(runs: Runs) -> bytes:
    return b"".join(
        (
            runs.starts.astype("<i8").tobytes(),
            runs.lengths.astype("<i8").tobytes(),
            runs.old.tobytes(),
            runs.new.tobytes(),
        )
    )


def _runs(payload: bytes, size: int) -> Runs:
    count, rest = divmod(len(payload), 18)
    if rest or not count:
        raise ValueError("a stroke has a start, a length and two codes for each run")
    starts, lengths = np.frombuffer(payload, "<i8", 2 * count).astype(np.int64).reshape(2, count)
    old, new = np.frombuffer(payload, np.uint8, offset=16 * count).reshape(2, count)
    inside = starts[0] >= 0 and (lengths > 0).all() and (lengths <= size).all() and (starts <= size).all()
    ends = starts + lengths if inside else starts
    if not inside or ends[-1] > size or (starts[1:] < ends[:-1]).any():
        raise ValueError("a run leaves the mask or meets another")
    if ((old & _CODE) > MAX_CODE).any() or ((new & _CODE) > MAX_CODE).any():
        raise ValueError("a code is no class")
    return Runs(starts, lengths, old, new, "human")
