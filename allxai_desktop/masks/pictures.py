"""Masks as pictures: PNG, TIFF, BMP or GIF with a number or a colour a class, ours among them."""

import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from allxai_desktop.cellclasses import UNLABELLED_KEY
from allxai_desktop.i18n import _
from allxai_desktop.images import ImageError, check_size
from allxai_desktop.masks.indexed_png import PALETTE
from allxai_desktop.masks.labels import MAX_LABELS, Entry, Labelled, class_key, regions_of
from allxai_desktop.masks.npz import MaskError
from allxai_desktop.masks.ome_tiff import DESCRIPTION
from allxai_desktop.tiff import libtiff_silenced

PICTURE_SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif")
# JPEG is not among them: it changes labels along every outline.
_FORMATS = ["PNG", "BMP", "TIFF", "GIF"]
_NOTHING = -1
# What MATLAB adds before an image's name.
_NUMBERED = re.compile(r"^label_\d+_", re.IGNORECASE)
# What other programs add behind it.
_BEHIND = re.compile(r"\.ome$|[_ -](mask|masks|label|labels|gt)$", re.IGNORECASE)


def read_values(path: Path) -> NDArray[Any]:
    """Return the values of a picture as they are, (H, W) or (H, W, channels): of a palette, its numbers.

    Raises `MaskError`, `ImageError`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with libtiff_silenced(), Image.open(path, formats=_FORMATS) as opened:
                check_size(*opened.size, path.name)
                values: NDArray[Any] = np.asarray(opened)
    except ImageError:
        raise
    except Exception as error:
        # What decoders raise on damaged data is beyond counting.
        raise MaskError(
            _("{name} is no mask that can be read: export it as PNG.").format(name=path.name)
        ) from error
    if values.dtype.kind != "f":
        return values
    if not (np.isfinite(values) & (values == np.rint(values)) & (np.abs(values) < 2**31)).all():
        raise MaskError(
            _("{name} holds fractions: export the mask with one whole number a class.").format(name=path.name)
        )
    return values.astype(np.int64)


def read_picture(path: Path) -> list[Entry]:
    """Return the one image of a picture; its labels are numbers, or colours as `#rrggbb`."""
    # Each is a name of its own: an image itself may be called "x_mask" or "label_3_x".
    shown = (path.stem, _NUMBERED.sub("", path.stem))
    names = dict.fromkeys((*shown, *(_BEHIND.sub("", name) for name in shown)))
    return [Entry(tuple(names), partial(_read_first, path))]


def read_numbers(path: Path) -> Labelled:
    """Return what a picture says where its numbers count, also those of a palette. Raises `MaskError`, `ImageError`."""
    return _labelled(read_values(path), str, path.name)


def _read_first(path: Path) -> Labelled:
    found = _read(path)
    if not _has_more(path):
        return found
    text = _("{name} has several pages or frames: only the first was taken.")
    return replace(found, notes=(text.format(name=path.name),))


def _has_more(path: Path) -> bool:
    """Return whether a picture, whose first page can be read, has another one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with libtiff_silenced(), Image.open(path, formats=_FORMATS) as opened:
            try:
                opened.seek(1)
            except Exception:
                # There is none, or none that can be read.
                return False
    return True


def _read(path: Path) -> Labelled:
    values = read_values(path)
    if values.ndim == 2:
        if _is_ours(path):
            return _labelled(values, class_key, path.name)
        colours = _colours(path)
        values = values if colours is None else colours
    if values.ndim == 2:
        return _labelled(values, str, path.name)
    # Grey or colour, with the transparency behind it.
    channels = values.shape[2]
    nothing = values[..., -1] == 0 if channels in (2, 4) else np.zeros(values.shape[:2], np.bool_)
    values = values[..., : 3 if channels > 2 else 1]
    text: Callable[[int], str] = str
    if (values == values[..., :1]).all():
        values = values[..., 0].astype(np.int64)
    else:
        values = values.astype(np.int64) @ np.array([2**16, 2**8, 1])
        text = "#{:06x}".format
    if not nothing.all():
        # An eraser leaves the colour that was there under its transparency.
        values[nothing] = _NOTHING
    return _labelled(values, lambda value: UNLABELLED_KEY if value == _NOTHING else text(value), path.name)


def _labelled(values: NDArray[Any], text: Callable[[int], str], name: str) -> Labelled:
    height, width = values.shape[:2]
    try:
        return Labelled((height, width), regions_of(values.astype(np.int64), text))
    except ValueError as error:
        raise MaskError(
            _(
                "{name} has more than {limit} colours or numbers, so they are no classes: "
                "export the mask without smoothing, one value a class."
            ).format(name=name, limit=MAX_LABELS)
        ) from error


def _colours(path: Path) -> NDArray[np.uint8] | None:
    """Return what the numbers of a palette look like, RGBA (H, W, 4): the program that wrote it chose the numbers.

    None where there is no palette, or where two numbers look the same, so that it is the numbers that tell.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path, formats=_FORMATS) as opened:
            if opened.mode != "P":
                return None
            numbers = np.asarray(opened)
            shown: NDArray[np.uint8] = np.asarray(opened.convert("RGBA"))
    same = len(np.unique(shown.reshape(-1, 4).view(np.uint32))) < len(np.unique(numbers))
    return None if same else shown


def _is_ours(path: Path) -> bool:
    """Return whether a picture, which can be read, says what its numbers mean: by our palette or our description."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path, formats=_FORMATS) as opened:
            if opened.mode == "P":
                return (opened.getpalette() or [])[: len(PALETTE)] == PALETTE
            tags = getattr(opened, "tag_v2", {})
            return DESCRIPTION in str(tags.get(ExifTags.Base.ImageDescription, ""))
