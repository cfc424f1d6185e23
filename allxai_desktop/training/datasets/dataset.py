"""A data set looked through once: what cannot be used is named and left out, copies are found."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.images import CellImage, read_image
from allxai_desktop.networks.network import resize
from allxai_desktop.study.progress import Progress as States
from allxai_desktop.study.store import StudyStore
from allxai_desktop.tasks import Progress, unwatched
from allxai_desktop.training.datasets.data import Item, TrainingError
from allxai_desktop.training.datasets.duplicates import (
    fingerprint,
    group_fingerprints,
    merge_groups,
    without_black_border,
)
from allxai_desktop.training.datasets.label_masks import is_proposed, read_label_mask

# Side that images are brought to before they are turned and compared.
_SIDE = 64
_NAMED = 5
# Mean grey value of 0…255 from which on a field is bright.
_BRIGHT = 128


@dataclass(frozen=True)
class Skipped:
    """An image that was left out, and why, in one sentence."""

    file: str
    reason: str


@dataclass(frozen=True, eq=False)
class DataSet:
    """Images under `root` that can be used, in order; `sha256` of each one's pixels (and mask).

    `fingerprints` float32 (N, 256) are those of `duplicates`, `bright` bool (N,) tells a bright field from a dark one,
    as stained tissue from fluorescence; `notes` are sentences on what is worth knowing. `proposed` are the positions of
    images whose mask only a proposal drew, see `label_masks.is_proposed`.
    """

    root: Path
    items: list[Item]
    sha256: list[str]
    fingerprints: NDArray[np.float32]
    bright: NDArray[np.bool_]
    skipped: list[Skipped]
    notes: list[str]
    proposed: frozenset[int] = frozenset()

    @property
    def labels(self) -> list[str]:
        """The class of each image."""
        return [item.label for item in self.items]

    @property
    def has_subjects(self) -> bool:
        """Whether it is known of every image whom it is from."""
        return all(item.subject is not None for item in self.items)

    @property
    def strata(self) -> list[str]:
        """What each image has to be found in every part as: its class, or without one a bright or a dark field."""
        return [
            item.label or ("bright field" if bright else "dark field")
            for item, bright in zip(self.items, self.bright, strict=True)
        ]

    def only(self, positions: Sequence[int]) -> "DataSet":
        """Return the data set of some of the images, in that order."""
        return replace(
            self,
            items=[self.items[i] for i in positions],
            sha256=[self.sha256[i] for i in positions],
            fingerprints=self.fingerprints[positions],
            bright=self.bright[positions],
            proposed=frozenset(new for new, i in enumerate(positions) if i in self.proposed),
        )

    def groups(self) -> list[int]:
        """Return a group number for each image: those of one subject, and copies, turned or not, share theirs."""
        return merge_groups(
            [item.subject for item in self.items], self.sha256, group_fingerprints(self.fingerprints)
        )


def look_through(
    root: Path, items: Sequence[Item], *, segmentation: bool = False, progress: Progress = unwatched
) -> DataSet:
    """Read every image once (with its mask for `segmentation`) and return what can be used.

    Raises `TrainingError` where nothing is left, or a class keeps fewer than two images.
    """
    kept: list[Item] = []
    digests: list[str] = []
    fingerprints: list[NDArray[np.float32]] = []
    bright: list[bool] = []
    skipped: list[Skipped] = []
    sizes: Counter[tuple[int, int]] = Counter()
    changed = 0
    proposed: set[int] = set()
    submitted = _submitted(root) if segmentation else set()
    for number, item in enumerate(items):
        progress(number / len(items))
        try:
            if not segmentation and not item.label:
                raise TrainingError(_("{file} has no class.").format(file=item.file))
            image = read_image(root / item.file)
            digest = image.sha256
            if segmentation:
                digest += _mask_digest(root, item, image)
                done = Path(item.file).name in submitted
                if item.mask is not None and not done and is_proposed(root / item.mask):
                    proposed.add(len(kept))
        except AllxaiError as error:
            skipped.append(Skipped(item.file, str(error)))
            continue
        kept.append(item)
        digests.append(digest if not segmentation else sha256(digest.encode()).hexdigest())
        bright.append(float(image.pixels.mean()) >= _BRIGHT)
        seen = resize(without_black_border(image.pixels), (_SIDE, _SIDE))
        fingerprints.append(fingerprint(seen)[0])
        sizes[image.pixels.shape[1], image.pixels.shape[0]] += 1
        changed += bool(image.notes)
    progress(1.0)
    # The classes of a study say nothing of how its masks are learnt.
    _check_classes([] if segmentation else items, kept, skipped)
    data = _without_doubtful_copies(
        DataSet(
            root, kept, digests, np.stack(fingerprints), np.array(bright), skipped, [], frozenset(proposed)
        )
    )
    notes = [*_skipped_note(data.skipped), *_size_note(sizes), *_contradictions(data.items, data.sha256)]
    if changed:
        notes.append(
            _("Images that were no plain 8-bit pictures and were converted: {count}.").format(count=changed)
        )
    if data.proposed:
        notes.append(
            _(
                "Masks that a proposal drew and nobody submitted: {count}. They are learnt from, and never measured on."
            ).format(count=len(data.proposed))
        )
    return replace(data, notes=notes)


def _submitted(root: Path) -> set[str]:
    """Return the file names of the images of a study whose masks somebody has submitted."""
    try:
        known = States(StudyStore.open(root)).items()
    except AllxaiError:
        return set()
    return {name for name, found in known.items() if found.state in ("submitted", "approved")}


def _without_doubtful_copies(data: DataSet) -> DataSet:
    """Leave out what is `proposed` and belongs together with a painted image, which may be measured on."""
    if not data.proposed:
        return data
    groups = data.groups()
    painted = {group for position, group in enumerate(groups) if position not in data.proposed}
    out = {position for position in data.proposed if groups[position] in painted}
    reason = _("Only a proposal drew its mask, and it belongs together with an image whose mask was painted.")
    skipped = [*data.skipped, *(Skipped(data.items[position].file, reason) for position in sorted(out))]
    kept = data.only([position for position in range(len(groups)) if position not in out])
    return replace(kept, skipped=skipped)


def _mask_digest(root: Path, item: Item, image: CellImage) -> str:
    if item.mask is None:
        raise TrainingError(_("{file} has no mask.").format(file=item.file))
    labels = read_label_mask(root / item.mask, image)
    if labels.shape != image.pixels.shape[:2]:
        raise TrainingError(
            _("{mask} is {mask_size} pixels, but its image {file} is {size}.").format(
                mask=item.mask,
                mask_size=_size(labels.shape),
                file=item.file,
                size=_size(image.pixels.shape),
            )
        )
    return sha256(labels.tobytes()).hexdigest()


def _check_classes(items: Sequence[Item], kept: Sequence[Item], skipped: Sequence[Skipped]) -> None:
    if not kept:
        reason = skipped[0].reason if skipped else _("There are none.")
        raise TrainingError(_("None of the images can be used: {reason}").format(reason=reason))
    left = Counter(item.label for item in kept)
    for label in dict.fromkeys(item.label for item in items):
        if label and not left[label]:
            raise TrainingError(
                _("No image of the class {label} can be used: mend them or leave the class out.").format(
                    label=label
                )
            )
        if label and left[label] == 1:
            raise TrainingError(
                _(
                    "The class {label} has one image, which cannot be both learnt and tested: add images or leave"
                    " the class out."
                ).format(label=label)
            )


def _skipped_note(skipped: Sequence[Skipped]) -> list[str]:
    if not skipped:
        return []
    named = ", ".join(found.file for found in skipped[:_NAMED]) + (", …" if len(skipped) > _NAMED else "")
    return [
        _("Images that cannot be used and are left out: {count} ({names}). The first: {reason}").format(
            count=len(skipped), names=named, reason=skipped[0].reason
        )
    ]


def _size_note(sizes: Counter[tuple[int, int]]) -> list[str]:
    if len(sizes) < 2:
        return []
    small, large = min(sizes), max(sizes)
    return [
        _(
            "The images have {count} sizes, from {small} to {large}: all are brought to the size of the network."
        ).format(count=len(sizes), small="×".join(map(str, small)), large="×".join(map(str, large)))
    ]


def _contradictions(items: Sequence[Item], digests: Sequence[str]) -> list[str]:
    first: dict[str, Item] = {}
    pairs = [
        (first[digest].file, item.file)
        for item, digest in zip(items, digests, strict=True)
        if first.setdefault(digest, item).label != item.label
    ]
    if not pairs:
        return []
    return [
        _("Images that lie in two classes with equal pixels: {count}, as {first} and {second}.").format(
            count=len(pairs), first=pairs[0][0], second=pairs[0][1]
        )
    ]


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[0]}"
