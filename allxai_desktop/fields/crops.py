"""Crops of a field: where they lie, how they are named, and how they become images of a study with their link."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.files import write_whole
from allxai_desktop.i18n import _
from allxai_desktop.images import ImageError, png_bytes, read_image
from allxai_desktop.study.folder import STUDY_FILE, Study, StudyError, StudyItem, adding_to

MIN_SIDE, MAX_SIDE = 32, 2048
RED_CELLS = 4.9
"""Side of a crop in diameters of a red cell, as in the images that the networks of the program learned from."""


@dataclass(frozen=True)
class Box:
    """A square of a field: row and column of its upper left pixel, and its side in px."""

    row: int
    column: int
    side: int

    @property
    def centre(self) -> tuple[float, float]:
        """Row and column of the middle; pixel centres are whole numbers."""
        half = (self.side - 1) / 2
        return self.row + half, self.column + half


def box_around(place: tuple[float, float], side: int, shape: tuple[int, int]) -> Box:
    """Return the box of `side` px around `place` (row, column), moved into a field of `shape` (height, width).

    A field that is too small for it makes it smaller.
    """
    side = min(side, *shape)
    row, column = (
        min(max(round(at - (side - 1) / 2), 0), length - side)
        for at, length in zip(place, shape, strict=True)
    )
    return Box(row, column, side)


def usual_side(red_cell_diameter: float) -> int:
    """Return the side in px that a crop has where nobody chose one: `RED_CELLS` red cells."""
    return min(max(round(RED_CELLS * red_cell_diameter), MIN_SIDE), MAX_SIDE)


def crops_of(study: Study, field: str) -> dict[Box, StudyItem]:
    """Return the images of `study` that were cut from the field with that file name, by their place in it."""
    return {Box(*item.at): item for item in study.items if item.field == field and item.at is not None}


def take_crops(study: Study, item: StudyItem, crops: Sequence[tuple[Box, NDArray[np.uint8]]]) -> list[str]:
    """Write crops of the field `item`, each a box and its pixels uint8 (side, side, 3), and return their file names.

    They lie beside the field as PNG files that hold nothing but pixels; `study.toml` gets their link, and what is
    known about the field. No file is written over: a crop that is there already is that file, and what else has
    its name makes the new one `…-2.png`. Raises `StudyError` or `WriteError`.
    """
    field, folder = item.image_path.name, item.image_path.parent
    known = crops_of(study, field)
    names, lines = [], []
    try:
        for box, pixels in crops:
            if box in known and known[box].image_path.exists():
                names.append(known[box].image_path.name)
                continue
            path = _write(folder, f"{item.image_path.stem}_{box.row:05d}_{box.column:05d}_{box.side}", pixels)
            names.append(path.name)
            if box not in known or known[box].image_path.name != path.name:
                lines.append(_entry(path.name, item, box))
    finally:
        # Also where one failed, as on a full disk: those before it are files of the study by then.
        if lines:
            # Of two who add to it at one time, the second would leave out what the first adds.
            with adding_to(study.folder):
                _append(study.folder / STUDY_FILE, lines)
    return names


def study_with(study: Study, field: StudyItem, name: str) -> Study:
    """Return `study` read again from its folder, with the image called `name` to be shown first.

    Of a field that was opened alone it holds the field and its crops only. Raises `StudyError`.
    """
    found = Study.open(study.folder)
    items = found.items
    if study.alone:
        own = field.image_path.name
        items = [item for item in items if own in (item.image_path.name, item.field)]
    start = next((row for row, item in enumerate(items) if item.image_path.name == name), 0)
    return replace(found, items=items, start=start, alone=study.alone, others=found.mask_paths)


def _write(folder: Path, stem: str, pixels: NDArray[np.uint8]) -> Path:
    path, number = folder / f"{stem}.png", 1
    while path.exists():
        if _holds(path, pixels):
            return path
        number += 1
        path = folder / f"{stem}-{number}.png"
    write_whole(path, png_bytes(pixels))
    return path


def _holds(path: Path, pixels: NDArray[np.uint8]) -> bool:
    try:
        return np.array_equal(read_image(path).pixels, pixels)
    except ImageError:
        return False


def _entry(name: str, field: StudyItem, box: Box) -> str:
    lines = ["[[items]]", f"image = {_quoted(name)}", f"field = {_quoted(field.image_path.name)}"]
    lines.append(f"at = [{box.row}, {box.column}, {box.side}]")
    if field.subject is not None:
        lines.append(f"subject = {_quoted(field.subject)}")
    if field.pixel_size_um is not None:
        lines.append(f"pixel_size_um = {field.pixel_size_um!r}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # A JSON text is a TOML text too, but for the pairs of escapes that JSON has for an emoji.
    return json.dumps(text, ensure_ascii=False)


def _append(path: Path, entries: Sequence[str]) -> None:
    """Add to `study.toml` at its end what is not in it yet, so that what people wrote in it stays as it is."""
    import tomllib

    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(_("study.toml could not be read: the crop is not linked to its field.")) from error
    # Of two clicks on one cell the second knows the study as it was at the first.
    new = [entry for entry in entries if entry not in before]
    if not new:
        return
    text = "\n".join([*([before.rstrip("\n") + "\n"] if before.strip() else []), *new])
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(
            _("study.toml cannot take up the crop ({reason}): write its items as [[items]].").format(
                reason=error
            )
        ) from error
    write_whole(path, text.encode())
