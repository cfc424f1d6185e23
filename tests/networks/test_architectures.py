import numpy as np
import pytest
import torch
from torch import nn

from allxai_desktop.networks.architectures import BUILDERS, CAM_LAYERS, build
from allxai_desktop.networks.card import NetworkError
from allxai_desktop.networks.mobilenet import MobileNetV1, load_folded_trunk, unfold_batch_norm


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_mobilenet_has_the_published_number_of_parameters():
    model = MobileNetV1(1000)
    assert _parameters(model) == 4_231_976
    assert _parameters(model.features) == 3_206_976


@pytest.mark.parametrize(
    ("name", "channels"), [("googlenet", 1024), ("mobilenet-v1", 1024), ("resnet18", 512)]
)
def test_the_cam_layer_gives_the_last_spatial_feature_map(name, channels):
    model = build(name, 3).eval()
    maps = []
    model.get_submodule(CAM_LAYERS[name]).register_forward_hook(lambda m, i, output: maps.append(output))
    with torch.inference_mode():
        logits = model(torch.zeros(1, 3, 64, 64))
    assert logits.shape == (1, 3)
    assert maps[0].shape == (1, channels, 2, 2)


def test_there_are_no_auxiliary_heads():
    assert not [name for name, _ in build("googlenet", 8).named_parameters() if name.startswith("aux")]


def test_every_architecture_has_a_cam_layer():
    assert set(BUILDERS) == set(CAM_LAYERS)


def test_an_unknown_architecture_is_named_with_the_known_ones():
    with pytest.raises(NetworkError, match=r"“alexnet”.*googlenet, mobilenet-v1, resnet18"):
        build("alexnet", 2)


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
    load_folded_trunk(model, arrays)
    image = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        found = model.features[0](image)
        padded = nn.functional.pad(image, (0, 1, 0, 1))
        weight, bias = torch.from_numpy(arrays["00_conv.w"]), torch.from_numpy(arrays["00_conv.b"])
        expected = nn.functional.conv2d(padded, weight, bias, stride=2).clamp(0, 6)
    torch.testing.assert_close(found, expected)


def test_putting_batch_norm_back_keeps_the_function_and_normalises():
    model = MobileNetV1(2).eval()
    load_folded_trunk(model, _folded_arrays())
    images = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        before = model(images)
    unfold_batch_norm(model, images)
    with torch.inference_mode():
        torch.testing.assert_close(model(images), before, rtol=1e-3, atol=1e-4)
        unit = model.features[0]
        raw = unit[1](unit[0](images))
    torch.testing.assert_close(unit[2].running_mean, raw.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(unit[2].running_var, raw.var((0, 2, 3), unbiased=False), rtol=1e-4, atol=1e-5)
