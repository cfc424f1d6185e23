"""What an epoch sees of the training part, and what the parts lack."""

from pathlib import Path

import numpy as np
import pytest

from allxai_desktop.training.datasets.data import Item, TrainingError
from allxai_desktop.training.datasets.dataset import DataSet
from allxai_desktop.training.datasets.parts import check_parts, make_split, repeated
from allxai_desktop.training.datasets.splits import Split
from allxai_desktop.training.presets import find_preset
from allxai_desktop.training.run_types import Request

STRATA = ["dark", "dark", "dark", "dark", "bright", "dark"]


def test_an_image_of_a_rarer_kind_comes_as_often_as_is_allowed():
    assert repeated([0, 1, 2, 4], STRATA, rare=2, at_least=0) == [0, 1, 2, 4, 4]


def test_a_rarer_kind_never_becomes_the_most_common_one():
    assert repeated([0, 1, 4], STRATA, rare=5, at_least=0) == [0, 1, 4, 4]
    assert repeated([0, 4], STRATA, rare=5, at_least=0) == [0, 4]


def test_few_images_are_repeated_as_a_whole():
    assert repeated([0, 4], STRATA, rare=1, at_least=3) == [0, 4, 0, 4]


def test_painted_images_are_as_many_as_proposed_ones():
    assert repeated([0, 1, 2, 3, 5], STRATA, rare=1, at_least=0, proposed={1, 2, 5}) == [0, 3, 0, 3, 1, 2, 5]


def test_parts_without_a_class_are_found():
    found = check_parts(Split([0, 1], [2], [3, 4]), ["ill", "well", "well", "ill", "well"], "test")
    assert found == {"val": ["ill"]}


@pytest.mark.parametrize(("subject", "test_subjects"), [(None, ()), ("ab", ("b",))])
def test_what_only_a_proposal_drew_is_for_training(subject, test_subjects):
    items = [Item(f"{i}.png", "", subject and subject[i % 2]) for i in range(40)]
    data = DataSet(
        Path(),
        items,
        [item.file for item in items],
        np.zeros((40, 256), np.float32),
        np.ones(40, bool),
        [],
        [],
        frozenset(range(1, 40, 2)) if subject is None else frozenset(range(0, 40, 4)),
    )
    request = Request("unet-five-classes", Path(), Path(), test_subjects=test_subjects)
    split = make_split(data, find_preset("unet-five-classes"), request).split
    assert data.proposed <= set(split.train)
    assert split.test
    assert sorted([*split.train, *split.val, *split.test]) == list(range(40))


def test_without_a_painted_mask_nothing_can_be_measured():
    data = DataSet(
        Path(),
        [Item(f"{i}.png", "") for i in range(20)],
        ["0"] * 20,
        np.zeros((20, 256), np.float32),
        np.ones(20, bool),
        [],
        [],
        frozenset(range(20)),
    )
    request = Request("unet-five-classes", Path(), Path(), test_subjects=("a",))
    with pytest.raises(TrainingError, match="Only proposals drew these masks"):
        make_split(data, find_preset("unet-five-classes"), request)
