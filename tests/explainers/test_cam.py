"""Grad-CAM by both recipes, by hand."""

import pytest
import torch
from torch import nn

from allxai_desktop.explainers.api import attribute
from allxai_desktop.explainers.cam import bicubic_matrix
from allxai_desktop.explainers.registry import ExplainerError


def net():
    """Feature maps x and −2x of the image, averaged; logits a − b and b for their means a and b."""
    module = nn.Sequential(
        nn.Conv2d(1, 2, 1, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2, bias=False)
    )
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([1.0, -2.0]).view(2, 1, 1, 1))
        module[3].weight.copy_(torch.tensor([[1.0, -1.0], [0.0, 1.0]]))
    return module


IMAGE = torch.tensor([[1.0, 2.0], [-3.0, 4.0]]).view(1, 1, 2, 2)


def test_standard_by_hand():
    # Gradients of the logit are 1/4 and −1/4: x/4 + 2x/4 = 3x/4, then ReLU.
    found = attribute(net(), IMAGE, 0, "grad-cam").relevance
    assert found.flatten().tolist() == [0.75, 1.5, 0, 3]


def test_standard_for_the_other_class():
    # Gradient 0 and 1/4: −2x/4.
    assert attribute(net(), IMAGE, 1, "grad-cam").relevance.flatten().tolist() == [0, 0, 1.5, 0]


def test_matlab_by_hand():
    # d p0 = p0·p1·(d logit0 − d logit1): weights ∝ 1 and −2, so the map ∝ x + 4x; −3…4 goes to 0…1, no ReLU.
    for settings in ({"recipe": "matlab"}, {"preset": "matlab"}):
        found = attribute(net(), IMAGE, 0, "grad-cam", **settings).relevance
        torch.testing.assert_close(found.flatten(), torch.tensor([4, 5, 0, 7]) / 7)


def test_matlab_when_the_network_is_sure():
    """The softmax score moves by less than float32 can tell; the map is the same."""
    sure = net()
    with torch.no_grad():
        sure[3].weight *= 1e4
    found = attribute(sure, IMAGE, 0, "grad-cam", recipe="matlab")
    assert found.undefined == [None]
    torch.testing.assert_close(found.relevance.flatten(), torch.tensor([4, 5, 0, 7]) / 7)


def test_matlab_is_the_gradient_of_the_softmax_score():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 5)).double()
    x = torch.randn(1, 3, 8, 8, dtype=torch.float64)
    features = module[1](module[0](x)).detach().requires_grad_()
    (slope,) = torch.autograd.grad(module[3](features.flatten(1)).softmax(1)[0, 3], features)
    cam = (slope.mean((2, 3), keepdim=True) * features).sum(1)[0].detach()
    cam = (cam - cam.min()) / (cam.max() - cam.min())
    matrix = bicubic_matrix(6, 8)
    found = attribute(module, x, 3, "grad-cam", recipe="matlab").relevance[0, 0]
    torch.testing.assert_close(found, matrix @ cam @ matrix.T)


def test_one_logit_alone_has_no_softmax_score_to_explain():
    module = nn.Sequential(nn.Conv2d(1, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 1))
    assert attribute(module, IMAGE, 0, "grad-cam", recipe="matlab").undefined[0] is not None


def test_the_map_comes_at_the_size_of_the_image():
    module = nn.Sequential(nn.AvgPool2d(2), *net())
    x = IMAGE.repeat_interleave(2, 2).repeat_interleave(2, 3)
    found = attribute(module, x, 0, "grad-cam", layer="1").relevance
    assert found.shape == (1, 1, 4, 4)
    # Bilinear between the centres of the cells 0.75 and 1.5 of the first row.
    torch.testing.assert_close(found[0, 0, 0], torch.tensor([0.75, 0.9375, 1.3125, 1.5]))


def test_the_layer_is_named_by_module_or_node():
    module = nn.Sequential(nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU()), *net()[1:])
    by_module = attribute(module, IMAGE, 0, "grad-cam", layer="0")
    by_node = attribute(module, IMAGE, 0, "grad-cam", layer="_0_1")
    assert torch.equal(by_module.relevance, by_node.relevance)


def test_channels_that_are_moved_last_are_no_feature_map():
    class ChannelsLast(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.last = nn.Conv2d(1, 2, 1, bias=False), nn.Linear(8, 2, bias=False)

        def forward(self, x):
            return self.last(self.conv(x).permute(0, 2, 3, 1).flatten(1))

    torch.manual_seed(0)
    module = ChannelsLast()
    by_name = attribute(module, IMAGE, 0, "layer-cam", layer="conv")
    assert torch.equal(attribute(module, IMAGE, 0, "layer-cam").relevance, by_name.relevance)


def test_a_layer_without_a_feature_map_is_refused():
    with pytest.raises(ExplainerError, match="has no feature map"):
        attribute(net(), IMAGE, 0, "grad-cam", layer="2")


def test_a_pixel_explainer_takes_no_layer():
    with pytest.raises(ExplainerError, match="no setting “layer”"):
        attribute(net(), IMAGE, 0, "gradient", layer="0")


def test_the_backward_pass_ends_at_the_layer():
    passed = []

    class Watched(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, slope):
            passed.append(slope)
            return slope

    class Watch(nn.Module):
        def forward(self, x):
            return Watched.apply(x)

    Watch.__module__ = "torch.nn.watch"  # not traced into
    attribute(nn.Sequential(Watch(), *net()), IMAGE, 0, "grad-cam", layer="1")
    assert passed == []
    attribute(nn.Sequential(Watch(), *net()), IMAGE, 0, "gradient-x-input")
    assert len(passed) == 1


def test_matlab_does_not_blow_up_rounding():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 16, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3))
    found = attribute(module, torch.full((1, 3, 7, 9), 0.1), 0, "grad-cam", recipe="matlab")
    assert found.undefined[0] is not None


