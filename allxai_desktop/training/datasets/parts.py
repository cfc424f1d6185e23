"""How the images of a run are divided, and which copies of them make up each part."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from allxai_desktop.i18n import N_, _
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.datasets.dataset import DataSet
from allxai_desktop.training.datasets.split_file import SavedSplit
from allxai_desktop.training.datasets.splits import (
    Split,
    hold_out,
    split_by_group,
    split_by_subject,
    stratified_split,
)
from allxai_desktop.training.preparing.copies import (
    Augmented,
    Copy,
    augment_as_published,
    augment_training,
    balanced_copies,
    thesis_copies,
)
from allxai_desktop.training.presets import Preset
from allxai_desktop.training.run_types import Request

# Images a class from which on some can be held out for the test.
_TESTED = 10
# The kinds of split: on cards in English, in reports in the language of their readers.
AS_PUBLISHED = N_("by copy, as published: copies of one image lie in several parts")
BY_SUBJECT = N_("by subject")
OF_SUBJECTS = N_("by subject: the test subjects are in no other part")
BY_CLASS = N_("by image, stratified by class; copies of one image in one part")
BY_FIELD = N_("by image, stratified by bright and dark fields; copies of one image in one part")


def make_split(data: DataSet, preset: Preset, request: Request) -> SavedSplit:
    """Divide the images as preset and request say. Raises `TrainingError`.

    Those whose mask only a proposal drew are for training.
    """
    painted = [position for position in range(len(data.items)) if position not in data.proposed]
    if not painted:
        raise TrainingError(
            _(
                "Only proposals drew these masks, so there are none to measure on: paint or submit at least {count}."
            ).format(count=_TESTED)
        )
    saved = _divide(data.only(painted), preset, request)
    train, val, test, unseen = ([painted[i] for i in part] for part in saved.split.parts.values())
    return replace(saved, split=Split(sorted([*train, *data.proposed]), val, test, unseen))


def _divide(data: DataSet, preset: Preset, request: Request) -> SavedSplit:
    labels, seed = data.strata, request.seed
    unseen_count = preset.unseen if request.unseen is None else request.unseen
    # Without copies there is nothing to make before the split.
    if request.as_published and preset.enlarge:
        held_out, rest = _held_out(labels, range(len(labels)), unseen_count, seed)
        return SavedSplit(Split(rest, [], [], held_out), AS_PUBLISHED, seed, leaking=True)
    if request.test_subjects:
        split = _hold_out_subjects(data, preset, request)
        return SavedSplit(split, OF_SUBJECTS, seed, leaking=False)
    groups = data.groups()
    held_out, rest = _held_out(labels, groups, unseen_count, seed)
    by_subject = any(item.subject is not None for item in data.items)
    divide = split_by_group if by_subject else stratified_split
    inner = divide(
        [labels[i] for i in rest], [groups[i] for i in rest], val=preset.val, test=preset.test, seed=seed
    )
    by_image = BY_CLASS if any(data.labels) else BY_FIELD
    kind = BY_SUBJECT if by_subject else by_image
    return SavedSplit(inner.within(rest, held_out), kind, seed, leaking=False)


def repeated(
    train: Sequence[int],
    strata: Sequence[str],
    rare: int,
    at_least: int,
    proposed: Collection[int] = (),
) -> list[int]:
    """Return the positions `train` as often as an epoch sees them.

    Those of a rarer stratum come up to `rare` times, as long as they are not more than the most common one; painted
    ones as often as it takes to be as many as those `proposed`; and all are repeated until there are `at_least`.
    """
    painted = [position for position in train if position not in proposed]
    counts = Counter(strata[position] for position in painted)
    common = max(counts.values())
    seen = [
        position for position in painted for _time in range(min(rare, common // counts[strata[position]]))
    ]
    others = [position for position in train if position in proposed]
    seen = seen * max(1, -(-len(others) // len(seen))) + others
    return seen * max(1, -(-at_least // len(seen)))


def _held_out(
    labels: Sequence[str], groups: Sequence[int], count: int, seed: int
) -> tuple[list[int], list[int]]:
    return hold_out(labels, groups, count=count, seed=seed) if count else ([], list(range(len(labels))))


def _hold_out_subjects(data: DataSet, preset: Preset, request: Request) -> Split:
    subjects = [item.subject for item in data.items]
    known = sorted({subject for subject in subjects if subject is not None})
    if not known:
        raise TrainingError(
            _("No image tells its subject, so none can be held out: give a pattern that finds it (--groups).")
        )
    foreign = [subject for subject in request.test_subjects if subject not in known]
    if foreign:
        raise TrainingError(
            _("The data have no subject {name}: choose among {known}.").format(
                name=foreign[0], known=", ".join(known)
            )
        )
    return split_by_subject(
        subjects, data.labels, set(request.test_subjects), val=preset.val, seed=request.seed
    )


def make_copies(data: DataSet, preset: Preset, request: Request, saved: SavedSplit) -> Augmented:
    """Return the copies of each part; with `request.as_published` they are what was divided."""
    labels = data.labels
    make = _maker(labels, preset, request.seed)
    if not saved.leaking:
        return augment_training(saved.split, labels, make)

    def divide(copied: Sequence[str], groups: Sequence[object]) -> Split:
        return stratified_split(copied, groups, val=preset.val, test=preset.test, seed=request.seed)

    return augment_as_published(labels, make, divide, saved.split.unseen)


def _maker(labels: Sequence[str], preset: Preset, seed: int) -> Callable[[Sequence[str]], list[Copy]]:
    counts = Counter(labels)
    fewest = min(counts.values())
    # The normal cells of the thesis were the rarest, and so mirrored; where all are as many, none is.
    rarest = {name for name, count in counts.items() if count == fewest and fewest < max(counts.values())}

    def make(part: Sequence[str]) -> list[Copy]:
        if preset.enlarge == "quarter turns":
            return thesis_copies(part, rarest)
        if preset.enlarge == "balanced":
            return balanced_copies(part, preset.copies, seed)
        return [Copy(position) for position in range(len(part))]

    return make


def check_parts(split: Split, labels: Sequence[str], evaluated: str) -> dict[str, list[str]]:
    """Return the parts that lack classes, with these; see `Split.lacking`.

    Raises `TrainingError` where there is nothing to measure on, or the training part lacks a class.
    """
    lacking = split.lacking(labels)
    if "train" in lacking or not split.train:
        raise TrainingError(
            _("No image of the class {classes} is left to learn from: add images or hold out fewer.").format(
                classes=", ".join(lacking.get("train", sorted(set(labels))))
            )
        )
    if not split.parts[evaluated]:
        raise TrainingError(
            _(
                "There are too few images to hold any out for the test: at least {count} a class are needed."
            ).format(count=_TESTED)
        )
    return lacking
