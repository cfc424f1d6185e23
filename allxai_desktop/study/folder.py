"""A folder of images with their masks, and what is known about each image.

A study is any folder with images in it, or in its `images/`. Masks are `masks/<stem>.npz` beside them; of two
images with one stem the second keeps its ending (`a.png.npz`), and one that has a mask keeps that. `study.toml` may
say more:

    title = "Vacuoles, spring"
    annotator = "A07"                # a pseudonym
    [[items]]
    image = "cell_014.png"           # file name in the folder of the images
    class = "monocyte"               # the true class
    subject = "S03"                  # a pseudonym
    pixel_size_um = 0.1              # side of a pixel in µm
    field = "smear_02.tif"           # the image that this one was cut from
    at = [1203, 410, 257]            # row and column there of its upper left pixel, and its side in px
"""

import os
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from os.path import isfile
from pathlib import Path
from typing import Any, Self

from allxai_desktop.errors import AllxaiError, reason_of
from allxai_desktop.files import as_text, listed, read_at_most
from allxai_desktop.i18n import _
from allxai_desktop.images import IMAGE_SUFFIXES, CellImage
from allxai_desktop.masks.npz import MaskError, mask_meta
from allxai_desktop.study.locks import held, lock_path

STUDY_FILE = "study.toml"
MAX_BYTES = 2**25
"""The largest `study.toml`: some 300,000 images."""
IMAGES_FOLDER = "images"
MASKS_FOLDER = "masks"
_PATIENCE_S = 5.0
"""How long who adds images waits for another program that does, which takes a moment for each."""


class StudyError(AllxaiError):
    """A study that cannot be opened, and what to do about it."""


@dataclass(frozen=True)
class StudyItem:
    """One image of a study and what is known about it; `pixel_size_um` is the side of a pixel in µm.

    `field` is the file name of the image that it was cut from, `at` where: row, column and side in px there.
    """

    stem: str
    image_path: Path
    mask_path: Path
    true_class: str | None = None
    pixel_size_um: float | None = None
    subject: str | None = None
    field: str | None = None
    at: tuple[int, int, int] | None = None

    def sized(self, image: CellImage) -> CellImage:
        """Return its image with the pixel size that the study gives, where it gives one."""
        return image if self.pixel_size_um is None else replace(image, pixel_size_um=self.pixel_size_um)


