from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from allxai_desktop.networks.architectures import ARCHITECTURES, build
from allxai_desktop.networks.torchvision_models import models
from allxai_desktop.training.datasets.data import Item, TrainingError
from allxai_desktop.training.datasets.dataset import DataSet
from allxai_desktop.training.datasets.parts import make_copies, make_split
from allxai_desktop.training.optimisers import make_optimiser
from allxai_desktop.training.presets import PRESETS, find_preset
from allxai_desktop.training.run_types import Request

CLASSIFYING = [preset for preset in PRESETS.values() if preset.task == "classification"]
THESIS_1 = {"B": 135, "T": 135, "normal": 93}
THESIS_2 = {"ALL": 130, "healthy": 130}
EPOCHS_AND_BATCH = {
    "thesis-1-vgg16": ("adamax", 100, 6, 18_942_531),
    "thesis-1-vgg19": ("adam", 100, 6, 24_268_739),
    "thesis-1-mobilenet-v1": ("rmsprop", 110, 6, 11_667_523),
    "thesis-1-resnet50": ("adadelta", 110, 6, 40_414_979),
    "two-conv-32": ("sgd", 45, 4, 61_326),
    "two-conv-400": ("sgd", 45, 8, 18_078_606),
    "grey-cnn": ("adam", 40, 32, 687_428),
}


def _data(counts: dict[str, int]) -> DataSet:
    """Images that have nothing in common."""
    items = [Item(f"{name}/{i}.png", name) for name, count in counts.items() for i in range(count)]
    hashes = [item.file for item in items]
    prints = np.zeros((len(items), 256), np.float32)
    return DataSet(Path("cells"), items, hashes, prints, np.zeros(len(items), bool), [], [])


def _parts(name: str, counts: dict[str, int], *, as_published: bool) -> dict[str, list]:
    data, preset = _data(counts), find_preset(name)
    request = Request(name, Path("cells"), Path("run"), as_published=as_published)
    return make_copies(data, preset, request, make_split(data, preset, request)).parts


@pytest.mark.parametrize("name", EPOCHS_AND_BATCH)
def test_the_networks_of_the_documents(name):
    preset = PRESETS[name]
    kind, epochs, batch, parameters = EPOCHS_AND_BATCH[name]
    assert (preset.plan.optimiser.kind, preset.plan.epochs, preset.plan.batch) == (kind, epochs, batch)
    with torch.device("meta"):
        model = build(preset.architecture, preset.classes or 4, (preset.side, preset.side))
    counted = {id(tensor): tensor.numel() for tensor in model.parameters()}
    if name.startswith("thesis-1"):
        # The thesis counts running statistics too.
        counted |= {id(b): b.numel() for n, b in model.named_buffers() if not n.endswith("tracked")}
    assert sum(counted.values()) == parameters


def test_the_363_images_of_phase_1_as_published():
    parts = _parts("thesis-1-vgg16", THESIS_1, as_published=True)
    assert {part: len(copies) for part, copies in parts.items()} == {
        "train": 1237, "val": 154, "test": 154, "unseen": 0,
    }  # fmt: skip


def test_phase_1_without_the_leak_makes_copies_of_the_training_part_only():
    parts = _parts("thesis-1-vgg16", THESIS_1, as_published=False)
    # 10 % of 135, 135 and 93 are 13, 13 and 9; of the 109, 109 and 75 left four or five copies are made.
    assert [len(parts[name]) for name in ("train", "val", "test")] == [4 * 218 + 5 * 75, 35, 35]
    learnt = {copy.position for copy in parts["train"]}
    assert not learnt & {copy.position for copy in parts["test"]}


def test_phase_2_holds_30_a_class_back_and_makes_1000_of_the_rest():
    parts = _parts("thesis-2-googlenet", THESIS_2, as_published=True)
    labels = _data(THESIS_2).labels
    assert Counter(labels[copy.position] for copy in parts["unseen"]) == {"ALL": 30, "healthy": 30}
    assert len(parts["train"]) + len(parts["val"]) == 2000
    seen = {copy.position for copy in (*parts["train"], *parts["val"])}
    assert not seen & {copy.position for copy in parts["unseen"]}
    assert len(seen) == 200


def test_the_grey_network_learns_1000_images_a_class():
    parts = _parts("grey-cnn", {"benign": 504, "early": 985, "pre": 963, "pro": 804}, as_published=False)
    assert [len(parts[name]) for name in ("train", "val", "test")] == [4000, 324, 324]


def test_random_80_20():
    parts = _parts("resnet34-transfer-32", {"typical": 100, "atypical": 50}, as_published=False)
    assert [len(parts[name]) for name in ("train", "val", "test")] == [120, 0, 30]


def test_the_regulariser_of_keras_is_on_the_first_dense_layer_alone():
    with torch.device("meta"):
        model = build("five-conv-grey", 4)
    rest, dense = make_optimiser(PRESETS["grey-cnn"].plan.optimiser, model).param_groups
    assert [tuple(weight.shape) for weight in dense["params"]] == [(128, 3200)]
    assert (dense["weight_decay"], rest["weight_decay"]) == (0.02, 0)
    assert len(rest["params"]) + 1 == len(list(model.parameters()))


@pytest.mark.parametrize("preset", CLASSIFYING, ids=lambda preset: preset.name)
def test_every_preset_fits_its_network(preset):
    assert ARCHITECTURES[preset.architecture].takes((preset.side, preset.side))
    sides = preset.sides(3)
    assert len(sides) == 3
    assert sides[-1] == preset.side
    assert all(ARCHITECTURES[preset.architecture].takes((side, side)) for side in sides)


@pytest.mark.parametrize("name", [preset.name for preset in CLASSIFYING if preset.start == "imagenet"])
def test_imagenet_weights_are_shown_what_they_were_trained_on(name):
    base = PRESETS[name].architecture.split("-")[0]
    if base in {"mobilenet", "googlenet"}:
        expected = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
    else:
        shown = models.get_model_weights(base).DEFAULT.transforms()
        expected = tuple(shown.mean), tuple(shown.std)
    assert PRESETS[name].normalisation == expected


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(TrainingError, match="no preset “vgg”: choose one of modern, grey-cnn"):
        find_preset("vgg")
