"""The U-Net (Ronneberger et al. 2015) for nuclei, with the layers of the widely used TensorFlow version."""

import torch
from torch import Tensor, nn

FILTERS = (16, 32, 64, 128, 256)
DROPOUT = (0.1, 0.1, 0.2, 0.2, 0.3)


def unet(n_classes: int, size: tuple[int, int]) -> nn.Module:
    """U-Net; its size does not depend on that of the input."""
    return UNet(n_classes)


def unet_standardised(n_classes: int, size: tuple[int, int]) -> nn.Module:
    """U-Net that brings each image to one brightness and contrast by itself."""
    return nn.Sequential(Standardised(), UNet(n_classes))


class Standardised(nn.Module):
    """Each image (N, C, H, W) less its mean, divided by its standard deviation, all channels together.

    An even image becomes 0. The mean of a dark field with bright nuclei and that of a bright one with dark nuclei are
    then the same, and both have one contrast.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the images with mean 0 and, nearly, deviation 1."""
        centred = x - x.mean((1, 2, 3), keepdim=True)
        # A fiftieth of white: so the noise of an empty field stays small.
        return centred / (centred.square().mean((1, 2, 3), keepdim=True).sqrt() + 0.02)


class UNet(nn.Module):
    """Input (N, 3, H, W) with H and W multiples of 16; output logits (N, classes, H, W).

    The 3×3 convolutions begin as He et al. 2015 have them: there is no BatchNorm to set their scale.
    """

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        inputs = (3, *FILTERS[:-1])
        self.down = nn.ModuleList(map(_block, inputs, FILTERS, DROPOUT))
        self.pool = nn.MaxPool2d(2)
        wide, narrow = FILTERS[:0:-1], FILTERS[-2::-1]
        self.widen = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in zip(wide, narrow, strict=True))
        self.up = nn.ModuleList(map(_block, wide, narrow, DROPOUT[-2::-1]))
        self.head = nn.Conv2d(FILTERS[0], n_classes, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module is not self.head:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        passed: list[Tensor] = []
        for block in self.down:
            x = block(self.pool(x) if passed else x)
            passed.append(x)
        passed.pop()
        for widen, block in zip(self.widen, self.up, strict=True):
            x = block(torch.cat([widen(x), passed.pop()], 1))
        logits: Tensor = self.head(x)
        return logits


def _block(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(),
    )
