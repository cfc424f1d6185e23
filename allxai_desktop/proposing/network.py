"""What the five-class network makes of an image, at the scale at which it knows cells best."""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.network import Network
from allxai_desktop.networks.registry import load_network

NAME = "five-classes-unet"
# Shorter side in pixels at which cells are looked for first, at least half the image's own, for a field has smaller
# cells; and the diameter to which the largest is then brought.
_SIDE, _DIAMETER = 224, 110
# Sides, in pixels, between which an image is shown to the network.
_SMALLEST, _LARGEST = 96, 1024
_MULTIPLE = 16


@cache
def five_class_network() -> Network | None:
    """Return the network that ships with the program; None where it is missing or damaged."""
    try:
        return load_network(NAME)
    except NetworkError:
        return None


def network_probabilities(network: Network, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how likely each pixel of an image (H, W, 3) is of each class (H, W, 5), codes 1…5.

    The image is seen whole, then so that its largest cell has the size that the network was trained most on, and
    mirrored.
    """
    image = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None]
    overview = max(_SIDE / min(pixels.shape[:2]), 0.5)
    first = _at_scale(network, image, overview)
    diameter = _largest_cell(first)
    if diameter:
        # What is much smaller than a cell is a platelet.
        scale = min(max(_DIAMETER / diameter, overview / 2), overview * 2)
        first = (
            first + _at_scale(network, image, scale) + _at_scale(network, image.flip(3), scale).flip(3)
        ) / 3
    found: NDArray[np.float32] = first.softmax(1)[0].permute(1, 2, 0).contiguous().numpy()
    return found


def _at_scale(network: Network, image: Tensor, scale: float) -> Tensor:
    """Return the logarithms of the probabilities (1, 5, H, W) that the network sees at an image enlarged by `scale`."""
    size = image.shape[2:]
    scale = min(max(scale, _SMALLEST / min(size)), _LARGEST / max(size))
    seen = [max(_MULTIPLE, round(side * scale / _MULTIPLE) * _MULTIPLE) for side in size]
    resized = functional.interpolate(image, seen, mode="bilinear", antialias=True)
    with torch.inference_mode():
        scores = network.module(network.preprocess_resized(resized))
        scores = functional.interpolate(scores, size, mode="bilinear", antialias=True)
    return scores.log_softmax(1)


def _largest_cell(scores: Tensor) -> float:
    """Return the diameter in pixels of a disc as large as the largest connected cell; 0 where there is none."""
    cell = (scores.argmax(1)[0] < 3).numpy()
    labels, count = ndimage.label(ndimage.binary_opening(cell, iterations=2))
    if not count:
        return 0.0
    return float(2 * np.sqrt(np.bincount(labels.ravel())[1:].max() / np.pi))
