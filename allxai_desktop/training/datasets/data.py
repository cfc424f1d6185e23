"""Labelled images on disk, and their pixels decoded once into memory."""

import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from itertools import zip_longest
from pathlib import Path, PurePosixPath, PureWindowsPath

import torch
from torch import Tensor

from allxai_desktop.errors import AllxaiError, reason_of
from allxai_desktop.files import read_at_most
from allxai_desktop.i18n import _
from allxai_desktop.images import IMAGE_SUFFIXES, read_image
from allxai_desktop.networks.network import resize
from allxai_desktop.study.folder import IMAGES_FOLDER, MASKS_FOLDER, STUDY_FILE, Study
from allxai_desktop.study.store import STORE_FILE

MAX_BYTES = 2**26
"""The largest table of images."""


class TrainingError(AllxaiError):
    """Training data that cannot be used."""


@dataclass(frozen=True)
class Item:
    """One image: its path from the data folder, its class ("" for none), and subject and mask file where known."""

    file: str
    label: str
    subject: str | None = None
    mask: str | None = None


def subject_pattern(pattern: str) -> Callable[[str], str]:
    """Return what finds the subject in a file name: the first group of the regular expression, else all it matches.

    Raises `TrainingError` for a wrong expression; so does the function returned for a name that does not match.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise TrainingError(
            _("The pattern {pattern} is no regular expression ({reason}): correct it.").format(
                pattern=pattern, reason=error
            )
        ) from error

    def subject(name: str) -> str:
        found = expression.search(name)
        text = found and found[1 if expression.groups else 0]
        if not text:
            raise TrainingError(
                _("The pattern {pattern} finds no subject in {name}: correct the pattern.").format(
                    pattern=pattern, name=name
                )
            )
        return text

    return subject


def read_data(path: Path, subjects: str | None = None) -> tuple[Path, list[Item]]:
    """Return the folder of a data set, and its images: a CSV file, a study, images with masks, or a folder per class.

    A folder is a study if it holds `study.toml`, images with masks if it holds `images/` and `masks/`, or pairs
    `a.png` and `a_mask.png`, and else a study where states were kept, or `masks/` lies beside the images. The pattern
    `subjects` finds the subject in each file name, whatever the data set says. Raises `TrainingError`, `StudyError`.
    """
    if path.is_file() and path.name != STUDY_FILE:
        root, items = path.parent, read_table(path)
    elif path.is_file() or (path / STUDY_FILE).is_file():
        root, items = read_study(path)
    elif (path / IMAGES_FOLDER).is_dir() and (path / MASKS_FOLDER).is_dir():
        root, items = path, read_mask_folders(path)
    elif any(Path(name).stem.endswith("_mask") for name in _image_names(path)):
        root, items = path, read_mask_folders(path, ".", ".")
    elif (path / STORE_FILE).is_file() or ((path / MASKS_FOLDER).is_dir() and _image_names(path)):
        root, items = read_study(path)
    else:
        root, items = path, read_class_folders(path)
    if subjects is None:
        return root, items
    find = subject_pattern(subjects)
    return root, [replace(item, subject=find(PurePosixPath(item.file).name)) for item in items]


def read_class_folders(
    root: Path, classes: Sequence[str] | None = None, subject_of: Callable[[str], str] | None = None
) -> list[Item]:
    """Return the images of `root`/class/, in order of class and name; without `classes`, of every folder there.

    `subject_of` finds the subject in a file name. Raises `TrainingError` for a class without images.
    """
    if classes is None:
        classes = sorted(path.name for path in _entries(root) if path.is_dir() and path.name[0] != ".")
        if not classes:
            raise TrainingError(
                _("{folder} holds no folders: put the images of each class into a folder of its own.").format(
                    folder=root
                )
            )
    items = []
    for label in classes:
        names = read_image_names(root / label)
        items += [Item(f"{label}/{name}", label, subject_of(name) if subject_of else None) for name in names]
    return items


def read_table(path: Path, subject_column: str = "subject") -> list[Item]:
    """Return the images listed in a CSV file with columns `file`, `class` and, where known, the subject.

    Values are parted by commas, semicolons or tabs, as spreadsheets of every country write them, in UTF-8, UTF-16 or
    Windows' western letters. Files are named from the folder of the table. Raises `TrainingError` for a table that
    cannot be read, lacks a column, names a file elsewhere or names one twice.
    """
    try:
        rows = _rows(_text(read_at_most(path, MAX_BYTES)))
        items = [
            Item(row["file"].replace("\\", "/"), row["class"], row.get(subject_column.casefold()) or None)
            for row in rows
            if any(row.values())
        ]
    except (OSError, ValueError, csv.Error, KeyError) as error:
        raise TrainingError(
            _("{path} is no table with the columns “file” and “class”: mend it or choose another.").format(
                path=path
            )
        ) from error
    for item in items:
        if _is_elsewhere(item.file):
            raise TrainingError(
                _("{path} names {file}, which is not in its folder: name files from there.").format(
                    path=path.name, file=item.file or _("an empty file name")
                )
            )
    twice = [file for file, number in Counter(item.file for item in items).items() if number > 1]
    if twice:
        raise TrainingError(
            _("{path} lists {file} more than once: leave one row.").format(path=path.name, file=twice[0])
        )
    return items


def _text(content: bytes) -> str:
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def _rows(text: str) -> list[dict[str, str]]:
    """Return the rows of a table by the names in its first line, in small letters; a short row has "" for the rest.

    Raises `KeyError` where the columns “file” and “class” are not there.
    """
    head = text.partition("\n")[0]
    mark = next(
        (mark for mark in ",;\t" if {"file", "class"} <= set(_names(csv.reader([head], delimiter=mark)))),
        None,
    )
    if mark is None:
        raise KeyError
    # Strict: a quote that is not closed would swallow the rows after it.
    found = csv.reader(StringIO(text, newline=""), delimiter=mark, strict=True)
    names = _names(found)
    return [
        dict(zip_longest(names, (value.strip() for value in row[: len(names)]), fillvalue=""))
        for row in found
    ]


def _names(rows: Iterator[list[str]]) -> list[str]:
    return [name.strip().casefold() for name in next(rows, [])]


def read_study(path: Path) -> tuple[Path, list[Item]]:
    """Return the folder of a study and its images, with class, subject and mask where known. Raises `StudyError`."""
    study = Study.open(path)
    return study.folder, [
        Item(
            item.image_path.relative_to(study.folder).as_posix(),
            item.true_class or "",
            item.subject,
            item.mask_path.relative_to(study.folder).as_posix() if item.mask_path.is_file() else None,
        )
        for item in study.items
    ]


def read_mask_folders(
    root: Path,
    images: str = "images",
    masks: str = "masks",
    subject_of: Callable[[str], str] | None = None,
) -> list[Item]:
    """Return the images of `root`/`images`, each with its mask in `root`/`masks`: `a.png`, `a_mask.png` or `a.npz`.

    The two may be one folder. An image without a mask has none in its item. Raises `TrainingError` where there are
    no images, or two share a mask.
    """
    found: dict[str, str] = {}
    for entry in _entries(root / masks):
        stem = entry.stem.removesuffix("_mask")
        is_mask = images != masks or entry.stem != stem or entry.suffix.lower() == ".npz"
        if is_mask and entry.suffix.lower() in {*IMAGE_SUFFIXES, ".npz"}:
            _one_each(found, stem, entry.name, root / masks)
    names = [name for name in _image_names(root / images) if images != masks or name not in found.values()]
    if not names:
        raise _no_images(root / images)
    return [
        Item(
            PurePosixPath(images, name).as_posix(),
            "",
            subject_of(name) if subject_of else None,
            PurePosixPath(masks, found[stem]).as_posix() if stem in found else None,
        )
        for stem, name in one_name_each(names, root / images).items()
    ]


def one_name_each(names: Sequence[str], folder: Path) -> dict[str, str]:
    """Return the names in `folder` by their stems. Raises `TrainingError` where two have one."""
    stems: dict[str, str] = {}
    for name in names:
        _one_each(stems, Path(name).stem, name, folder)
    return stems


def read_image_names(folder: Path) -> list[str]:
    """Return the names of the images in `folder`, in order. Raises `TrainingError` where there are none."""
    names = _image_names(folder)
    if not names:
        raise _no_images(folder)
    return names


def _no_images(folder: Path) -> TrainingError:
    if any(path.is_dir() for path in _entries(folder)):
        text = _(
            "There are no images in {folder}, only folders: choose the folder in which each class has one folder, with"
            " its images."
        )
    else:
        text = _("There are no images in {folder}: put some there, or take the folder away.")
    return TrainingError(text.format(folder=folder))


def _one_each(taken: dict[str, str], stem: str, name: str, folder: Path) -> None:
    if stem in taken:
        raise TrainingError(
            _("{first} and {second} in {folder} have one name: rename one of them.").format(
                first=taken[stem], second=name, folder=folder
            )
        )
    taken[stem] = name


def _is_elsewhere(file: str) -> bool:
    path = PureWindowsPath(file)
    return (
        not file or bool(path.drive or path.root) or PurePosixPath(file).is_absolute() or ".." in path.parts
    )


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise TrainingError(
            _("{folder} could not be read ({reason}): choose a folder that you may open.").format(
                folder=folder, reason=reason_of(error)
            )
        ) from error


def _image_names(folder: Path) -> list[str]:
    return [
        path.name
        for path in _entries(folder)
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    ]


def load_pixels(root: Path, items: Sequence[Item], size: tuple[int, int]) -> Tensor:
    """Return the images as uint8 (N, 3, h, w), resized as the network's own preprocessing does.

    Raises `ImageError`.
    """
    pixels = torch.empty((len(items), 3, *size), dtype=torch.uint8)
    for number, item in enumerate(items):
        pixels[number] = resize(read_image(root / item.file).pixels, size)[0].round().byte()
    return pixels
