"""What a card says of its preset's recipe, and of its data."""

from pathlib import Path

import numpy as np
import pytest

from allxai_desktop.training.classify import Look
from allxai_desktop.training.datasets.data import Item
from allxai_desktop.training.datasets.dataset import DataSet
from allxai_desktop.training.datasets.planned import caution_of, describe_training, make_plan, part_sizes
from allxai_desktop.training.measuring.report import Part
from allxai_desktop.training.presets import PRESETS
from allxai_desktop.training.run_types import EpochRecord, Request

PRESET = PRESETS["two-conv-32"]
EPOCHS = [EpochRecord(number, 45, 0.5, 1.0, None, None, 1.0, 0.0) for number in range(1, 46)]


def recipe(done: int = 45, **asked: object) -> str:
    request = Request(PRESET.name, Path("data"), Path("out"), **asked)  # type: ignore[arg-type]
    plan, look = make_plan(PRESET, request), Look((0.5,) * 3, (0.5,) * 3)
    return str(describe_training(request, PRESET, plan, look, "random", EPOCHS[:done])["recipe"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "in full"),
        ({"done": 2}, "not run to its end: 2 of 45 epochs"),
        ({"batch": 4, "weights": "none"}, "in full"),
        (
            {"rate": 0.01, "unseen": 3},
            "in full; not as the preset: learning rate 0.01, never seen, a class 3",
        ),
        ({"weights": "/home/somebody/own.pt"}, "in full; not as the preset: start own.pt"),
    ],
)
def test_a_card_says_what_was_not_as_the_preset(asked, said):
    assert recipe(**asked) == said


def images(*subjects: str | None) -> DataSet:
    items = [Item(f"{number}.png", "cell", subject) for number, subject in enumerate(subjects)]
    none = np.zeros((len(items), 256), np.float32)
    return DataSet(Path(), items, ["0"] * len(items), none, np.zeros(len(items), bool), [], [])


def test_a_part_counts_its_copies_and_the_subjects_of_their_images():
    sizes = part_sizes(images("S1", "S1", "S2"), {"train": [0, 0, 1, 2], "val": [1], "test": []})
    assert sizes == {"train": Part(4, 2), "validation": Part(1, 1)}


def test_where_one_subject_is_not_known_none_are_counted():
    assert part_sizes(images("S1", None), {"train": [0], "unseen": [1]}) == {
        "train": Part(1, None),
        "unseen": Part(1, None),
    }


@pytest.mark.parametrize(("subjects", "cautioned"), [(("S1", "S2"), False), (("S1", None), True)])
def test_a_split_of_unknown_persons_is_cautioned_of(subjects, cautioned):
    assert bool(caution_of(images(*subjects))) == cautioned
