"""Our masks as they go from study to study: an `.npz` an image, or one for a whole study.

The one for a study holds `images` and `image_sha256` (N,), `mask_0001`, `mask_0002`, … uint8 (H, W) in their order,
`mask_accepted_0001`, … bool (H, W) where a proposal set pixels, and what the classes mean, as in a mask of one image.
"""

import io
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from allxai_desktop.files import write_whole
from allxai_desktop.i18n import _
from allxai_desktop.masks.exported import Exported
from allxai_desktop.masks.json_file import damaged
from allxai_desktop.masks.labels import Entry, Labelled, class_key, file_name, regions_of
from allxai_desktop.masks.npz import (
    MaskError,
    check_classes,
    check_version,
    checked_codes,
    class_table,
    load_mask,
    open_archive,
    read_member,
    read_meta,
    save_mask,
)


def write_npz(path: Path, mask: Exported) -> None:
    """Write the mask of one image. Raises `MaskError`."""
    save_mask(
        path,
        mask.codes,
        image=mask.image,
        annotator=mask.annotator,
        state=mask.state,
        created=mask.created,
        accepted=mask.accepted,
    )


def write_npz_study(path: Path, masks: Iterable[Exported]) -> None:
    """Write the masks of all images into one file. Raises `WriteError`."""
    buffer = io.BytesIO()
    names, identities = [], []
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for mask in masks:
            names.append(mask.image.name)
            identities.append(mask.image.sha256)
            _add(archive, _key(len(names)), mask.codes)
            if mask.accepted is not None:
                _add(archive, _accepted_key(len(names)), mask.accepted)
        # An array of texts that is empty would be one of numbers.
        _add(archive, "images", np.array(names, np.str_))
        _add(archive, "image_sha256", np.array(identities, np.str_))
        for key, values in class_table().items():
            _add(archive, key, values)
    write_whole(path, buffer.getbuffer())


def _add(archive: zipfile.ZipFile, key: str, values: NDArray[np.generic]) -> None:
    with archive.open(f"{key}.npy", "w") as stream:
        npy.write_array(stream, values, allow_pickle=False)


def _key(number: int) -> str:
    return f"mask_{number:04}"


def _accepted_key(number: int) -> str:
    return f"mask_accepted_{number:04}"


def read_npz(path: Path) -> list[Entry]:
    """Return the images of a file of either kind. Raises `MaskError`."""
    with open_archive(path) as archive:
        if "images.npy" not in archive.namelist():
            # What it says of itself counts for more than the name of the file, which may be a copy's.
            name = read_meta(archive, path.name).get("image_name")
            return [Entry((*([name] if name else []), path.stem), partial(_read_one, path))]
        check_version(archive, path.name)
        check_classes(archive, path.name)
        names, identities = (read_member(archive, key, path.name) for key in ("images", "image_sha256"))
    if names is None or identities is None or not names.shape == identities.shape == (names.size,):
        raise damaged(path.name)
    if names.dtype.kind != "U" or identities.dtype.kind != "U":
        raise damaged(path.name)
    return [
        Entry((file_name(name),), partial(_read_member, path, number, identity))
        for number, (name, identity) in enumerate(
            zip(names.tolist(), identities.tolist(), strict=True), start=1
        )
    ]


def _read_one(path: Path) -> Labelled:
    mask = load_mask(path)
    return replace(
        _labelled(mask.codes),
        image_sha256=mask.meta.get("image_sha256"),
        annotator=mask.meta.get("annotator"),
        accepted=mask.accepted,
    )


def _read_member(path: Path, number: int, identity: str) -> Labelled:
    with open_archive(path) as archive:
        values = read_member(archive, _key(number), path.name)
        if values is None:
            raise MaskError(
                _("{name} lacks the mask of its image {number}: export it again.").format(
                    name=path.name, number=number
                )
            )
        codes = checked_codes(values, path.name)
        accepted = read_member(archive, _accepted_key(number), path.name)
        if accepted is not None and (accepted.dtype != bool or accepted.shape != codes.shape):
            raise damaged(path.name)
        return replace(_labelled(codes), image_sha256=identity, accepted=accepted)


def _labelled(codes: NDArray[np.uint8]) -> Labelled:
    height, width = codes.shape
    return Labelled((height, width), regions_of(codes, class_key))
