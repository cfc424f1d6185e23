"""LRP and Deep Taylor against zennit, whose rules for these networks are right."""

import pytest
import torch
from small_networks import with_statistics
from torch import nn

from allxai_desktop.explainers import attribute
from allxai_desktop.networks.architectures import build
from allxai_desktop.networks.torchvision_ops import define_missing_schemas

define_missing_schemas()
zennit = pytest.importorskip("zennit")

from zennit.attribution import Gradient  # noqa: E402
from zennit.canonizers import SequentialMergeBatchNorm  # noqa: E402
from zennit.composites import EpsilonPlusFlat, SpecialFirstLayerMapComposite, layer_map_base  # noqa: E402
from zennit.rules import Epsilon, ZBox, ZPlus  # noqa: E402
from zennit.torchvision import ResNetCanonizer  # noqa: E402
from zennit.types import Linear  # noqa: E402

TINY = 1e-13


def vgg():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 4),
    )  # fmt: skip
    return settled(module)


def resnet():
    torch.manual_seed(0)
    return settled(build("resnet18", 4))


def settled(module):
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            # zennit folds a norm and leaves its ε behind.
            norm.eps = 0
    return with_statistics(module)


def by_zennit(make, composite, x, targets):
    # On a module of its own: what zennit folds is not always unfolded.
    with Gradient(model=make(), composite=composite) as attributor:
        one_hot = torch.eye(4, dtype=x.dtype)[targets]
        _logits, relevance = attributor(x, lambda logits: one_hot * logits)
    return relevance.detach()


def agree(found, expected):
    assert float((found - expected).abs().max() / expected.abs().max()) < 1e-9


@pytest.mark.parametrize(
    ("make", "canonizer", "side"), [(vgg, SequentialMergeBatchNorm, 14), (resnet, ResNetCanonizer, 40)]
)
def test_epsilon_plus_flat(make, canonizer, side):
    x = torch.randn(2, 3, side, side, dtype=torch.float64)
    expected = by_zennit(make, EpsilonPlusFlat(canonizers=[canonizer()]), x, [1, 3])
    agree(attribute(make(), x, [1, 3], "lrp-epsilon-plus-flat").relevance, expected)


@pytest.mark.parametrize(
    ("make", "canonizer", "side"), [(vgg, SequentialMergeBatchNorm, 14), (resnet, ResNetCanonizer, 40)]
)
def test_lrp_z(make, canonizer, side):
    x = torch.randn(2, 3, side, side, dtype=torch.float64)
    rules = [*layer_map_base(stabilizer=TINY), (Linear, Epsilon(epsilon=TINY))]
    composite = SpecialFirstLayerMapComposite(layer_map=rules, first_map=[], canonizers=[canonizer()])
    agree(attribute(make(), x, [0, 2], "lrp-z").relevance, by_zennit(make, composite, x, [0, 2]))


@pytest.mark.parametrize("bounded", [False, True])
def test_deep_taylor(bounded):
    x = torch.rand(2, 3, 14, 14, dtype=torch.float64)
    targets = vgg()(x).argmax(1).tolist()
    rule = {"stabilizer": TINY, "zero_params": "bias"}
    low, high = torch.zeros(1, 3, 1, 1).double(), torch.ones(1, 3, 1, 1).double()
    composite = SpecialFirstLayerMapComposite(
        layer_map=[*layer_map_base(stabilizer=TINY), (Linear, ZPlus(**rule))],
        first_map=[(Linear, ZBox(low, high, **rule))] if bounded else [],
        canonizers=[SequentialMergeBatchNorm()],
    )
    found = attribute(vgg(), x, targets, "deep-taylor", bounds=(0, 1) if bounded else None)
    agree(found.relevance, by_zennit(vgg, composite, x, targets))
