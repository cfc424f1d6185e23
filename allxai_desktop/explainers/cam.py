"""Grad-CAM and Guided Grad-CAM (Selvaraju et al. 2017), LayerCAM (Jiang et al. 2021): feature maps by their gradients.

Two recipes of Grad-CAM. `standard`: gradient of the logit, ReLU, bilinear. `matlab`, as its `gradCAM`: gradient
of the softmax score, no ReLU, scaled to 0…1, bicubic as its `imresize`.
"""

import torch
from torch import Tensor
from torch.nn import functional

from allxai_desktop.explainers.gradients import Choose, Map, guided_gradient, one_hot
from allxai_desktop.explainers.passes import Passes

ROUNDING = 32
"""What differs by less than this many units in the last place is the same."""


def grad_cam(passes: Passes, choose: Choose, *, recipe: str) -> Map:
    """Return the coarse map (N, 1, h, w) of the CAM layer, whose value is (N, K, h, w).

    The backward pass ends at the layer. Raises `ExplainerError` if its value is no feature map.
    """
    direct = _logit_direction if recipe == "standard" else _softmax_direction
    features, slope, logits = passes.features(lambda logits: direct(logits, choose(logits)))
    cam = (slope.mean((2, 3), keepdim=True) * features).sum(1, keepdim=True)
    return (cam.relu() if recipe == "standard" else _rescaled(cam)), logits, choose(logits)


def layer_cam(passes: Passes, choose: Choose) -> Map:
    """Return the coarse map (N, 1, h, w): each cell of each feature map weighed by its own positive gradient."""
    features, slope, logits = passes.features(lambda logits: one_hot(logits, choose(logits)))
    return (slope.relu() * features).sum(1, keepdim=True).relu(), logits, choose(logits)


def guided_grad_cam(passes: Passes, choose: Choose) -> Map:
    """Return guided backpropagation (Springenberg et al. 2015) times Grad-CAM at the image's size (N, C, H, W)."""
    cam, logits, targets = grad_cam(passes, choose, recipe="standard")
    height, width = passes.inputs.shape[2:]
    return guided_gradient(passes, targets) * resample(cam, (height, width), "standard"), logits, targets


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


def _logit_direction(logits: Tensor, targets: Tensor) -> Tensor:
    return one_hot(logits, targets)


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
