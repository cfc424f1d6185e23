"""The registry of file formats in which masks come in and go out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from allxai_desktop.errors import AllxaiError, reason_of
from allxai_desktop.i18n import N_, _
from allxai_desktop.masks import coco, labelme, matlab, npz_study, pictures
from allxai_desktop.masks.class_counts import write_counts
from allxai_desktop.masks.exported import Exported, WriteAll, WriteOne
from allxai_desktop.masks.geojson import write_geojson
from allxai_desktop.masks.indexed_png import write_indexed_png
from allxai_desktop.masks.json_file import read_json
from allxai_desktop.masks.labels import Entry, Labelled
from allxai_desktop.masks.npz import MaskError, save_mask
from allxai_desktop.masks.ome_tiff import write_ome_tiff
from allxai_desktop.painting.tiles import Codes, Flags, Tiles

Read = Callable[[Path], list[Entry]]


@dataclass(frozen=True)
class ExportFormat:
    """A format to write: `ending` of its file, "" for a folder; one file an image, or one for all of them.

    `for_image` says whether it is of use for one image alone.
    """

    name: str
    title: str
    ending: str
    write_one: WriteOne | None = None
    write_all: WriteAll | None = None
    for_image: bool = True

    def write_image(self, path: Path, mask: Exported) -> None:
        """Write the mask of one image to the file `path`. Raises `WriteError`, `MaskError`."""
        if self.write_one is not None:
            self.write_one(path, mask)
        elif self.write_all is not None:
            self.write_all(path, [mask])

    def write_study(self, folder: Path, masks: Iterable[Exported]) -> None:
        """Write the masks of many images into `folder`, which exists. Raises `WriteError`, `MaskError`."""
        if self.write_all is not None:
            self.write_all(folder / f"masks{self.ending}" if self.ending else folder, masks)
        elif self.write_one is not None:
            for mask in masks:
                self.write_one(folder / f"{mask.stem}{self.ending}", mask)


@dataclass(frozen=True)
class ImportFormat:
    """A format to read: the endings of its files, and the call that lists the images of one file."""

    name: str
    title: str
    endings: tuple[str, ...]
    read: Read


EXPORTS = {
    found.name: found
    for found in (
        ExportFormat("npz", N_("NumPy, one file an image"), ".npz", npz_study.write_npz),
        ExportFormat(
            "npz-study",
            N_("NumPy, one file for all images"),
            ".npz",
            write_all=npz_study.write_npz_study,
            for_image=False,
        ),
        ExportFormat("png", N_("PNG with a palette"), ".png", write_indexed_png),
        ExportFormat(
            "matlab", N_("MATLAB Image Labeler"), "", write_all=matlab.write_matlab, for_image=False
        ),
        ExportFormat("coco", N_("COCO"), ".json", write_all=coco.write_coco),
        ExportFormat("geojson", N_("GeoJSON for QuPath"), ".geojson", write_geojson),
        ExportFormat("ome-tiff", N_("OME-TIFF labels"), ".ome.tif", write_ome_tiff),
        ExportFormat("labelme", N_("labelme"), ".json", labelme.write_labelme),
        ExportFormat("csv", N_("Table of the pixels of each class"), ".csv", write_all=write_counts),
    )
}
IMPORTS = {
    found.name: found
    for found in (
        ImportFormat("npz", N_("NumPy"), (".npz",), npz_study.read_npz),
        ImportFormat("matlab", N_("MATLAB Image Labeler"), (".mat",), matlab.read_matlab),
        ImportFormat("coco", N_("COCO"), (".json",), coco.read_coco),
        ImportFormat("labelme", N_("labelme"), (".json",), labelme.read_labelme),
        ImportFormat(
            "picture",
            N_("Pictures with a colour or number a class"),
            pictures.PICTURE_SUFFIXES,
            pictures.read_picture,
        ),
    )
}
# A `.mat` explains the PNGs beside it; a picture may be anything.
_KINDS = ((".npz",), (".mat",), (".json",), pictures.PICTURE_SUFFIXES)
_ENDINGS = ", ".join(ending for kind in _KINDS for ending in kind)


def export_format(name: str) -> ExportFormat:
    """Return the format called `name`. Raises `MaskError`."""
    if name not in EXPORTS:
        raise MaskError(
            _("There is no format {name}: choose {known}.").format(name=name, known=", ".join(EXPORTS))
        )
    return EXPORTS[name]


def write_mask(
    path: Path, form: str, codes: Codes, *, stem: str, accepted: Flags | None, **facts: Any
) -> None:
    """Write one mask (H, W) in the format called `form`; `stem`, `accepted` and `facts` are those of `Exported`.

    Raises `WriteError`, `MaskError`: also where the format does not take the mask of a slide.
    """
    if not isinstance(codes, Tiles):
        assert not isinstance(accepted, Tiles)
        export_format(form).write_image(path, Exported(codes, stem=stem, accepted=accepted, **facts))
    elif form == "npz":
        save_mask(path, codes, accepted=accepted, **facts)
    else:
        raise MaskError(_("The mask of a slide is exported as .npz only: export its crops in other formats."))


def read_entries(path: Path) -> list[Entry]:
    """Return the images whose masks are in a file or in the files of a folder, in order of their names.

    Of a folder the files of one kind are read: `.npz`, else `.mat`, else `.json`, else pictures, else those in the
    folders that MATLAB keeps them in; one that cannot be read fails when it is its turn. Raises `MaskError`.
    """
    if not path.exists():
        raise MaskError(
            _("{name} was not found: it may have been moved or renamed.").format(name=path.name or str(path))
        )
    if not path.is_dir():
        return _read(path)
    return [entry for file in _files(path) for entry in _read_or_fail(file)]


def _read(path: Path) -> list[Entry]:
    return _format_of(path).read(path)


def _read_or_fail(path: Path) -> list[Entry]:
    try:
        return _read(path)
    except AllxaiError as error:
        return [Entry((), partial(_fail, error))]


def _fail(error: AllxaiError) -> Labelled:
    raise error


def _files(folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        inner = [path for path in found if path.is_dir() and path.name.startswith(matlab.LABELS_FOLDER)]
        beneath = sorted(path for labels in inner for path in labels.iterdir() if path.name[0] != ".")
    except OSError as error:
        raise MaskError(
            _("{name} could not be opened ({reason}): check that you may read it.").format(
                name=folder.name, reason=reason_of(error)
            )
        ) from error
    for paths in (found, beneath):
        for kind in _KINDS:
            files = [path for path in paths if path.suffix.lower() in kind and path.is_file()]
            if files:
                return files
    raise MaskError(
        _("{name} holds no masks: choose a folder with {endings} files.").format(
            name=folder.name, endings=_ENDINGS
        )
    )


def _format_of(path: Path) -> ImportFormat:
    ending = path.suffix.lower()
    if ending == ".json":
        content = read_json(path)
        if "shapes" in content:
            return IMPORTS["labelme"]
        if "annotations" in content or "images" in content:
            return IMPORTS["coco"]
        raise MaskError(
            _("{name} is neither COCO nor labelme: export the masks as one of them.").format(name=path.name)
        )
    for found in IMPORTS.values():
        if ending in found.endings:
            return found
    raise MaskError(
        _("{name} is no mask that this program reads: choose one of {endings}.").format(
            name=path.name, endings=_ENDINGS
        )
    )
