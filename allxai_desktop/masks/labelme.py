"""labelme: one JSON file an image. Written as polygons along the edges of pixels; filled by pixel middles, they give
the mask. (labelme itself also counts the pixels that an outline touches.)
"""

import base64
import binascii
import io
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.images import check_size
from allxai_desktop.masks.exported import Exported, write_json
from allxai_desktop.masks.json_file import damaged, read_json, ring, says_size, size, size_note, value
from allxai_desktop.masks.labels import Entry, Labelled, Region, Regions, file_name
from allxai_desktop.masks.outlines import outlines, without_holes
from allxai_desktop.masks.shapes import line_notes, outside_notes, polygon_region

_VERSION = "5.5.0"
_SIDES = ("imageHeight", "imageWidth")
_CORNERED = ("polygon", "rectangle", "oriented_rectangle", "rotation")
"""Shapes of which every corner is there: rectangles too, in labelme since 6 and in programs that write its files."""


def write_labelme(path: Path, mask: Exported) -> None:
    """Write a polygon for each connected part of a class; a hole is joined to the outline by a cut.

    The image is named and not included. Raises `WriteError`.
    """
    height, width = mask.codes.shape
    shapes = [
        {
            "label": cls.key,
            "points": without_holes(outline).tolist(),
            "group_id": None,
            "description": "",
            "shape_type": "polygon",
            "flags": {},
            "mask": None,
        }
        for cls in CLASSES
        for outline in outlines(mask.codes == cls.code)
    ]
    write_json(
        path,
        {
            "version": _VERSION,
            "flags": {},
            "shapes": shapes,
            "imagePath": f"{mask.place}{mask.image.name}",
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        },
    )


def read_labelme(path: Path) -> list[Entry]:
    """Return the image of a file. Raises `MaskError`."""
    content = read_json(path)
    image = content.get("imagePath")
    names = (file_name(image), path.stem) if isinstance(image, str) else (path.stem,)
    read = partial(_read, content, path.name)
    return [Entry(names, read, None if says_size(content, *_SIDES) else read)]


def _read(content: dict[str, Any], name: str, shape: tuple[int, int] | None = None) -> Labelled:
    notes: tuple[str, ...] = () if shape is None else (size_note(name),)
    shape = shape or size(content, *_SIDES, name)
    regions, rings, others = Regions(name), [], 0
    for table in value(content, "shapes", list, name):
        label = value(table, "label", str, name)
        points = ring(table.get("points"), name)
        kind = table.get("shape_type") or "polygon"
        if kind == "mask" and len(points) == 2:
            regions.add(_from_picture(label, value(table, "mask", str, name), points, shape, name))
            continue
        outline = _outline(kind, points)
        if outline is None:
            others += 1
            continue
        rings.append(outline)
        regions.add(polygon_region(label, outline, shape))
    notes += outside_notes(rings, shape, name) + line_notes(others, name)
    return Labelled(shape, tuple(regions.found), notes=notes)


def _outline(kind: str, points: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return what a shape of labelme goes round, as a ring; None where it has no area."""
    if kind in _CORNERED and len(points) > 2:
        return points
    if len(points) != 2:
        return None
    (left, top), (right, bottom) = points
    if kind == "rectangle":
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    if kind == "circle":
        angles = np.linspace(0, 2 * np.pi, 128, endpoint=False)
        radius = np.hypot(right - left, bottom - top)
        circle: NDArray[np.float64] = points[0] + radius * np.stack((np.cos(angles), np.sin(angles)), axis=1)
        return circle
    return None


def _from_picture(
    label: str, text: str, points: NDArray[np.float64], shape: tuple[int, int], name: str
) -> Region:
    left, top = np.rint(points.min(axis=0)).astype(int).tolist()
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"]) as picture:
            check_size(*picture.size, name)
            inside: NDArray[np.bool_] = np.asarray(picture.convert("L")) > 0
    except (binascii.Error, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise damaged(name) from error
    # What leaves the image is cut off.
    inside = inside[max(-top, 0) :, max(-left, 0) :]
    top, left = max(top, 0), max(left, 0)
    return Region(label, inside[: max(shape[0] - top, 0), : max(shape[1] - left, 0)], top, left)
