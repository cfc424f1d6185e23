"""The mask file: an `.npz` of which `numpy.load(file)["mask"]` is all that a script needs.

`mask` uint8 (H, W), codes 0–5 of `cellclasses`; `class_ids` uint8 (5,), `class_names` (5,) keys, `class_colors`
uint8 (5, 3) RGB; `schema_version` int; `meta_json` text, the keys of `_META_TYPES`. `mask_accepted` bool (H, W), which
may be missing, are the pixels that a proposal set and no person painted since. Read without pickle, with every size
checked before it is decompressed; written to a temporary file that then takes the place of the old one.
"""

import io
import json
import re
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from allxai_desktop import __version__
from allxai_desktop.cellclasses import CLASSES, MAX_CODE
from allxai_desktop.errors import AllxaiError
from allxai_desktop.files import MOMENT_S, WriteError, patiently, write_whole
from allxai_desktop.i18n import _
from allxai_desktop.images import MAX_PIXELS, CellImage
from allxai_desktop.painting.tiles import Codes, Flags, Tiles, count_labelled, highest
from allxai_desktop.tasks import Progress, unwatched

SCHEMA_VERSION = 1

_META_TYPES: dict[str, type | tuple[type, ...]] = {
    "image_name": str,  # file name only: a path tells who works where
    "image_shape": list,  # [H, W]
    "image_sha256": str,  # of the decoded RGB pixels in C order
    "program_version": str,
    "annotator": str,  # a pseudonym
    "created": str,  # ISO 8601, UTC
    "modified": str,
    "state": str,
    "accepted_proposal_share": (int, float),  # 0…1 of the labelled pixels
}
# Widest integer type that is accepted, and room for the header of an array.
_MAX_MASK_BYTES = 8 * MAX_PIXELS + 2**16
_MAX_OTHER_BYTES = 2**20


class MaskError(AllxaiError):
    """A mask that cannot be read or written, and what to do about it."""


@dataclass(frozen=True, eq=False)
class MaskFile:
    """A mask read: `codes` uint8 (H, W), what its `meta_json` says, and a sentence on what is doubtful about it.

    `accepted` bool (H, W) are the pixels that a proposal set last, where the file says so.
    """

    codes: NDArray[np.uint8]
    meta: dict[str, Any] = field(default_factory=dict)
    warning: str | None = None
    accepted: NDArray[np.bool_] | None = None


# Writing


def save_mask(path: str | Path, codes: Codes, **facts: Any) -> None:
    """Write a mask uint8 (H, W) whole or not at all; the last folder of `path` is made when it is missing.

    `facts` are those of `mask_bytes`. Raises `MaskError`; the file that was there before is then untouched.
    """
    path = Path(path)
    put_mask(path, mask_bytes(path, codes, **facts))


def put_mask(path: Path, data: memoryview, last_look: Callable[[], None] = lambda: None) -> None:
    """Write the bytes of a mask file whole or not at all. Raises `MaskError`, or what `last_look` does right before."""
    try:
        write_whole(path, data, last_look)
    except WriteError as error:
        raise MaskError(str(error)) from error


def mask_bytes(
    path: Path,
    codes: Codes,
    *,
    image: CellImage | None = None,
    annotator: str | None = None,
    state: str = "in-progress",
    created: str | None = None,
    accepted: Flags | None = None,
    progress: Progress = unwatched,
) -> memoryview:
    """Return the bytes of the mask file `path`, which are few also for a slide. Raises `MaskError`.

    `created` is an ISO 8601 time, now when None; `accepted` (H, W) are the labelled pixels that a proposal set last.
    """
    if codes.ndim != 2 or codes.dtype != np.uint8 or highest(codes) > MAX_CODE:
        raise MaskError(
            _("{name} was not saved: a mask is two-dimensional with codes 0 to {highest}.").format(
                name=path.name, highest=MAX_CODE
            )
        )
    if image is not None and image.shape != codes.shape:
        raise MaskError(
            _("{name} was not saved: the mask is {mask_shape} pixels, but {image} is {image_shape}.").format(
                name=path.name,
                mask_shape=_size(codes.shape),
                image=image.name,
                image_shape=_size(image.shape),
            )
        )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    meta = {
        "image_name": re.split(r"[\\/]", image.name)[-1] if image else None,
        "image_shape": list(codes.shape),
        "image_sha256": image.sha256 if image else None,
        "program_version": __version__,
        "annotator": annotator,
        "created": created or now,
        "modified": now,
        "state": state,
        "accepted_proposal_share": 0.0 if accepted is None else _share(accepted, codes),
    }
    buffer = io.BytesIO()
    arrays: dict[str, NDArray[Any] | Tiles] = {
        "mask": codes,
        **({} if accepted is None else {"mask_accepted": accepted}),
        **class_table(),
        "meta_json": np.array(json.dumps(meta, ensure_ascii=False, allow_nan=False)),
    }
    # The mask of a slide is large and mostly empty: packing it well takes twice as long.
    level = 1 if isinstance(codes, Tiles) else None
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for key, values in arrays.items():
            with archive.open(f"{key}.npy", "w", force_zip64=True) as member:
                _write_array(member, values, progress)
    return buffer.getbuffer()


