"""LRP-z and Deep Taylor on networks worked out by hand, and what they promise on larger ones."""

import pytest
import torch
from small_networks import Lambda, image, three_neurons, with_statistics
from torch import nn
from torch.nn import functional

from allxai_desktop.explainers import lrp
from allxai_desktop.explainers.api import attribute
from allxai_desktop.explainers.graph import UnsupportedOperation
from allxai_desktop.explainers.registry import EXPLAINERS
from allxai_desktop.networks.architectures import build


def maps(found):
    return found.relevance.flatten().tolist()


def test_lrp_z_by_hand():
    # h1 = 4 and h2 = 1 get 12 and −1; h1's terms are 1, 4 and the bias −1, h2's −1 and 2.
    found = attribute(three_neurons(), image(1, 2), 0, "lrp-z")
    assert maps(found) == pytest.approx([12 / 4 + 1, 12 - 2])
    assert found.conservation.item() == pytest.approx(14 / 11)


def test_deep_taylor_by_hand():
    # Only h1 speaks for the logit 11; its positive terms are 1 and 4.
    found = attribute(three_neurons(), image(1, 2), 0, "deep-taylor")
    assert maps(found) == pytest.approx([11 / 5, 44 / 5])
    assert found.conservation.item() == pytest.approx(1)
    assert found.undefined == [None]


def test_deep_taylor_of_a_negative_input():
    # Positive terms of h2: −1 · −1 and 1 · 2.
    assert maps(attribute(three_neurons(), image(-1, 2), 1, "deep-taylor")) == pytest.approx([1, 2])


@pytest.mark.parametrize(
    "bounds",
    [
        (torch.tensor(0.0), torch.tensor(2.0)),
        (torch.tensor([0.0]), torch.tensor([2.0])),
        (torch.zeros(1, 1, 1, 2), torch.full((1, 1, 1, 2), 2.0)),
        (0, 2),
    ],
)
def test_deep_taylor_with_bounds_by_hand(bounds):
    # h2's terms −1 and 2, less what they are at least: −1 · 2 and 1 · 0.
    found = attribute(three_neurons(), image(1, 2), 1, "deep-taylor", bounds=bounds)
    assert maps(found) == pytest.approx([1 / 3, 2 / 3])


def test_bounds_follow_the_image_through_scaling_and_padding():
    """In 0…1 the network sees 1 − 2·x; its own bounds are −1 and 1, and 0 where it is padded."""
    conv = nn.Conv2d(1, 1, 2, bias=False).double()
    scaled = Lambda(lambda self, x: self.conv(functional.pad(x * -2 + 1, (0, 1, 0, 1))).flatten(1), conv=conv)
    plain = Lambda(lambda self, x: self.conv(functional.pad(x, (0, 1, 0, 1))).flatten(1), conv=conv)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([[1.0, 2.0], [-3.0, 4.0]]))
    x = torch.tensor([[0.1, 0.2], [0.3, 0.4]]).double().view(1, 1, 2, 2)
    inside = attribute(plain, 1 - 2 * x, 0, "deep-taylor", bounds=(-1, 1)).relevance
    # The z-rule of a shift and a scale: all to the image, less what the shift took.
    seen = 1 - 2 * x
    expected = inside * (seen - 1) / seen
    torch.testing.assert_close(attribute(scaled, x, 0, "deep-taylor", bounds=(0, 1)).relevance, expected)


def test_deep_taylor_of_a_logit_that_is_not_positive_is_undefined():
    found = attribute(three_neurons(), torch.cat([image(1, 2), image(-1, 0.5)]), 0, "deep-taylor")
    assert found.undefined[0] is None
    assert "zero or less" in found.undefined[1]
    assert found.relevance[1].flatten().tolist() == [0, 0]
    assert found.conservation[1].isnan()


