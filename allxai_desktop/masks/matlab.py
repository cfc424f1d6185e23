"""MATLAB's Image Labeler: PNGs in `PixelLabelData…` folders, and a `.mat` with the `groundTruth` that explains them."""

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from allxai_desktop.cellclasses import UNLABELLED_KEY
from allxai_desktop.files import write_table, write_whole
from allxai_desktop.i18n import _
from allxai_desktop.images import IMAGE_SUFFIXES, png_bytes
from allxai_desktop.masks.exported import Exported, write_classes
from allxai_desktop.masks.json_file import damaged
from allxai_desktop.masks.labels import Entry, Labelled, file_name
from allxai_desktop.masks.npz import MaskError
from allxai_desktop.masks.pictures import read_numbers

LABELS_FOLDER = "PixelLabelData"
SCRIPT = "build_ground_truth.m"
MAX_BYTES = 2**24
"""A `groundTruth` names files and holds no pixels: 260 images make some 50 kB, also when unpacked."""

# Writing


def write_matlab(folder: Path, masks: Iterable[Exported]) -> None:
    """Write a PNG of codes an image, tables of classes and files, and the script that makes a `groundTruth` of them.

    Raises `WriteError`.
    """
    labels = folder / LABELS_FOLDER
    labels.mkdir(parents=True)
    rows = [("label", "image")]
    for number, mask in enumerate(masks, start=1):
        name = f"Label_{number}_{mask.stem}.png"
        write_whole(labels / name, png_bytes(mask.codes))
        rows.append((name, mask.image.name))
    write_table(folder / "files.csv", rows)
    write_classes(folder / "classes.csv")
    write_whole(folder / SCRIPT, files("allxai_resources").joinpath("matlab", SCRIPT).read_bytes())


# Reading


def read_matlab(path: Path) -> list[Entry]:
    """Return the images of every `groundTruth` in a `.mat` file. Raises `MaskError`.

    The paths in it are those of the machine that wrote it: the pictures are looked for beside the file.
    """
    found = [_entries(path, *parts) for parts in _ground_truths(_load(path))]
    if not found:
        raise MaskError(
            _(
                "{name} holds no groundTruth with pixel labels: "
                "export the labels of the Image Labeler to a file, or save the object in one."
            ).format(name=path.name)
        )
    return [entry for entries in found for entry in entries]


def _load(path: Path) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            # It sets an option of pandas that pandas warns of.
            warnings.simplefilter("ignore")
            # Slow to import (pandas and HDF5 come with it), and not there for every system.
            from matio import load_from_mat

            from allxai_desktop.masks.mat_size import unpacked_size
    except ImportError as error:
        raise MaskError(
            _("{name} cannot be read on this system: import the folder of its PNGs instead.").format(
                name=path.name
            )
        ) from error
    try:
        if path.stat().st_size > MAX_BYTES or unpacked_size(path, MAX_BYTES) > MAX_BYTES:
            raise MaskError(
                _("{name} is too large for a groundTruth: save that object alone.").format(name=path.name)
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded: dict[str, Any] = load_from_mat(str(path))
    except MaskError:
        raise
    except FileNotFoundError as error:
        raise MaskError(
            _("{name} was not found: it may have been moved or renamed.").format(name=path.name)
        ) from error
    except Exception as error:
        # What readers raise on damaged data is beyond counting.
        raise damaged(path.name) from error
    return loaded


def _ground_truths(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any, Any]]:
    """Yield the definitions, the label data and the source of each ground truth, however MATLAB wrapped it."""
    if depth > 6:
        return
    for fields in _structs(value):
        if {"LabelDefinitions", "LabelData"} <= fields.keys():
            yield fields["LabelDefinitions"], fields["LabelData"], fields.get("DataSource")
        else:
            for field in fields.values():
                yield from _ground_truths(field, depth + 1)
    if isinstance(value, np.ndarray) and value.dtype == object:
        for item in value.flat:
            yield from _ground_truths(item, depth + 1)


