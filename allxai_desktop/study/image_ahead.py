"""The image that will probably be asked for next, read while the one before is painted."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

from allxai_desktop.files import Stamp, file_stamp
from allxai_desktop.images import CellImage, read_image

WAIT_S = 0.3
"""The image in hand is shown and explained first."""
MAX_BYTES = 64 << 20
"""Larger files are not read ahead: they would take the memory that the image in hand may need."""


class ImageAhead:
    """Reads one image ahead on a thread of its own; a file that changed meanwhile is not taken from memory."""

    def __init__(self) -> None:
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._next: tuple[Path, Stamp, Event, Future[CellImage]] | None = None

    def read(self, path: Path) -> None:
        """Begin to read an image, in place of the one read ahead before; one that cannot be read is nothing."""
        if self._next is not None and self._next[0] == path:
            return
        self.drop()
        stamp = file_stamp(path)
        if stamp is not None and stamp[1] <= MAX_BYTES:
            asked = Event()
            self._next = path, stamp, asked, self._reader.submit(_read, path, asked)

    def take(self, path: Path) -> CellImage | None:
        """Return the image at `path` where it was read ahead, waiting for it where it is being read now."""
        ahead = self._next
        if ahead is None or ahead[0] != path:
            return None
        _path, stamp, asked, image = ahead
        asked.set()
        self._next = None
        # What is wrong with it is told by whoever reads it then.
        with suppress(Exception):
            if file_stamp(path) == stamp:
                return image.result()
        return None

    def drop(self) -> None:
        """Forget what was read ahead."""
        if self._next is not None:
            self._next[2].set()
            self._next[3].cancel()
        self._next = None

    def close(self) -> None:
        """Stop reading."""
        self.drop()
        self._reader.shutdown(wait=True, cancel_futures=True)


def _read(path: Path, asked: Event) -> CellImage:
    asked.wait(WAIT_S)
    return read_image(path)
