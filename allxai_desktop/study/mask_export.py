"""The masks of a study on their way out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from allxai_desktop.errors import AllxaiError
from allxai_desktop.files import WriteError, new_folder, write_table, write_whole
from allxai_desktop.i18n import _
from allxai_desktop.images import png_bytes, read_image
from allxai_desktop.masks.exported import Exported
from allxai_desktop.masks.formats import ExportFormat
from allxai_desktop.masks.npz import MaskError, load_mask
from allxai_desktop.study.audit import mask_sha256
from allxai_desktop.study.exchange_reports import ExportReport
from allxai_desktop.study.folder import IMAGES_FOLDER, Study, StudyItem, alike
from allxai_desktop.study.journal import journals_of
from allxai_desktop.study.progress import ItemProgress
from allxai_desktop.study.progress import Progress as States
from allxai_desktop.study.store import StudyStore
from allxai_desktop.tasks import Progress, unwatched


def export_study(
    study: Study,
    form: ExportFormat,
    out: Path,
    *,
    rename: bool = False,
    images: bool = False,
    progress: Progress = unwatched,
) -> ExportReport:
    """Write every mask of a study into the folder `out`, which must be new or empty, whole or not at all.

    `rename` calls the images image_0001, image_0002, … by their place in the study (exported_image_0001, … where it has
    images of such names), and writes what they were called to `names of <out>.csv` in the study's own folder;
    `images` adds the images, pixels only. Raises `AllxaiError`.
    """
    report = ExportReport()
    # Also "." has a name.
    out = Path(os.path.abspath(out))
    if not study.folder.is_dir():
        raise MaskError(
            _("{name} was not found: it may have been moved or renamed.").format(name=study.folder.name)
        )
    states: dict[str, ItemProgress] = {}
    with suppress(AllxaiError):
        # Masks go out also where these cannot be read.
        states = States(StudyStore(study.folder)).items()
    with new_folder(out) as folder:
        names: list[tuple[str, str]] = []
        stems = _new_stems(study) if rename else _own_stems(study)

        def masks() -> Iterator[Exported]:
            for place, item in enumerate(study.items):
                progress(place / len(study.items))
                if not item.mask_path.exists():
                    report.without += 1
                    continue
                try:
                    mask = _exported(item, stems[place], rename, images)
                    known = states.get(item.image_path.name)
                    if known is not None and known.mask_sha256 == mask_sha256(mask.codes):
                        mask = replace(mask, state=known.state)
                except AllxaiError as error:
                    report.problems.append(str(error))
                    continue
                if images:
                    (folder / IMAGES_FOLDER).mkdir(exist_ok=True)
                    write_whole(folder / IMAGES_FOLDER / mask.image.name, png_bytes(mask.image.pixels))
                names.append((mask.image.name, item.image_path.name))
                report.count += 1
                report.turned += mask.image.turned and not images
                if journals_of(item.mask_path, mask.image.sha256):
                    text = _(
                        "{name} has strokes that its mask file does not have yet: open it, and export again."
                    )
                    report.notes.append(text.format(name=item.image_path.name))
                yield mask

        form.write_study(folder, masks())
        if not report.count:
            raise MaskError(
                _("Nothing was exported: {reason}").format(
                    reason=report.problems[0] if report.problems else _("the study has no masks yet.")
                )
            )
        if rename:
            _keep_names(study, out, names)
    return report


def _new_stems(study: Study) -> list[str]:
    """Return names that tell the place in the study and that none of its images has: a mask may come back by name."""
    word = "image"
    while any(alike(item.image_path.name).startswith(f"{word}_") for item in study.items):
        word = f"exported_{word}"
    return [f"{word}_{place:04}" for place in range(1, len(study.items) + 1)]


def _own_stems(study: Study) -> list[str]:
    """Return what the files of each item are called: where "a" may be two images, by the whole name of its image."""
    whole = Counter(alike(item.image_path.name) for item in study.items)
    short = Counter(alike(item.image_path.stem) for item in study.items)
    found = []
    for item in study.items:
        path = item.image_path
        clear = short[alike(path.stem)] == 1 and alike(path.stem) not in whole
        found.append(item.stem if clear or whole[alike(path.name)] > 1 else path.name)
    return found


def free_folder(parent: Path, form: ExportFormat) -> Path:
    """Return a folder in `parent` that does not exist yet; its name tells the format and nothing of the study."""
    number, folder = 1, parent / f"masks-{form.name}"
    while folder.exists():
        number += 1
        folder = parent / f"masks-{form.name}-{number}"
    return folder


def _keep_names(study: Study, out: Path, names: list[tuple[str, str]]) -> None:
    """Write a new table: what an earlier export called its images must not be lost."""
    number, path = 1, study.folder / f"names of {out.name}.csv"
    while path.exists():
        number += 1
        path = path.with_name(f"names of {out.name}-{number}.csv")
    try:
        write_table(path, [("exported", "image"), *names])
    except WriteError as error:
        raise MaskError(
            _(
                "The table of the old names cannot be written into the folder of the study: "
                "see that there is room and that you may write there, or let the images keep their names."
            )
        ) from error


def _exported(item: StudyItem, stem: str, renamed: bool, as_png: bool) -> Exported:
    image = item.sized(read_image(item.image_path))
    mask = load_mask(item.mask_path, image)
    if renamed or as_png:
        suffix = ".png" if as_png else Path(image.name).suffix.lower()
        image = replace(image, name=stem + suffix)
    return Exported(
        mask.codes,
        image,
        stem,
        mask.meta.get("annotator"),
        mask.meta.get("created"),
        mask.accepted,
        f"{IMAGES_FOLDER}/" if as_png else "",
    )