def test_a_batch_is_explained_as_its_images_one_by_one():
    module = with_statistics(build("resnet18", 4))
    x = torch.rand(3, 3, 32, 32, dtype=torch.float64)
    target = module(x).argmax(1)
    for name in ("lrp-z", "deep-taylor"):
        together = attribute(module, x, target, name).relevance
        alone = torch.cat([attribute(module, x[i : i + 1], target[i], name).relevance for i in range(3)])
        torch.testing.assert_close(together, alone, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", ["googlenet", "mobilenet-v1", "resnet18"])
def test_lrp_z_equals_gradient_times_input_where_activations_are_relu(name):
    torch.manual_seed(0)
    module = with_statistics(build(name, 4))
    x = torch.rand(1, 3, 64, 64, dtype=torch.float64)
    lrp = attribute(module, x, 1, "lrp-z").relevance
    product = attribute(module, x, 1, "gradient-x-input").relevance
    assert float((lrp - product).abs().max() / product.abs().max()) < 1e-12


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bounds", [None, (0, 1)])
@pytest.mark.parametrize("name", ["googlenet", "resnet18"])
def test_deep_taylor_adds_up_to_the_logit(name, bounds, dtype):
    torch.manual_seed(0)
    module = with_statistics(build(name, 4)).to(dtype)
    x = torch.rand(2, 3, 64, 64, dtype=dtype)
    found = attribute(module, x, module(x).argmax(1), "deep-taylor", bounds=bounds)
    tolerance = 1e-12 if dtype == torch.float64 else 1e-4
    torch.testing.assert_close(found.conservation, torch.ones(2, dtype=dtype), rtol=0, atol=tolerance)
    assert float(found.relevance.min()) >= 0 or name == "resnet18"


@pytest.mark.parametrize("name", ["vgg19", "resnet50"])
def test_deep_taylor_adds_up_to_the_logit_of_large_networks(name):
    torch.manual_seed(0)
    with torch.device("meta"):
        module = build(name, 16)
    module = module.to_empty(device="cpu").eval()
    with torch.no_grad():
        for tensor in module.parameters():
            tensor.uniform_(-1, 1).mul_((6 / tensor[0].numel()) ** 0.5 if tensor.ndim > 1 else 0)
        for norm in module.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.reset_parameters()
    x = torch.rand(1, 3, 64, 64)
    found = attribute(module, x, int(module(x).argmax()), "deep-taylor", bounds=(0, 1))
    assert found.conservation.item() == pytest.approx(1, abs=1e-4)


def test_a_dense_layer_in_pieces_is_the_dense_layer(monkeypatch):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    x = torch.randn(2, 1, 2, 3, dtype=torch.float64)
    target = module(x).argmax(1)
    whole = attribute(module, x, target, "deep-taylor").relevance
    monkeypatch.setattr(lrp, "_PIECE", 12)
    torch.testing.assert_close(attribute(module, x, target, "deep-taylor").relevance, whole)


def test_epsilon_plus_flat_by_hand():
    """Convolution 1 × 2 (weights 1, −1), ReLU, convolution 1 × 1 (2, bias 1), dense (1, 1; 3), three pixels."""
    module = nn.Sequential(
        nn.Conv2d(1, 1, (1, 2), bias=False), nn.ReLU(), nn.Conv2d(1, 1, 1), nn.Flatten(), nn.Linear(2, 1)
    ).double()
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([1.0, -1.0]).view(1, 1, 1, 2))
        module[2].weight.fill_(2)
        module[2].bias.fill_(1)
        module[4].weight.fill_(1)
        module[4].bias.fill_(3)
    # Sums 3 and 2, times 2 plus 1: 7 and 5; logit 15. Dense: 7 and 5 of 15; z+: 6 / 7 and 4 / 5 of them, the bias
    # keeps the rest; flat: halves of 6 and 4, the middle pixel in both.
    found = attribute(module, image(6, 3, 1), 0, "lrp-epsilon-plus-flat")
    assert maps(found) == pytest.approx([3, 5, 2], rel=1e-5)
    assert found.conservation.item() == pytest.approx(10 / 15, rel=1e-5)


def test_epsilon_plus_flat_of_one_dense_layer_is_flat():
    module = nn.Sequential(nn.Flatten(), nn.Linear(3, 1, bias=False)).double()
    with torch.no_grad():
        module[1].weight.copy_(torch.tensor([[1.0, 5.0, -2.0]]))
    # 1 + 10 − 6 = 5 for three pixels: the same for each, so there is no map.
    found = attribute(module, image(1, 2, 3), 0, "lrp-epsilon-plus-flat")
    assert maps(found) == pytest.approx([5 / 3] * 3, rel=1e-5)
    assert found.undefined[0] is not None


