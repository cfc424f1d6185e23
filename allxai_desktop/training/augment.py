"""Random views of a batch: rotation, mirror, zoom, and a mild change of stain."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


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


def augment(pixels: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Return random views, float32 in 0…1, of `pixels` uint8 (N, 3, h, w); edges continue as in a mirror."""
    count = len(pixels)

    def uniform(*shape: int) -> Tensor:
        return 2 * torch.rand(count, *shape, generator=generator) - 1

    angle = math.pi * uniform()
    scale = torch.exp(math.log(settings.zoom) * uniform())
    mirror = torch.sign(uniform())
    matrix = torch.empty(count, 2, 3)
    matrix[:, 0, 0] = mirror * scale * angle.cos()
    matrix[:, 0, 1] = -scale * angle.sin()
    matrix[:, 1, 0] = mirror * scale * angle.sin()
    matrix[:, 1, 1] = scale * angle.cos()
    matrix[:, :, 2] = 2 * settings.shift * uniform(2)
    grid = functional.affine_grid(matrix, list(pixels.shape), align_corners=False)
    views = functional.grid_sample(
        pixels.float() / 255, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    return change_stain(views, settings.stain * uniform(3), settings.stain / 4 * uniform(3))


def change_stain(images: Tensor, log_scale: Tensor, shift: Tensor) -> Tensor:
    """Return the images (N, 3, h, w) in 0…1 with their optical density scaled by exp(`log_scale`) and shifted.

    `log_scale` and `shift` are (N, 3). Black stays black.
    """
    density = -torch.log(images.clamp(min=1 / 255))
    changed = density * log_scale.exp()[:, :, None, None] + shift[:, :, None, None]
    return torch.where(images > 0.05, torch.exp(-changed).clamp(0, 1), images)
