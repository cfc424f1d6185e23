"""Gradient, |Gradient| and Gradient×Input (Simonyan et al. 2014; Shrikumar et al. 2016): one forward, one backward."""

from collections.abc import Callable

import torch
from torch import Tensor

from allxai_desktop.explainers.graph import Graph

Choose = Callable[[Tensor], Tensor]
"""Takes logits (N, classes), returns the targets (N,)."""
Map = tuple[Tensor, Tensor, Tensor]
"""Relevance (N, C, H, W), logits (N, classes) and targets (N,)."""


def gradient(graph: Graph, inputs: Tensor, choose: Choose) -> Map:
    """Return the derivative of each image's target logit by its `inputs` (N, C, H, W)."""
    leaf = inputs.detach().requires_grad_()
    logits, _values = graph.run(leaf)
    targets = choose(logits)
    return backward(logits, leaf, one_hot(logits, targets)), logits.detach(), targets


def abs_gradient(graph: Graph, inputs: Tensor, choose: Choose) -> Map:
    """Return the absolute value of `gradient`."""
    slope, logits, targets = gradient(graph, inputs, choose)
    return slope.abs(), logits, targets


def gradient_x_input(graph: Graph, inputs: Tensor, choose: Choose) -> Map:
    """Return `gradient` times the inputs, as the network sees them (after preprocessing)."""
    slope, logits, targets = gradient(graph, inputs, choose)
    return slope * inputs, logits, targets


def one_hot(logits: Tensor, targets: Tensor) -> Tensor:
    """Return zeros (N, classes) with a one at each row's target."""
    return torch.zeros_like(logits).scatter_(1, targets[:, None], 1)


def backward(logits: Tensor, leaf: Tensor, seed: Tensor) -> Tensor:
    """Return the derivative of Σ seed·logits by `leaf`; zeros where the logits do not depend on it."""
    if not logits.requires_grad:
        return torch.zeros_like(leaf)
    (slope,) = torch.autograd.grad(logits, leaf, seed, allow_unused=True)
    return torch.zeros_like(leaf) if slope is None else slope