def _write_array(member: Any, values: NDArray[Any] | Tiles, progress: Progress) -> None:
    if isinstance(values, Tiles):
        header = {"descr": npy.dtype_to_descr(values.dtype), "fortran_order": False, "shape": values.shape}
        npy.write_array_header_1_0(member, header)
        written = 0
        for band in values.bands():
            progress(written / values.size)
            member.write(band.data)
            written += band.size
    else:
        npy.write_array(member, values, allow_pickle=False)


def _share(accepted: Flags, codes: Codes) -> float:
    return count_labelled(accepted) / max(count_labelled(codes), 1)


def class_table() -> dict[str, NDArray[Any]]:
    """Return the arrays that say what the codes mean, and in which version of this format."""
    return {
        "class_ids": np.array([cls.code for cls in CLASSES], np.uint8),
        "class_names": np.array([cls.key for cls in CLASSES]),
        "class_colors": np.array([cls.color for cls in CLASSES], np.uint8),
        "schema_version": np.array(SCHEMA_VERSION),
    }


# Reading


def load_mask(path: str | Path, image: CellImage | None = None) -> MaskFile:
    """Read a mask, for `image` where given. Raises `MaskError` for every file that is no mask of that image."""
    path = Path(path)
    with open_archive(path) as archive:
        mask = _read(archive, path.name)
    return mask if image is None else _matched(mask, image, path.name)


def mask_meta(path: Path) -> dict[str, Any]:
    """Return what a mask file of any size says in its `meta_json`. Raises `MaskError`."""
    with open_archive(path) as archive:
        return read_meta(archive, path.name)


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an `.npz`; what goes wrong while it is open raises `MaskError`."""
    try:
        with patiently(lambda: path.open("rb"), MOMENT_S) as stream, zipfile.ZipFile(stream) as archive:
            yield archive
    except FileNotFoundError as error:
        raise MaskError(
            _("{name} was not found: it may have been moved or renamed.").format(name=path.name)
        ) from error
    except IsADirectoryError as error:
        raise MaskError(
            _("{name} is a folder, not a mask: open an .npz file.").format(name=path.name)
        ) from error
    except PermissionError as error:
        raise MaskError(
            _("{name} may not be read: ask for the right to open it.").format(name=path.name)
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise MaskError(
            _("{name} is damaged or no .npz mask: restore it from a copy, or paint it anew.").format(
                name=path.name
            )
        ) from error


def check_version(archive: zipfile.ZipFile, name: str) -> None:
    """Raise `MaskError` for a file of a newer version of this program."""
    schema = read_member(archive, "schema_version", name)
    numbered = schema is not None and schema.size == 1 and np.issubdtype(schema.dtype, np.integer)
    if schema is not None and numbered and int(schema.reshape(())) > SCHEMA_VERSION:
        raise MaskError(
            _("{name} was written by a newer version of this program: update the program to open it.").format(
                name=name
            )
        )


def _read(archive: zipfile.ZipFile, name: str) -> MaskFile:
    check_version(archive, name)
    values = read_member(archive, "mask", name)
    if values is None:
        raise no_mask(name)
    codes = checked_codes(values, name)
    check_classes(archive, name)
    accepted = read_member(archive, "mask_accepted", name)
    if accepted is not None and (accepted.dtype != bool or accepted.shape != codes.shape):
        accepted = None
    return MaskFile(codes, read_meta(archive, name), accepted=accepted)


def no_mask(name: str) -> MaskError:
    """Return what is wrong with an archive without the array of a mask."""
    return MaskError(
        _("{name} holds no array named “mask”: export the mask under that name.").format(name=name)
    )


def read_member(archive: zipfile.ZipFile, key: str, name: str) -> NDArray[Any] | None:
    """Return one array, None where there is none; only those whose name begins with "mask" may be large.

    Nothing large is decompressed to find out that it is too large. Raises `MaskError`, or what zipfile raises.
    """
    large = key.startswith("mask")
    with open_member(archive, key, name, _MAX_MASK_BYTES if large else _MAX_OTHER_BYTES) as found:
        if found is None:
            return None
        member, shape, fortran_order, dtype = found
        count = int(np.prod(shape, dtype=object))
        if large and count > MAX_PIXELS:
            raise _too_large(name)
        data = member.read(count * dtype.itemsize)
        # Reading beyond the end makes zipfile compare the checksum.
        if len(data) != count * dtype.itemsize or member.read(1):
            raise EOFError("the array is not as long as its header says")
    return np.frombuffer(data, dtype, count).reshape(shape, order="F" if fortran_order else "C")


@contextmanager
def open_member(
    archive: zipfile.ZipFile, key: str, name: str, limit: int
) -> Iterator[tuple[IO[bytes], tuple[int, ...], bool, np.dtype[Any]] | None]:
    """Open one array behind its header: the stream, shape, whether in Fortran order, type; None where there is none.

    Raises `MaskError` for one of more bytes than `limit`, before anything of it is decompressed.
    """
    try:
        info = archive.getinfo(f"{key}.npy")
    except KeyError:
        yield None
        return
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile("unknown compression")
    if info.file_size > limit:
        raise _too_large(name)
    with archive.open(info) as member:
        shape, fortran_order, dtype = _header(member)
        if dtype.hasobject:
            raise MaskError(
                _("{name} holds Python objects, which may run a program: export plain numbers.").format(
                    name=name
                )
            )
        yield member, shape, fortran_order, dtype


def _header(member: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    reader = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(
        npy.read_magic(member)
    )
    if reader is None:
        raise ValueError("unknown version of the npy format")
    try:
        shape, fortran_order, dtype = reader(member)
    except (SyntaxError, RecursionError, MemoryError, tokenize.TokenError) as error:
        raise ValueError("the header of the array cannot be read") from error
    return shape, fortran_order, dtype


def _too_large(name: str) -> MaskError:
    return MaskError(
        _(
            "{name} claims a mask of more than {limit} million pixels: it does not belong to a cell image."
        ).format(name=name, limit=MAX_PIXELS // 10**6)
    )


def checked_codes(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Return an array of whole numbers (H, W) as class codes. Raises `MaskError` for any other."""
    if values.ndim != 2:
        raise MaskError(
            _("{name} holds an array of shape {shape}: a mask has two dimensions, height and width.").format(
                name=name, shape="×".join(map(str, values.shape)) or "1"
            )
        )
    if not np.issubdtype(values.dtype, np.integer):
        raise MaskError(
            _("{name} holds values of type {dtype}: export the class codes as whole numbers (uint8).").format(
                name=name, dtype=values.dtype
            )
        )
    if values.size and (values.min() < 0 or values.max() > MAX_CODE):
        codes = np.unique(values)
        foreign = [str(code) for code in codes[(codes < 0) | (codes > MAX_CODE)]]
        listed = ", ".join(foreign[:5]) + (", …" if len(foreign) > 5 else "")
        raise MaskError(
            _(
                "{name} holds codes that are no class ({codes}): give every class its number from 0 to {highest}."
            ).format(name=name, codes=listed, highest=MAX_CODE)
        )
    return np.array(values, np.uint8, order="C")


