"""Files and folders that are written whole or not at all, tables among them, and files read up to a size."""

import csv
import errno
import io
import os
import re
import secrets
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from glob import escape
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any, TypeVar

from allxai_desktop.errors import AllxaiError, reason_of
from allxai_desktop.i18n import _

# Python keeps such bytes as these surrogates.
_NO_TEXT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_KILLED_S = 86_400
# What file managers leave in a folder that somebody looked into.
_OF_SYSTEMS = {".DS_Store", "desktop.ini", "Thumbs.db"}
_ACCENTS_APART = sys.platform == "darwin"
_WINDOWS = os.name == "nt"
# The most letters of a path there, less those that the name of a file has more until it is whole.
_LONGEST = 259 - len("..12345678.tmp")
PATIENCE_S = 5.0
"""How long what is written waits until others close a file; the mask of a slide is read in about four."""
MOMENT_S = 0.5
"""How long who paints does."""

T = TypeVar("T")


class WriteError(AllxaiError):
    """A file that could not be written, and what to do about it."""


def as_text(name: str) -> str:
    """Return a file name with "_" for what is no text: control characters, and bytes that are not of UTF-8."""
    return _NO_TEXT.sub("_", name)


def listed(name: str) -> str:
    """Return a name that a folder gives as this program calls the file.

    Of some disks macOS gives an accent as a sign of its own; it finds the file by either name.
    """
    return unicodedata.normalize("NFC", name) if _ACCENTS_APART else name


