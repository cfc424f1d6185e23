"""Grad-CAM (Selvaraju et al. 2017): the feature maps of one layer, weighed by their mean gradient.

Two recipes. `standard`: gradient of the logit, ReLU, bilinear. `matlab`, as its `gradCAM`: gradient
of the softmax score, no ReLU, scaled to 0…1, bicubic as its `imresize`.
"""

import torch
from torch import Tensor, fx
from torch.nn import functional

from allxai_desktop.explainers.gradients import Choose, Map, backward, one_hot
from allxai_desktop.explainers.graph import Graph

ROUNDING = 32
"""What differs by less than this many units in the last place is the same."""


def grad_cam(graph: Graph, inputs: Tensor, choose: Choose, *, layer: fx.Node, recipe: str) -> Map:
    """Return the coarse map (N, 1, h, w) of `layer`, whose value is (N, K, h, w).

    The backward pass ends at the layer. Raises `ExplainerError` if its value is no feature map.
    """
    logits, values = graph.run(inputs.detach(), keep={layer}, leaf=layer)
    targets = choose(logits)
    features = values[layer]
    seed = one_hot(logits, targets) if recipe == "standard" else _softmax_direction(logits.detach(), targets)
    weights = backward(logits, features, seed).mean((2, 3), keepdim=True)
    cam = (weights * features.detach()).sum(1, keepdim=True)
    return (cam.relu() if recipe == "standard" else _rescaled(cam)), logits.detach(), targets


def resample(cam: Tensor, size: tuple[int, int], recipe: str) -> Tensor:
    """Return the map (N, 1, h, w) at `size` (height, width), by the recipe's interpolation."""
    if recipe == "standard":
        return functional.interpolate(cam, size, mode="bilinear", align_corners=False)
    rows, columns = (bicubic_matrix(old, new).to(cam) for old, new in zip(cam.shape[2:], size, strict=True))
    return rows @ cam @ columns.T


def bicubic_matrix(old: int, new: int) -> Tensor:
    """Return the weights (new, old), float64, that resize a line as MATLAB's `imresize` does.

    Keys's kernel with a = −1/2, widened where the line shrinks; beyond its ends the line is mirrored.
    """
    scale = min(1.0, new / old)
    centres = (torch.arange(new, dtype=torch.float64) + 0.5) * old / new - 0.5
    reach = int(2 / scale) + 1
    taps = centres.floor()[:, None] + torch.arange(-reach, reach + 1)
    weights = _keys((centres[:, None] - taps) * scale)
    weights = weights / weights.sum(1, keepdim=True)
    mirrored = taps.long() % (2 * old)
    mirrored = torch.minimum(mirrored, 2 * old - 1 - mirrored)
    return torch.zeros(new, old, dtype=torch.float64).scatter_add_(1, mirrored, weights)


def _keys(distance: Tensor) -> Tensor:
    d = distance.abs()
    near = 1.5 * d**3 - 2.5 * d**2 + 1
    far = -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    return torch.where(d <= 1, near, torch.where(d <= 2, far, 0))


def _softmax_direction(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the derivative of the target's softmax score by the logits, up to a positive factor.

    The map is scaled to 0…1 afterwards, so the factor does not matter; without it the derivative
    does not vanish in rounding when the network is sure.
    """
    others = logits.double().masked_fill(one_hot(logits, targets).bool(), -torch.inf)
    # With p the scores, the derivative is p_t·((1 − p_t) at t, −p_j elsewhere) and 1 − p_t = Σ p_j.
    shares = others.softmax(1) if logits.shape[1] > 1 else torch.zeros_like(others)
    return (one_hot(shares, targets) * shares.sum(1, keepdim=True) - shares).to(logits)


def _rescaled(cam: Tensor) -> Tensor:
    low, high = cam.amin((2, 3), keepdim=True), cam.amax((2, 3), keepdim=True)
    return torch.where(is_flat(cam).view(-1, 1, 1, 1), 0, (cam - low) / (high - low))


def is_flat(maps: Tensor) -> Tensor:
    """Return (N,): whether each map (N, C, h, w), summed over its channels, is one value but for rounding."""
    shown = maps.sum(1).flatten(1)
    largest = maps.abs().flatten(1).amax(1)
    return shown.amax(1) - shown.amin(1) <= ROUNDING * torch.finfo(maps.dtype).eps * largest
