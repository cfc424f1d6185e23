import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from allxai_desktop.explainers import attribute
from allxai_desktop.explainers.graph import trace
from allxai_desktop.explainers.registry import ExplainerError
from allxai_desktop.networks.architectures import ARCHITECTURES, build
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.mobilenet import MobileNetV1, load_folded_trunk, unfold_batch_norm

pytestmark = pytest.mark.slow


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_mobilenets_trunk_has_the_published_number_of_parameters():
    model = MobileNetV1(1000)
    assert _parameters(model.features) == 3_206_976


@pytest.mark.parametrize(
    ("name", "classes", "count"),
    [
        ("vgg16", 1000, 138_357_544),
        ("vgg19", 1000, 143_667_240),
        ("resnet18", 1000, 11_689_512),
        ("resnet34", 1000, 21_797_672),
        ("resnet50", 1000, 25_557_032),
        ("googlenet", 1000, 6_624_904),
        ("mobilenet-v1", 1000, 4_231_976),
        ("two-conv", 2, 61_326),
        # The trunk's own and 512·100 + 100 + 100·2 + 2.
        ("resnet18-transfer", 2, 11_176_512 + 51_502),
        ("resnet34-transfer", 2, 21_284_672 + 51_502),
        ("five-conv-grey", 4, 687_428),
        ("unet", 1, 1_941_105),
        ("unet-standardised", 1, 1_941_105),
    ],
)
def test_the_number_of_parameters_is_the_published_one(name, classes, count):
    with torch.device("meta"):
        assert _parameters(build(name, classes)) == count


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("vgg16-thesis", 18_942_531),
        ("vgg19-thesis", 24_268_739),
        ("mobilenet-v1-thesis", 11_667_523),
        ("resnet50-thesis", 40_414_979),
    ],
)
def test_the_thesis_counts_running_statistics_too(name, count):
    with torch.device("meta"):
        model = build(name, 3)
    running = [buffer for key, buffer in model.named_buffers() if "running" in key]
    assert _parameters(model) + sum(map(torch.numel, running)) == count


def test_the_two_convolutions_grow_with_their_input():
    with torch.device("meta"):
        assert _parameters(build("two-conv", 2, (400, 400))) == 18_078_606


def _small_size(info):
    """The smallest input with a feature map of more than one cell."""
    side = max(info.smallest, 64)
    return side, side


CLASSIFIERS = [name for name, info in ARCHITECTURES.items() if info.task == "classification"]


@pytest.fixture(scope="module", params=CLASSIFIERS)
def small(request):
    """An architecture's name, a network of it, and an input."""
    info = ARCHITECTURES[request.param]
    size = _small_size(info)
    with torch.device("meta"):
        model = build(request.param, 3, size)
        if request.param in {"vgg16", "vgg19"}:
            # Their 120 million dense weights take seconds to fill.
            for place, (inputs, outputs) in {0: (512 * 49, 8), 3: (8, 8), 6: (8, 3)}.items():
                model.classifier[place] = nn.Linear(inputs, outputs)
    model = model.to_empty(device="cpu").eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, (2 / parameter[0].numel()) ** 0.5, generator=generator)
            else:
                parameter.fill_(0.1)
            if parameter.ndim == 2:
                # Every logit is then positive and every feature speaks for it, so no map is undefined.
                parameter.abs_()
        for key, buffer in model.named_buffers():
            buffer.fill_("var" in key)
    return request.param, model, torch.rand(1, info.channels, *size, generator=generator)


def test_the_cam_layer_gives_the_last_spatial_feature_map(small):
    name, model, image = small
    graph = trace(model)
    with torch.inference_mode():
        logits, _values = graph.run(image)
    assert logits.shape == (1, 3)
    assert graph.layer(ARCHITECTURES[name].cam_layer) is graph.last_spatial(image)


def test_every_architecture_is_explained(small):
    _name, model, image = small
    for method in ("grad-cam", "lrp-z", "deep-taylor"):
        found = attribute(model, image, 1, method)
        assert torch.isfinite(found.relevance).all()
        assert found.relevance.shape[2:] == image.shape[2:]
        assert found.undefined == [None]


def test_the_unet_scores_every_pixel_and_is_not_explained():
    torch.manual_seed(0)
    model, image = build("unet", 2).eval(), torch.zeros(1, 3, 32, 48)
    with torch.inference_mode():
        assert model(image).shape == (1, 2, 32, 48)
    with pytest.raises(ExplainerError, match="does not return logits"):
        attribute(model, image, 0, "gradient")


def test_the_unets_convolutions_begin_at_the_scale_that_relu_keeps():
    torch.manual_seed(0)
    first = build("unet", 2).down[4][3]
    assert float(first.weight.detach().std()) == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.01)
    assert not first.bias.any()


