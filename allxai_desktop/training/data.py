"""Labelled images on disk, and their pixels decoded once into memory."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.images import IMAGE_SUFFIXES, read_image
from allxai_desktop.networks.network import resize


class TrainingError(AllxaiError):
    """Training data that cannot be used."""


@dataclass(frozen=True)
class Item:
    """One image: its path from the data folder, its class, and the subject that it comes from, where known."""

    file: str
    label: str
    subject: str | None = None


def read_class_folders(
    root: Path, classes: Sequence[str], subject_of: Callable[[str], str] | None = None
) -> list[Item]:
    """Return the images of `root`/class/, in order of class and name.

    `subject_of` finds the subject in a file name. Raises `TrainingError` for a class without images.
    """
    items = []
    for label in classes:
        names = sorted(
            path.name for path in (root / label).glob("*") if path.suffix.lower() in IMAGE_SUFFIXES
        )
        if not names:
            raise TrainingError(_("There are no images in {folder}.").format(folder=root / label))
        items += [Item(f"{label}/{name}", label, subject_of(name) if subject_of else None) for name in names]
    return items


def read_table(path: Path) -> list[Item]:
    """Return the images listed in a CSV file with columns `file`, `class` and, where known, `subject`.

    Raises `TrainingError` for a file that cannot be read or lacks a column.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            return [
                Item(row["file"], row["class"], row.get("subject") or None) for row in csv.DictReader(stream)
            ]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise TrainingError(
            _("{path} is no table with the columns “file” and “class”: mend it or choose another.").format(
                path=path
            )
        ) from error


def load_pixels(root: Path, items: Sequence[Item], size: tuple[int, int]) -> Tensor:
    """Return the images as uint8 (N, 3, h, w), resized as the network's own preprocessing does.

    Raises `ImageError`.
    """
    pixels = torch.empty((len(items), 3, *size), dtype=torch.uint8)
    for number, item in enumerate(items):
        pixels[number] = resize(read_image(root / item.file).pixels, size)[0].round().byte()
    return pixels