def _structs(value: Any) -> list[dict[str, Any]]:
    """Return the fields of a struct, of each of an array of them, of an object, or of each row of a table."""
    if isinstance(value, dict):
        return [value]
    if isinstance(value, np.ndarray) and value.dtype.names:
        return [{name: one[name] for name in value.dtype.names} for one in value.reshape(-1)]
    if isinstance(getattr(value, "properties", None), dict):
        return [value.properties]
    if hasattr(value, "to_dict"):
        rows: list[dict[str, Any]] = value.to_dict("records")
        return rows
    return []


def _texts(value: Any, depth: int = 0) -> list[str]:
    """Return all texts in a value, in order."""
    if isinstance(value, str):
        return [value]
    if depth > 8:
        return []
    if isinstance(value, np.ndarray) and value.dtype.kind in "UO" and not value.dtype.names:
        parts = value.reshape(-1, order="F").tolist()
    else:
        parts = [field for fields in _structs(value) for field in fields.values()]
    return [text for part in parts for text in _texts(part, depth + 1)]


def _entries(path: Path, definitions: Any, data: Any, source: Any) -> list[Entry]:
    names = _names(definitions, path.name)
    pictures = ["".join(_texts(row.get("PixelLabelData"))[:1]) for row in _structs(data)]
    images = [text for text in _texts(source) if text.lower().endswith(IMAGE_SUFFIXES)]
    if len(images) != len(pictures):
        images = [""] * len(pictures)
    return [
        Entry(
            tuple(name for name in (file_name(image), _image_stem(picture)) if name),
            partial(_read, path, picture, names),
        )
        for picture, image in zip(pictures, images, strict=True)
        # An image without labels has no picture.
        if picture
    ]


def _names(definitions: Any, name: str) -> dict[str, str]:
    """Return pixel label ID → name of its class; a class may have several IDs."""
    found: dict[str, str] = {}
    for row in _structs(definitions):
        label = "".join(_texts(row.get("Name"))[:1])
        for number in _numbers(row.get("PixelLabelID")):
            if found.setdefault(str(number), label) != label:
                raise MaskError(
                    _(
                        "{name} gives two classes the number {number}: correct it in the Image Labeler."
                    ).format(name=name, number=number)
                )
    return found


def _numbers(value: Any) -> list[int]:
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [number for item in value.flat for number in _numbers(item)]
    values = np.asarray(value if value is not None else [])
    return values.reshape(-1).astype(int).tolist() if values.dtype.kind in "iuf" else []


def _image_stem(picture: str) -> str:
    """Return the image's name in that of its picture, `Label_7_name.png`; "" for `Label_7.png`."""
    found = re.fullmatch(r"Label_\d+_(.+)\.png", file_name(picture), re.IGNORECASE)
    return found[1] if found else ""


def _read(path: Path, picture: str, names: dict[str, str]) -> Labelled:
    found = read_numbers(_located(path, picture))
    # MATLAB's pixels without a label are 0.
    named = {"0": UNLABELLED_KEY} | names
    # Where the numbers have names of their own, one without a name is none of our codes.
    regions = tuple(
        replace(region, label=named.get(region.label, f"PixelLabelID {region.label}"))
        for region in found.regions
    )
    return replace(found, regions=regions)


def _located(path: Path, picture: str) -> Path:
    """Return where a picture is now: in the same folder beside the `.mat` file, or beside that folder.

    Raises `MaskError` where it is missing, or where two folders hold one of its name.
    """
    # The folder counts: that of another session holds pictures of the same names.
    parts = re.split(r"[\\/]", picture)
    for root in (path.parent, path.parent.parent):
        if (found := root.joinpath(*parts[-2:])).is_file():
            return found
    others = [
        found
        for found in (path.parent / parts[-1], *path.parent.glob(f"{LABELS_FOLDER}*/{_literal(parts[-1])}"))
        if found.is_file()
    ]
    if len(others) == 1:
        return others[0]
    text = (
        _("{name} belongs to {mat}, but is in several folders: keep the one folder beside the file.")
        if others
        else _("{name}, which belongs to {mat}, was not found: put its folder beside that file.")
    )
    raise MaskError(text.format(name=parts[-1], mat=path.name))


def _literal(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
