import pytest

from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.datasets.splits import (
    Split,
    hold_out,
    split_by_group,
    split_by_subject,
    stratified_split,
)


def test_the_shares_of_the_thesis():
    labels = ["b"] * 540 + ["n"] * 465 + ["t"] * 540
    split = stratified_split(labels, range(1545), val=0.1, test=0.1, seed=0)
    assert (len(split.train), len(split.val), len(split.test)) == (1237, 154, 154)
    assert [sum(labels[i] == name for i in split.test) for name in "bnt"] == [54, 46, 54]
    assert sorted(split.train + split.val + split.test) == list(range(1545))


def test_a_group_is_never_torn():
    labels = ["a"] * 60 + ["b"] * 60
    groups = [i // 3 for i in range(120)]
    split = stratified_split(labels, groups, val=0.2, test=0.2, seed=1)
    found = [{groups[i] for i in part} for part in (split.train, split.val, split.test)]
    assert all(found)
    assert not found[0] & found[1]
    assert not found[0] & found[2]
    assert not found[1] & found[2]


def test_a_group_with_two_classes_is_never_torn():
    split = stratified_split(["a", "b", "a", "a"], [7, 7, 8, 9], val=0.0, test=0.7, seed=0)
    assert {0, 1} <= set(split.test) or {0, 1} <= set(split.train)


def test_the_same_seed_gives_the_same_split_and_another_does_not():
    labels = ["a"] * 50
    splits = [stratified_split(labels, range(50), val=0.1, test=0.2, seed=seed) for seed in (3, 3, 4)]
    assert splits[0] == splits[1]
    assert splits[0] != splits[2]


def test_held_out_positions_go_to_the_test_part_with_their_group():
    labels = ["a"] * 20 + ["b"] * 20
    groups = [i // 2 for i in range(40)]
    for seed in range(5):
        split = stratified_split(labels, groups, val=0.2, test=0.2, seed=seed, held_out={4, 31})
        assert {4, 5, 30, 31} <= set(split.test)


def test_no_image_of_a_test_subject_is_trained_on():
    subjects = ["p", "p", "q", "q", "q", "q", "r", "r"]
    labels = ["ill"] * 6 + ["well"] * 2
    split = split_by_subject(subjects, labels, {"p", "r"}, val=0.5, seed=0)
    assert split.test == [0, 1, 6, 7]
    assert len(split.val) == len(split.train) == 2
    assert sorted(split.train + split.val) == [2, 3, 4, 5]


def test_the_never_seen_images_of_phase_2_of_the_thesis():
    labels = ["ill"] * 130 + ["well"] * 130
    unseen, rest = hold_out(labels, range(260), count=30, seed=0)
    assert [sum(labels[i] == name for i in unseen) for name in ("ill", "well")] == [30, 30]
    assert sorted(unseen + rest) == list(range(260))


def test_whole_groups_are_held_out_until_the_count_is_met():
    # Groups of 3, 3, 2 and 2: only 3 + 2 makes 5.
    groups = [0, 0, 0, 1, 1, 1, 2, 2, 3, 3]
    for seed in range(5):
        unseen, rest = hold_out(["a"] * 10, groups, count=5, seed=seed)
        assert len(unseen) == 5
        assert not {groups[i] for i in unseen} & {groups[i] for i in rest}


@pytest.mark.parametrize(("groups", "count"), [([0, 0, 1, 1], 3), ([0, 1, 2, 3], 4), ([0, 1, 2, 3], 5)])
def test_a_count_that_cannot_be_held_out_is_refused(groups, count):
    with pytest.raises(TrainingError, match="held out"):
        hold_out(["a"] * 4, groups, count=count, seed=0)


def test_subjects_with_every_class_are_dealt_near_the_shares():
    labels = ["a", "a", "b", "c"] * 40
    subjects = [i // 16 for i in range(160)]  # ten subjects alike
    split = split_by_group(labels, subjects, val=0.2, test=0.2, seed=0)
    assert [len(part) for part in (split.train, split.val, split.test)] == [96, 32, 32]
    parts = [{subjects[i] for i in part} for part in (split.train, split.val, split.test)]
    assert sum(len(part) for part in parts) == 10


def test_every_part_gets_a_group():
    split = split_by_group(["a"] * 12, [0] * 10 + [1, 2], val=0.1, test=0.1, seed=0)
    assert sorted(map(len, (split.train, split.val, split.test))) == [1, 1, 10]
    assert split_by_group(["a"] * 3, [0, 0, 1], val=0.0, test=0.5, seed=0).val == []


@pytest.mark.parametrize("seed", range(5))
def test_a_class_of_two_subjects_is_learnt_and_tested(seed: int):
    labels = ["ill"] * 8 + ["healthy"] * 8
    subjects = [*range(8), *[8] * 4, *[9] * 4]  # either healthy subject is half of its class
    split = split_by_group(labels, subjects, val=0.1, test=0.1, seed=seed)
    assert [sum(labels[i] == "healthy" for i in part) for part in (split.train, split.val, split.test)] == [
        4,
        0,
        4,
    ]


def test_a_class_of_one_subject_is_learnt():
    split = split_by_group(["a"] * 6 + ["b"] * 2, [0, 1, 2, 3, 4, 5, 6, 6], val=0.0, test=0.4, seed=0)
    assert {6, 7} <= set(split.train)


def test_fewer_subjects_than_parts_are_refused():
    with pytest.raises(TrainingError, match=r"too few subjects \(2\) for 3 parts"):
        split_by_group(["a", "b"], ["p", "q"], val=0.1, test=0.1, seed=0)


def test_the_split_of_a_part_is_one_of_the_whole():
    assert Split([0, 3], [1], [2]).within([5, 6, 8, 9], [7]) == Split([5, 9], [6], [8], [7])


def test_a_part_that_lacks_a_class_is_told():
    assert Split([0, 1], [2], []).lacking(["a", "b", "a"]) == {"val": ["b"]}


def test_the_validation_part_does_not_take_the_last_group_of_a_class_that_is_not_tested():
    groups = [name for name, size in zip("abcde", (18, 4, 19, 1, 7), strict=True) for _ in range(size)]
    labels = ["0" if group in "abc" else "1" for group in groups]
    for seed in range(20):
        split = split_by_group(labels, groups, val=0.15, test=0.15, seed=seed)
        assert {labels[position] for position in split.test} == {"0", "1"}
        assert split.val