def test_negative_everywhere_is_undefined_under_the_standard_recipe():
    assert attribute(net(), -IMAGE.abs(), 0, "grad-cam").undefined[0] is not None


def positions_net(rectifier):
    """Feature maps x and −2x; the logit weighs each cell of each map on its own."""
    module = nn.Sequential(
        nn.Conv2d(1, 2, 1, bias=False), rectifier, nn.Flatten(), nn.Linear(8, 1, bias=False)
    )
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([1.0, -2.0]).view(2, 1, 1, 1))
        module[3].weight.copy_(torch.tensor([[1.0, -1, 0, 2, -1, 1, 1, 3]]))
    return module


def test_layer_cam_by_hand():
    # Positive weights 1, 0, 0, 2 times x and 0, 1, 1, 3 times −2x: 1, −4, 6, 8 − 24.
    found = attribute(positions_net(nn.Identity()), IMAGE, 0, "layer-cam", layer="0").relevance
    assert found.flatten().tolist() == [1, 0, 6, 0]


class Functional(nn.Module):
    """relu(x) − relu6(5·x) / 5 + relu6(4·relu(x)), summed with weights 2, −1, 1 and 1, all functional."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(4, 1, bias=False)
        with torch.no_grad():
            self.last.weight.copy_(torch.tensor([[2.0, -1, 1, 1]]))

    def forward(self, x):
        first = nn.functional.relu(x)
        return self.last((first - nn.functional.relu6(5 * x) / 5 + nn.functional.relu6(4 * first)).flatten(1))


def test_guided_grad_cam_of_functional_relu_and_relu6_by_hand():
    x = torch.tensor([[1.0, 1.0], [-1.0, 2.0]]).view(1, 1, 2, 2)
    # From above come 2, −1, 1 and 1. `relu` gets them, and where they are positive and 4·first is below 6 four times
    # them again: 10, then −1 that its own rule stops. relu6(5·x) / 5 gets their negatives, of which only 1 is positive.
    guided = torch.tensor([10.0, 1, 0, 1]).view(1, 1, 2, 2)
    # Plain gradients at `relu`: 2 + 8, −1 − 4, 1, 1; it is 1, 1, 0, 2.
    cam = 7 / 4 * torch.tensor([1.0, 1, 0, 2]).view(1, 1, 2, 2)
    found = attribute(Functional(), x, 0, "guided-grad-cam", layer="relu").relevance
    torch.testing.assert_close(found, guided * cam)


def test_bicubic_by_hand():
    # imresize([0 1], [1 4], 'bicubic'): Keys's weights at 1/4 and 3/4 with the ends mirrored.
    expected = [-0.0234375 - 0.0703125, 0.2265625 - 0.0234375]
    weights = bicubic_matrix(2, 4)[:, 1]
    # Output 1 lies at −1/4: taps −2, −1, 0, 1 at 7/4, 3/4, 1/4, 5/4; mirrored they are 1, 0, 0, 1.
    assert weights[0].item() == pytest.approx(expected[0])
    # Output 2 lies at 1/4: taps −1, 0, 1, 2 at 5/4, 1/4, 3/4, 7/4; mirrored they are 0, 0, 1, 1.
    assert weights[1].item() == pytest.approx(expected[1])
    assert weights[2].item() == pytest.approx(1 - expected[1])
    assert weights[3].item() == pytest.approx(1 - expected[0])


def test_bicubic_of_the_same_size_is_the_identity():
    torch.testing.assert_close(bicubic_matrix(5, 5), torch.eye(5, dtype=torch.float64))


@pytest.mark.parametrize(("old", "new"), [(7, 224), (7, 1), (1, 5), (12, 5)])
def test_bicubic_keeps_a_constant(old, new):
    torch.testing.assert_close(bicubic_matrix(old, new).sum(1), torch.ones(new, dtype=torch.float64))


def test_bicubic_shrinks_with_a_wider_kernel():
    """4 → 2: output 1 lies at 1/2, its taps at ±1/4, ±3/4, ±5/4, ±7/4 of the kernel, ends mirrored."""
    near, second, third, far = 0.8671875, 0.2265625, -0.0703125, -0.0234375
    expected = torch.tensor([near + second, near + third, second + far, third + far]).double() / 2
    torch.testing.assert_close(bicubic_matrix(4, 2)[0], expected)
