"""Masks as pictures: PNG, TIFF, BMP or GIF with a number or a colour a class, ours among them."""

import re
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

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
_ADDED = re.compile(r"^label_\d+_|\.ome$|[_ -](mask|masks|label|labels|gt)$", re.IGNORECASE)


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
    if values.dtype.kind == "f":
        raise MaskError(
            _("{name} holds fractions: export the mask with one whole number a class.").format(name=path.name)
        )
    return values


def read_picture(path: Path) -> list[Entry]:
    """Return the one image of a picture; its labels are numbers, or colours as `#rrggbb`."""
    return [Entry((path.stem, _ADDED.sub("", path.stem)), partial(_read, path))]


def _read(path: Path) -> Labelled:
    values = read_values(path)
    text: Callable[[int], str] = str
    if values.ndim == 2 and _is_ours(path):
        text = class_key
    elif values.ndim == 3:
        # Grey or colour, less its transparency.
        values = values[..., :3] if values.shape[2] > 2 else values[..., :1]
        if (values == values[..., :1]).all():
            values = values[..., 0]
        else:
            values = values.astype(np.uint32) @ np.array([2**16, 2**8, 1], np.uint32)
            text = "#{:06x}".format
    height, width = values.shape
    try:
        return Labelled((height, width), regions_of(values.astype(np.int64), text))
    except ValueError as error:
        raise MaskError(
            _(
                "{name} has more than {limit} colours or numbers, so they are no classes: "
                "export the mask without smoothing, one value a class."
            ).format(name=path.name, limit=MAX_LABELS)
        ) from error


def _is_ours(path: Path) -> bool:
    """Return whether a picture, which can be read, says what its numbers mean: by our palette or our description."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path, formats=_FORMATS) as opened:
            if opened.mode == "P":
                return (opened.getpalette() or [])[: len(PALETTE)] == PALETTE
            tags = getattr(opened, "tag_v2", {})
            return DESCRIPTION in str(tags.get(ExifTags.Base.ImageDescription, ""))
