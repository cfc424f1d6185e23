"""COCO: one JSON file for many images, an annotation for each connected part of a class.

Written as run lengths, which are exact and know holes; read as run lengths, also compressed, or polygons.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from allxai_desktop import __version__
from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.i18n import N_, _, counted
from allxai_desktop.masks.exported import Exported, write_json
from allxai_desktop.masks.json_file import damaged, read_json, ring, says_size, size, size_note, value, whole
from allxai_desktop.masks.labels import Entry, Labelled, Region, Regions, file_name
from allxai_desktop.masks.npz import MaskError
from allxai_desktop.masks.shapes import line_notes, outside_notes, polygon_region

_SIDES = ("height", "width")

# Writing


def write_coco(path: Path, masks: Iterable[Exported]) -> None:
    """Write the parts of all classes of all images. Raises `WriteError`."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for mask in masks:
        height, width = mask.codes.shape
        images.append({"id": len(images) + 1, "file_name": mask.image.name, "width": width, "height": height})
        for cls in CLASSES:
            for part in _parts(mask.codes == cls.code):
                about = {"id": len(annotations) + 1, "image_id": len(images), "category_id": cls.code}
                annotations.append(about | part)
    write_json(
        path,
        {
            "info": {"description": f"AllXAI Desktop {__version__}"},
            "images": images,
            "categories": [
                {"id": cls.code, "name": cls.key, "supercategory": "blood smear"} for cls in CLASSES
            ],
            "annotations": annotations,
        },
    )


def _parts(inside: NDArray[np.bool_]) -> Iterable[dict[str, Any]]:
    numbers, _count = ndimage.label(inside)
    for number, (rows, columns) in enumerate(ndimage.find_objects(numbers), start=1):
        part = numbers[rows, columns] == number
        yield {
            "segmentation": {
                "size": list(inside.shape),
                "counts": _run_lengths(part, rows.start, columns.start, inside.shape),
            },
            "area": int(part.sum()),
            "bbox": [columns.start, rows.start, part.shape[1], part.shape[0]],
            "iscrowd": 0,
        }


def _run_lengths(part: NDArray[np.bool_], top: int, left: int, shape: tuple[int, ...]) -> list[int]:
    """Return the lengths of the runs down the columns of the image, outside first; `part` starts at top, left."""
    columns = np.zeros((shape[0], part.shape[1]), np.int8)
    columns[top : top + part.shape[0]] = part
    changes = np.flatnonzero(np.diff(columns.reshape(-1, order="F"), prepend=0, append=0))
    total = shape[0] * shape[1]
    ends = np.concatenate(([0], changes + left * shape[0], [total]))
    lengths: list[int] = np.diff(ends).tolist()
    # A run of nothing stands at the start of a part in the first pixel, and nowhere else.
    return lengths[:-1] if not lengths[-1] else lengths


# Reading


def read_coco(path: Path) -> list[Entry]:
    """Return the images of a file, those without annotations too. Raises `MaskError`."""
    content = read_json(path)
    names: dict[str, str] = {}
    for table in value(content, "categories", list, path.name):
        _keep(names, table, value(table, "name", str, path.name), path.name)
    annotations: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for table in value(content, "annotations", list, path.name):
        if _identity(table, "category_id", path.name) not in names:
            raise MaskError(
                _("{name} has an annotation of a category that it does not list: export it again.").format(
                    name=path.name
                )
            )
        annotations[_identity(table, "image_id", path.name)].append(table)
    entries = []
    images: dict[str, str] = {}
    for table in value(content, "images", list, path.name):
        whole_name = value(table, "file_name", str, path.name)
        identity = _identity(table, "id", path.name)
        again = identity in images
        _keep(images, table, whole_name, path.name)
        if again:
            # Scripts that join files list an image in each of them.
            continue
        name = file_name(whole_name)
        mine = annotations.pop(identity, [])
        read = partial(_read, table, mine, names, f"{path.name} ({name})")
        entries.append(Entry((name,), read, None if says_size(table, *_SIDES) else read))
    if annotations:
        raise MaskError(
            _("{name} has an annotation of an image that it does not list: export it again.").format(
                name=path.name
            )
        )
    return entries


