"""Brings an image of another laboratory, and the network that looks at it, nearer to what was learnt."""

from copy import deepcopy
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from allxai_desktop.proposing.classical import lamp

# Median density of red light in nuclei that an image is brought to, between the 0.99 and 0.42 of the two laboratories
# that the network learnt from; and the factors between which densities are changed.
_DYE, _GAINS = 0.65, (0.4, 2.5)
# How much an image's own statistics count in those of BatchNorm (as Schneider et al., NeurIPS 2020).
_OWN = 0.1


def dyed_as_learnt(pixels: NDArray[np.uint8], nuclei: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the image (H, W, 3) in 0…255, its densities scaled so that those of its nuclei are the usual ones."""
    if not nuclei.any():
        return pixels.astype(np.float32)
    light = lamp(pixels)
    passed = (pixels.astype(np.float32) + 1) / light
    dye = -float(np.log(np.median(passed[nuclei, 0])))
    gain = np.float32(np.clip(_DYE / max(dye, 1e-3), *_GAINS))
    found: NDArray[np.float32] = np.clip(light * passed**gain - 1, 0, 255)
    return found


class _Adapting(nn.Module):
    """A BatchNorm that takes a share of its means and variances from what it is shown (N, C, H, W)."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self._norm = norm

    def forward(self, x: Tensor) -> Tensor:
        norm = self._norm
        mean = torch.lerp(norm.get_buffer("running_mean"), x.mean((0, 2, 3)), _OWN)
        variance = torch.lerp(norm.get_buffer("running_var"), x.var((0, 2, 3), unbiased=False), _OWN)
        return functional.batch_norm(x, mean, variance, norm.weight, norm.bias, eps=norm.eps)


@cache
def adapting(module: nn.Module) -> nn.Module:
    """Return a copy of the module that adapts to each image."""
    copy = deepcopy(module)
    for parent in list(copy.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, _Adapting(child))
    return copy
