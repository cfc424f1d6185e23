"""Images of a folder become images of a study: copied, or linked where disk space is short."""

import filecmp
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from allxai_desktop.errors import reason_of
from allxai_desktop.files import as_text, write_whole
from allxai_desktop.i18n import _
from allxai_desktop.study.folder import IMAGES_FOLDER, STUDY_FILE, StudyError, adding_to, alike, image_files
from allxai_desktop.tasks import Progress, unwatched

# Masks of other programs are pictures too: "Import masks…" takes those.
_MASK_FOLDERS = re.compile("masks?|labels?|PixelLabelData.*", re.IGNORECASE)


@dataclass(frozen=True)
class Imported:
    """What came of it: file names that are new in the study, of these (as in the source → here) those that had to be
    renamed, and how many images were there already."""

    added: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    known: int

    @property
    def summary(self) -> str:
        """How many came in, in the current language."""
        return _("Images taken in: {count}. Already there: {known}.").format(
            count=len(self.added), known=self.known
        )


def import_images(
    folder: str | Path, source: str | Path, *, link: bool = False, progress: Progress = unwatched
) -> Imported:
    """Take the images of `source` and of the folders in it into the study at `folder`, which is made when missing.

    An image that is there already, by name and content, is left out; another one with its name is called `name_2`,
    and what is no text in a name becomes `_`.
    With `link` the disk holds each image once (hard links, on one disk only). Nothing is written over.
    Raises `StudyError`, `WriteError`, or what `progress` raises; what was taken in until then stays.
    """
    folder, source = Path(folder), Path(source)
    if not source.is_dir():
        raise StudyError(_("{name} is no folder: give the folder of the images.").format(name=source.name))
    with _readable(source):
        found = [
            path
            for path in image_files(source)
            if not path.is_relative_to(folder) and not _of_masks(path, source)
        ]
    if not found:
        raise StudyError(
            _("{name} holds no images: choose a folder with PNG, JPEG, BMP, TIFF or GIF files.").format(
                name=source.name
            )
        )
    images = _made(folder)
    taken = {alike(path.name): path for path in image_files(images, deep=False)}
    added, renamed, known = [], [], 0
    for number, path in enumerate(found):
        progress(number / len(found))
        # Somebody else may be taking images into the study at the same time.
        with adding_to(folder):
            with _readable(path):
                name = _free_name(path, images, taken)
            if name is None:
                known += 1
                continue
            _put(path, images / name, link)
        taken[alike(name)] = images / name
        added.append(name)
        if name != path.name:
            renamed.append((as_text(path.relative_to(source).as_posix()), name))
    with adding_to(folder):
        # Or what a crop wrote there in between would be gone.
        if not (folder / STUDY_FILE).exists():
            # A JSON text is a TOML text too.
            title = json.dumps(as_text(folder.resolve().name), ensure_ascii=False)
            write_whole(folder / STUDY_FILE, f"title = {title}\n".encode())
    return Imported(tuple(added), tuple(renamed), known)


def _of_masks(path: Path, source: Path) -> bool:
    return any(_MASK_FOLDERS.fullmatch(part) for part in path.relative_to(source).parts[:-1])


def _made(folder: Path) -> Path:
    """Return the folder for the images; a study whose images lie in the folder itself stays as it is."""
    images = folder / IMAGES_FOLDER
    try:
        if not images.is_dir() and folder.is_dir() and image_files(folder, deep=False):
            return folder
        images.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(
            _("The study {name} cannot be made ({reason}): choose another folder.").format(
                name=folder.name, reason=reason_of(error)
            )
        ) from error
    return images


def _free_name(path: Path, images: Path, taken: dict[str, Path]) -> str | None:
    """Return a file name that is free in the study, or None where this very image is there."""
    first = as_text(path.name)
    name, number = first, 1
    while alike(name) in taken or (images / name).exists():
        if filecmp.cmp(path, taken.get(alike(name), images / name), shallow=False):
            return None
        number += 1
        name = f"{Path(first).stem}_{number}{path.suffix}"
    return name


def _put(source: Path, target: Path, link: bool) -> None:
    if not link:
        with _readable(source):
            data = source.read_bytes()
        write_whole(target, data)
        return
    try:
        # Of a symbolic link the file: the link itself leads nowhere from another folder.
        os.link(os.path.realpath(source), target)
    except OSError as error:
        text = _("{name} cannot be linked ({reason}): leave --link out, and it is copied.")
        raise StudyError(text.format(name=source.name, reason=reason_of(error))) from error


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        text = _("{name} could not be opened ({reason}): check that you may read it.")
        raise StudyError(text.format(name=path.name, reason=reason_of(error))) from error
