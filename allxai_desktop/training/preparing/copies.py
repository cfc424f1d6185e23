"""Augmentation by exact views: which copies of which image make up the training part, before or after the split."""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.errors import reason_of
from allxai_desktop.files import is_empty, write_whole
from allxai_desktop.i18n import _
from allxai_desktop.images import png_bytes, read_image
from allxai_desktop.tasks import Progress, unwatched
from allxai_desktop.training.datasets.data import Item, TrainingError
from allxai_desktop.training.datasets.label_masks import read_label_mask
from allxai_desktop.training.datasets.splits import Split
from allxai_desktop.training.preparing.views import View, see

UPRIGHT = View()
QUARTER_TURNS = tuple(View(number) for number in range(4))
ZOOM = 1.2
"""The zoom of 20 % of the Keras document (Amador 2023)."""
MANIFEST = "augmentation.json"


@dataclass(frozen=True)
class Copy:
    """One image to learn from: the position of its original, and how that is seen."""

    position: int
    view: View = UPRIGHT


@dataclass(frozen=True)
class Augmented:
    """The copies of each part. `leaking`: copies of one image lie in several parts, so the figures flatter."""

    train: list[Copy]
    val: list[Copy]
    test: list[Copy]
    unseen: list[Copy]
    leaking: bool

    @property
    def parts(self) -> dict[str, list[Copy]]:
        """Name → copies."""
        return {"train": self.train, "val": self.val, "test": self.test, "unseen": self.unseen}


def thesis_copies(labels: Sequence[str], mirrored: Collection[str]) -> list[Copy]:
    """Return every image in its four quarter turns, those of the classes `mirrored` in their mirror image too.

    Velázquez 2024, phase 1: 135 B, 135 T and 93 normal cells, normal ones mirrored, make 1545 images.
    """
    return [
        Copy(position, view)
        for position, label in enumerate(labels)
        for view in (*QUARTER_TURNS, *((View(4),) if label in mirrored else ()))
    ]