def read_at_most(path: Path, most: int) -> bytes:
    """Return what a file holds. Raises `ValueError` where that is more than `most` bytes, `OSError`."""
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise ValueError(_("it holds more than {limit} MB").format(limit=most // 10**6))
    return data


def patiently(act: Callable[[], T], seconds: float = PATIENCE_S) -> T:
    """Return what `act` does with a file; for `seconds`, where Windows refuses that, try again.

    It neither replaces nor deletes a file that somebody has open, be it to read it or to look for a virus. Raises what
    `act` does.
    """
    end = monotonic() + seconds
    while True:
        try:
            return act()
        except PermissionError:
            if not _WINDOWS or monotonic() >= end:
                raise
        sleep(0.01)


def is_empty(folder: Path) -> bool:
    """Whether nobody put anything into a folder. Raises `OSError`."""
    return all(path.name in _OF_SYSTEMS for path in folder.iterdir())


def make_folder(folder: Path) -> None:
    """Make a folder for results, with those that it lies in, where it is missing. Raises `WriteError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            _("The folder {name} cannot be made ({reason}): choose another one.").format(
                name=folder.name, reason=reason_of(error)
            )
        ) from error


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give a folder whose content comes into `out`, new or empty, when all went well, and vanishes when not.

    Raises `WriteError`.
    """
    try:
        if out.exists() and not (out.is_dir() and is_empty(out)):
            raise WriteError(
                _("{name} holds something already: choose a new or empty folder.").format(name=out.name)
            )
        out.parent.mkdir(parents=True, exist_ok=True)
        _clear_left(out)
        unfinished = out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")
        unfinished.mkdir()
    except OSError as error:
        raise _cannot_write(out, error) from error
    try:
        yield unfinished
        if not out.exists():
            # At once: whatever ends the program now leaves no half of it.
            patiently(lambda: unfinished.rename(out))
            return
        # What somebody stands in cannot be replaced under their feet.
        for path in unfinished.iterdir():
            patiently(partial(path.rename, out / path.name))
    except OSError as error:
        raise _cannot_write(out, error) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _clear_left(out: Path) -> None:
    """Remove what exports to `out` left that were killed; one that is still at work is not that old."""
    for left in out.parent.glob(f".{escape(out.name)}.{'[0-9a-f]' * 8}.tmp"):
        # Another export may be clearing it too.
        with suppress(FileNotFoundError):
            if time() - left.stat().st_mtime > _KILLED_S:
                shutil.rmtree(left, ignore_errors=True)


def _cannot_write(out: Path, error: OSError) -> WriteError:
    return WriteError(
        _("{name} could not be written ({reason}): free the disk or choose another folder.").format(
            name=out.name, reason=reason_of(error)
        )
    )


def keep_images(path: Path, images: Iterable[Path]) -> None:
    """Raise `WriteError` where `path`, to which something is to be written, is one of the images or their masks."""
    for image in images if path.exists() else ():
        with suppress(OSError):
            if path.samefile(image):
                raise WriteError(
                    _("{name} is one of the images or their masks: choose another name.").format(
                        name=path.name
                    )
                )


def free_path(stem: str, ending: str, typed: str) -> Path:
    """Return `stem` with `ending`, or with a number between them where that is there and is not what was `typed`.

    A dialog for files asks whether to write over what was typed, and over nothing else.
    """
    path, number = Path(stem + ending), 1
    while path != Path(typed) and os.path.exists(path):
        number += 1
        path = Path(f"{stem}-{number}{ending}")
    return path


Stamp = tuple[int, int, int]


def file_stamp(path: Path) -> Stamp | None:
    """Return what differs once a file is another one: when it was written (ns), its size in bytes and its number.

    None where there is none that can be asked for.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def write_whole(
    path: str | Path, data: bytes | memoryview, last_look: Callable[[], None] = lambda: None
) -> None:
    """Put `data` in place of the file at `path` once all of it is on disk; the last folder is made when missing.

    Raises `WriteError`, or what `last_look` does, which is called right before; the file that was there before is then
    untouched.
    """
    try:
        _replace(Path(os.path.realpath(path)), data, last_look)
    except OSError as error:
        raise WriteError(_reason(Path(path), error)) from error


def write_table(path: Path, rows: Iterable[Iterable[Any]]) -> None:
    """Write a CSV file in UTF-8; texts that a spreadsheet would run get a "'" in front. Raises `WriteError`."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_unrun(cell) for cell in row] for row in rows)
    write_whole(path, text.getvalue().encode())


def _unrun(cell: Any) -> Any:
    # A file name may be a formula, and what a spreadsheet computes from it may call on other programs (CWE-1236).
    # A "'" before such a text gets another, so that taking one away is always right.
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def _replace(path: Path, data: bytes | memoryview, last_look: Callable[[], None]) -> None:
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")

    def put() -> None:
        last_look()
        os.replace(temporary, path)

    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(OSError):
            shutil.copymode(path, temporary)
        patiently(put)
    except BaseException:
        with suppress(OSError):
            # Windows deletes nothing that may not be written, as the file that it should replace.
            temporary.chmod(0o600)
        # Apart: some shares let nobody do the first.
        with suppress(OSError):
            patiently(temporary.unlink)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Without this a power cut may undo the renaming. Windows has no such call, and some network disks refuse it.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _reason(path: Path, error: OSError) -> str:
    # Windows says of such a path that it does not exist.
    too_long = _WINDOWS and len(str(path.absolute())) > _LONGEST
    match errno.ENAMETOOLONG if too_long and error.errno == errno.ENOENT else error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            text = _("{name} was not saved because the disk is full: free some space and save again.")
        case errno.EACCES if _WINDOWS:
            text = _(
                "{name} was not saved because another program has it open, or it may not be written: close it there, "
                "or save elsewhere."
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            text = _("{name} was not saved because its folder or file may not be written: save it elsewhere.")
        case errno.ENOENT | errno.ENOTDIR | errno.EEXIST:
            text = _("{name} was not saved because its folder is missing or is no folder: save it elsewhere.")
        case errno.EISDIR:
            text = _("{name} was not saved because a folder has that name: choose another name.")
        case errno.ENAMETOOLONG:
            text = _("{name} was not saved because its name is too long: give its image a shorter one.")
        case _:
            text = _("{name} was not saved ({reason}): check the disk and save again.")
    return text.format(name=path.name, reason=reason_of(error))
