"""Which networks make LRP-z and Gradient × Input one, and whether the numbers agree."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from allxai_desktop.analyses.equivalence import same_by_theory
from allxai_desktop.explainers.api import attribute
from allxai_desktop.networks.architectures import build


class Residual(nn.Module):
    """Addition, concatenation, functional ReLU, BatchNorm that cannot be folded, and a shape that is read."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.last = nn.Linear(6 * 16, 2)

    def forward(self, x):
        y = F.relu(self.norm(x + self.conv(x)))
        y = torch.cat([F.max_pool2d(y, 2), F.avg_pool2d(y, 2)], 1)
        return self.last(y.view(x.size(0), -1))


def plain(activation, *more):
    return nn.Sequential(nn.Conv2d(3, 4, 3), activation, *more, nn.Flatten(), nn.LazyLinear(3))


def difference(module, **settings):
    """Largest difference of the two maps, relative to the largest relevance."""
    module = module.double().eval()
    inputs = 8 * torch.rand(1, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    first = attribute(module, inputs, 1, "lrp-z", **settings).relevance
    second = attribute(module, inputs, 1, "gradient-x-input").relevance
    return float((first - second).abs().max() / second.abs().max())


def made(module):
    torch.manual_seed(1)
    for parameter in module.parameters():
        if not isinstance(parameter, nn.UninitializedParameter):
            nn.init.normal_(parameter)
    module(torch.zeros(1, 3, 8, 8))
    return module.eval()


SAME = {
    "relu": lambda: plain(nn.ReLU(), nn.MaxPool2d(2)),
    "leaky": lambda: plain(nn.LeakyReLU(0.1), nn.AvgPool2d(2), nn.Dropout()),
    "residual": Residual,
}
DIFFERENT = {
    "relu6": lambda: plain(nn.ReLU6()),
    "tanh": lambda: plain(nn.Tanh()),
    "softplus": lambda: plain(nn.Softplus()),
    "elu": lambda: plain(nn.ELU()),
}


@pytest.mark.parametrize("name", SAME)
def test_theory_and_numbers_say_the_same(name):
    module = made(SAME[name]())
    assert same_by_theory(module, "lrp-z", "gradient-x-input")
    assert difference(module) < 1e-10


@pytest.mark.parametrize("name", DIFFERENT)
def test_theory_and_numbers_say_that_they_differ(name):
    module = made(DIFFERENT[name]())
    assert same_by_theory(module, "lrp-z", "gradient-x-input") is None
    assert difference(module) > 1e-3


def test_innvestigates_rules_agree_on_relu6_and_not_on_batch_norm():
    relu6, residual = made(DIFFERENT["relu6"]()), made(Residual())
    assert same_by_theory(relu6, "lrp-z", "gradient-x-input", "innvestigate")
    assert difference(relu6, rules="innvestigate") < 1e-10
    assert same_by_theory(residual, "lrp-z", "gradient-x-input", "innvestigate") is None
    assert difference(residual, rules="innvestigate") > 1e-3


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

    def forward(self, x):
        return self.last(self.conv(x * 2 - 1).relu().mean((2, 3)))


@pytest.mark.parametrize(
    "module",
    [
        Scaled(),
        nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.LeakyReLU(0.2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
        ),
    ],
    ids=["scaled", "leaky"],
)
def test_innvestigates_gradients_through_factors_and_leaky_relu_break_it(module):
    module = made(module)
    assert same_by_theory(module, "lrp-z", "gradient-x-input")
    assert same_by_theory(module, "lrp-z", "gradient-x-input", "innvestigate") is None
    assert difference(module, rules="innvestigate") > 1e-3


@pytest.mark.parametrize(
    ("architecture", "same"), [("resnet18", True), ("googlenet", True), ("mobilenet-v1", False)]
)
def test_networks_are_known_by_their_operations(architecture, same):
    found = same_by_theory(build(architecture, 2).eval(), "gradient-x-input", "lrp-z")
    assert (found is not None) is same


def test_other_explainers_are_not_the_same():
    module = made(SAME["relu"]())
    assert same_by_theory(module, "gradient", "gradient-x-input") is None
    assert same_by_theory(module, "lrp-z", "lrp-z") is None


def test_the_sentence_says_why():
    sentence = same_by_theory(made(SAME["relu"]()), "lrp-z", "gradient-x-input")
    assert sentence.startswith("LRP-z and Gradient × Input are one map here: in a network of weighted sums")
