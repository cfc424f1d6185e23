"""What the five-class network makes of an image, at the scale at which it knows cells best."""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional

from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.network import Network
from allxai_desktop.networks.registry import load_network
from allxai_desktop.proposing.adapting import adapting, dyed_as_learnt

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


def network_probabilities(
    network: Network, pixels: NDArray[np.uint8], nuclei: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return how likely each pixel of an image (H, W, 3) is of each class (H, W, 5), codes 1…5.

    The image is shown as if its `nuclei` (H, W), roughly where they are, had the dye of those that were learnt: whole,
    to find the size of its largest cell, then so that this has the size that was learnt most, also mirrored and
    measured by its own statistics.
    """
    image = torch.from_numpy(dyed_as_learnt(pixels, nuclei)).permute(2, 0, 1)[None]
    overview = max(_SIDE / min(pixels.shape[:2]), 0.5)
    scores = _at_scale(network, network.module, image, overview)
    diameter = _largest_cell(scores)
    if diameter:
        # What is much smaller than a cell is a platelet.
        scale = min(max(_DIAMETER / diameter, overview / 2), overview * 2)
        mirrored = _at_scale(network, adapting(network.module), image.flip(3), scale).flip(3)
        scores = (_at_scale(network, network.module, image, scale) + mirrored) / 2
    found: NDArray[np.float32] = scores.softmax(1)[0].permute(1, 2, 0).contiguous().numpy()
    return found


def _at_scale(network: Network, module: nn.Module, image: Tensor, scale: float) -> Tensor:
    """Return the logarithms of the probabilities (1, 5, H, W) that the network sees at an image enlarged by `scale`.

    `module` is the network's, or one that came of it.
    """
    size = image.shape[2:]
    scale = min(max(scale, _SMALLEST / min(size)), _LARGEST / max(size))
    seen = [max(_MULTIPLE, round(side * scale / _MULTIPLE) * _MULTIPLE) for side in size]
    resized = functional.interpolate(image, seen, mode="bilinear", antialias=True)
    with torch.inference_mode():
        scores = module(network.preprocess_resized(resized))
        scores = functional.interpolate(scores, size, mode="bilinear", antialias=True)
    return scores.log_softmax(1)


def _largest_cell(scores: Tensor) -> float:
    """Return the diameter in pixels of a disc as large as the largest connected cell; 0 where there is none."""
    cell = (scores.argmax(1)[0] < 3).numpy()
    labels, count = ndimage.label(ndimage.binary_opening(cell, iterations=2))
    if not count:
        return 0.0
    return float(2 * np.sqrt(np.bincount(labels.ravel())[1:].max() / np.pi))
