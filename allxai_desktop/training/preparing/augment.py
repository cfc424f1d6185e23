"""Random views of a batch: rotation, mirror, zoom, and a mild change of stain."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

# Numbers drawn for an image: angle, zoom, mirror, shift (2), scale and shift of the stain in each channel (3, 3).
_WIDTHS = [1, 1, 1, 2, 3, 3]


@dataclass(frozen=True)
class Augmentation:
    """How far the views go.

    Zoom factors lie in 1/`zoom`…`zoom`, shifts within ±`shift` of the side. Colour is changed in
    optical density, where stain and its amount are linear: each channel is scaled by
    exp(±`stain`) and shifted by ±`stain`/4.
    """

    zoom: float = 1.15
    shift: float = 0.05
    stain: float = 0.1


def augment_items(
    pixels: Tensor, settings: Augmentation, *, seed: int, epoch: int, items: Sequence[int]
) -> Tensor:
    """Return random views, float32 in 0…1, of `pixels` uint8 (N, 3, h, w); edges continue as in a mirror.

    That of each image depends on seed, epoch and its number in `items` only: so a run that goes on in the middle of an
    epoch sees, bit for bit, what it would have seen.
    """
    random = [np.random.default_rng([seed, epoch, item]).random(sum(_WIDTHS), np.float32) for item in items]
    draws = torch.from_numpy(np.stack(random))
    angle, scale, mirror, shift, stain, stain_shift = torch.split(2 * draws - 1, _WIDTHS, dim=1)
    matrices = affine_matrices(
        math.pi * angle[:, 0],
        torch.exp(math.log(settings.zoom) * scale[:, 0]),
        torch.sign(mirror[:, 0]),
        2 * settings.shift * shift,
    )
    grid = functional.affine_grid(matrices, list(pixels.shape), align_corners=False)
    views = functional.grid_sample(
        pixels.float() / 255, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    return change_stain(views, settings.stain * stain, settings.stain / 4 * stain_shift)


def affine_matrices(angle: Tensor, scale: Tensor, mirror: Tensor, shift: Tensor) -> Tensor:
    """Return the matrices (N, 2, 3) of `affine_grid` for angles in radians, scales and mirrors (1 or −1), each (N,).

    `shift` (N, 2) is of the centre, in halves of the side.
    """
    matrices = torch.empty(len(angle), 2, 3)
    matrices[:, 0, 0] = mirror * scale * angle.cos()
    matrices[:, 0, 1] = -scale * angle.sin()
    matrices[:, 1, 0] = mirror * scale * angle.sin()
    matrices[:, 1, 1] = scale * angle.cos()
    matrices[:, :, 2] = shift
    return matrices


def change_stain(images: Tensor, log_scale: Tensor, shift: Tensor) -> Tensor:
    """Return the images (N, 3, h, w) in 0…1 with their optical density scaled by exp(`log_scale`) and shifted.

    `log_scale` and `shift` are (N, 3). Black stays black.
    """
    density = -torch.log(images.clamp(min=1 / 255))
    changed = density * log_scale.exp()[:, :, None, None] + shift[:, :, None, None]
    return torch.where(images > 0.05, torch.exp(-changed).clamp(0, 1), images)
