"""LRP-z (Bach et al. 2015) and Deep Taylor decomposition (Montavon et al. 2017) as tables of rules.

The tables named "innvestigate" do what iNNvestigate 2.1.2 does, its fault at BatchNorm included.
"""

import copy
from collections.abc import Mapping
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from allxai_desktop.explainers.gradients import Choose, Map, one_hot
from allxai_desktop.explainers.graph import Graph
from allxai_desktop.explainers.operations import Kind
from allxai_desktop.explainers.propagation import Bounds, Relevance, Rule, Step, propagate, vjp


def lrp_z(graph: Graph, inputs: Tensor, choose: Choose, *, rules: str) -> Map:
    """Return the relevance (N, C, H, W): each sum is divided by the share of its terms, the bias one of them."""
    return _explain(graph, LRP_Z[rules], inputs, choose)


def deep_taylor(
    graph: Graph, inputs: Tensor, choose: Choose, *, rules: str, bounds: tuple[Tensor, Tensor] | None
) -> Map:
    """Return the relevance (N, C, H, W): z+ without bias everywhere, z-B on the image where `bounds` are given.

    Zero where the logit is not positive, for which the decomposition is not defined.
    """
    ends = None
    if bounds is not None:
        low, high = (_spread(bound, inputs) for bound in bounds)
        ends = low, high
    return _explain(graph, DEEP_TAYLOR[rules], inputs, choose, ends, only_positive=True)


def _explain(
    graph: Graph,
    rules: Mapping[Kind, Rule],
    inputs: Tensor,
    choose: Choose,
    bounds: Bounds | None = None,
    *,
    only_positive: bool = False,
) -> Map:
    targets = torch.empty(0)

    def seed(logits: Tensor) -> Tensor:
        nonlocal targets
        targets = choose(logits)
        relevance = one_hot(logits, targets) * logits
        return relevance.relu() if only_positive else relevance

    relevance, logits = propagate(graph, rules, inputs, seed, bounds)
    return relevance, logits, targets


def _spread(bound: Tensor, inputs: Tensor) -> Tensor:
    """Return `bound`, one number, one a channel, or of the inputs' shape, at the inputs' shape."""
    bound = torch.as_tensor(bound, dtype=inputs.dtype)
    return (bound.view(-1, 1, 1) if bound.ndim == 1 else bound).expand_as(inputs)


def z(step: Step, relevance: Tensor) -> Relevance:
    """Share relevance among the terms of a sum by their part in it."""
    parts = vjp(step, _quotient(relevance, step.output.detach()))
    return {source: step.inputs[source].detach() * part for source, part in parts.items()}


def z_plus(step: Step, relevance: Tensor) -> Relevance:
    """Share relevance among the positive terms only, without bias."""
    ((source, x),) = step.inputs.items()
    weight = _weight(step)
    terms = [(x.clamp(min=0).requires_grad_(), weight.clamp(min=0))]
    if bool((x < 0).any()):
        terms.append((x.clamp(max=0).requires_grad_(), weight.clamp(max=0)))
    return {source: _shared(step, terms, relevance)}


def z_bounded(step: Step, relevance: Tensor) -> Relevance:
    """Share relevance by how far each term is from the lowest that the image could have made it (z-B)."""
    if step.bounds is None:
        return z_plus(step, relevance)
    ((source, x),) = step.inputs.items()
    low, high = step.bounds
    weight = _weight(step)
    terms = [
        (x.detach().requires_grad_(), weight),
        (low.detach().requires_grad_(), -weight.clamp(min=0)),
        (high.detach().requires_grad_(), -weight.clamp(max=0)),
    ]
    return {source: _shared(step, terms, relevance)}


def unchanged(step: Step, relevance: Any) -> Relevance:
    """Pass relevance through as it is."""
    return dict.fromkeys(step.inputs, relevance)


def faulty_norm(step: Step, relevance: Tensor) -> Relevance:
    """The z-rule of BatchNorm as iNNvestigate has it: variance squared, and no γ with the mean."""
    ((source, x),) = step.inputs.items()
    norm = step.call
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    spread = (norm.running_var**2 + norm.eps).sqrt()
    shape = (1, -1, *[1] * (x.ndim - 2))
    factor = ((1 if norm.weight is None else norm.weight) / spread).view(shape)
    offset = ((0 if norm.bias is None else norm.bias) - norm.running_mean / spread).view(shape)
    scaled = x.detach() * factor
    return {source: _quotient(relevance, scaled + offset) * scaled}


def _shared(step: Step, terms: list[tuple[Tensor, Tensor]], relevance: Tensor) -> Tensor:
    """Return the relevance of an input from pairs (input, weight) whose sums add up to the denominator."""
    with torch.enable_grad():
        total = reduce(torch.add, [_weighted(step, x, weight) for x, weight in terms])
    leaves = [x for x, _weight in terms]
    slopes = torch.autograd.grad(total, leaves, _quotient(relevance, total.detach()))
    products = [x.detach() * slope for x, slope in zip(leaves, slopes, strict=True)]
    return reduce(torch.add, products)


def _quotient(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Return the quotient, 0 where the denominator is: what no term made is shared by none."""
    return torch.where(denominator == 0, 0, numerator / denominator)


def _weight(step: Step) -> Tensor:
    if isinstance(step.call, nn.Module):
        weight: Tensor = step.call.weight  # type: ignore[assignment]
        return weight.detach()
    found: Tensor = step.kwargs["weight"] if "weight" in step.kwargs else step.args[1]
    return found.detach()


def _weighted(step: Step, x: Tensor, weight: Tensor) -> Any:
    """Return what the step's operation makes of `x` with another weight and no bias."""
    if isinstance(step.call, nn.Module):
        layer = copy.copy(step.call)
        layer._parameters = {"weight": weight, "bias": None}  # type: ignore[dict-item]
        return layer(x)
    others = {key: value for key, value in step.kwargs.items() if key not in {"input", "weight", "bias"}}
    return step.call(x, weight, None, *step.args[3:], **others)


_Z, _VJP = Rule(z), Rule(vjp)
_Z_BOUNDED = Rule(z_bounded, records=False)
_UNCHANGED = Rule(unchanged, records=False, keeps=False)

LRP_Z: dict[str, dict[Kind, Rule]] = {
    "conserving": {
        "weights": _Z, "norm": _Z, "linear": _Z, "route": _VJP, "activation": _UNCHANGED, "relu6": _UNCHANGED,
    },
    "innvestigate": {
        "weights": _Z, "norm": Rule(faulty_norm, records=False), "linear": _Z, "route": _VJP,
        "activation": _UNCHANGED, "relu6": _VJP,
    },
}  # fmt: skip
DEEP_TAYLOR: dict[str, dict[Kind, Rule]] = {
    "conserving": {
        "weights": _Z_BOUNDED, "norm": _UNCHANGED, "linear": _Z, "route": _VJP, "activation": _UNCHANGED,
        "relu6": _UNCHANGED,
    },
    "innvestigate": {
        "weights": _Z_BOUNDED, "norm": _VJP, "linear": _VJP, "route": _VJP, "activation": _VJP, "relu6": _VJP,
    },
}  # fmt: skip
