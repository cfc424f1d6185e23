"""A window's model over the program's own runs: trained, broken off, resumed, offered."""

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.networks.registry import find_networks, load_network
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.presets import PRESETS
from allxai_desktop.training.run_folder import SETTINGS_FILE
from allxai_desktop.training.train_model import TrainModel
from allxai_desktop.training.trainer import RunTrainer

pytestmark = pytest.mark.slow


@pytest.fixture
def images(tmp_path):
    """Ten noisy images of each of two classes, dark and bright."""
    for number in range(20):
        label = ("dark", "bright")[number % 2]
        path = tmp_path / "cells" / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        low = 140 * (number % 2)
        values = np.random.default_rng(number).integers(low, low + 110, (8, 8, 3), np.uint8)
        Image.fromarray(values).resize((32, 32), Image.Resampling.NEAREST).save(path)
    return tmp_path / "cells"


@pytest.fixture
def model(tmp_path, images, user_networks, pump):
    made = TrainModel(PRESETS, RunTrainer(), tmp_path / "runs", pump)
    made.wait = pump.until
    made.data.open(images)
    pump.until(lambda: made.data.data is not None)
    made.choose(preset="two-conv-32", positive="dark", epochs=3)
    yield made
    made.close()


def test_a_run_is_shown_and_its_network_offered_once(model):
    model.start()
    model.wait(lambda: not model.running)
    assert model.error == ""
    assert [record.number for record in model.records] == [1, 2, 3]
    assert (model.report.classes, model.report.positive, model.report.images) == (
        ("bright", "dark"),
        "dark",
        4,
    )
    names = []
    model.offered.connect(names.append)
    for _time in range(2):
        model.offer()
        model.wait(lambda: len(names) == _time + 1)  # noqa: B023
    assert names[0] == names[1]
    assert load_network(names[0]).card.classes == ("bright", "dark")
    assert [card.name for card in find_networks().cards].count(names[0]) == 1


def test_a_run_that_was_broken_off_goes_on_in_another_session(model, tmp_path, images, pump):
    seen = []
    model.epoch_ended.connect(lambda record: seen.append(record.number))
    model.start()
    model.wait(lambda: seen == [1])
    model.cancel()
    model.close()

    other = TrainModel(PRESETS, RunTrainer(), tmp_path / "runs", pump)
    other.data.open(images)
    pump.until(lambda: other.data.data is not None)
    other.choose(preset="two-conv-32")
    assert other.unfinished == tmp_path / "runs" / "cells-two-conv-32"
    other.resume()
    pump.until(lambda: not other.running)
    assert other.error == ""
    assert [record.number for record in other.records] == [1, 2, 3]
    assert other.report.positive == "dark"
    assert other.unfinished is None
    other.close()


def test_a_folder_without_a_run_is_not_resumed(tmp_path):
    assert not RunTrainer().resumable(tmp_path)


def test_a_folder_whose_name_is_too_long_is_told_when_the_run_begins(model, tmp_path):
    model.choose(out=tmp_path / ("x" * 300))
    assert model.unfinished is None
    model.start()
    model.wait(lambda: not model.running)
    assert model.error.endswith("cannot be made (File name too long): choose another folder for the run.")


@pytest.mark.parametrize(
    "text", ["", "[]", pytest.param("[" * 100_000, id="deep"), '{"preset": "modern", "unknown": 1}']
)
def test_settings_that_cannot_be_read_are_told(tmp_path, text):
    (tmp_path / SETTINGS_FILE).write_text(text)
    with pytest.raises(TrainingError, match=r"run\.json cannot be read"):
        RunTrainer().former(tmp_path, tmp_path)


def test_a_run_starts_from_networks_of_its_own_kind():
    names = {card.name for card in find_networks().cards if card.architecture == "googlenet"}
    assert {name for name, _title in RunTrainer().starts("googlenet")} == names != set()
    assert RunTrainer().starts("no-such-architecture") == []
