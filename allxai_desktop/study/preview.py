"""What the list of a study shows of an item: a thumbnail, and how much of it is labelled."""

from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from allxai_desktop.errors import AllxaiError
from allxai_desktop.files import Stamp, file_stamp
from allxai_desktop.images import ImageError
from allxai_desktop.masks.npz import MaskError, MaskFile, check_image, load_mask
from allxai_desktop.masks.npz_tiles import TiledMask, load_any, load_tiles
from allxai_desktop.painting.tiles import Codes, count_labelled
from allxai_desktop.slides.large import open_image, slide_shape
from allxai_desktop.study.audit import mask_sha256
from allxai_desktop.study.folder import StudyItem
from allxai_desktop.study.opening import candidates


def thumbnail(item: StudyItem, side: int) -> NDArray[np.uint8] | None:
    """Return the image (h, w, 3) at most `side` pixels wide and high; None where it cannot be read."""
    try:
        image = Image.fromarray(open_image(item.image_path).pixels)
    except AllxaiError:
        return None
    image.thumbnail((side, side))
    return np.asarray(image)


@dataclass(frozen=True)
class OnDisk:
    """A mask as it is on disk: the share 0…1 of the pixels that are labelled, and its hash; None where there is none.

    With a `problem` it counts as no mask of its image: that cannot be read ("no-image"), or what is painted is saved
    in the file called `beside`, whose share it is.
    """

    share: float | None = None
    sha256: str | None = None
    problem: Literal["unreadable", "misfit", "no-image"] | None = None
    beside: str | None = None


Stamps = tuple[Stamp | None, Stamp | None]


def stamps(item: StudyItem) -> Stamps:
    """Return what differs once the image or the mask of an item is another file; None where there is none."""
    return file_stamp(item.image_path), file_stamp(item.mask_path)


def mask_on_disk(item: StudyItem, taken: Container[Path] = ()) -> OnDisk:
    """Return what the list says of the mask of an item; what is in `taken` belongs to other images."""
    if not item.mask_path.exists():
        return OnDisk()
    try:
        mask = _mask_of(item)
    except MaskError:
        return _with_beside(OnDisk(problem="unreadable"), item, taken)
    sha256 = mask_sha256(mask.codes)
    if isinstance(mask, MaskFile):
        try:
            check_image(mask.codes.shape, mask.meta, open_image(item.image_path), item.mask_path.name)
        except MaskError:
            return _with_beside(OnDisk(None, sha256, "misfit"), item, taken)
        except ImageError:
            return OnDisk(None, sha256, "no-image")
    return OnDisk(_share(mask.codes), sha256)


def _with_beside(found: OnDisk, item: StudyItem, taken: Container[Path]) -> OnDisk:
    try:
        image = open_image(item.image_path)
    except ImageError:
        return found
    for path in islice(candidates(item.mask_path, taken), 1, None):
        if not path.exists():
            return replace(found, beside=path.name)
        with suppress(MaskError):
            return replace(found, share=_share(load_any(path, image).codes), beside=path.name)
    raise AssertionError("there is always one more candidate")


def _share(codes: Codes) -> float:
    return count_labelled(codes) / max(codes.size, 1)


def hash_on_disk(item: StudyItem) -> str | None:
    """Return the hash of the mask of an item, None where it has none. Raises `MaskError` where it cannot be read."""
    return mask_sha256(codes_on_disk(item)) if item.mask_path.exists() else None


def codes_on_disk(item: StudyItem) -> Codes:
    """Return the mask of an item, which exists. Raises `MaskError` where it cannot be read."""
    return _mask_of(item).codes


def _mask_of(item: StudyItem) -> MaskFile | TiledMask:
    shape = slide_shape(item.image_path)
    return load_mask(item.mask_path) if shape is None else load_tiles(item.mask_path, shape)
