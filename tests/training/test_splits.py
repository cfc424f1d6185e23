import torch

from allxai_desktop.training.splits import near_duplicates, split_by_subject, stratified_split


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


def test_near_copies_share_a_group_and_other_images_do_not():
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8, generator=random)
    brighter = (images[1].float() * 0.9 + 20).byte()
    groups = near_duplicates(torch.stack([*images, brighter]))
    assert groups == [0, 1, 2, 1]


def test_copies_of_copies_are_one_group():
    image = torch.randint(
        0, 256, (1, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    assert near_duplicates(image.repeat(3, 1, 1, 1)) == [0, 0, 0]
