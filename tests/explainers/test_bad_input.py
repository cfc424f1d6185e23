"""What no explainer can explain: one clear error or an explicit `undefined`, never a map that is not numbers."""

import pytest
import torch
from torch import nn

from allxai_desktop.explainers import attribute
from allxai_desktop.explainers.registry import EXPLAINERS, ExplainerError


class Branching(nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :3] if x.sum() > 0 else -x.flatten(1)[:, :3]


class WithoutRule(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x):
        return torch.erfinv(torch.tanh(self.conv(x)) / 2).mean((2, 3))


class WithoutDerivative(nn.Module):
    def forward(self, x):
        return x.detach()


def net(weight=None):
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, 3),
    ).eval()  # fmt: skip
    if weight is not None:
        module[0].weight.data[0, 0, 0, 0] = weight
    return module


IMAGES = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("method", EXPLAINERS)
@pytest.mark.parametrize(
    ("module", "inputs", "target", "sentence"),
    [
        (Branching(), IMAGES, 0, "the operations of Branching cannot be followed"),
        (net(), IMAGES, 3, "must be a class from 0 to 2"),
        (net(), IMAGES[:, :1], 0, "its operation Conv2d .* failed"),
        (net(), IMAGES.half(), 0, "float32 or float64"),
    ],
    ids=["untraceable", "target", "channels", "half"],
)
def test_what_cannot_be_explained_is_said_in_a_sentence(method, module, inputs, target, sentence):
    with pytest.raises(ExplainerError, match=sentence):
        attribute(module, inputs, target, method)


@pytest.mark.parametrize("method", EXPLAINERS)
@pytest.mark.parametrize(
    ("module", "inputs"),
    [
        (net(torch.nan), IMAGES),
        (net(torch.inf), IMAGES),
        (net(), IMAGES * torch.nan),
        (net(), torch.zeros(2, 3, 8, 8)),
    ],
    ids=["nan weight", "infinite weight", "nan image", "black"],
)
def test_what_has_no_map_is_undefined_and_no_map_of_nan(method, module, inputs):
    found = attribute(module, inputs, [0, 1], method)
    assert torch.isfinite(found.relevance).all()
    for reason, one in zip(found.undefined, found.relevance.sum(1).flatten(1), strict=True):
        # Black has a map where the explainer sees the borders that the convolution pads.
        assert reason is not None or one.max() > one.min()


@pytest.mark.parametrize("method", EXPLAINERS)
@pytest.mark.parametrize("weight", ["0.weight", "1.running_var"])
def test_an_infinite_weight_that_no_score_shows_is_found(method, weight):
    module = net()
    # Its channel is cut to zero by the ReLU, or divided to zero by the norm.
    module.state_dict()[weight].view(-1)[0] = torch.inf if weight.endswith("var") else -torch.inf
    assert torch.isfinite(module(IMAGES)).all()
    found = attribute(module, IMAGES, [0, 1], method)
    assert all("not finite numbers" in reason for reason in found.undefined)
    assert not found.relevance.any()


@pytest.mark.parametrize("module", [None, nn.Conv2d, lambda images: images])
def test_what_is_no_module_is_refused(module):
    with pytest.raises(ExplainerError, match=r"must be a torch\.nn\.Module"):
        attribute(module, IMAGES, 0, "gradient")


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_weights_without_sizes_are_refused():
    with pytest.raises(ExplainerError, match="run it on an image first"):
        attribute(nn.Sequential(nn.Flatten(), nn.LazyLinear(3)), IMAGES, 0, "gradient")


def test_a_sparse_tensor_is_refused():
    with pytest.raises(ExplainerError, match="float32 or float64 tensor"):
        attribute(net(), IMAGES.to_sparse(), 0, "lrp-z")


@pytest.mark.parametrize(
    "bounds",
    [0, (0,), (0, None), (1, 0), (torch.nan, 1), (-torch.inf, torch.inf), (torch.zeros(2), torch.ones(2))],
    ids=["one", "short", "none", "swapped", "nan", "infinite", "channels"],
)
def test_bounds_that_are_none_are_refused(bounds):
    with pytest.raises(ExplainerError, match=r"lowest and the highest value .* 3 channels"):
        attribute(net(), IMAGES, 0, "deep-taylor", bounds=bounds)


@pytest.mark.parametrize("method", EXPLAINERS)
def test_an_image_of_one_pixel_has_no_map(method):
    if EXPLAINERS[method].takes_layer:
        with pytest.raises(ExplainerError, match="no feature map"):
            attribute(net(), IMAGES[:, :, :1, :1], 0, method)
    else:
        assert all(attribute(net(), IMAGES[:, :, :1, :1], 0, method).undefined)


@pytest.mark.parametrize("method", [name for name in EXPLAINERS if "lrp" in name or name == "deep-taylor"])
def test_the_first_operation_without_a_rule_is_named(method):
    with pytest.raises(ExplainerError, match="no rule for the operation erfinv"):
        attribute(WithoutRule(), IMAGES, 0, method)


@pytest.mark.parametrize("method", ["gradient", "grad-cam", "layer-cam", "guided-grad-cam", "smoothgrad"])
def test_gradients_need_no_rule(method):
    found = attribute(WithoutRule(), IMAGES, 0, method)
    assert torch.isfinite(found.relevance).all()


@pytest.mark.parametrize("name", ["gradient", "guided-grad-cam", "integrated-gradients", "smoothgrad"])
def test_behind_an_operation_without_a_derivative_as_on_quantised_numbers_there_is_no_map(name):
    steps = (
        nn.Conv2d(3, 4, 3),
        nn.ReLU(),
        WithoutDerivative(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    )
    found = attribute(nn.Sequential(*steps).eval(), IMAGES, 0, name)
    assert all(reason is not None for reason in found.undefined)
