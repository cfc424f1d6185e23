"""napari's writer of our mask files."""

from typing import Any

import numpy as np

from allxai_desktop.cellclasses import MAX_CODE
from allxai_desktop.i18n import _
from allxai_desktop.masks.npz import MaskError, save_mask
from napari_allxai_annotate.shared import IMAGE_KEY


def write_mask(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write a labels layer as a mask `.npz`, with the identity of its image where the layer knows it.

    Raises `MaskError` where the labels are no classes; nothing is written then.
    """
    labels = np.asarray(data)
    if labels.ndim != 2 or labels.size == 0 or labels.min() < 0 or labels.max() > MAX_CODE:
        raise MaskError(
            _("{name} was not exported: a mask has two dimensions and the classes 0 to {highest}.").format(
                name=meta.get("name", ""), highest=MAX_CODE
            )
        )
    image = meta.get("metadata", {}).get(IMAGE_KEY)
    fits = image is not None and image.pixels.shape[:2] == labels.shape
    save_mask(path, labels.astype(np.uint8), image=image if fits else None)
    return [path]