@dataclass(frozen=True)
class Study:
    """The images of a folder in natural order ("cell_9" before "cell_10"); `start` is the index to show first.

    `alone` tells that one image of a folder was opened by itself; `others` are the masks of images that are left out.
    """

    folder: Path
    items: list[StudyItem]
    title: str = ""
    annotator: str | None = None
    start: int = 0
    alone: bool = False
    others: frozenset[Path] = frozenset()

    @property
    def mask_paths(self) -> frozenset[Path]:
        """Where masks of images are, or will be: nothing else goes there."""
        return self.others | {item.mask_path for item in self.items}

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a study, a folder of images, or one image as a study of one item.

        Nothing is written. Raises `StudyError` where there are no images or `study.toml` is wrong.
        """
        path = Path(path)
        try:
            if path.is_dir():
                return cls._of_folder(path)
            if not path.exists():
                raise StudyError(
                    _("{name} was not found: it may have been moved or renamed.").format(
                        name=path.name or str(path)
                    )
                )
            # Some file systems find it by this name also as STUDY.TOML.
            return cls._of_folder(path.parent) if alike(path.name) == STUDY_FILE else cls._of_image(path)
        except OSError as error:
            raise _unread(path, error) from error

    @classmethod
    def _of_folder(cls, folder: Path) -> Self:
        images = folder / IMAGES_FOLDER if (folder / IMAGES_FOLDER).is_dir() else folder
        title, annotator, known = _read_toml(folder / STUDY_FILE)
        names = _image_names(images) | set(known)
        _check_encoding(names)
        items = [
            replace(item, **known.get(item.image_path.name, {}))
            for item in _items(images, folder / MASKS_FOLDER, names)
        ]
        if not items:
            raise StudyError(
                _("{name} holds no images: choose a folder with PNG, JPEG, BMP, TIFF or GIF files.").format(
                    name=folder.name or str(folder)
                )
            )
        # A disk of its own has no name.
        return cls(folder, items, title or folder.resolve().name or str(folder), annotator)

    @classmethod
    def _of_image(cls, path: Path) -> Self:
        if path.suffix.lower() == ".npz":
            raise StudyError(
                _(
                    "{name} is no image: open the image, which brings its mask along; File › Import masks takes in one"
                    " from elsewhere."
                ).format(name=path.name)
            )
        study = path.absolute().parent.parent
        images = study / IMAGES_FOLDER
        inside = (images.is_dir() and images.samefile(path.parent)) and (
            (study / STUDY_FILE).is_file() or (study / MASKS_FOLDER).is_dir()
        )
        folder = study if inside else path.parent
        if _is_image(path):
            # Named as in its whole folder, or one image would get the mask of another with its stem.
            whole = cls._of_folder(folder)
            name = path.name
            mine = [item for item in whole.items if item.image_path.name == name] or [
                item for item in whole.items if alike(item.image_path.name) == alike(name)
            ]
            if mine:
                return replace(whole, items=mine, alone=True, others=whole.mask_paths)
        masks = folder / MASKS_FOLDER
        return cls(folder, [StudyItem(path.stem, path, masks / f"{path.name}.npz")], path.name, alone=True)


def _unread(path: Path, error: OSError) -> StudyError:
    return StudyError(
        _("{name} could not be opened ({reason}): check that you may read it.").format(
            name=path.name or str(path), reason=reason_of(error)
        )
    )


def _check_encoding(names: set[str]) -> None:
    for name in sorted(names):
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise StudyError(
                _(
                    "The name of {name} is in another encoding than UTF-8: rename it, or take the images into a "
                    "new study, which gives it a name."
                ).format(name=as_text(name))
            ) from error


def image_files(folder: Path, *, deep: bool = True) -> list[Path]:
    """Return the files of `folder`, and with `deep` of the folders in it, that end as images do, in natural order.

    Raises `OSError`.
    """
    found = [path for path in (folder.rglob("*") if deep else folder.iterdir()) if _is_image(path)]
    return sorted(found, key=lambda path: _natural(path.relative_to(folder).as_posix()))


@contextmanager
def adding_to(folder: Path) -> Iterator[None]:
    """Keep other programs from adding images to the study at `folder` meanwhile, and from writing its `study.toml`.

    Raises `StudyError` where another does not come to an end.
    """
    with held(lock_path(folder / STUDY_FILE), _PATIENCE_S) as other:
        if other is not None:
            raise StudyError(
                _("{name} is in use by another program: try again in a moment.").format(
                    name=as_text(folder.resolve().name)
                )
            )
        yield


def alike(name: str) -> str:
    """Return what names have in common that some file systems do not tell apart: A from a, é from e with an accent."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def existing(files: Iterable[Path]) -> set[Path]:
    """Return which of these files are there: each folder is asked once, for its disk may be far.

    Raises `StudyError` where it does not answer, which is not to say that nothing is there.
    """
    folders: dict[Path, list[Path]] = {}
    for path in files:
        folders.setdefault(path.parent, []).append(path)
    found = set()
    for folder, mine in folders.items():
        try:
            names = set(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise _unread(folder, error) from error
        # Some file systems have a file by other letters than those of its name.
        others = {alike(name) for name in names}
        found |= {
            path for path in mine if path.name in names or (alike(path.name) in others and path.exists())
        }
    return found


def _is_image(path: Path) -> bool:
    return _is_image_name(path.name) and path.is_file()


def _is_image_name(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES and not name.startswith(".")


def _image_names(folder: Path) -> set[str]:
    """Return the names of the images in a folder; only links are looked at one by one, for its disk may be far."""
    with os.scandir(folder) as there:
        named = [entry for entry in there if _is_image_name(entry.name)]
    # Of a link that leads round in a circle an entry raises.
    return {
        listed(entry.name) for entry in named if (isfile(entry) if entry.is_symlink() else entry.is_file())
    }


def _natural(name: str) -> tuple[list[str | int], str]:
    parts = re.split(r"(\d+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def _items(images: Path, masks: Path, names: set[str]) -> list[StudyItem]:
    kept = _kept_stems(masks, names)
    taken = {alike(stem) for stem in kept.values()}
    items = []
    for name in sorted(names, key=_natural):
        stem = kept.get(name) or Path(name).stem
        if name not in kept and alike(stem) in taken:
            stem = name
        taken.add(alike(stem))
        items.append(StudyItem(stem, images / name, masks / f"{stem}.npz"))
    return items


def _kept_stems(masks: Path, names: set[str]) -> dict[str, str]:
    """Return the stems of the masks that say which of the images they may belong to is theirs, by that image.

    Else an image that comes or goes would give another's mask to one that shares its stem.
    """
    try:
        there = {listed(path.name) for path in masks.iterdir()}
    except OSError:
        return {}
    shared = Counter(alike(Path(name).stem) for name in names)
    kept = {}
    for name in names:
        for stem in (Path(name).stem, name):
            doubtful = stem == name or shared[alike(stem)] > 1
            if doubtful and f"{stem}.npz" in there:
                with suppress(MaskError):
                    if mask_meta(masks / f"{stem}.npz").get("image_name") == name:
                        kept[name] = stem
    return kept


def _read_toml(path: Path) -> tuple[str, str | None, dict[str, dict[str, Any]]]:
    """Return title, annotator, and file name → what is known about that image."""
    if not path.is_file():
        return "", None, {}
    try:
        found = tomllib.loads(read_at_most(path, MAX_BYTES).decode())
        items = found.get("items", [])
        known = {_file_name(item): _known(item) for item in items}
        return _text(found, "title") or "", _text(found, "annotator"), known
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StudyError(
            _("study.toml is not valid TOML ({reason}): correct it.").format(reason=error)
        ) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise StudyError(
            _("study.toml cannot be used ({reason}): correct it.").format(reason=error)
        ) from error


def _file_name(item: dict[str, Any]) -> str:
    name = _text(item, "image")
    if not name or name in {".", ".."} or re.search(r"[\\/:\0]", name):
        raise ValueError(_("each of the items needs “image”, a file name without a folder"))
    return listed(name)


def _known(item: dict[str, Any]) -> dict[str, Any]:
    size, field = item.get("pixel_size_um"), _text(item, "field")
    if size is not None and (
        isinstance(size, bool) or not isinstance(size, int | float) or not 0 < size < 1000
    ):
        raise ValueError(_("“pixel_size_um” must be a number of micrometres above 0"))
    return {
        "true_class": _text(item, "class"),
        "subject": _text(item, "subject"),
        "pixel_size_um": None if size is None else float(size),
        "field": None if field is None else listed(field),
        "at": _place(item.get("at")),
    }


def _place(at: Any) -> tuple[int, int, int] | None:
    if at is None:
        return None
    # A truth value is an int to Python.
    if not isinstance(at, list) or [type(number) for number in at] != [int, int, int] or min(at) < 0:
        raise ValueError(_("“at” must be row, column and side in px, three whole numbers from 0"))
    return at[0], at[1], at[2]


def _text(table: dict[str, Any], key: str) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(_("“{key}” must be text in quotes").format(key=key))
    return value