def test_an_addition_shares_by_the_terms():
    # 2·x and x make 3·x: the whole goes back to x; the gradient would have tripled it.
    module = Lambda(lambda self, x: (x * 2 + x).flatten(1))
    assert maps(attribute(module, image(1, 5), 1, "deep-taylor")) == pytest.approx([0, 15])
    found = attribute(module, image(1, 5), 1, "deep-taylor", preset="innvestigate")
    assert maps(found) == pytest.approx([0, 45])


def test_innvestigate_shares_the_sum_of_two_branches_only():
    # 10 and 5 of 15 go to the branches; a factor is a gradient to it: 10 · 2 + 5.
    added = Lambda(lambda self, x: (x * 2 + x).flatten(1))
    assert maps(attribute(added, image(1, 5), 1, "lrp-z")) == pytest.approx([0, 15])
    assert maps(attribute(added, image(1, 5), 1, "lrp-z", preset="innvestigate")) == pytest.approx([0, 25])
    # A difference is a gradient to it: 15 · 4 − 15 · 1 of the logit 4·5 − 5.
    taken = Lambda(lambda self, x: (x * 4 - x).flatten(1))
    assert maps(attribute(taken, image(1, 5), 1, "lrp-z", preset="innvestigate")) == pytest.approx([0, 45])


def test_a_leaky_relu_passes_relevance_unless_as_innvestigate():
    module = nn.Sequential(nn.LeakyReLU(0.5), nn.Flatten())
    assert maps(attribute(module, image(-4, 1), 0, "lrp-z")) == [-2, 0]
    assert maps(attribute(module, image(-4, 1), 0, "lrp-z", preset="innvestigate")) == [-1, 0]


def test_innvestigate_divides_by_a_little_where_terms_cancel():
    # 1 · 2 − 2 · 1 = 0, then 1 is subtracted: relevance −1 arrives at a sum of zero.
    module = Lambda(lambda self, x: self.last(x.flatten(1)) - 1, last=nn.Linear(2, 1, bias=False).double())
    with torch.no_grad():
        module.last.weight.copy_(torch.tensor([[2.0, -1.0]]))
    assert maps(attribute(module, image(1, 2), 0, "lrp-z")) == [0, 0]
    found = maps(attribute(module, image(1, 2), 0, "lrp-z", preset="innvestigate"))
    assert found == pytest.approx([-2e7, 2e7])


def test_innvestigate_bounds_the_image_itself_only():
    last = nn.Linear(2, 1, bias=False).double()
    with torch.no_grad():
        last.weight.copy_(torch.tensor([[3.0, -1.0]]))
    settings = {"preset": "innvestigate", "bounds": (1, 4)}
    # Of 3·2 − 3: (2 − 1) · 3 and (3 − 4) · −1.
    plain = Lambda(lambda self, x: self.last(x.flatten(1)), last=last)
    assert maps(attribute(plain, image(2, 3), 0, "deep-taylor", **settings)) == pytest.approx([9 / 4, 3 / 4])
    # Once doubled it has no bounds: z+ gives all of 6 to the first, whose gradient is 2.
    scaled = Lambda(lambda self, x: self.last((x * 2).flatten(1)), last=last)
    assert maps(attribute(scaled, image(2, 3), 0, "deep-taylor", **settings)) == pytest.approx([12, 0])


@pytest.mark.parametrize("form", ["modules", "functions"])
def test_innvestigate_takes_padding_on_the_far_side_as_the_convolution_s_own(form):
    def net(padding):
        pad, conv = nn.ZeroPad2d(padding), nn.Conv2d(1, 1, (1, 2), bias=False)
        with torch.no_grad():
            conv.weight.copy_(torch.tensor([3.0, -1.0]).view(1, 1, 1, 2))
        if form == "modules":
            return nn.Sequential(pad, conv, nn.Flatten()).double()
        return Lambda(
            lambda self, x: functional.conv2d(functional.pad(x, padding), self.conv.weight).flatten(1),
            conv=conv.double(),
        )

    settings = {"preset": "innvestigate", "bounds": (1, 4)}
    # Output 0 is 3·2 − 3, of which (2 − 1) · 3 and (3 − 4) · −1 as without padding.
    found = attribute(net((0, 1, 0, 0)), image(2, 3), 0, "deep-taylor", **settings)
    assert maps(found) == pytest.approx([9 / 4, 3 / 4])
    # Padded on both sides it is output 1, and a layer of its own: z+.
    found = attribute(net((1, 1, 0, 0)), image(2, 3), 1, "deep-taylor", **settings)
    assert maps(found) == pytest.approx([3, 0])


