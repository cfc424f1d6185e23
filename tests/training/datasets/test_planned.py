"""What a card says of its preset's recipe."""

from pathlib import Path

import pytest

from allxai_desktop.training.classify import Look
from allxai_desktop.training.datasets.planned import describe_training, make_plan
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
