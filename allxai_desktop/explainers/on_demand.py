"""Explainers that take many passes: Integrated Gradients, SmoothGrad, Occlusion, LIME and KernelSHAP.

All explain the target's logit, image by image, with random numbers of their own that are the same every time, and tell
their progress after every batch. What stands for “removed” is the `baseline`: `zero`, the value 0 of the network's
input (the mean colour, where the images are normalised by it), or `blurred`, the image without its detail.
Integrated Gradients and Occlusion are captum's. captum's SmoothGrad draws from the random numbers of the whole process,
so that two threads would disturb each other; ours does not. On LIME and KernelSHAP see `surrogates`.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from allxai_desktop.explainers.cam import ROUNDING
from allxai_desktop.explainers.gradients import Choose, Map
from allxai_desktop.explainers.graph import Graph
from allxai_desktop.explainers.surrogates import (
    lime_coalitions,
    lime_fit,
    shapley_coalitions,
    shapley_fit,
    superpixels,
)
from allxai_desktop.tasks import Progress

Score = Callable[[Tensor], Tensor]
"""Takes images (n, C, H, W), returns the target's logit of each (n,)."""
# As many images go through the network at once as have this many pixels: what bounds the memory, and how long the
# progress stands still. With gradients, which keep every layer's values, half of that.
BATCH_PIXELS = 224 * 224
# Standard deviation of the blur, as a share of the longest side.
BLUR = 0.1


def integrated_gradients(
    graph: Graph, inputs: Tensor, choose: Choose, *, progress: Progress, steps: int, baseline: str
) -> Map:
    """Return the gradient averaged on the way from the baseline to the image, times their difference (N, C, H, W).

    Sundararajan et al. 2017, with `steps` points of Gauss and Legendre. ΣR = logit − logit of the baseline.
    """
    # captum takes most of a second to import.
    from captum.attr import IntegratedGradients

    def one(score: Score, image: Tensor) -> Tensor:
        start = _baseline(image, baseline)
        found: Tensor = IntegratedGradients(score).attribute(
            image, start, n_steps=steps, internal_batch_size=_batch(image, gradients=True)
        )
        return found.detach()

    return _each(graph, inputs, choose, one, progress, evaluations=steps)


