"""Masks to train a segmentation on: our own `.npz`, or pictures whose grey values are labels."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.i18n import _
from allxai_desktop.images import CellImage
from allxai_desktop.masks.npz import MaskError, load_mask, mask_meta
from allxai_desktop.masks.pictures import read_values
from allxai_desktop.training.datasets.data import TrainingError


def read_label_mask(path: Path, image: CellImage | None = None) -> NDArray[np.int32]:
    """Return the labels (H, W) of a mask: codes of an `.npz`, or the grey values or palette numbers of a picture.

    Nothing is scaled: a 16-bit picture keeps its numbers. An `.npz` of another image than `image` is refused. Raises
    `MaskError`, `ImageError`.
    """
    if path.suffix.lower() == ".npz":
        return load_mask(path, image).codes.astype(np.int32)
    values = read_values(path)
    if values.ndim == 3:
        # Grey or colour, less its transparency.
        colour = values[..., :3] if values.shape[2] > 2 else values[..., :1]
        if (colour != colour[..., :1]).any():
            raise MaskError(
                _("{name} is a colour picture: export the mask with one number a class.").format(
                    name=path.name
                )
            )
        values = values[..., 0]
    return values.astype(np.int32)


def is_proposed(path: Path) -> bool:
    """Return whether a mask says that a proposal set every pixel of it, and that nobody has submitted it since.

    To measure a network on what another one drew tells nothing of the cells. Raises `MaskError`.
    """
    if path.suffix.lower() != ".npz":
        return False
    facts = mask_meta(path)
    return facts.get("accepted_proposal_share") == 1 and facts.get("state") == "in-progress"


def class_codes(labels: NDArray[np.int32], codes: Mapping[int, int] | None) -> NDArray[np.uint8]:
    """Return the class of each pixel: `codes` maps label → class; without it, 1 wherever the label is not 0.

    Raises `TrainingError` for a label that `codes` does not know.
    """
    if codes is None:
        return np.where(labels != 0, np.uint8(1), np.uint8(0))
    known, places = np.unique(labels, return_inverse=True)
    foreign = [str(label) for label in known.tolist() if label not in codes]
    if foreign:
        raise TrainingError(
            _("A mask holds labels that are no class ({labels}): say which class they are.").format(
                labels=", ".join(foreign[:5])
            )
        )
    table: NDArray[np.uint8] = np.array([codes[label] for label in known.tolist()], np.uint8)
    found: NDArray[np.uint8] = table[places.reshape(labels.shape)]
    return found
