"""Linear models over superpixels: LIME (Ribeiro et al. 2016) and KernelSHAP (Lundberg & Lee 2017).

captum's own need scikit-learn, draw from the random numbers of the whole process (so that two threads would disturb
each other), and fit in float32; these do not. They are checked against captum's exact Shapley values.
"""

import math

import numpy as np
import torch
from torch import Tensor

# Of the exponential kernel and of the ridge, as in the authors' program for images.
LIME_WIDTH = 0.25
LIME_RIDGE = 1.0


def superpixels(image: Tensor, count: int) -> Tensor:
    """Return the number of each pixel's superpixel (H, W), from 0, of an image (C, H, W): about `count` by SLIC.

    Where there are no more pixels than that, each is its own. What is no finite number counts as 0.
    """
    from skimage.segmentation import slic

    height, width = image.shape[1:]
    if height * width <= count:
        return torch.arange(height * width).view(height, width)
    seen = image.detach().double().nan_to_num(0, 0, 0)
    seen = (seen - seen.min()) / (seen.max() - seen.min()).clamp(min=torch.finfo(torch.float64).tiny)
    # `slic_zero` finds the weight of colour against distance by itself: networks see images in scales of their own.
    labels = slic(
        seen.permute(1, 2, 0).numpy(), n_segments=count, slic_zero=True, channel_axis=-1, start_label=0
    )
    return torch.from_numpy(np.unique(labels, return_inverse=True)[1].reshape(height, width))


def lime_coalitions(count: int, samples: int, generator: torch.Generator) -> Tensor:
    """Return which of `count` superpixels are kept (samples, count), bool: all, then each by a coin."""
    kept = torch.rand(samples, count, generator=generator) < 0.5
    kept[0] = True
    return kept


def lime_fit(kept: Tensor, scores: Tensor) -> Tensor:
    """Return the coefficient of each superpixel (count,), float64, of a ridge regression with an intercept.

    A sample counts by exp(−d² / 2·width²), where d is the cosine distance between what it keeps and all.
    """
    rows = kept.double()
    distance = 1 - rows.mean(1).sqrt()
    weights = (-(distance**2) / (2 * LIME_WIDTH**2)).exp()
    # The intercept is not shrunk, so it leaves by taking away the means.
    gain = scores.double() - scores[0]
    gain = gain - (weights @ gain) / weights.sum()
    rows = rows - (weights @ rows) / weights.sum()
    weighted = rows.T * weights
    ridge = LIME_RIDGE * torch.eye(rows.shape[1], dtype=torch.float64)
    fitted: Tensor = torch.linalg.solve(weighted @ rows + ridge, weighted @ gain)
    return fitted


def shapley_coalitions(count: int, samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return which of `count` superpixels are kept (rows, count), bool, and the weight of each row (rows,), float64.

    First all, then none. If no more than `samples` are left they all follow, weighed by the Shapley kernel, which
    makes the fit exact. Else `samples` are drawn by that kernel, in pairs of a set and its complement (Covert & Lee
    2021), and weigh the same.
    """
    ends = torch.tensor([True, False])[:, None].expand(2, count)
    if count < 31 and 2**count - 2 <= samples:
        inner = (torch.arange(1, 2**count - 1)[:, None] >> torch.arange(count)) % 2 == 1
        sizes = inner.sum(1).tolist()
        kernel = [(count - 1) / (math.comb(count, k) * k * (count - k)) for k in sizes]
        return torch.cat([ends, inner]), torch.tensor([1.0, 1.0, *kernel], dtype=torch.float64)
    sizes_left = torch.arange(1, count)
    chance = 1 / (sizes_left * (count - sizes_left)).double()
    drawn = 1 + torch.multinomial(chance, (samples + 1) // 2, replacement=True, generator=generator)
    ranks = torch.rand(len(drawn), count, generator=generator).argsort(1)
    half = ranks < drawn[:, None]
    inner = torch.stack([half, ~half], 1).flatten(0, 1)[:samples]
    return torch.cat([ends, inner]), torch.ones(len(inner) + 2, dtype=torch.float64)


def shapley_fit(kept: Tensor, weights: Tensor, scores: Tensor) -> Tensor:
    """Return the Shapley value of each superpixel (count,), float64: they sum to score(all) − score(none).

    Weighted least squares under that condition (Lundberg & Lee 2017, theorem 2); the smallest of the solutions where
    there are several.
    """
    rows, scores = kept.double(), scores.double()
    count = rows.shape[1]
    gain = scores - scores[1]
    even = gain[0] / count
    # Rows that sum to zero: so does the smallest solution, which is what is left after an even split.
    centred = rows - rows.mean(1, keepdim=True)
    scale = weights.sqrt()[:, None]
    rest: Tensor = torch.linalg.lstsq(
        centred * scale, (gain - rows.sum(1) * even)[:, None] * scale, driver="gelsd"
    ).solution
    return even + rest[:, 0]