def balanced_copies(labels: Sequence[str], count: int, seed: int) -> list[Copy]:
    """Return `count` copies a class, of every image as many as of any other, or one more.

    The upright originals come first, then, in an order drawn for each image, its other symmetries, then the eight
    enlarged by `ZOOM`, then the eight at zooms drawn from 1…`ZOOM`. Of a class that has more than `count` images,
    `count` are drawn. (The thesis makes 1000 of 100 by "rotation and reflection", of which there are eight; what
    it used for the rest is not said.)
    """
    copies: list[Copy] = []
    for label in sorted(set(labels)):
        own = [position for position, other in enumerate(labels) if other == label]
        order = np.random.default_rng([seed, *label.encode()]).permutation(own).tolist()
        rounds = -(-count // len(own))
        views = {position: _views(rounds, seed, position) for position in own}
        copies += [Copy(position, views[position][turn]) for turn in range(rounds) for position in order][
            :count
        ]
    return sorted(copies, key=lambda copy: copy.position)


def _views(count: int, seed: int, position: int) -> list[View]:
    """Return `count` different views of the image at `position`, the upright one first."""
    random = np.random.default_rng([seed, position])
    views = [UPRIGHT, *(View(int(number) + 1) for number in random.permutation(7))]
    views += [View(int(number), ZOOM) for number in random.permutation(8)]
    while len(views) < count:
        factors = np.exp(np.log(ZOOM) * random.random(8))
        views += [
            View(int(number), float(factor))
            for number, factor in zip(random.permutation(8), factors, strict=True)
        ]
    return views[:count]


def augment_training(
    split: Split, labels: Sequence[str], make: Callable[[Sequence[str]], list[Copy]]
) -> Augmented:
    """Return the parts of `split`, the training part with the copies that `make` gives for its labels."""
    made = make([labels[position] for position in split.train])
    val, test, unseen = (
        [Copy(position) for position in part] for part in (split.val, split.test, split.unseen)
    )
    train = [Copy(split.train[copy.position], copy.view) for copy in made]
    return Augmented(train, val, test, unseen, leaking=False)


def augment_as_published(
    labels: Sequence[str],
    make: Callable[[Sequence[str]], list[Copy]],
    split: Callable[[Sequence[str], Sequence[Hashable]], Split],
    unseen: Sequence[int] = (),
) -> Augmented:
    """Return the parts of a split of the copies themselves, as the papers did; copies of one image then lie in several.

    `split` gets the labels of the copies and a group of its own for each. The positions in `unseen` are neither
    copied nor split.
    """
    seen = sorted(set(range(len(labels))) - set(unseen))
    copies = [Copy(seen[copy.position], copy.view) for copy in make([labels[position] for position in seen])]
    found = split([labels[copy.position] for copy in copies], range(len(copies)))
    train, val, test = ([copies[place] for place in part] for part in (found.train, found.val, found.test))
    held_out = [Copy(position) for position in unseen]
    return Augmented(train, val, test, held_out, leaking=_leaks([train, val, test]))


def _leaks(parts: Sequence[Sequence[Copy]]) -> bool:
    originals = Counter(position for part in parts for position in {copy.position for copy in part})
    return any(number > 1 for number in originals.values())


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order in which an epoch goes through `count` images; it depends on nothing else."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def random_view(seed: int, epoch: int, item: int, zoom: float = ZOOM) -> View:
    """Return the view of an image in an epoch: any symmetry, and a zoom from 1…`zoom` in one of two.

    It depends on the three numbers alone, so a run that goes on in the middle of an epoch sees what it would have
    seen.
    """
    random = np.random.default_rng([seed, epoch, item])
    number = int(random.integers(8))
    return View(number, float(np.exp(np.log(zoom) * random.random())) if random.random() < 0.5 else 1.0)


def write_copies(
    root: Path, items: Sequence[Item], augmented: Augmented, out: Path, progress: Progress = unwatched
) -> None:
    """Write every copy as PNG to `out`/part/class/name_view.png, and `augmentation.json` with where each came from.

    Images without a class go to `images/`, their masks to `masks/`, labels kept. Raises `TrainingError` where `out`
    holds files already or cannot be made, `ImageError`, `MaskError`, `WriteError`.
    """
    names = _names(items)
    parts = [part for part, copies in augmented.parts.items() if copies]
    make_empty(out, {Path(part, folder) for part in parts for folder in _folders(items)})
    total = sum(len(part) for part in augmented.parts.values())
    listed: list[dict[str, str]] = []
    for part, copies in augmented.parts.items():
        for position, group in groupby(copies, key=lambda copy: copy.position):
            item = items[position]
            pixels = read_image(root / item.file).pixels
            labels = read_label_mask(root / item.mask) if item.mask and not item.label else None
            for copy in group:
                progress(len(listed) / total)
                name = f"{names[position]}_{copy.view.name}.png"
                target = Path(part, _folder_name(item), name)
                write_whole(out / target, png_bytes(see(pixels, copy.view)))
                if labels is not None:
                    write_whole(out / part / "masks" / name, png_bytes(_seen_labels(labels, copy.view)))
                listed.append({"file": target.as_posix(), "from": item.file})
    content = {"leaking": augmented.leaking, "images": listed}
    write_whole(out / MANIFEST, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())
    progress(1.0)


def make_empty(out: Path, folders: Collection[Path]) -> None:
    """Make the folder `out` with `folders` in it. Raises `TrainingError` where it holds files or cannot be made."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not is_empty(out):
            raise TrainingError(_("{folder} is not empty: choose a new folder.").format(folder=out))
        for folder in folders:
            (out / folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            _("{folder} cannot be made ({reason}): choose another folder.").format(
                folder=out, reason=reason_of(error)
            )
        ) from error


def _seen_labels(labels: NDArray[np.int32], view: View) -> NDArray[Any]:
    """Return a mask as `view` shows it, in as few bits as its labels need."""
    seen = see(labels, view, labels=True)
    return seen.astype(np.uint8 if labels.max() < 2**8 else np.uint16)


def _names(items: Sequence[Item]) -> list[str]:
    """Return the stem of each file, or its whole name where another of its class has that stem."""
    paths = [PurePosixPath(item.file) for item in items]
    keys = [
        (_folder_name(item).casefold(), path.stem.casefold()) for item, path in zip(items, paths, strict=True)
    ]
    taken = Counter(keys)
    return [
        path.stem if taken[key] == 1 else "_".join(path.parts) for key, path in zip(keys, paths, strict=True)
    ]


def _folder_name(item: Item) -> str:
    """Return the class as the name of a folder that every system accepts, and that leads nowhere else."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", item.label).strip(". ") or "images"


def _folders(items: Sequence[Item]) -> set[str]:
    masks = {"masks"} if any(item.mask and not item.label for item in items) else set()
    return {_folder_name(item) for item in items} | masks
