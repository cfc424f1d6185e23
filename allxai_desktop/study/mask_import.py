"""Masks from elsewhere on their way into a study."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.images import IMAGE_SUFFIXES, CellImage, read_image
from allxai_desktop.masks.formats import read_entries
from allxai_desktop.masks.labels import Entry, ForeignLabelError, Labelled, is_certain, to_codes
from allxai_desktop.masks.npz import MaskError, load_mask, save_mask
from allxai_desktop.study.exchange_reports import ImportReport
from allxai_desktop.study.folder import Study, StudyItem, alike
from allxai_desktop.study.journal import journals_of
from allxai_desktop.study.locks import Holder, held, held_elsewhere, lock_path
from allxai_desktop.study.people import Person
from allxai_desktop.study.preview import hash_on_disk
from allxai_desktop.study.progress import Progress as States
from allxai_desktop.study.store import StudyStore
from allxai_desktop.tasks import Progress, unwatched

# Also of images that were brought to another format on their way here.
_ENDINGS = (*IMAGE_SUFFIXES, ".webp", ".jfif", ".jp2", ".heic", ".dcm", ".svs", ".ndpi")


def uncertain_labels(study: Study, path: Path, progress: Progress = unwatched) -> list[str]:
    """Return the labels in a file or folder that do not say which class they are, in order of appearance.

    Images that cannot be read are passed over. Raises `MaskError`.
    """
    found: dict[str, None] = {}
    entries = read_entries(path)
    images = _Names(study, entries)
    for place, entry in enumerate(entries):
        progress(place / len(entries))
        try:
            if entry.read_sized is None:
                labels = entry.read().labels
            else:
                labels = entry.read_sized(read_image(images.find(entry).image_path).shape).labels
        except AllxaiError:
            continue
        found |= dict.fromkeys(label for label in labels if not is_certain(label))
    return list(found)


def import_masks(
    study: Study,
    path: Path,
    mapping: Mapping[str, int] | None = None,
    *,
    replace_existing: bool = False,
    person: Person | None = None,
    report: ImportReport | None = None,
    progress: Progress = unwatched,
) -> ImportReport:
    """Bring the masks in a file or folder into a study; each must fit its image.

    `mapping` gives labels their class codes. An image that has a mask keeps it unless `replace_existing`; where its
    state is kept, an approval is void with the mask, and `person` is who did it. A `report` of the caller's is filled
    as it goes: it says what is in when the work is stopped. Raises `MaskError`, `StoreError`.
    """
    report = report if report is not None else ImportReport()
    entries = read_entries(path)
    if not entries:
        raise MaskError(_("{name} holds no masks: export them again.").format(name=path.name))
    images = _Names(study, entries)
    states = States(StudyStore.open(study.folder))
    done: set[Path] = set()
    for place, entry in enumerate(entries):
        progress(place / len(entries))
        try:
            item = _import_one(entry, images, mapping or {}, replace_existing, done, report)
            # Asked for now: others may submit while the import goes on.
            if item is not None and states.item(name := item.image_path.name) is not None:
                states.edited(person, name, None, hash_on_disk(item), found=person is None)
        except AllxaiError as error:
            report.problems.append(str(error))
            report.foreign |= isinstance(error, ForeignLabelError)
    return report


def _import_one(
    entry: Entry,
    images: _Names,
    mapping: Mapping[str, int],
    replace_existing: bool,
    done: set[Path],
    report: ImportReport,
) -> StudyItem | None:
    """Return the item whose mask came in; None where it kept what it had."""
    item = images.find(entry)
    if item.mask_path in done:
        raise MaskError(
            _("There are two masks of {name}: the first was taken.").format(name=item.image_path.name)
        )
    if item.mask_path.exists() and not replace_existing:
        report.kept.append(item.image_path.name)
        return None
    holder = held_elsewhere(lock_path(item.mask_path))
    if holder is not None:
        raise _painted_by(holder, item)
    image = item.sized(read_image(item.image_path))
    if not replace_existing and journals_of(item.mask_path, image.sha256):
        # What a crash left before there was a mask comes back when the image is opened.
        report.kept.append(image.name)
        return None
    if item.mask_path.exists():
        # A file that is no mask of this image is never written over.
        load_mask(item.mask_path, image)
    found = _read(entry, image)
    _check(found, image)
    if images.is_doubtful(entry, item, image):
        text = _(
            "There are several masks of {name}, maybe of several folders or copies: leave only the right one."
        )
        raise MaskError(text.format(name=image.name))
    codes, notes = to_codes(found, mapping, image.name)
    if not codes.any() and item.mask_path.exists():
        # A file that lists every image of a set says nothing of those that nobody annotated there.
        report.kept.append(image.name)
        return None
    with held(lock_path(item.mask_path)) as other:
        if other is not None and not other.session.here():
            raise _painted_by(other, item)
        if item.mask_path.exists() and not replace_existing:
            # Somebody painted and saved it while the file was read.
            report.kept.append(image.name)
            return None
        # A mapping may have taken the label from what was accepted.
        accepted = None if found.accepted is None else found.accepted & (codes > 0)
        save_mask(item.mask_path, codes, image=image, annotator=found.annotator, accepted=accepted)
    done.add(item.mask_path)
    report.notes += notes
    if image.turned and found.image_sha256 is None:
        text = _(
            "{name} is turned upright by its EXIF data, which not every program follows: look at its mask."
        )
        report.notes.append(text.format(name=image.name))
    report.count += 1
    return item


def _painted_by(holder: Holder, item: StudyItem) -> MaskError:
    return MaskError(
        _("{person} has been painting {name} since {time}: import its mask when that is done.").format(
            person=holder.name, name=item.image_path.name, time=holder.time
        )
    )


def _read(entry: Entry, image: CellImage) -> Labelled:
    return entry.read() if entry.read_sized is None else entry.read_sized(image.shape)


def _fits(entry: Entry, image: CellImage) -> bool:
    with suppress(AllxaiError):
        _check(_read(entry, image), image)
        return True
    return False


def _check(found: Labelled, image: CellImage) -> None:
    height, width = image.pixels.shape[:2]
    if found.shape != (height, width):
        raise MaskError(
            _(
                "The mask of {image} is {mask_shape} pixels, but the image is {image_shape}: find its own mask."
            ).format(
                image=image.name,
                mask_shape=f"{found.shape[1]}×{found.shape[0]}",
                image_shape=f"{width}×{height}",
            )
        )
    if found.image_sha256 is not None and found.image_sha256 != image.sha256:
        raise MaskError(
            _("The mask of {image} was made on other pixels than this image has: find its own mask.").format(
                image=image.name
            )
        )


class _Names:
    """Finds the image of a mask by name: the whole name first, then without its ending where that is clear."""

    def __init__(self, study: Study, entries: list[Entry]) -> None:
        self._entries = entries
        self._whole = {item.image_path.name: item for item in study.items}
        self._stems: dict[str, list[StudyItem]] = {}
        for item in study.items:
            for stem in {alike(item.stem), alike(item.image_path.stem), alike(item.image_path.name)}:
                self._stems.setdefault(stem, []).append(item)

    def is_doubtful(self, entry: Entry, item: StudyItem, image: CellImage) -> bool:
        """Return whether another entry may be of `item`, whose image is `image`, as well."""
        return any(
            _fits(rival, image) for rival in self._of_item.get(item.mask_path, []) if rival is not entry
        )

    @cached_property
    def _of_item(self) -> dict[Path, list[Entry]]:
        found: dict[Path, list[Entry]] = {}
        for entry in self._entries:
            with suppress(AllxaiError):
                found.setdefault(self.find(entry).mask_path, []).append(entry)
        return found

    def find(self, entry: Entry) -> StudyItem:
        """Return the item. Raises `MaskError` where there is none or more than one."""
        for name in entry.names:
            if name in self._whole:
                return self._whole[name]
        for name in entry.names:
            # What follows the last point may be a part of the name: "cell.old" is not of "cell".
            stem = Path(name).stem if name.lower().endswith(_ENDINGS) else name
            found = self._stems.get(alike(name)) or self._stems.get(alike(stem), [])
            if found:
                return _only(found, name)
        # A file that cannot be read says so here; one that went out under another name may know the pixels.
        identity = entry.read().image_sha256 if entry.read_sized is None else None
        if identity is not None and identity in self._by_pixels:
            return _only(self._by_pixels[identity], entry.names[0])
        raise MaskError(
            _("The study has no image called {name}: name the mask as its image.").format(
                name=" / ".join(dict.fromkeys(entry.names))
            )
        )

    @cached_property
    def _by_pixels(self) -> dict[str, list[StudyItem]]:
        found: dict[str, list[StudyItem]] = {}
        for item in self._whole.values():
            with suppress(AllxaiError):
                found.setdefault(read_image(item.image_path).sha256, []).append(item)
        return found


def _only(found: list[StudyItem], name: str) -> StudyItem:
    if len(found) > 1:
        raise MaskError(
            _("{name} may be the mask of {first} or {second}: give it the whole name of its image.").format(
                name=name, first=found[0].image_path.name, second=found[1].image_path.name
            )
        )
    return found[0]
