"""Gradients, CAMs and SmoothGrad against captum, where it is right.

Not here: Integrated Gradients and Occlusion, which are captum's own code (`test_on_demand`), and KernelSHAP, which
stands beside captum's exact Shapley values there. captum's guided backpropagation sees ReLU only as a module, and only
where it is not in place.
"""

import pytest
import torch
from captum.attr import (
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    LayerAttribution,
    LayerGradCam,
    NoiseTunnel,
    Saliency,
)
from small_networks import with_statistics
from torch import nn

from allxai_desktop.explainers import attribute
from allxai_desktop.explainers.cam import grad_cam
from allxai_desktop.explainers.gradients import guided_gradient
from allxai_desktop.explainers.graph import cached_graph
from allxai_desktop.explainers.passes import Passes
from allxai_desktop.networks.architectures import build

pytestmark = pytest.mark.filterwarnings(
    "ignore:Setting backward hooks on ReLU activations",
    "ignore:Input Tensor .* did not already require gradients",
)
TARGETS = [1, 3]


def plain():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, bias=False),
        nn.BatchNorm2d(12), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(48, 10), nn.ReLU(), nn.Linear(10, 4),
    )  # fmt: skip
    return settled(module), "6", torch.randn(2, 3, 13, 12, dtype=torch.float64)


def resnet():
    torch.manual_seed(0)
    return settled(build("resnet18", 4)), "layer4", torch.randn(2, 3, 40, 40, dtype=torch.float64)


def settled(module):
    for child in module.modules():
        if isinstance(child, nn.ReLU):
            child.inplace = False
    return with_statistics(module)


@pytest.fixture(params=[plain, resnet])
def case(request):
    """A network, the name of its CAM layer, and two images."""
    return request.param()


def agree(found, expected, tolerance=1e-12):
    expected = expected.detach()
    assert found.shape == expected.shape
    largest = expected.abs().amax((1, 2, 3), keepdim=True)
    assert largest.min() > 0
    assert ((found - expected).abs() <= tolerance * largest).all()


def passes(module, x, layer):
    return Passes(lambda folded: cached_graph(module, x.dtype, fold_norms=folded), x, layer=layer)


def chosen(logits):
    return torch.tensor(TARGETS)


def test_gradient(case):
    module, _layer, x = case
    expected = Saliency(module).attribute(x, TARGETS, abs=False)
    agree(attribute(module, x, TARGETS, "gradient").relevance, expected)


def test_abs_gradient(case):
    module, _layer, x = case
    agree(attribute(module, x, TARGETS, "abs-gradient").relevance, Saliency(module).attribute(x, TARGETS))


def test_gradient_x_input(case):
    module, _layer, x = case
    agree(
        attribute(module, x, TARGETS, "gradient-x-input").relevance,
        InputXGradient(module).attribute(x, TARGETS),
    )


def test_grad_cam_before_interpolation(case):
    module, layer, x = case
    expected = LayerGradCam(module, module.get_submodule(layer)).attribute(x, TARGETS, relu_attributions=True)
    agree(grad_cam(passes(module, x, layer), chosen, recipe="standard")[0].detach(), expected)


def test_grad_cam_chooses_the_layer_and_interpolates(case):
    module, layer, x = case
    expected = LayerGradCam(module, module.get_submodule(layer)).attribute(x, TARGETS, relu_attributions=True)
    expected = LayerAttribution.interpolate(expected, x.shape[2:], "bilinear")
    agree(attribute(module, x, TARGETS, "grad-cam").relevance, expected)


def test_guided_backpropagation(case):
    module, layer, x = case
    found = guided_gradient(passes(module, x, layer), torch.tensor(TARGETS))
    agree(found, GuidedBackprop(module).attribute(x, TARGETS))


def test_guided_grad_cam(case):
    module, layer, x = case
    # captum's own default is the nearest cell of the map.
    expected = GuidedGradCam(module, module.get_submodule(layer)).attribute(
        x, TARGETS, interpolate_mode="bilinear"
    )
    agree(attribute(module, x, TARGETS, "guided-grad-cam").relevance, expected)


def test_smoothgrad_with_the_same_noise(case):
    module, _layer, x = case
    # captum draws in float32 whatever the images are.
    module, x = module.float(), x[:1].float()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        expected = NoiseTunnel(Saliency(module)).attribute(
            x, nt_samples=8, stdevs=0.2 * float(x.max() - x.min()), target=1, abs=False
        )
    agree(attribute(module, x, 1, "smoothgrad", samples=8, noise=0.2).relevance, expected, tolerance=1e-5)
