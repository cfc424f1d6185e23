"""The explainers on demand against numbers worked out by hand, and what they must not disturb."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from captum.attr import ShapleyValues
from torch import nn

from allxai_desktop.explainers.api import attribute
from allxai_desktop.explainers.on_demand import BATCH_PIXELS, occlusion
from allxai_desktop.explainers.registry import EXPLAINERS, ExplainerError
from allxai_desktop.tasks import Cancelled

ON_DEMAND = [name for name, info in EXPLAINERS.items() if info.on_demand]
WITH_BASELINE = [name for name in ON_DEMAND if "baseline" in EXPLAINERS[name].settings]


def linear(weight):
    """The logit Σ weight · x, of one class, for images of the shape of `weight`."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(weight.numel(), 1, dtype=weight.dtype))
    with torch.no_grad():
        module[1].weight.copy_(weight.reshape(1, -1))
        module[1].bias.fill_(0.5)
    return module


def both():
    """The logit relu(x1 + x2 − 1): at (1, 1) it takes both."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(2, 1), nn.ReLU())
    with torch.no_grad():
        module[1].weight.fill_(1)
        module[1].bias.fill_(-1)
    return module.double()


def conv_net(pixels=9):
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(6 * pixels, 2)
    ).double()


def random(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_integrated_gradients_of_a_linear_network_are_weight_times_input(dtype):
    weight, x = random(2, 3, 4).to(dtype), random(2, 2, 3, 4).to(dtype)
    found = attribute(linear(weight), x, 0, "integrated-gradients")
    assert found.relevance.dtype == dtype
    torch.testing.assert_close(found.relevance, weight * x, rtol=1e-5, atol=1e-6)


def test_integrated_gradients_by_hand_and_complete():
    # On the way a·(1, 1) the neuron fires from a = 1/2 on, so each pixel gets half of its slope; Σ = logit − 0.
    found = attribute(both(), torch.ones(1, 1, 1, 2).double(), 0, "integrated-gradients", steps=100)
    assert found.relevance.flatten().tolist() == pytest.approx([0.5, 0.5], abs=0.005)


def test_integrated_gradients_sum_to_what_separates_the_image_from_the_baseline():
    module, x = conv_net(), random(1, 2, 3, 3)
    found = attribute(module, x, 1, "integrated-gradients", steps=100)
    with torch.no_grad():
        gain = module(x)[0, 1] - module(torch.zeros_like(x))[0, 1]
    assert found.relevance.sum().item() == pytest.approx(gain.item(), rel=5e-3)


def test_smoothgrad_without_noise_is_the_gradient():
    module, x = conv_net(), random(2, 2, 3, 3)
    plain = attribute(module, x, [0, 1], "gradient").relevance
    torch.testing.assert_close(attribute(module, x, [0, 1], "smoothgrad", noise=0).relevance, plain)
    assert not torch.allclose(attribute(module, x, [0, 1], "smoothgrad", noise=0.5).relevance, plain)


def test_smoothgrad_takes_its_noise_from_the_range_of_the_image():
    # relu(x) at 0, with noise of either sign: the mean slope is the share of the draws above 0, whatever the range.
    module = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(3, 1, bias=False)).double()
    nn.init.ones_(module[2].weight)
    x = torch.tensor([-4.0, 0.0, 4.0], dtype=torch.float64).view(1, 1, 1, 3)
    slope = attribute(module, x, 0, "smoothgrad", samples=1000, noise=0.1).relevance.flatten().tolist()
    # ±4 are 5 standard deviations of 0.1 · 8 away from 0.
    assert slope == pytest.approx([0, 0.5, 1], abs=0.05)


def test_occlusion_of_a_linear_network_by_hand():
    # Windows of two pixels, one apart, take away 1 + 2, 2 + 3 and 3 + 4; each pixel has the mean of those over it.
    weight = torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 1, 4)
    found = attribute(linear(weight), torch.ones(1, 1, 1, 4), 0, "occlusion", window=0.5)
    assert found.relevance.flatten().tolist() == pytest.approx([3, 4, 6, 7])


def test_occlusion_gives_each_channel_its_share():
    weight = torch.tensor([[1.0, 2.0], [10.0, -20.0]]).view(2, 1, 2)
    found = attribute(linear(weight), torch.ones(1, 2, 1, 2), 0, "occlusion", window=0.5)
    assert found.relevance.flatten().tolist() == pytest.approx([5.5, -9, 5.5, -9])


def test_kernel_shap_of_a_linear_network_is_weight_times_input():
    weight, x = random(2, 8, 8), random(1, 2, 8, 8)
    found = attribute(linear(weight), x, 0, "kernel-shap", segments=64).relevance
    each = (weight * x).sum(1, keepdim=True)
    torch.testing.assert_close(found, (each / 2).expand_as(x), rtol=0, atol=1e-9)


def test_kernel_shap_shares_what_takes_both_equally():
    found = attribute(both(), torch.ones(1, 1, 1, 2).double(), 0, "kernel-shap")
    assert found.relevance.flatten().tolist() == pytest.approx([0.5, 0.5])


def test_kernel_shap_of_few_superpixels_is_captum_s_exact_shapley_values():
    module, x = conv_net(5), random(1, 2, 1, 5)
    places = torch.arange(5).view(1, 1, 1, 5).repeat(1, 2, 1, 1)
    exact = ShapleyValues(module).attribute(x, target=1, feature_mask=places)
    found = attribute(module, x, 1, "kernel-shap").relevance
    torch.testing.assert_close(found, exact.double() / 2, rtol=1e-6, atol=1e-6)


def test_a_superpixel_s_pixels_share_its_value_and_sum_to_the_gain():
    weight, x = random(1, 20, 20), torch.ones(1, 1, 20, 20).double()
    x[..., 10:] = 3
    found = attribute(linear(weight), x, 0, "kernel-shap", segments=4).relevance
    assert found.sum().item() == pytest.approx((weight * x).sum().item())
    assert len(found.unique()) <= 8


def test_lime_tells_what_speaks_for_the_class_from_what_speaks_against():
    weight = torch.tensor([2.0, 1.0, 0.0, -1.0]).view(1, 1, 4)
    found = attribute(linear(weight), torch.ones(1, 1, 1, 4), 0, "lime").relevance.flatten()
    assert found.tolist() == pytest.approx([2, 1, 0, -1], abs=0.1)


@pytest.mark.parametrize("name", WITH_BASELINE)
def test_what_is_blurred_instead_of_taken_away_leaves_a_colour_in_place(name):
    # The mean of a smooth network stays where it is when an image of one colour is blurred.
    weight = torch.ones(1, 8, 8)
    found = attribute(linear(weight), torch.full((1, 1, 8, 8), 0.3), 0, name, baseline="blurred")
    assert "same value everywhere" in found.undefined[0]
    assert not found.relevance.any()


@pytest.mark.parametrize("name", ON_DEMAND)
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 5, 2, 1), (1, 1, 1, 90)])
def test_images_of_few_pixels_have_a_map_or_a_reason(name, shape):
    found = attribute(linear(random(*shape[1:])), random(*shape), 0, name)
    assert found.relevance.shape == shape
    assert torch.isfinite(found.relevance).all()
    assert all((shape[1:] == (1, 1, 1)) == (reason is not None) for reason in found.undefined)


@pytest.mark.parametrize("name", ON_DEMAND)
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_images_that_are_no_numbers_are_undefined(name, bad):
    x = random(1, 2, 3, 3)
    x[0, 0, 1, 1] = bad
    found = attribute(conv_net(), x, 0, name)
    assert "not finite" in found.undefined[0]
    assert torch.isfinite(found.relevance).all()


@pytest.mark.parametrize("name", ON_DEMAND)
def test_a_logit_that_no_pixel_moves_is_undefined(name):
    module = linear(torch.zeros(1, 4, 4))
    assert "same value everywhere" in attribute(module, torch.rand(1, 1, 4, 4), 0, name).undefined[0]


@pytest.mark.parametrize("name", ON_DEMAND)
def test_the_image_s_neighbours_in_the_batch_do_not_matter(name):
    module, x = conv_net(), random(2, 2, 3, 3)
    together = attribute(module, x, [0, 1], name).relevance
    assert torch.equal(together[1:], attribute(module, x[1:], 1, name).relevance)


@pytest.mark.parametrize("name", ON_DEMAND)
def test_the_random_numbers_of_others_are_left_alone(name):
    torch.manual_seed(5)
    np.random.seed(5)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    attribute(conv_net(), random(1, 2, 3, 3), 0, name)
    conv_net_state = torch.get_rng_state()
    torch.set_rng_state(torch_state)
    conv_net()
    assert torch.equal(torch.get_rng_state(), conv_net_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)


@pytest.mark.parametrize("name", ON_DEMAND)
def test_progress_goes_from_nothing_to_all(name):
    told = []
    attribute(conv_net(), random(2, 2, 3, 3), 0, name, progress=told.append)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)
    assert len(told) >= 3


@pytest.mark.parametrize("name", ON_DEMAND)
def test_what_progress_raises_ends_the_work(name):
    told = []

    def progress(share):
        told.append(share)
        if len(told) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        attribute(conv_net(), random(2, 2, 3, 3), 0, name, progress=progress)
    assert len(told) == 2


@pytest.mark.parametrize(("side", "largest"), [(300, 1), (112, 4)])
def test_the_larger_the_image_the_smaller_the_batches(side, largest):
    sizes = []

    def run(images):
        sizes.append(len(images))
        return images.flatten(1).sum(1, keepdim=True), {}

    occlusion(
        SimpleNamespace(run=run),
        torch.rand(1, 1, side, side),
        lambda logits: torch.tensor([0]),
        progress=lambda share: None,
        window=0.5,
        baseline="zero",
    )
    assert max(sizes) == largest == max(1, BATCH_PIXELS // side**2)


@pytest.mark.parametrize(
    ("name", "settings", "problem"),
    [
        ("lime", {"samples": 5}, "“samples” of LIME cannot be “5”: choose a whole number from 10 to 100000"),
        ("lime", {"samples": 50.5}, "choose a whole number"),
        ("lime", {"samples": True}, "choose a whole number"),
        ("smoothgrad", {"noise": "much"}, "cannot be “much”: choose a number from 0 to 1"),
        ("smoothgrad", {"noise": float("nan")}, "choose a number from 0 to 1"),
        ("occlusion", {"window": 0}, "choose a number from 0.01 to 1"),
        ("occlusion", {"baseline": "black"}, "choose one of zero, blurred"),
        ("occlusion", {"preset": "matlab"}, "has no setting “preset”"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_what_can(name, settings, problem):
    with pytest.raises(ExplainerError, match=problem):
        attribute(conv_net(), random(1, 2, 3, 3), 0, name, **settings)
