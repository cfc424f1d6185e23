"""Training, validation and test parts that share no group: no subject, and no two copies of an image."""

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from random import Random

from allxai_desktop.i18n import _
from allxai_desktop.training.datasets.data import TrainingError


@dataclass(frozen=True)
class Split:
    """Positions of the items of each part; `unseen` are held out by a fixed count per class, beside the test part."""

    train: list[int]
    val: list[int]
    test: list[int]
    unseen: list[int] = field(default_factory=list)

    @property
    def parts(self) -> dict[str, list[int]]:
        """Name → positions."""
        return {"train": self.train, "val": self.val, "test": self.test, "unseen": self.unseen}

    def within(self, positions: Sequence[int], unseen: Sequence[int] = ()) -> "Split":
        """Return the split of some images as one of all: `positions` are theirs, `unseen` were held out before."""
        train, val, test = ([positions[i] for i in part] for part in (self.train, self.val, self.test))
        return Split(train, val, test, list(unseen))

    def lacking(self, labels: Sequence[str]) -> dict[str, list[str]]:
        """Return the parts that have images but none of some classes, with these classes."""
        classes = sorted(set(labels))
        found = {
            name: [label for label in classes if label not in {labels[position] for position in positions}]
            for name, positions in self.parts.items()
            if positions
        }
        return {name: absent for name, absent in found.items() if absent}


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
    members = _members(groups)
    random = Random(seed)
    parts: dict[str, list[int]] = {"train": [], "val": [], "test": []}
    for label in sorted(set(labels)):
        of_class = [found for found in members if labels[found[0]] == label]
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


def hold_out(
    labels: Sequence[str], groups: Sequence[Hashable], *, count: int, seed: int
) -> tuple[list[int], list[int]]:
    """Return the positions of `count` images a class that are never to be seen, and those of the rest.

    Whole groups of one class are taken. Raises `TrainingError` where no choice of them makes `count` and
    leaves something.
    """
    random = Random(seed)
    unseen: list[int] = []
    for label in sorted(set(labels)):
        of_class = [
            found for found in _members(groups) if all(labels[position] == label for position in found)
        ]
        random.shuffle(of_class)
        chosen = _groups_of_size(of_class, count)
        if chosen is None or len(chosen) == labels.count(label):
            raise TrainingError(
                _(
                    "{count} images of the class {label} cannot be held out without parting images that belong"
                    " together: choose another number, or hold out by subject."
                ).format(count=count, label=label)
            )
        unseen += chosen
    taken = set(unseen)
    return sorted(unseen), [position for position in range(len(labels)) if position not in taken]


def split_by_group(
    labels: Sequence[str], groups: Sequence[Hashable], *, val: float, test: float, seed: int
) -> Split:
    """Split groups that may hold several classes (subjects) so that each class comes near the shares.

    The largest groups are dealt first, each to the part that it brings nearest to its shares; but a class of two
    groups or more is both learnt and tested, where no group holds several classes. Raises `TrainingError` for fewer
    groups than parts.
    """
    shares = {"train": 1 - val - test, "val": val, "test": test}
    shares = {name: share for name, share in shares.items() if share > 0}
    members = _members(groups)
    if len(members) < len(shares):
        raise TrainingError(
            _(
                "There are too few subjects ({groups}) for {parts} parts: leave a part out, or split by image."
            ).format(groups=len(members), parts=len(shares))
        )
    Random(seed).shuffle(members)
    members.sort(key=len, reverse=True)
    totals = Counter(labels)
    parts: dict[str, list[int]] = {"train": [], "val": [], "test": []}
    filled = {name: Counter[str]() for name in shares}
    left = Counter(label for found in members for label in {labels[position] for position in found})
    for dealt, found in enumerate(members):
        added = Counter(labels[position] for position in found)

        def gain(name: str, added: Counter[str] = added) -> float:
            """How much nearer the part comes to its number of images of each class, in squared shares."""
            error = 0.0
            for label, number in added.items():
                missing = shares[name] * totals[label] - filled[name][label]
                error += (missing**2 - (missing - number) ** 2) / totals[label] ** 2
            return error

        # The last groups, and the last ones of a class, go to parts that have none yet.
        empty = [name for name in shares if not parts[name]]
        open_to = empty if len(members) - dealt <= len(empty) else list(shares)
        needed = {
            label: sum(name != "val" and not filled[name][label] for name in shares)
            for label, count in left.items()
            if count
        }
        spare = len(members) - dealt - sum(needed.values())
        if "val" in empty and spare <= 1 and all(left[label] > needed.get(label, 0) for label in added):
            open_to = ["val"]
        for label in added:
            lacking = [name for name in open_to if name != "val" and not filled[name][label]]
            open_to = lacking if 0 < left[label] <= len(lacking) else open_to
            left[label] -= 1
        name = max(open_to, key=gain)
        parts[name] += found
        filled[name] += added
    return Split(*(sorted(parts[name]) for name in ("train", "val", "test")))


def _members(groups: Sequence[Hashable]) -> list[list[int]]:
    members: dict[Hashable, list[int]] = {}
    for position, group in enumerate(groups):
        members.setdefault(group, []).append(position)
    return list(members.values())


def _groups_of_size(groups: Sequence[list[int]], count: int) -> list[int] | None:
    """Return the positions of the first groups found that hold `count` positions together (subset sum)."""
    made: dict[int, tuple[list[int], ...]] = {0: ()}
    for group in groups:
        for size in sorted(made, reverse=True):
            if size + len(group) <= count:
                made.setdefault(size + len(group), (*made[size], group))
        if count in made:
            return [position for group in made[count] for position in group]
    return None
