"""What is in the file of a journal: its records, and what is made of them.

It starts with a head that names the image, and the mask file that the strokes start from, by their SHA-256; in the
user's own folder that comes after where the mask belongs. A stroke is a record of runs. Another record says that a mask
file is about to be there, and how many of the strokes it has.
"""

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from allxai_desktop.cellclasses import MAX_CODE
from allxai_desktop.errors import AllxaiError, reason_of
from allxai_desktop.files import MOMENT_S, patiently
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

    def laid_over(self, codes: Codes) -> Codes | None:
        """Return the mask uint8 (H, W) with all strokes on it, whatever they find; None where that changes nothing."""
        painted = codes.copy()
        before, values = flat(codes), flat(painted)
        laid = [*([] if self.base is None else [self.base]), *self.strokes]
        # Part by part, and so twice: those of a few fills of a large image take more memory than there is.
        for runs in laid:
            for edit in runs.parts():
                values[edit.indices] = edit.new & _CODE
        changed = any(
            (values[edit.indices] != before[edit.indices]).any() for runs in laid for edit in runs.parts()
        )
        return painted if changed else None


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file; `NO_FILE` where there is none. Raises `OSError`."""
    try:
        with patiently(lambda: path.open("rb"), MOMENT_S) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return NO_FILE


def head_record(head: Head) -> bytes:
    """Return the record that a journal starts with."""
    return _record(_HEAD, json.dumps(asdict(head)).encode())


def place_record(mask_path: Path) -> bytes:
    """Return the record of where a mask belongs."""
    return _record(_PLACE, os.fsencode(mask_path.absolute()))


def base_record(codes: Codes) -> bytes:
    """Return the record of what strokes start from, uint8 (H, W), of which something is labelled."""
    return _record(_BASE, _runs_bytes(_whole(codes)))


def stroke_record(runs: Runs) -> bytes:
    """Return the record of a stroke."""
    return _record(_STROKE, _runs_bytes(runs))


def saved_record(mask_sha256: str, count: int) -> bytes:
    """Return the record of a mask file that has the first `count` strokes."""
    return _record(_SAVED, _MARK.pack(bytes.fromhex(mask_sha256), count))


def read_place(path: Path) -> Path | None:
    """Return where the mask of a journal belongs, None where that is not said or cannot be read."""
    try:
        with path.open("rb") as stream:
            kind, payload, _end = next(_records(stream.read(_LONGEST_PLACE)))
    except (OSError, ValueError, StopIteration):
        return None
    return Path(os.fsdecode(payload)) if kind == _PLACE else None


def read_journal(path: Path) -> Recorded:
    """Read a journal as far as it is whole. Raises `JournalError` where not even its head is."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise JournalError(f"{path.name} is too large for a journal")
        data = patiently(path.read_bytes, MOMENT_S)
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