def test_average_pooling_shares_by_the_terms():
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert maps(attribute(module, image(1, 3), 0, "deep-taylor")) == pytest.approx([0.5, 1.5])
    assert maps(attribute(module, image(1, 3), 0, "deep-taylor", preset="innvestigate")) == [1, 1]


def test_maximum_pooling_goes_to_the_maximum():
    module = nn.Sequential(nn.MaxPool2d((1, 2)), nn.Flatten())
    assert maps(attribute(module, image(1, 3, 2, 0), 1, "lrp-z")) == [0, 0, 2, 0]


def test_a_flat_relu6_passes_relevance_unless_as_innvestigate():
    module = nn.Sequential(nn.ReLU6(), nn.Flatten())
    assert maps(attribute(module, image(8, 1), 0, "lrp-z")) == [6, 0]
    assert maps(attribute(module, image(8, 1), 0, "lrp-z", preset="innvestigate")) == [0, 0]


def norm_net():
    """BatchNorm alone: mean 1, variance 4, γ 3, β 5 and no ε, so y = 1.5·(x − 1) + 5."""
    module = nn.Sequential(nn.BatchNorm2d(1, eps=0), nn.Flatten()).double()
    with torch.no_grad():
        module[0].running_mean.fill_(1)
        module[0].running_var.fill_(4)
        module[0].weight.fill_(3)
        module[0].bias.fill_(5)
    return module


def test_a_norm_that_is_not_folded():
    # y = 6.5 at x = 2, of which 3 is the image's.
    assert maps(attribute(norm_net(), image(2, 0), 0, "lrp-z")) == pytest.approx([3, 0])
    assert maps(attribute(norm_net(), image(2, 0), 0, "deep-taylor")) == pytest.approx([6.5, 0])


def test_a_norm_as_innvestigate_has_it():
    # k = 3 / 4 and b = 5 − 1 / 4: 6.5 · 1.5 / (1.5 + 4.75).
    found = attribute(norm_net(), image(2, 0), 0, "lrp-z", preset="innvestigate")
    assert maps(found) == pytest.approx([6.5 * 1.5 / 6.25, 0])
    assert maps(attribute(norm_net(), image(2, 0), 0, "deep-taylor", preset="innvestigate")) == [9.75, 0]


def test_a_norm_is_folded_into_the_layer_before_it():
    """conv 2x − 3, then the norm: 1.5·(2x − 4) + 5 = 3x − 1, so Deep Taylor drops the one bias −1."""
    module = nn.Sequential(nn.Conv2d(1, 1, 1), *norm_net()).double()
    with torch.no_grad():
        module[0].weight.fill_(2)
        module[0].bias.fill_(-3)
    assert maps(attribute(module, image(2, 1), 0, "deep-taylor")) == pytest.approx([5, 0])
    assert maps(attribute(module, image(2, 1), 0, "lrp-z")) == pytest.approx([6, 0])


def test_functions_are_explained_as_modules_are():
    torch.manual_seed(0)
    conv, last = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 2)
    modules = nn.Sequential(conv, nn.ReLU(), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)

    def forward(self, x):
        y = functional.conv2d(x, self.conv.weight, bias=self.conv.bias, padding=1)
        y = functional.max_pool2d(torch.relu(y), 2)
        return functional.linear(y.mean([2, 3]), self.last.weight, self.last.bias)

    functions = Lambda(forward, conv=conv, last=last)
    x = torch.rand(1, 3, 6, 6)
    target = int(modules(x).argmax())
    for name in ("lrp-z", "deep-taylor"):
        expected = attribute(modules, x, target, name).relevance
        torch.testing.assert_close(attribute(functions, x, target, name).relevance, expected)