def _keep(names: dict[str, str], table: Any, name: str, file: str) -> None:
    """Note whose `id` that of `table` is. Raises `MaskError` where another has it, as in files that were joined."""
    identity = _identity(table, "id", file)
    if names.setdefault(identity, name) != name:
        raise MaskError(
            _("{name} gives {first} and {second} the same number, {id}: export them into two files.").format(
                name=file, first=names[identity], second=name, id=identity
            )
        )


def _identity(table: Any, key: str, name: str) -> str:
    """Return a number or text as text: some programs write 7, some 7.0 and some "7", also in one file."""
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, str) else str(whole(table, key, name))


def _read(
    image: dict[str, Any],
    annotations: list[dict[str, Any]],
    names: dict[str, str],
    name: str,
    shape: tuple[int, int] | None = None,
) -> Labelled:
    notes: tuple[str, ...] = () if shape is None else (size_note(name),)
    shape = shape or size(image, *_SIDES, name)
    regions, rings, boxes, lines = Regions(name), [], 0, 0
    for table in annotations:
        label = names[_identity(table, "category_id", name)]
        found = table.get("segmentation")
        if isinstance(found, dict):
            regions.add(_from_run_lengths(label, found, shape, name))
        elif isinstance(found, list) and found:
            outlines = _outlines(found, name)
            for outline in outlines:
                regions.add(polygon_region(label, outline, shape))
            rings += outlines
            lines += sum(len(outline) < 3 for outline in outlines)
        else:
            boxes += 1
    notes += outside_notes(rings, shape, name) + line_notes(lines, name)
    if boxes:
        one = N_("{name}: a box without an outline was left out.")
        many = N_("{name}: {count} boxes without an outline were left out.")
        notes += (counted(boxes, one, many, name=name),)
    return Labelled(shape, tuple(regions.found), notes=notes)


def _outlines(found: list[Any], name: str) -> list[NDArray[np.float64]]:
    """Return the rings of a region; some programs write a single one without its list, or the points in pairs."""
    pairs = all(isinstance(points, list) and len(points) == 2 for points in found)
    return [ring(points, name) for points in ([found] if pairs or not isinstance(found[0], list) else found)]


def _from_run_lengths(label: str, table: dict[str, Any], shape: tuple[int, int], name: str) -> Region:
    counts: Any = table.get("counts")
    if table.get("size") != list(shape):
        raise MaskError(
            _("{name} has a region of another size than its image: export it again.").format(name=name)
        )
    lengths: Any = _decompressed(counts, name) if isinstance(counts, str) else counts
    whole = isinstance(lengths, list) and all(
        isinstance(length, int) and not isinstance(length, bool) and length >= 0 for length in lengths
    )
    if not whole or sum(lengths) != shape[0] * shape[1]:
        raise damaged(name)
    # Only the columns that the region is in: a file may hold hundreds of regions of a large image.
    bounds = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    starts, ends = bounds[1:-1:2], bounds[2::2]
    starts, ends = starts[starts < ends], ends[starts < ends]
    if not len(starts):
        return Region(label, np.zeros((0, 0), np.bool_))
    height = shape[0]
    left, right = int(starts[0]) // height, int(ends[-1] - 1) // height + 1
    changes = np.zeros((right - left) * height + 1, np.int8)
    np.add.at(changes, starts - left * height, 1)
    np.add.at(changes, ends - left * height, -1)
    inside = np.cumsum(changes[:-1], dtype=np.int8).astype(np.bool_)
    return Region(label, inside.reshape((height, right - left), order="F"), 0, left)


def _decompressed(text: str, name: str) -> list[int]:
    """Return the run lengths of COCO's own text: five bits a character, from the fourth on as differences."""
    lengths: list[int] = []
    number = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 30:
            raise damaged(name)
        number |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            number -= 1 << shift
        lengths.append(number + lengths[-2] if len(lengths) > 2 else number)
        number = shift = 0
    if shift:
        raise damaged(name)
    return lengths
