"""The mask file of a slide, read in bands of rows, so that the mask is never whole in memory."""

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from allxai_desktop.images import CellImage
from allxai_desktop.masks.npz import (
    MaskFile,
    check_classes,
    check_image,
    check_version,
    checked_codes,
    load_mask,
    no_mask,
    open_archive,
    open_member,
    read_meta,
)
from allxai_desktop.painting.tiles import SIDE, Tiles


@dataclass(frozen=True, eq=False)
class TiledMask:
    """The mask of a slide; see `MaskFile`."""

    codes: Tiles
    meta: dict[str, Any] = field(default_factory=dict)
    warning: str | None = None
    accepted: Tiles | None = None


def load_any(path: Path, image: CellImage) -> MaskFile | TiledMask:
    """Read the mask of a cell image or a slide. Raises `MaskError` for every file that is no mask of that image."""
    return load_mask(path, image) if image.whole else load_tiles(path, image.shape, image)


def load_tiles(path: Path, shape: tuple[int, int], image: CellImage | None = None) -> TiledMask:
    """Read the mask of a slide of that shape, which may be given. Raises `MaskError` for every other file.

    It is the slide that says how large its mask is: what has another size is not decompressed.
    """
    name, warning = path.name, None
    with open_archive(path) as archive:
        check_version(archive, name)
        meta = read_meta(archive, name)
        with open_member(archive, "mask", name, _limit(shape)) as found:
            if found is None:
                raise no_mask(name)
            if image is not None:
                warning = check_image(found[1], meta, image, name)
        check_classes(archive, name)
        codes = _read(archive, "mask", shape, name)
        accepted = _read(archive, "mask_accepted", shape, name)
    assert codes is not None
    return TiledMask(codes, meta, warning, accepted)


def _limit(shape: tuple[int, int]) -> int:
    # The widest integers, and the header.
    return 8 * shape[0] * shape[1] + 2**16


def _read(archive: zipfile.ZipFile, key: str, shape: tuple[int, int], name: str) -> Tiles | None:
    """Return one array, None where there is none. Raises `MaskError`, or what zipfile raises."""
    flags = key == "mask_accepted"
    with open_member(archive, key, name, _limit(shape)) as found:
        if found is None:
            return None
        member, own_shape, fortran_order, dtype = found
        if own_shape != shape or fortran_order or (dtype.kind == "b") != flags:
            raise ValueError("an array of a slide is stored row by row")
        tiles = Tiles(shape, bool if flags else np.uint8)
        for top in range(0, shape[0], SIDE):
            size = min(SIDE, shape[0] - top) * shape[1] * dtype.itemsize
            data = member.read(size)
            if len(data) != size:
                raise EOFError("the array is not as long as its header says")
            band = np.frombuffer(data, dtype).reshape(-1, shape[1])
            tiles.put_band(top, band if flags else checked_codes(band, name))
        # Reading beyond the end makes zipfile compare the checksum.
        if member.read(1):
            raise EOFError("the array is longer than its header says")
    return tiles