@pytest.mark.parametrize(
    "operation",
    [
        nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=1.5, mode="bilinear"), nn.UpsamplingNearest2d(7),
        nn.ReflectionPad2d(2), nn.ReplicationPad2d(1), nn.CircularPad2d(1), nn.ConstantPad2d(1, 0.0),
        nn.PixelUnshuffle(2), nn.Hardswish(inplace=True), nn.PReLU(), nn.RReLU(),
        lambda x: functional.interpolate(x, size=(3, 5), mode="bicubic"),
        lambda x: functional.conv_transpose2d(x, torch.ones(4, 2, 3, 3, dtype=x.dtype), stride=2, padding=1),
        lambda x: torch.stack(torch.unbind(x, 1)[1:], 1), lambda x: x.flip(3), lambda x: torch.roll(x, 1, 2),
        lambda x: x[:, :1].expand(-1, 3, -1, -1), lambda x: x.repeat(1, 1, 2, 1),
    ],
    ids=lambda operation: getattr(operation, "__name__", type(operation).__name__),
)  # fmt: skip
def test_operations_without_bias_lose_no_relevance(operation):
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
    net = Lambda(lambda self, x: self.operation(self.conv(x)).flatten(1), conv=conv)
    net.operation = operation
    net.double()
    x = torch.rand(1, 3, 6, 6, dtype=torch.float64)
    with torch.no_grad():
        target = int(net(x).argmax())
    found = attribute(net, x, target, "lrp-z")
    assert found.conservation.item() == pytest.approx(1)


def test_parts_of_a_value_go_back_to_their_places():
    def forward(self, x):
        first, second = x.chunk(2, dim=3)
        return torch.cat([second * 3, first], 3).flatten(1)

    found = attribute(Lambda(forward), image(1, 2, 3, 4), 1, "lrp-z")
    assert maps(found) == [0, 0, 0, 12]
    assert maps(attribute(Lambda(forward), image(1, 2, 3, 4), 2, "lrp-z")) == [1, 0, 0, 0]


def test_a_part_of_the_parts_goes_back_to_its_places():
    def forward(self, x):
        return torch.cat(x.chunk(4, dim=3)[1:][::2], 3).flatten(1)

    found = attribute(Lambda(forward), image(1, 2, 3, 4), 1, "lrp-z")
    assert maps(found) == [0, 0, 0, 4]


def test_what_is_joined_to_positive_values_may_be_negative():
    last = nn.Linear(2, 1, bias=False).double()
    with torch.no_grad():
        last.weight.copy_(torch.tensor([[3.0, -2.0]]))
    joined = Lambda(lambda self, x: self.last(torch.cat([x.relu().flatten(1), self.constant], 1)), last=last)
    joined.constant = torch.tensor([[-1.0]], dtype=torch.float64)
    # 3·1 and −2·−1: both are positive terms, and the image's part is three fifths of 5.
    assert maps(attribute(joined, image(1), 0, "deep-taylor")) == pytest.approx([3])


@pytest.mark.parametrize(
    ("forward", "named"),
    [
        (lambda self, x: torch.sigmoid(x).flatten(1), "sigmoid"),
        (lambda self, x: (x * x.relu()).flatten(1), "mul"),
        (lambda self, x: (1 / x).flatten(1), "truediv"),
        (lambda self, x: x.softmax(3).flatten(1), "softmax"),
        (lambda self, x: functional.max_pool2d(x, 1, return_indices=True)[0].flatten(1), "max_pool2d"),
    ],
)
def test_the_first_operation_without_a_rule_is_named(forward, named):
    for name in ("lrp-z", "deep-taylor"):
        with pytest.raises(UnsupportedOperation, match=f"no rule for the operation .*{named}"):
            attribute(Lambda(forward), image(1, 2), 0, name)


def test_a_sum_of_zero_gives_no_map_of_nan():
    module = Lambda(lambda self, x: (x - x + 1).flatten(1))
    for name in ("lrp-z", "deep-taylor"):
        found = attribute(module, image(1, 2), 0, name)
        assert maps(found) == [0, 0]
        assert found.undefined[0] is not None


def test_they_are_listed_with_what_they_promise():
    assert EXPLAINERS["lrp-z"].signed
    assert not EXPLAINERS["deep-taylor"].signed
    assert EXPLAINERS["deep-taylor"].promises_conservation
