"""The preset "innvestigate" against maps of iNNvestigate itself, made by `tests/golden/make_innvestigate.py`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from allxai_desktop.explainers import Attribution, attribute

GOLDEN = Path(__file__).parents[1] / "golden"
METHODS = ("gradient", "abs-gradient", "gradient-x-input", "lrp-z", "deep-taylor", "deep-taylor-bounded")
Golden = dict[str, Any]


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class Vgg(nn.Module):
    """`vgg` of the generator."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 8, 3, padding=1)
        self.conv3, self.conv4 = nn.Conv2d(8, 12, 3, padding=1), nn.Conv2d(12, 12, 3, padding=1)
        self.dense1, self.dense2, self.dense3 = nn.Linear(192, 24), nn.Linear(24, 16), nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
        x = F.max_pool2d(F.relu(self.conv4(F.relu(self.conv3(x)))), 2)
        x = F.relu(self.dense2(F.relu(self.dense1(x.flatten(1)))))
        return self.dense3(x)


class Residual(nn.Module):
    """`residual` of the generator."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.stem_norm = nn.Conv2d(3, 8, 3, stride=2, bias=False), _norm(8)
        self.depthwise, self.depthwise_norm = nn.Conv2d(8, 8, 3, padding=1, groups=8), _norm(8)
        self.pointwise, self.pointwise_norm = nn.Conv2d(8, 8, 1, bias=False), _norm(8)
        self.pool = nn.AvgPool2d(3, 2, ceil_mode=True)
        self.pad, self.strided, self.joined_norm = nn.ZeroPad2d(1), nn.Conv2d(8, 6, 3, stride=2), _norm(14)
        self.shortcut, self.shortcut_norm = nn.Conv2d(14, 10, 1), _norm(10)
        self.inner, self.inner_norm = nn.Conv2d(14, 10, 3, padding=1), _norm(10)
        self.outer = nn.Conv2d(10, 10, 3, padding=1)
        self.dense = nn.Linear(10, 5)

    def forward(self, x: Tensor) -> Tensor:
        stem = F.relu6(self.stem_norm(self.stem(F.pad(x, (0, 1, 0, 1)))))
        x = F.relu6(self.depthwise_norm(self.depthwise(stem)))
        x = F.relu(self.pointwise_norm(self.pointwise(x)) + stem)
        x = torch.cat([self.pool(x), F.relu(self.strided(self.pad(x)))], 1)
        x = self.joined_norm(x)
        shortcut = self.shortcut_norm(self.shortcut(x))
        x = F.relu(self.inner_norm(self.inner(x)))
        x = F.relu(self.outer(x) + shortcut)
        return self.dense(F.adaptive_avg_pool2d(x, 1).flatten(1))


@pytest.fixture(params=[Vgg, Residual], ids=["vgg", "residual"])
def network(request: pytest.FixtureRequest) -> nn.Module:
    module: nn.Module = request.param().double().eval()
    golden = _read(module)
    weights = {
        name.removeprefix("weights/"): torch.from_numpy(value)
        for name, value in golden.items()
        if name.startswith("weights/")
    }
    missing = module.load_state_dict(weights, strict=False)
    assert not missing.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in missing.missing_keys)
    return module


@pytest.fixture
def golden(network: nn.Module) -> Golden:
    return _read(network)


def _read(network: nn.Module) -> Golden:
    path = GOLDEN / f"innvestigate_{type(network).__name__.lower()}.npz"
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def _attribute(network: nn.Module, golden: Golden, method: str) -> Attribution:
    inputs = torch.from_numpy(golden["inputs"][golden["images"]])
    settings = {}
    if method == "deep-taylor-bounded":
        method = "deep-taylor"
        settings["bounds"] = torch.from_numpy(golden["low"]), torch.from_numpy(golden["high"])
    return attribute(
        network, inputs, torch.from_numpy(golden["targets"]), method, preset="innvestigate", **settings
    )


def test_the_networks_are_the_same(network: nn.Module, golden: Golden) -> None:
    with torch.no_grad():
        logits = network(torch.from_numpy(golden["inputs"])).numpy()
    np.testing.assert_allclose(logits, golden["logits"], rtol=0, atol=1e-12 * np.abs(golden["logits"]).max())


@pytest.mark.parametrize("method", METHODS)
def test_maps_are_those_of_innvestigate(network: nn.Module, golden: Golden, method: str) -> None:
    found = _attribute(network, golden, method).relevance.numpy()
    expected = golden[f"maps/{method}"]
    largest = np.abs(expected).max((1, 2, 3), keepdims=True)
    assert (np.abs(found - expected) <= 1e-9 * largest).all()


@pytest.mark.parametrize("method", ["deep-taylor", "deep-taylor-bounded"])
def test_deep_taylor_is_undefined_where_innvestigate_gives_zero(
    network: nn.Module, golden: Golden, method: str
) -> None:
    zero = ~golden[f"maps/{method}"].any((1, 2, 3))
    found = _attribute(network, golden, method)
    np.testing.assert_array_equal(zero, golden["logits"][golden["images"], golden["targets"]] <= 0)
    assert zero.any()
    assert [reason is not None for reason in found.undefined] == zero.tolist()
    assert not found.relevance[torch.from_numpy(zero)].any()
