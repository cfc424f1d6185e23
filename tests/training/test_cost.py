"""Parameters are those of the network; the time is counted by hand on a network of two layers."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from psygnal import Signal

from allxai_desktop.networks.architectures import build
from allxai_desktop.training import cost
from allxai_desktop.training.cost import Cost, CostModel, cost_of, images_an_epoch, seconds_of, speed
from allxai_desktop.training.presets import GREY_CNN, MODERN, PRESETS, UNET_NUCLEI


def test_the_parameters_are_those_of_the_network():
    network = build("two-conv", 2, (32, 32))
    assert cost_of("two-conv", 2, 32).parameters == sum(one.numel() for one in network.parameters())


def test_operations_grow_with_the_area():
    small, large = cost_of("resnet18", 2, 32), cost_of("resnet18", 2, 64)
    assert large.operations / small.operations == pytest.approx(4, rel=0.01)
    assert large.parameters == small.parameters


def test_operations_by_hand(monkeypatch):
    monkeypatch.setattr(cost, "build", lambda *_of: torch.nn.Conv2d(3, 2, 3, padding=1))
    # 4 × 4 pixels, 2 outputs, 3 × 3 × 3 weights; multiplied and added.
    assert cost_of.__wrapped__("resnet18", 2, 4).operations == 4 * 4 * 2 * 27 * 2


def test_another_thread_explains_meanwhile(monkeypatch):
    class Slow(torch.nn.Module):
        def forward(self, images):
            explain = torch.nn.Linear(2, 1, device="cpu")
            image = torch.ones(1, 2, device="cpu", requires_grad=True)
            with ThreadPoolExecutor(1) as other:
                other.submit(lambda: torch.autograd.grad(explain(image).sum(), image)).result()
            return images

    monkeypatch.setattr(cost, "build", lambda *_of: Slow())
    assert cost_of.__wrapped__("resnet18", 2, 4).operations == 0


@pytest.mark.parametrize(
    ("name", "counts", "images"),
    [
        # 363 images, a tenth each for validation and test, four turns of the rest.
        ("thesis-1-vgg16", {"b": 135, "t": 135, "n": 93}, 4 * (135 - 26 + 135 - 26 + 93 - 18)),
        ("thesis-2-vgg19", {"sana": 130, "all": 130}, 2000),
        ("two-conv-32", {"typical": 100, "atypical": 50}, 120),
        ("modern", {"a": 20, "b": 20}, 2000),
    ],
)
def test_images_of_an_epoch(name, counts, images):
    assert images_an_epoch(PRESETS[name], counts) == images


def test_the_time_of_a_run_by_hand(monkeypatch):
    monkeypatch.setattr(cost, "cost_of", lambda *_of: Cost(parameters=2000, operations=1e6, values=1000))
    preset = replace(PRESETS["two-conv-32"], plan=replace(PRESETS["two-conv-32"].plan, batch=4))
    image = 3e6 / (0.73 * 58.5e9) + 11.6e-9 * 1000 + (9e-9 * 2000 + 5e-3) / 4
    assert seconds_of(preset, {"a": 100}, 2, 3, 58.5e9) == pytest.approx(3 * 80 * image)
    # A machine half as fast takes twice as long.
    assert seconds_of(preset, {"a": 100}, 2, 3, 58.5e9 / 2) == pytest.approx(6 * 80 * image)


def test_smaller_images_at_first_take_less():
    whole = replace(MODERN, shrunk=())
    counts = {"a": 3000, "b": 3000}
    assert seconds_of(MODERN, counts, 2, 6, 50e9) < 0.8 * seconds_of(whole, counts, 2, 6, 50e9)


def test_a_segmentation_learns_from_parts_of_its_images():
    large = replace(UNET_NUCLEI, side=512)
    assert seconds_of(large, {"": 100}, 2, 1, 50e9) == seconds_of(UNET_NUCLEI, {"": 100}, 2, 1, 50e9)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_the_machine_has_a_speed(bfloat16):
    assert speed(bfloat16=bfloat16) > 1e6


class FakeTrainModel:
    choices_changed = Signal(object)
    running = False

    def __init__(self):
        self.preset = PRESETS["two-conv-32"]
        self.choices = SimpleNamespace(epochs=None)
        self.data = SimpleNamespace(classes=[], usable=[], has_masks=False)

    def unsuitable(self, _name):
        return ""


def test_the_time_is_known_once_there_are_images(monkeypatch, pump):
    monkeypatch.setattr(cost, "speed", lambda *, bfloat16: 50e9)
    train = FakeTrainModel()
    model = CostModel(train, pump)
    pump.until(lambda: model.parameters is not None)
    assert model.seconds is None
    train.data.classes = [SimpleNamespace(name=name, images=50) for name in "ab"]
    train.choices_changed.emit(train.choices)
    pump.until(lambda: model.seconds is not None)
    assert model.seconds == seconds_of(train.preset, {"a": 50, "b": 50}, 2, 45, 50e9)
    train.preset = GREY_CNN
    train.choices = SimpleNamespace(epochs=2)
    train.choices_changed.emit(train.choices)
    assert model.seconds is None
    pump.until(lambda: model.seconds is not None)
    assert model.seconds == seconds_of(GREY_CNN, {"a": 50, "b": 50}, 2, 2, 50e9)
    model.close()
