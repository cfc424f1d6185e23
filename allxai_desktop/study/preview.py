"""What the list of a study shows of an item: a thumbnail, and how much of it is labelled."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from allxai_desktop.errors import AllxaiError
from allxai_desktop.fields.large import open_image, slide_shape
from allxai_desktop.masks.npz import load_mask
from allxai_desktop.masks.npz_tiles import load_tiles
from allxai_desktop.painting.tiles import Codes, count_labelled
from allxai_desktop.study.audit import mask_sha256
from allxai_desktop.study.folder import StudyItem


def thumbnail(item: StudyItem, side: int) -> NDArray[np.uint8] | None:
    """Return the image (h, w, 3) at most `side` pixels wide and high; None where it cannot be read."""
    try:
        image = Image.fromarray(open_image(item.image_path).pixels)
    except AllxaiError:
        return None
    image.thumbnail((side, side))
    return np.asarray(image)


def mask_on_disk(item: StudyItem) -> tuple[float | None, str | None]:
    """Return the share 0…1 of the pixels that are labelled, and the hash of the mask; None without one to be read."""
    if not item.mask_path.exists():
        return None, None
    try:
        codes = codes_on_disk(item)
    except AllxaiError:
        return None, None
    return count_labelled(codes) / max(codes.size, 1), mask_sha256(codes)


def hash_on_disk(item: StudyItem) -> str | None:
    """Return the hash of the mask of an item, None where it has none. Raises `MaskError` where it cannot be read."""
    return mask_sha256(codes_on_disk(item)) if item.mask_path.exists() else None


def codes_on_disk(item: StudyItem) -> Codes:
    """Return the mask of an item, which exists. Raises `MaskError` where it cannot be read."""
    shape = slide_shape(item.image_path)
    return load_mask(item.mask_path).codes if shape is None else load_tiles(item.mask_path, shape).codes