def test_the_standardised_unet_draws_the_same_whatever_brightness_and_contrast():
    torch.manual_seed(0)
    model, image = build("unet-standardised", 2).eval(), torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(model(8 * image - 3), model(16 * image), rtol=0.02, atol=0.02)
        assert torch.isfinite(model(torch.full_like(image, 0.5))).all()


def test_the_u_net_on_mobilenet_draws_the_same_in_any_lamp_s_light():
    torch.manual_seed(0)
    model, image = build("mobilenet-v1-unet", 5).eval(), torch.rand(1, 3, 32, 48)
    lamp = torch.tensor([1.0, 0.8, 0.4]).view(1, 3, 1, 1)
    with torch.inference_mode():
        white, yellow = model(2 * image - 1), model(2 * lamp * image - 1)
    assert white.shape == (1, 5, 32, 48)
    torch.testing.assert_close(yellow, white, rtol=1e-4, atol=1e-4)


def test_there_are_no_auxiliary_heads():
    assert not [name for name, _ in build("googlenet", 8).named_parameters() if name.startswith("aux")]


def test_kerass_resnet50_strides_in_its_first_convolutions():
    with torch.device("meta"):
        trunk = build("resnet50-thesis", 3).features
    first = trunk.layer3[0]
    assert (first.conv1.stride, first.conv2.stride) == ((2, 2), (1, 1))
    assert first.bn1.eps == 1.001e-5


def test_an_unknown_architecture_is_named_with_the_known_ones():
    with pytest.raises(NetworkError, match=r"“alexnet”.*vgg16, .*unet"):
        build("alexnet", 2)


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("mobilenet-v1", (64, 65), "multiples of 32"),
        ("resnet18", (16, 64), "at least 32"),
        ("five-conv-grey", (93, 94), "at least 94"),
        ("unet", (40, 32), "multiples of 16"),
    ],
)
def test_an_input_that_does_not_fit_is_refused(name, size, reason):
    with pytest.raises(NetworkError, match=reason):
        build(name, 2, size)


def test_naming_architectures_does_not_import_torch():
    code = "import sys; from allxai_desktop.networks import architectures; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert found.stdout.strip() == "False", found.stderr


def test_stride_two_pads_after_the_last_row_and_column_only():
    unit = MobileNetV1(2).features[0].eval()
    conv, norm = unit[1], unit[2]
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[0, 0, 0, 0] = 1.0
        norm.running_var.fill_(1 - norm.eps)
        image = torch.arange(16.0).view(1, 1, 4, 4).repeat(1, 3, 1, 1) / 4
        found = unit(image)[0, 0]
    # Each output is the top left of its window, so windows begin at rows and columns 0 and 2.
    assert found.tolist() == [[0.0, 0.5], [2.0, 2.5]]


def _folded_arrays() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    arrays = {}
    for number, unit in enumerate(MobileNetV1(2).features):
        conv = unit[-3]
        key = f"{number:02d}_{'dw' if conv.groups > 1 else 'conv'}"
        fan_in = conv.weight[0].numel()
        arrays[f"{key}.w"] = random.normal(0, (2 / fan_in) ** 0.5, tuple(conv.weight.shape)).astype(
            np.float32
        )
        arrays[f"{key}.b"] = random.normal(0.2, 0.1, len(conv.weight)).astype(np.float32)
    return arrays


def test_a_folded_trunk_computes_convolution_plus_bias():
    model = MobileNetV1(2).eval()
    arrays = _folded_arrays()
    load_folded_trunk(model.features, arrays)
    image = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        found = model.features[0](image)
        padded = nn.functional.pad(image, (0, 1, 0, 1))
        weight, bias = torch.from_numpy(arrays["00_conv.w"]), torch.from_numpy(arrays["00_conv.b"])
        expected = nn.functional.conv2d(padded, weight, bias, stride=2).clamp(0, 6)
    torch.testing.assert_close(found, expected)


def test_putting_batch_norm_back_keeps_the_function_and_normalises():
    model = MobileNetV1(2).eval()
    load_folded_trunk(model.features, _folded_arrays())
    images = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        before = model(images)
    unfold_batch_norm(model.features, images)
    with torch.inference_mode():
        torch.testing.assert_close(model(images), before, rtol=1e-3, atol=1e-4)
        unit = model.features[0]
        raw = unit[1](unit[0](images))
    torch.testing.assert_close(unit[2].running_mean, raw.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(unit[2].running_var, raw.var((0, 2, 3), unbiased=False), rtol=1e-4, atol=1e-5)
