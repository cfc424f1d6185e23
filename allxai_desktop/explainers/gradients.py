"""Gradient, |Gradient| and Gradient×Input (Simonyan et al. 2014; Shrikumar et al. 2016), guided backpropagation."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx

from allxai_desktop.explainers.operations import RECTIFIERS
from allxai_desktop.explainers.passes import Passes, backward

Choose = Callable[[Tensor], Tensor]
"""Takes logits (N, classes), returns the targets (N,)."""
Map = tuple[Tensor, Tensor, Tensor]
"""Relevance (N, C, H, W), logits (N, classes) and targets (N,)."""


def gradient(passes: Passes, choose: Choose) -> Map:
    """Return the derivative of each image's target logit by the image (N, C, H, W)."""
    slope, logits = passes.slope(lambda logits: one_hot(logits, choose(logits)))
    return slope, logits, choose(logits)


def abs_gradient(passes: Passes, choose: Choose) -> Map:
    """Return the absolute value of `gradient`."""
    slope, logits, targets = gradient(passes, choose)
    return slope.abs(), logits, targets


def gradient_x_input(passes: Passes, choose: Choose) -> Map:
    """Return `gradient` times the inputs, as the network sees them (after preprocessing)."""
    slope, logits, targets = gradient(passes, choose)
    return slope * passes.inputs, logits, targets


def guided_gradient(passes: Passes, targets: Tensor) -> Tensor:
    """Return the gradient (N, C, H, W), only its positive part through a ReLU or ReLU6 (Springenberg et al. 2015)."""
    graph = passes.graph

    def compute(node: fx.Node, values: Mapping[fx.Node, Any]) -> Any:
        value = graph.compute(node, values)
        if graph.key(node) in RECTIFIERS and value.requires_grad:
            # Nothing comes back through an operation that has no derivative, as those on quantised numbers.
            value.register_hook(lambda slope: None if slope is None else slope.clamp(min=0))
        return value

    image = passes.inputs.detach().requires_grad_()
    logits, _values = graph.run(image, compute=compute)
    return backward(logits, image, one_hot(logits, targets))


def one_hot(logits: Tensor, targets: Tensor) -> Tensor:
    """Return zeros (N, classes) with a one at each row's target."""
    return torch.zeros_like(logits).scatter_(1, targets[:, None], 1)