def smoothgrad(
    graph: Graph, inputs: Tensor, choose: Choose, *, progress: Progress, samples: int, noise: float
) -> Map:
    """Return the mean gradient of `samples` noisy copies of each image (N, C, H, W); Smilkov et al. 2017.

    `noise` is the standard deviation, as a share of the range of the image's values.
    """

    def one(score: Score, image: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        spread = noise * (image.max() - image.min())
        total = torch.zeros_like(image)
        for count in _batches(samples, image, gradients=True):
            draws = torch.randn(count, *image.shape[1:], generator=generator, dtype=image.dtype)
            noisy = (image + spread * draws).requires_grad_()
            (slope,) = torch.autograd.grad(score(noisy).sum(), noisy)
            total += slope.sum(0, keepdim=True)
        return total / samples

    return _each(graph, inputs, choose, one, progress, evaluations=samples)


def occlusion(
    graph: Graph, inputs: Tensor, choose: Choose, *, progress: Progress, window: float, baseline: str
) -> Map:
    """Return for each pixel how far the logit falls, on average over the windows that cover it (N, C, H, W).

    Zeiler & Fergus 2014. The sides of a window are `window` times those of the image; it moves by half of itself.
    The channels are taken out together, and share the pixel's value equally.
    """
    from captum.attr import Occlusion

    def one(score: Score, image: Tensor) -> Tensor:
        channels = image.shape[1]
        (height, down), (width, right) = (_window(window, side) for side in image.shape[2:])
        fall: Tensor = Occlusion(score).attribute(
            image,
            sliding_window_shapes=(channels, height, width),
            strides=(channels, down, right),
            baselines=_baseline(image, baseline),
            perturbations_per_eval=_batch(image),
        )
        with torch.no_grad():
            # captum divides in float32 whatever the images are.
            fall = fall.to(image.dtype)
            return torch.where(fall.abs() <= _rounding(score(image)), 0, fall) / channels

    windows = 1
    for side in inputs.shape[2:]:
        size, stride = _window(window, side)
        windows *= -(-(side - size) // stride) + 1
    # And the whole image, which captum asks for once and the rounding once.
    return _each(graph, inputs, choose, one, progress, evaluations=windows + 2)


def lime(
    graph: Graph,
    inputs: Tensor,
    choose: Choose,
    *,
    progress: Progress,
    samples: int,
    segments: int,
    baseline: str,
) -> Map:
    """Return each superpixel's coefficient in LIME's linear model, shared equally by its values (N, C, H, W)."""

    def one(score: Score, image: Tensor) -> Tensor:
        places = superpixels(image[0], segments)
        kept = lime_coalitions(_count(places), samples, torch.Generator().manual_seed(0))
        return _fitted(score, image, places, kept, baseline, partial(lime_fit, kept))

    return _each(graph, inputs, choose, one, progress, evaluations=samples)


def kernel_shap(
    graph: Graph,
    inputs: Tensor,
    choose: Choose,
    *,
    progress: Progress,
    samples: int,
    segments: int,
    baseline: str,
) -> Map:
    """Return each superpixel's Shapley value by KernelSHAP, shared equally by its values (N, C, H, W).

    ΣR = logit − logit of the baseline. The values are exact where the superpixels have no more subsets than `samples`.
    """

    def one(score: Score, image: Tensor) -> Tensor:
        places = superpixels(image[0], segments)
        kept, weights = shapley_coalitions(_count(places), samples, torch.Generator().manual_seed(0))
        return _fitted(score, image, places, kept, baseline, partial(shapley_fit, kept, weights))

    return _each(graph, inputs, choose, one, progress, evaluations=samples + 2)


def _each(
    graph: Graph,
    inputs: Tensor,
    choose: Choose,
    one: Callable[[Score, Tensor], Tensor],
    progress: Progress,
    *,
    evaluations: int,
) -> Map:
    """Explain image by image with `one`, whose score (about `evaluations` images) tells the progress."""
    with torch.no_grad():
        logits = graph.run(inputs)[0]
    targets = choose(logits)
    done = 0

    def score_of(target: int) -> Score:
        def score(images: Tensor) -> Tensor:
            nonlocal done
            progress(min(1.0, done / (evaluations * len(inputs))))
            done += len(images)
            found = graph.run(images)[0][:, target]
            if images.requires_grad:
                # The logit may not depend on the image, or only through operations without a derivative.
                return found + 0 * images.flatten(1).sum(1)
            return found

        return score

    maps = [
        one(score_of(target), image[None]) for target, image in zip(targets.tolist(), inputs, strict=True)
    ]
    progress(1.0)
    return torch.cat(maps), logits, targets


def _batch(image: Tensor, *, gradients: bool = False) -> int:
    return max(1, BATCH_PIXELS // (image.shape[2] * image.shape[3] * (2 if gradients else 1)))


def _batches(count: int, image: Tensor, *, gradients: bool = False) -> list[int]:
    """Return the sizes of the batches that make `count`."""
    size = _batch(image, gradients=gradients)
    return [min(size, count - start) for start in range(0, count, size)]


def _baseline(image: Tensor, kind: str) -> Tensor:
    """Return what stands for the removed parts of an image (1, C, H, W)."""
    if kind == "zero":
        return torch.zeros_like(image)
    from scipy.ndimage import gaussian_filter

    radius = BLUR * max(image.shape[2:])
    blurred = torch.from_numpy(gaussian_filter(image.numpy(), (0, 0, radius, radius), mode="nearest"))
    # An image of one colour is its own blur but for rounding, and then nothing can be removed.
    return torch.where((blurred - image).abs() <= _rounding(image), image, blurred)


def _window(window: float, side: int) -> tuple[int, int]:
    """Return the side of a window that is this share of the image's, and how far it moves, in pixels."""
    size = max(1, round(window * side))
    return size, max(1, size // 2)


def _rounding(values: Tensor) -> Tensor:
    """Return what is no difference between values of this size."""
    return ROUNDING * torch.finfo(values.dtype).eps * values.abs().max()


def _fitted(
    score: Score,
    image: Tensor,
    places: Tensor,
    kept: Tensor,
    baseline: str,
    fit: Callable[[Tensor], Tensor],
) -> Tensor:
    """Return the map (1, C, H, W) of the values that `fit` finds for the superpixels at `places` (H, W).

    It takes the score (rows,) of the image with what each row of `kept` (rows, count) keeps.
    """
    removed = _baseline(image, baseline)
    with torch.no_grad():
        batches = torch.split(kept, _batch(image))
        scores = torch.cat([score(torch.where(rows[:, places][:, None], image, removed)) for rows in batches])
    if not bool(torch.isfinite(scores).all()):
        return torch.full_like(image, torch.nan)
    # The same image can differ by rounding from one size of batch to another.
    values = fit(torch.where((scores - scores[0]).abs() <= _rounding(scores), scores[0], scores))
    share = values / (torch.bincount(places.flatten()) * image.shape[1])
    return share[places].to(image.dtype).expand_as(image)


def _count(places: Tensor) -> int:
    return int(places.max()) + 1