def check_classes(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse a file whose own list of classes gives the codes another meaning."""
    ids, names = read_member(archive, "class_ids", name), read_member(archive, "class_names", name)
    if ids is None or names is None:
        return
    ours = [(cls.code, cls.key) for cls in CLASSES]
    if list(zip(ids.reshape(-1).tolist(), names.reshape(-1).tolist(), strict=False)) != ours:
        raise MaskError(
            _("{name} names other classes than this program: number them {classes} first.").format(
                name=name, classes=", ".join(f"{code} {key}" for code, key in ours)
            )
        )


def read_meta(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    """Return the known keys whose values have the right type; a description that cannot be read is none."""
    text = read_member(archive, "meta_json", name)
    if text is None or text.shape != () or text.dtype.kind != "U":
        return {}
    try:
        found = json.loads(str(text))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: found[key] for key, kind in _META_TYPES.items() if isinstance(found.get(key), kind)}


def _matched(mask: MaskFile, image: CellImage, name: str) -> MaskFile:
    return replace(mask, warning=check_image(mask.codes.shape, mask.meta, image, name))


def check_image(shape: tuple[int, ...], meta: dict[str, Any], image: CellImage, name: str) -> str | None:
    """Raise `MaskError` for a mask that is of another image; return the warning where only its size tells."""
    sha256 = meta.get("image_sha256")
    if shape != image.shape or (sha256 is not None and sha256 != image.sha256):
        raise MaskError(
            _(
                "{name} belongs to {other} ({other_shape}), not to {image} ({image_shape}): open it with its own."
            ).format(
                name=name,
                other=meta.get("image_name") or _("an unknown image"),
                other_shape=_size(shape),
                image=image.name,
                image_shape=_size(image.shape),
            )
        )
    if sha256 is not None:
        return None
    return _(
        "{name} does not say which image it belongs to: it was accepted for {image} by its size."
    ).format(name=name, image=image.name)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[0]}"
