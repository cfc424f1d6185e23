"""MobileNet V1 (Howard et al. 2017, table 1), width 1.0, as TensorFlow builds it."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from allxai_desktop.networks.small import with_head

# Output channels and stride of the thirteen depthwise separable blocks.
BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1),
    (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
EPSILON = 1e-3


def _unit(inputs: int, outputs: int, kernel: int, stride: int, groups: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    padding = kernel // 2
    if stride == 2:
        # TensorFlow's 'SAME' on an even side pads after the last row and column only.
        layers.append(nn.ZeroPad2d((0, 1, 0, 1)))
        padding = 0
    layers += [
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=EPSILON),
        nn.ReLU6(),
    ]
    return nn.Sequential(*layers)


class MobileNetV1(nn.Module):
    """Input (N, 3, H, W) with H and W multiples of 32, values −1…1; output logits (N, classes)."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        units = [_unit(3, 32, kernel=3, stride=2, groups=1)]
        channels = 32
        for outputs, stride in BLOCKS:
            units.append(_unit(channels, channels, kernel=3, stride=stride, groups=channels))
            units.append(_unit(channels, outputs, kernel=1, stride=1, groups=1))
            channels = outputs
        self.features = nn.Sequential(*units)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.classifier = nn.Linear(channels, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.classifier(self.flatten(self.pool(self.features(x))))
        return logits


def mobilenet_v1(n_classes: int, size: tuple[int, int]) -> nn.Module:
    """MobileNet V1, whose parameters do not depend on the size of the input."""
    return MobileNetV1(n_classes)


def mobilenet_v1_thesis(n_classes: int, size: tuple[int, int]) -> nn.Module:
    """MobileNet V1 without top, dense 128 four times (Velázquez 2024, phase 1)."""
    return with_head(MobileNetV1(n_classes).features, 1024, size, (128,) * 4, n_classes)


def _conv_and_norm(unit: nn.Module) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    conv, norm = list(unit.children())[-3:-1]
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    return conv, norm


@torch.no_grad()
def load_folded_trunk(features: nn.Sequential, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Load trunk weights whose BatchNorm was folded in: `NN_conv.w`/`.b` and `NN_dw.w`/`.b` in layer order.

    BatchNorm is left as the identity plus the bias, so the function is that of the file.
    """
    for number, unit in enumerate(features):
        conv, norm = _conv_and_norm(unit)
        key = f"{number:02d}_{'dw' if conv.groups > 1 else 'conv'}"
        conv.weight.copy_(torch.from_numpy(arrays[f"{key}.w"]))
        norm.running_mean.zero_()  # type: ignore[union-attr]
        norm.running_var.fill_(1.0)  # type: ignore[union-attr]
        norm.weight.fill_((1 + EPSILON) ** 0.5)
        norm.bias.copy_(torch.from_numpy(arrays[f"{key}.b"]))


@torch.no_grad()
def unfold_batch_norm(features: nn.Sequential, images: Tensor) -> None:
    """Give BatchNorm the statistics of `images` (N, 3, H, W) without changing the function.

    A trunk with folded BatchNorm trains badly: its scales are nowhere normalised. Mean and variance
    become those measured, and scale and shift undo them exactly.
    """
    features.eval()
    measured: list[tuple[Tensor, Tensor]] = []
    hooks = [
        _conv_and_norm(unit)[0].register_forward_hook(
            lambda module, inputs, output: measured.append(
                (output.mean((0, 2, 3)), output.var((0, 2, 3), unbiased=False))
            )
        )
        for unit in features
    ]
    features(images)
    for hook in hooks:
        hook.remove()
    for unit, (mean, variance) in zip(features, measured, strict=True):
        _, norm = _conv_and_norm(unit)
        scale = norm.weight / (norm.running_var + EPSILON).sqrt()  # type: ignore[operator, union-attr]
        shift = norm.bias - norm.running_mean * scale  # type: ignore[operator]
        norm.running_mean.copy_(mean)  # type: ignore[union-attr]
        norm.running_var.copy_(variance)  # type: ignore[union-attr]
        norm.weight.copy_(scale * (variance + EPSILON).sqrt())
        norm.bias.copy_(shift + mean * scale)
