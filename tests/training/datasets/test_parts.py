"""What an epoch sees of the training part, and what the parts lack."""

from allxai_desktop.training.datasets.parts import check_parts, repeated
from allxai_desktop.training.datasets.splits import Split

STRATA = ["dark", "dark", "dark", "dark", "bright", "dark"]


def test_an_image_of_a_rarer_kind_comes_as_often_as_is_allowed():
    assert repeated([0, 1, 2, 4], STRATA, rare=2, at_least=0) == [0, 1, 2, 4, 4]


def test_a_rarer_kind_never_becomes_the_most_common_one():
    assert repeated([0, 1, 4], STRATA, rare=5, at_least=0) == [0, 1, 4, 4]
    assert repeated([0, 4], STRATA, rare=5, at_least=0) == [0, 4]


def test_few_images_are_repeated_as_a_whole():
    assert repeated([0, 4], STRATA, rare=1, at_least=3) == [0, 4, 0, 4]


def test_parts_without_a_class_are_found():
    found = check_parts(Split([0, 1], [2], [3, 4]), ["ill", "well", "well", "ill", "well"], "test")
    assert found == {"val": ["ill"]}
