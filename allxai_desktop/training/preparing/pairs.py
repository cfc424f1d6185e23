"""Images with their masks, and random views of both: the same turn, zoom and place, the colours of the image only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from allxai_desktop.i18n import _
from allxai_desktop.training.datasets.data import Item, TrainingError
from allxai_desktop.training.datasets.label_masks import read_label_mask
from allxai_desktop.training.datasets.mask_classes import IGNORED, MaskClasses
from allxai_desktop.training.preparing.augment import affine_matrices

# Numbers drawn for a view: angle, zoom, mirror, place (2), gamma and gain (1 for all channels, 3 each), grey, negative,
# what of each channel's density goes into the others (9), blur, noise.
_WIDTHS = [1, 1, 1, 2, 1, 3, 1, 3, 1, 1, 9, 1, 1]
# Share of the views whose classes keep their densities, and the standard deviations, in pixels, of the steps between
# those that do not.
_AS_IT_IS = 0.4
_SHARPEST, _SOFTEST = 0.7, 2.0
_LUMINANCE = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)


@dataclass(frozen=True)
class PairAugmentation:
    """How the views of a pair differ.

    `crop` is the side in pixels of what is seen of an image, at a random place, turned by any angle, mirrored or not;
    its scale lies in 1/`zoom`…`zoom`. Optical density is scaled by exp(±`stain`) and shifted by ±`stain`/2, a third
    of both for each channel by itself; the shares `grey` and `negative` of the views lose their colour or are
    inverted, which makes bright nuclei dark and so one stain of another. With `dyes` up to that share of the density
    of each channel goes into, or is taken from, each other one, as if the dyes were others. `own` scales the density
    of each class by itself by exp(±`own`), a third of that in each channel by itself, for in another laboratory a dye
    may take to cytoplasm as it takes to nuclei here. `blur` is the highest standard deviation in pixels, `noise` that
    of the values 0…1.
    """

    crop: int
    zoom: float = 1.25
    stain: float = 0.3
    grey: float = 0.0
    negative: float = 0.0
    dyes: float = 0.0
    own: float = 0.0
    blur: float = 0.0
    noise: float = 0.0


def read_classes(root: Path, item: Item, size: tuple[int, int], classes: MaskClasses) -> NDArray[np.uint8]:
    """Return the mask of an image uint8 (h, w): at each pixel the class of the nearest one.

    Raises `MaskError`, `ImageError`, `TrainingError`.
    """
    if item.mask is None:
        raise TrainingError(_("{file} has no mask: leave it out.").format(file=item.file))
    codes = torch.from_numpy(classes.read(item.mask, read_label_mask(root / item.mask)))
    found: NDArray[np.uint8] = functional.interpolate(codes[None, None], size, mode="nearest-exact")[
        0, 0
    ].numpy()
    return found


def augment_pairs(
    pixels: Tensor,
    masks: Tensor,
    settings: PairAugmentation,
    *,
    seed: int,
    epoch: int,
    items: Sequence[int],
) -> tuple[Tensor, Tensor]:
    """Return views, float32 (N, 3, c, c) in 0…1 and uint8 (N, c, c), of uint8 images (N, 3, h, h) and masks (N, h, h).

    Each view depends on seed, epoch and the image's number in `items` only. Edges continue as in a mirror.
    """
    generators = [np.random.default_rng([seed, epoch, item]) for item in items]
    draws = torch.from_numpy(np.stack([random.random(sum(_WIDTHS), np.float32) for random in generators]))
    angle, scale, mirror, place, gamma, gammas, gain, gains, grey, negative, dyes, blur, noise = torch.split(
        2 * draws - 1, _WIDTHS, dim=1
    )
    crop = min(settings.crop, pixels.shape[-1])
    share = crop / pixels.shape[-1]
    matrices = affine_matrices(
        math.pi * angle[:, 0],
        share * torch.exp(math.log(settings.zoom) * scale[:, 0]),
        torch.sign(mirror[:, 0]),
        (1 - share) * place,
    )
    grid = functional.affine_grid(matrices, [len(items), 3, crop, crop], align_corners=False)
    views = functional.grid_sample(
        pixels.float() / 255, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    seen = functional.grid_sample(
        masks[:, None].float(), grid, mode="nearest", padding_mode="reflection", align_corners=False
    )
    density = -torch.log(views.clamp(min=1 / 255))
    if settings.dyes:
        mixing = torch.eye(3) + settings.dyes * dyes.view(-1, 3, 3) * (1 - torch.eye(3))
        density = torch.einsum("nij,njhw->nihw", mixing, density).clamp(min=0)
    if settings.own:
        density = density * _own_scales(seen[:, 0].long(), settings.own, generators)
    scales = torch.exp(settings.stain * (gamma + gammas / 3))[:, :, None, None]
    shifts = (settings.stain / 2 * (gain + gains / 3))[:, :, None, None]
    views = torch.exp(-(density * scales + shifts)).clamp(0, 1)
    views = torch.where(_of(grey, settings.grey), (views * _LUMINANCE).sum(1, keepdim=True), views)
    views = torch.where(_of(negative, settings.negative), 1 - views, views)
    if settings.blur:
        views = _blurred(views, settings.blur * (blur + 1) / 2, math.ceil(2 * settings.blur))
    if settings.noise:
        drawn = np.stack([random.standard_normal(views.shape[1:], np.float32) for random in generators])
        strength = settings.noise * (noise + 1) / 2
        views = (views + strength[:, :, None, None] * torch.from_numpy(drawn)).clamp(0, 1)
    return views, seen[:, 0].byte()


def _own_scales(masks: Tensor, own: float, generators: Sequence[np.random.Generator]) -> Tensor:
    """Return by what the density of masks int64 (N, h, w) is scaled, (N, 3, h, w): softly, so that no edge tells."""
    drawn = torch.from_numpy(np.stack([random.uniform(-1, 1, (256, 4)) for random in generators])).float()
    logs = own * (drawn[..., :1] + drawn[..., 1:] / 3)
    logs[:, IGNORED] = 0
    # Some views keep what is known of the dyes.
    asked = torch.from_numpy(np.stack([random.uniform(size=2) for random in generators])).float()
    logs[asked[:, 0] < _AS_IT_IS] = 0
    planes = logs[torch.arange(len(masks))[:, None, None], masks].permute(0, 3, 1, 2)
    sigma = _SHARPEST + (_SOFTEST - _SHARPEST) * asked[:, 1:]
    return torch.exp(_blurred(planes, sigma, math.ceil(2 * _SOFTEST)))


def _blurred(images: Tensor, sigma: Tensor, radius: int) -> Tensor:
    """Return images (N, C, h, w) smoothed by Gaussians of `sigma` (N, 1) pixels, cut off at `radius`."""
    count, channels = images.shape[:2]
    offsets = torch.arange(-radius, radius + 1)
    kernels = torch.exp(-(offsets**2) / (2 * sigma.clamp(min=0.1) ** 2))
    kernels = (kernels / kernels.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    planes = functional.pad(images, (radius,) * 4, mode="replicate").flatten(0, 1)[None]
    for shape in ((-1, 1, 1, 2 * radius + 1), (-1, 1, 2 * radius + 1, 1)):
        planes = functional.conv2d(planes, kernels.view(shape), groups=count * channels)
    return planes.view(images.shape)


def _of(drawn: Tensor, share: float) -> Tensor:
    """Return which of the images (N, 1, 1, 1), drawn from −1…1, are of the `share`."""
    return (drawn < 2 * share - 1)[:, :, None, None]
