"""CSV: how many pixels of each class an image has."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from allxai_desktop.cellclasses import CLASSES, MAX_CODE, UNLABELLED_KEY
from allxai_desktop.files import write_table
from allxai_desktop.masks.exported import Exported


def write_counts(path: Path, masks: Iterable[Exported]) -> None:
    """Write one row an image: name, width, height, pixels of each class and unlabelled. Raises `WriteError`."""
    rows: list[tuple[str | int, ...]] = [
        ("image", "width", "height", *(cls.key for cls in CLASSES), UNLABELLED_KEY)
    ]
    for mask in masks:
        unlabelled, *classes = np.bincount(mask.codes.reshape(-1), minlength=MAX_CODE + 1).tolist()
        height, width = mask.codes.shape
        rows.append((mask.image.name, width, height, *classes, unlabelled))
    write_table(path, rows)
