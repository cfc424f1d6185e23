"""Training, validation and test parts that share no group: no subject, and no two copies of an image."""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Split:
    """Positions of the items of each part."""

    train: list[int]
    val: list[int]
    test: list[int]


def stratified_split(
    labels: Sequence[str],
    groups: Sequence[Hashable],
    *,
    val: float,
    test: float,
    seed: int,
    held_out: Collection[int] = (),
) -> Split:
    """Split so that each class gives the shares `val` and `test`, rounded down, and no group is torn.

    A group counts for the class of its first item. What the rounding leaves goes to training. Groups with a
    position in `held_out` are the first to go to the test part.
    """
    members: dict[Hashable, list[int]] = {}
    for position, group in enumerate(groups):
        members.setdefault(group, []).append(position)
    random = Random(seed)
    parts: dict[str, list[int]] = {"train": [], "val": [], "test": []}
    for label in sorted(set(labels)):
        of_class = [found for found in members.values() if labels[found[0]] == label]
        random.shuffle(of_class)
        of_class.sort(key=lambda found: not any(position in held_out for position in found))
        count = sum(len(found) for found in of_class)
        room = {"test": int(count * test), "val": int(count * val)}
        for found in of_class:
            part = next((name for name in ("test", "val") if len(found) <= room[name]), "train")
            if part != "train":
                room[part] -= len(found)
            parts[part] += found
    return Split(*(sorted(parts[name]) for name in ("train", "val", "test")))


def split_by_subject(
    subjects: Sequence[str | None], labels: Sequence[str], test_subjects: set[str], *, val: float, seed: int
) -> Split:
    """Hold out every image of `test_subjects`; of the rest, take the share `val` of each class by image.

    With few subjects the validation part shares its subjects with training: it may set thresholds,
    but says nothing of new subjects.
    """
    test = [position for position, subject in enumerate(subjects) if subject in test_subjects]
    rest = [position for position, subject in enumerate(subjects) if subject not in test_subjects]
    inner = stratified_split([labels[position] for position in rest], rest, val=val, test=0.0, seed=seed)
    return Split([rest[i] for i in inner.train], [rest[i] for i in inner.val], test)


def near_duplicates(pixels: Tensor, max_bits: int = 4) -> list[int]:
    """Return a group number for each image of `pixels` (N, 3, h, w): near-copies share theirs.

    Two images are near-copies if at most `max_bits` of the 256 bits of their difference hashes differ.
    """
    grey = functional.interpolate(
        pixels.float().mean(1, keepdim=True), (16, 17), mode="bilinear", antialias=True
    )[:, 0]
    hashes: NDArray[np.uint8] = np.packbits((grey[:, :, 1:] > grey[:, :, :-1]).flatten(1).numpy(), axis=1)
    words = hashes.view(np.uint64)
    groups = list(range(len(words)))
    for number, word in enumerate(words):
        bits = np.bitwise_count(words[number + 1 :] ^ word).sum(axis=1)
        for other in np.flatnonzero(bits <= max_bits) + number + 1:
            _join(groups, number, int(other))
    return [_root(groups, number) for number in range(len(groups))]


def _root(groups: list[int], number: int) -> int:
    while groups[number] != number:
        number = groups[number]
    return number


def _join(groups: list[int], first: int, second: int) -> None:
    low, high = sorted((_root(groups, first), _root(groups, second)))
    groups[high] = low
