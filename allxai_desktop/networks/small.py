"""Small architectures of the source papers, and dense heads."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

Size = tuple[int, int]


def two_convolutions(n_classes: int, size: Size) -> nn.Module:
    """Two 5×5 convolutions, dense 120 and 84 (Soto-Ayala and Cantoral-Ceballos)."""
    trunk, features = _convolutions(3, (6, 16), 5, size)
    return _network(trunk, dense_head(features, (120, 84), n_classes))


def five_convolutions(n_classes: int, size: Size) -> nn.Module:
    """Five 3×3 convolutions of a grey image, dense 128, dropout (Amador 2023)."""
    trunk, features = _convolutions(1, (32, 64, 64, 128, 128), 3, size)
    return _network(trunk, dense_head(features, (128,), n_classes, dropout=0.5))


def with_head(
    trunk: nn.Module, channels: int, size: Size, hidden: Sequence[int], n_classes: int
) -> nn.Sequential:
    """Return `trunk`, of stride 32, and a dense head on all of its last feature map (channels, h, w)."""
    return _network(trunk, dense_head(channels * (size[0] // 32) * (size[1] // 32), hidden, n_classes))


def dense_head(inputs: int, hidden: Sequence[int], n_classes: int, dropout: float = 0.0) -> nn.Sequential:
    """Return dense layers, ReLU and any dropout between them."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU()] + [nn.Dropout(dropout)] * (dropout > 0)
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, n_classes))


def _convolutions(
    channels: int, filters: Sequence[int], kernel: int, size: Size
) -> tuple[nn.Sequential, int]:
    """Return convolutions without padding, each with ReLU and 2×2 max pooling, and how many features they give."""
    layers: list[nn.Module] = []
    height, width = size
    for count in filters:
        layers += [nn.Conv2d(channels, count, kernel), nn.ReLU(), nn.MaxPool2d(2)]
        channels, height, width = count, (height - kernel + 1) // 2, (width - kernel + 1) // 2
    return nn.Sequential(*layers), channels * height * width


def _network(trunk: nn.Module, head: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(features=trunk, flatten=nn.Flatten(), classifier=head))
