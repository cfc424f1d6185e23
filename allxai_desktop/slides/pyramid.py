"""Pyramidal TIFF, read in parts: never more of it than its overview and some tiles are in memory."""

from __future__ import annotations

import io
import struct
import threading
from collections import OrderedDict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from allxai_desktop.i18n import _
from allxai_desktop.images import MAX_PIXELS, ImageError
from allxai_desktop.tiff import pixel_size_um

MAX_OVERVIEW = 8_000_000
"""Most pixels of the level that is read whole and stands for the image: the largest that is not larger."""
MAX_TILE = 2048 * 2048
CACHE_BYTES = 64 << 20
_MAX_PAGES = 64
_ASPECT = 0.02
Tile = tuple[int, int]


def large_shape(path: Path) -> tuple[int, int] | None:
    """Return height and width of a TIFF with more than `MAX_PIXELS`; None for others, and where it has none to read.

    What is wrong with a file is told by its reader.
    """
    try:
        with tifffile.TiffFile(path) as tif:
            page: Any = tif.pages.first
            height, width = int(page.imagelength), int(page.imagewidth)
    except Exception:
        return None
    return (height, width) if height * width > MAX_PIXELS else None


class Pyramid:
    """The levels of a TIFF, the largest first; see `fields.source.Field`. Reading is safe from several threads."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._lock = threading.Lock()
        self._file = path.open("rb")
        try:
            with tifffile.TiffFile(path) as tif:
                self.levels = [Level(self, page) for page in _pages(tif, self.name)]
                self.pixel_size_um = pixel_size_um(tif, tif.pages.first)
            small = [level for level in self.levels if level.height * level.width <= MAX_OVERVIEW]
            if not small:
                raise ImageError(
                    _(
                        "{name} is too large and holds no smaller levels: export it as a pyramidal TIFF."
                    ).format(name=self.name)
                )
            self.levels = self.levels[: self.levels.index(small[0]) + 1]
            self.overview = small[0].read(0, 0, small[0].height, small[0].width)
        except BaseException:
            self._file.close()
            raise

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in px of the largest level."""
        return self.levels[0].height, self.levels[0].width

    def read(self, row: int, column: int, height: int, width: int, step: int = 1) -> NDArray[np.uint8]:
        """Return the pixels of a part, from the smallest level that has them; see `Field`."""
        level, own = self.levels[0], 1
        for other in self.levels[1:]:
            reduced = round(self.levels[0].height / other.height)
            if step % reduced == 0:
                level, own = other, reduced
        top, left = row // own, column // own
        part = level.read(
            top, left, min(height // own, level.height - top), min(width // own, level.width - left)
        )
        return part[:: step // own, :: step // own]

    def content(self, offset: int, count: int) -> bytes:
        """Return `count` bytes of the file."""
        with self._lock:
            self._file.seek(offset)
            return self._file.read(count)

    def close(self) -> None:
        """Close the file; nothing can be read after this."""
        self._file.close()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()


class Level:
    """One size of the image. Its tiles, or the strips of a file without them, are kept up to `CACHE_BYTES`."""

    def __init__(self, pyramid: Pyramid, page: Any) -> None:
        self._pyramid = pyramid
        self.height, self.width = int(page.imagelength), int(page.imagewidth)
        tiled = bool(page.is_tiled)
        self.tile_height = int(page.tilelength if tiled else min(page.rowsperstrip, self.height))
        self.tile_width = int(page.tilewidth if tiled else self.width)
        self._tiled = tiled
        self._offsets, self._counts = page.dataoffsets, page.databytecounts
        self.columns = -(-self.width // self.tile_width)
        self.rows = -(-self.height // self.tile_height)
        if len(self._offsets) < self.rows * self.columns or self.tile_height * self.tile_width > MAX_TILE:
            raise _unknown(pyramid.name)
        self._tags = _tags(page)
        self._cache: OrderedDict[Tile, NDArray[np.uint8]] = OrderedDict()
        self._cache_lock = threading.Lock()

    def read(self, row: int, column: int, height: int, width: int) -> NDArray[np.uint8]:
        """Return the pixels uint8 (height, width, 3) of a part that lies inside. Raises `ImageError`."""
        part = np.empty((height, width, 3), np.uint8)
        for tile in self.tiles(row, column, height, width):
            self.paste(tile, self.tile(tile), part, row, column)
        return part

    def tiles(self, row: int, column: int, height: int, width: int) -> list[Tile]:
        """Return the tiles that a part lies on."""
        rows = range(row // self.tile_height, (row + height - 1) // self.tile_height + 1)
        columns = range(column // self.tile_width, (column + width - 1) // self.tile_width + 1)
        return [(one, other) for one in rows for other in columns]

    def paste(
        self, tile: Tile, pixels: NDArray[np.uint8], part: NDArray[np.uint8], row: int, column: int
    ) -> None:
        """Put what a tile has of a part, whose upper left pixel is at row and column, into it."""
        top, left = tile[0] * self.tile_height - row, tile[1] * self.tile_width - column
        bottom, right = min(top + pixels.shape[0], part.shape[0]), min(left + pixels.shape[1], part.shape[1])
        first_row, first_column = max(top, 0), max(left, 0)
        part[first_row:bottom, first_column:right] = pixels[
            first_row - top : bottom - top, first_column - left : right - left
        ]

    def known(self, tile: Tile) -> NDArray[np.uint8] | None:
        """Return the pixels of a tile where they are in memory."""
        with self._cache_lock:
            if tile in self._cache:
                self._cache.move_to_end(tile)
            return self._cache.get(tile)

    def tile(self, tile: Tile) -> NDArray[np.uint8]:
        """Return the pixels uint8 (tile height, tile width, 3) of a tile. Raises `ImageError`."""
        found = self.known(tile)
        if found is not None:
            return found
        number = tile[0] * self.columns + tile[1]
        height = self.tile_height
        if not self._tiled:
            height = min(height, self.height - tile[0] * height)
        found = np.full((height, self.tile_width, 3), 255, np.uint8)
        count = self._counts[number]
        # A file may leave out tiles that hold nothing.
        if count:
            found = self._decode(self._pyramid.content(self._offsets[number], count), height)
        with self._cache_lock:
            self._cache[tile] = found
            while len(self._cache) * found.nbytes > CACHE_BYTES and len(self._cache) > 1:
                self._cache.popitem(last=False)
        return found

    def fetch(self, tile: Tile) -> None:
        """Bring a tile into memory; one that cannot be read is grey from then on."""
        try:
            self.tile(tile)
        except ImageError:
            with self._cache_lock:
                self._cache[tile] = np.full((self.tile_height, self.tile_width, 3), 128, np.uint8)

    def _decode(self, content: bytes, height: int) -> NDArray[np.uint8]:
        try:
            with Image.open(io.BytesIO(_one_tile(self._tags, self.tile_width, height, content))) as image:
                return np.asarray(image.convert("RGB"))
        except Exception as error:
            # What decoders raise on damaged data is beyond counting.
            raise ImageError(
                _("{name} is damaged or cut short: copy it again from where it came.").format(
                    name=self._pyramid.name
                )
            ) from error


def _pages(tif: tifffile.TiffFile, name: str) -> list[Any]:
    """Return the pages that hold one image in sizes that fall, the largest first. Raises `ImageError`."""
    first: Any = tif.pages.first
    pages = [first]
    others = [
        *(first.pages or ()),
        *islice(tif.pages, 1, _MAX_PAGES),
    ]
    for page in sorted(others, key=lambda page: -int(page.imagewidth)):
        same = abs(page.imagelength * first.imagewidth / (page.imagewidth * first.imagelength) - 1) < _ASPECT
        if same and page.imagewidth < 0.75 * pages[-1].imagewidth:
            pages.append(page)
    for page in pages:
        if (
            page.bitspersample != 8
            or page.samplesperpixel not in (1, 3, 4)
            or page.planarconfig != 1
            or page.imagedepth > 1
        ):
            raise _unknown(name)
    return pages


def _unknown(name: str) -> ImageError:
    return ImageError(
        _(
            "{name} is a kind of large TIFF that this program does not know: export it as a pyramidal TIFF in RGB."
        ).format(name=name)
    )


_SHORT, _LONG, _UNDEFINED = 3, 4, 7


def _tags(page: Any) -> list[tuple[int, int, Any]]:
    """Return what each tile of a page needs in a file of its own: tag, type and value."""
    samples = int(page.samplesperpixel)
    tags: list[tuple[int, int, Any]] = [
        (258, _SHORT, (8,) * samples),
        (259, _SHORT, (int(page.compression),)),
        (262, _SHORT, (int(page.photometric),)),
        (277, _SHORT, (samples,)),
        (284, _SHORT, (1,)),
        (317, _SHORT, (int(page.predictor),)),
    ]
    if samples == 4:
        tags.append((338, _SHORT, (int((*page.extrasamples, 0)[0]),)))
    tables = page.tags.valueof(347)
    if tables:
        tags.append((347, _UNDEFINED, bytes(tables)))
    subsampling = page.tags.valueof(530)
    if subsampling:
        tags.append((530, _SHORT, tuple(subsampling)))
    return tags


def _one_tile(tags: list[tuple[int, int, Any]], width: int, height: int, content: bytes) -> bytes:
    """Return a TIFF of one strip with the compressed `content` of a tile, which Pillow decodes with libtiff."""
    own = [
        (256, _LONG, (width,)),
        (257, _LONG, (height,)),
        (273, _LONG, (8,)),
        (278, _LONG, (height,)),
        (279, _LONG, (len(content),)),
    ]
    body = bytearray(content + b"\0" * (len(content) % 2))
    entries = bytearray()
    for tag, kind, value in sorted([*tags, *own]):
        packed = (
            value
            if kind == _UNDEFINED
            else struct.pack(f"<{len(value)}{'H' if kind == _SHORT else 'I'}", *value)
        )
        if len(packed) > 4:
            place = struct.pack("<I", 8 + len(body))
            body += packed + b"\0" * (len(packed) % 2)
        else:
            place = packed.ljust(4, b"\0")
        entries += struct.pack("<HHI", tag, kind, len(value)) + place
    directory = struct.pack("<H", len(entries) // 12) + bytes(entries) + b"\0\0\0\0"
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + bytes(body) + directory
