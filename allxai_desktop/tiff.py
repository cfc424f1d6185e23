"""TIFF: what Pillow decodes by Pillow, deeper pixels by tifffile where it can."""

import logging
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO
from xml.etree import ElementTree

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import UnidentifiedImageError

from allxai_desktop.i18n import _
from allxai_desktop.images import (
    Decoded,
    ImageError,
    check_size,
    first_of,
    is_turned,
    read_with_pillow,
    top_bits_note,
)

_MICROMETRES = {
    "µm": 1.0,
    "μm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "nm": 1e-3,
    "mm": 1e3,
    "cm": 1e4,
}
_MICROMETRES_OF_UNIT = {2: 25_400.0, 3: 10_000.0}
# A pixel coarser than this shows no cell, so the number is a printer's (72 dpi is 353 µm) and not a microscope's.
_CREDIBLE_UM = (0.005, 5.0)
# Compressions that tifffile decodes with the standard library alone.
_DEFLATE = {8, 32946}
_PLAIN = {1, 32773} | _DEFLATE
# Each page is compared with all before it, to find a circle: hundreds of thousands would take hours.
_MOST_FRAMES = 4096
_UNASSOCIATED_ALPHA = 2

# Without a handler of their own, its remarks on damaged files would be printed beside the one sentence of ours.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def read_tiff(stream: BinaryIO, name: str) -> Decoded:
    """Decode the first page. Raises `ImageError`, or whatever a decoder raises on damage."""
    with tifffile.TiffFile(stream) as tif:
        page = tif.pages.first
        check_size(page.imagewidth, page.imagelength, name)
        check_size(max(page.tilewidth, 1), max(page.tilelength, 1), name)
        if page.samplesperpixel > 4 or page.imagedepth > 1:
            raise ImageError(
                _("{name} has {count} channels or layers a page: export it as RGB.").format(
                    name=name, count=max(page.samplesperpixel, page.imagedepth)
                )
            )
        size = tif.filehandle.size
        if not page.dataoffsets or any(
            offset + count > size
            for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
        ):
            raise EOFError("pixel data beyond the end of the file")
        notes = _frames(tif)
        pixel_size = pixel_size_um(tif, page)
        if page.bitspersample > 8 and _is_plain(page):
            if page.compression in _DEFLATE:
                _check_inflated(stream, page)
            turned = is_turned(page.tags.valueof(274))
            return Decoded(_upright(_channels(page), page), notes, pixel_size, turned)
        deep = page.bitspersample == 16 and page.samplesperpixel > 1
    stream.seek(0)
    try:
        with libtiff_silenced():
            decoded = read_with_pillow(stream, name, "TIFF")
    except UnidentifiedImageError as error:
        raise ImageError(
            _(
                "{name} is a kind of TIFF that this program does not know: export it uncompressed with 8 bits."
            ).format(name=name)
        ) from error
    if deep:
        notes += top_bits_note(decoded.values[..., :3], name)
    return Decoded(decoded.values, notes, pixel_size, decoded.turned)


def _frames(tif: tifffile.TiffFile) -> tuple[str, ...]:
    try:
        tif.pages[_MOST_FRAMES]
    except IndexError:
        return first_of(len(tif.pages))
    return (_("This is the first of more than {count} frames.").format(count=_MOST_FRAMES),)


def _check_inflated(stream: BinaryIO, page: Any) -> None:
    """Raise `EOFError` where a strip or tile holds more than its pixels: tifffile would inflate gigabytes of zeros."""
    room = math.prod(page.chunks) * page.dtype.itemsize
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False):
        stream.seek(offset)
        if len(zlib.decompressobj().decompress(stream.read(count), room + 1)) > room:
            raise EOFError("more pixel data than pixels")


@contextmanager
def libtiff_silenced() -> Iterator[None]:
    """Keep from the terminal what libtiff prints on damage, past Python, beside the one sentence of ours."""
    try:
        terminal = os.dup(2)
    except OSError:  # a program without a terminal may have no such stream
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _is_plain(page: Any) -> bool:
    return page.photometric in (0, 1, 2) and page.compression in _PLAIN and page.predictor in (1, 2)


def _channels(page: Any) -> NDArray[Any]:
    """Return the page as (H, W) or (H, W, channels), black at 0, with alpha only where it is meant as such."""
    values: NDArray[Any] = page.asarray()
    if page.planarconfig == 2 and values.ndim == 3:
        values = np.moveaxis(values, 0, -1)
    if page.photometric == 0 and np.issubdtype(values.dtype, np.unsignedinteger):
        values = np.iinfo(values.dtype).max - values
    colours = 3 if page.photometric == 2 else 1
    if values.ndim == 3 and page.extrasamples[:1] != (_UNASSOCIATED_ALPHA,):
        values = values[..., :colours]
    return values


def _upright(values: NDArray[Any], page: Any) -> NDArray[Any]:
    orientation = page.tags.valueof(274, 1)
    if orientation in (5, 6, 7, 8):
        values = np.swapaxes(values, 0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return values


def pixel_size_um(tif: tifffile.TiffFile, page: Any) -> float | None:
    """Return the side of a pixel in µm from OME, ImageJ or resolution tags; None unless square and credible."""
    x = y = None
    # Metadata that cannot be read is no reason to refuse the pixels.
    with suppress(Exception):
        if tif.ome_metadata:
            x, y = _from_ome(tif.ome_metadata)
        else:
            unit = (tif.imagej_metadata or {}).get("unit")
            scale = _micrometres(unit) if unit else _MICROMETRES_OF_UNIT.get(int(page.resolutionunit or 0))
            if scale:
                x, y = (scale * tag[1] / tag[0] for tag in (page.tags.valueof(282), page.tags.valueof(283)))
    if x is None or y is None or not _CREDIBLE_UM[0] <= x <= _CREDIBLE_UM[1] or abs(x - y) > 0.01 * x:
        return None
    return float(x)


def _micrometres(unit: str) -> float | None:
    # ImageJ writes µ as an escape.
    return _MICROMETRES.get(unit.replace("\\u00B5", "µ").strip().lower())


def _from_ome(xml: str) -> tuple[float | None, float | None]:
    pixels = next(node for node in ElementTree.fromstring(xml).iter() if node.tag.endswith("}Pixels"))

    def size(axis: str) -> float | None:
        scale = _micrometres(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        value = pixels.get(f"PhysicalSize{axis}")
        return float(value) * scale if value and scale else None

    return size("X"), size("Y")
