"""A U-Net whose way down is the trunk of MobileNet V1, and which sees each image in white light."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from allxai_desktop.networks.mobilenet import MobileNetV1

# The units of the trunk that are kept: to stride 16. Those after which a map is passed across, with its channels.
_KEPT = 23
_PASSED = {2: 64, 6: 128, 10: 256}
# Channels that are passed across and that each step up has, from stride 8 to 2, and those at full size.
_ACROSS, _UP, _FULL = (64, 48, 24), (96, 64, 32), 16
# Share of the pixels that are darker than the light that passes where nothing lies.
_LIT = 0.95


def mobilenet_unet(n_classes: int, size: tuple[int, int]) -> nn.Module:
    """U-Net on MobileNet V1; its size does not depend on that of the input."""
    return MobileUNet(n_classes)


class MobileUNet(nn.Module):
    """Input (N, 3, H, W), values −1…1, H and W multiples of 32; output logits (N, classes, H, W)."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(*list(MobileNetV1(1).features)[:_KEPT])
        channels = list(_PASSED.values())[::-1]
        self.narrow = nn.Conv2d(512, 2 * _ACROSS[0], 1)
        self.across = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(channels, _ACROSS, strict=True))
        below = (2 * _ACROSS[0], *_UP[:-1])
        self.up = nn.ModuleList(_step(a + b, c) for a, b, c in zip(below, _ACROSS, _UP, strict=True))
        self.fine = _step(3, _FULL)
        self.last = _step(_UP[-1] + _FULL, _FULL)
        self.head = nn.Conv2d(_FULL, n_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        image = in_white_light(x)
        passed: list[Tensor] = []
        x = image
        for number, unit in enumerate(self.features):
            x = unit(x)
            if number in _PASSED:
                passed.append(x)
        x = self.narrow(x)
        for across, step in zip(self.across, self.up, strict=True):
            x = step(torch.cat([_twice(x), across(passed.pop())], 1))
        logits: Tensor = self.head(self.last(torch.cat([_twice(x), self.fine(image)], 1)))
        return logits


def in_white_light(x: Tensor) -> Tensor:
    """Return images (N, 3, H, W) in −1…1 so that in each channel the light where nothing lies is 1."""
    light = (x + 1).flatten(2)
    bright = light.kthvalue(max(1, round(_LIT * light.shape[2])), dim=2).values
    return ((x + 1) * (2 / bright.clamp(min=0.1))[:, :, None, None] - 1).clamp(max=1)


def _step(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear")
