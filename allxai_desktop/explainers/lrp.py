"""LRP-z and EpsilonPlusFlat (Bach et al. 2015; Lapuschkin et al. 2019) and Deep Taylor (Montavon et al. 2017).

Each is a table of rules, one for a kind of operation. The tables named "innvestigate" do what iNNvestigate 2.1.2
does, its fault at BatchNorm included. It takes a ReLU that is a layer of its own by its gradient, but not one inside a
convolution (`activation="relu"`). Torch does not tell them apart, and all are taken for layers: Deep Taylor then
differs where an average or a sum reads such a ReLU.
"""

import copy
import threading
from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from allxai_desktop.explainers.folding import Folded
from allxai_desktop.explainers.gradients import Choose, Map, one_hot
from allxai_desktop.explainers.operations import ADDITIONS, AVERAGES, LEAKY, Kind
from allxai_desktop.explainers.passes import Passes
from allxai_desktop.explainers.propagation import Relevance, Rule, Step, propagate, vjp

EPSILON = 1e-6
"""What EpsilonPlusFlat adds to every denominator, with its sign."""
# Dense layers are clamped in pieces of this many weights, which stay in the processor's cache.
_PIECE = 2**18


def lrp_z(passes: Passes, choose: Choose, *, rules: str) -> Map:
    """Return the relevance (N, C, H, W): each sum is divided by the share of its terms, the bias one of them."""
    return _explain(passes, LRP_Z[rules], choose, folded=rules == "conserving")


def deep_taylor(passes: Passes, choose: Choose, *, rules: str) -> Map:
    """Return the relevance (N, C, H, W): z+ without bias everywhere, z-B on the image where its bounds are known.

    Zero where the logit is not positive, for which the decomposition is not defined.
    """
    return _explain(passes, DEEP_TAYLOR[rules], choose, folded=rules == "conserving", only_positive=True)


def epsilon_plus_flat(passes: Passes, choose: Choose) -> Map:
    """Return the relevance (N, C, H, W): ε-rule on dense layers, z+ on convolutions, flat on the first layer."""
    return _explain(passes, EPSILON_PLUS_FLAT, choose, folded=True)


def _explain(
    passes: Passes,
    rules: Mapping[Kind, Rule],
    choose: Choose,
    *,
    folded: bool,
    only_positive: bool = False,
) -> Map:
    recording = passes.recorded(folded=folded)
    logits = recording.logits
    targets = choose(logits)
    seed = one_hot(logits, targets) * logits
    relevance = propagate(recording, rules, seed.relu() if only_positive else seed, keep=passes.shared)
    return relevance, logits, targets


Divide = Callable[[Tensor, Tensor], Tensor]


def exact(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Divide; 0 where the denominator is, as what no term made is shared by none."""
    return (numerator / denominator).masked_fill_(denominator == 0, 0)


def positive(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Divide by a sum of positive terms, in its memory: where it is zero they all are, and anything serves."""
    return torch.div(numerator, denominator.clamp_(min=1e-30), out=denominator)


def stable(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Divide by the denominator moved away from zero by `EPSILON`."""
    return numerator / (denominator + torch.where(denominator < 0, -EPSILON, EPSILON))


def as_innvestigate(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Divide by 1e-7 where the denominator is zero."""
    return numerator / denominator.masked_fill(denominator == 0, 1e-7)


def z(step: Step, relevance: Tensor, divide: Divide = exact) -> Relevance:
    """Share relevance among the terms of a sum by their part in it."""
    parts = vjp(step, divide(relevance, step.output.detach()))
    if step.kind == "weights":
        # Nobody else has these parts, and memory from the system takes time.
        return {source: part.mul_(step.inputs[source].detach()) for source, part in parts.items()}
    return {source: step.inputs[source].detach() * part for source, part in parts.items()}


def z_plus(step: Step, relevance: Tensor) -> Relevance:
    """Share relevance among the positive terms only, without bias."""
    return _plus(step, relevance, None, positive)


def z_bounded(step: Step, relevance: Tensor) -> Relevance:
    """Share relevance by how far each term is from the lowest that the image could have made it (z-B)."""
    if step.bounds is None:
        return z_plus(step, relevance)
    ((source, x),) = step.inputs.items()
    low, high = step.bounds
    weight = _weight(step)
    terms = [(x, weight), (low, -weight.clamp(min=0)), (high, -weight.clamp(max=0))]
    return {source: _shared(step, terms, relevance, None, exact)}


def plus_or_flat(step: Step, relevance: Tensor) -> Relevance:
    """EpsilonPlusFlat: ε-rule for dense layers, z+ for convolutions, and equal shares for all that a first layer reads.

    A positive bias takes its share of z+.
    """
    ((source, x),) = step.inputs.items()
    if step.of_image:
        ones = torch.ones_like(x).requires_grad_()
        with torch.enable_grad():
            count = _weighted(step, ones, torch.ones_like(_weight(step)))
        (part,) = torch.autograd.grad(count, ones, stable(relevance, count.detach()))
        return {source: part}
    if is_dense(step):
        return z(step, relevance, stable)
    bias = _bias(step)
    return _plus(step, relevance, None if bias is None else bias.clamp(min=0), stable)


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
    return {source: as_innvestigate(relevance, scaled + offset) * scaled}


def sum_or_slope(step: Step, relevance: Tensor) -> Relevance:
    """The z-rule for averages and for the sum of two branches, the gradient for all else, as in iNNvestigate."""
    sums = step.key in AVERAGES or (step.key in ADDITIONS and len(step.inputs) > 1)
    return z(step, relevance, as_innvestigate) if sums else vjp(step, relevance)


def unchanged_but_leaky(step: Step, relevance: Tensor) -> Relevance:
    """Pass relevance through, but for LeakyReLU, which is a layer in Keras and there takes the gradient."""
    return vjp(step, relevance) if step.key in LEAKY else unchanged(step, relevance)


def is_dense(step: Step) -> bool:
    """Return whether a step with weights is a dense layer."""
    return step.key in {nn.Linear, F.linear}


def _plus(step: Step, relevance: Tensor, bias: Tensor | None, divide: Divide) -> Relevance:
    ((source, x),) = step.inputs.items()
    negative = not step.nonnegative and bool(x.min() < 0)
    parts = [x.clamp(min=0), x.clamp(max=0)] if negative else [x]
    if is_dense(step):
        return {source: _dense_plus(parts, _weight(step), relevance)}
    terms = [(parts[0], _positive(step))]
    if negative:
        terms.append((parts[1], _weight(step).clamp(max=0)))
    return {source: _shared(step, terms, relevance, bias, divide)}


_scratch = threading.local()


def _positive(step: Step) -> Tensor:
    """Return the positive part of the step's weights, good until the next call on this thread.

    Always in the same memory: to get megabytes anew from the system for every layer takes longer than to fill them.
    """
    call = step.call
    weight = _weight(step) if not isinstance(call, Folded) else _parameter(call.layer)
    held: Tensor | None = getattr(_scratch, "held", None)
    if held is None or held.dtype != weight.dtype or held.numel() < weight.numel():
        held = _scratch.held = torch.empty(weight.numel(), dtype=weight.dtype)
    made = held[: weight.numel()].view(weight.shape)
    if isinstance(call, Folded):
        return torch.mul(weight, call.weight_scale, out=made).clamp_(min=0)
    return torch.clamp(weight, min=0, out=made)


def _dense_plus(parts: list[Tensor], weight: Tensor, relevance: Tensor) -> Tensor:
    """Return z+ of a dense layer, whose input comes in its positive and, if there is any, its negative part.

    In pieces, because a copy of a first dense layer's weights can be larger than everything else.
    """
    parts = [part.detach() for part in parts]
    slopes = [torch.zeros_like(part) for part in parts]
    rows = max(1, _PIECE // weight.shape[1])
    for piece, own in zip(torch.split(weight, rows), torch.split(relevance, rows, dim=-1), strict=True):
        signed = [piece.clamp(min=0), *([piece.clamp(max=0)] if len(parts) > 1 else [])]
        total = reduce(torch.add, map(F.linear, parts, signed))
        quotient = positive(own, total)
        for slope, half in zip(slopes, signed, strict=True):
            slope += quotient @ half
    return reduce(torch.add, [part * slope for part, slope in zip(parts, slopes, strict=True)])


def _shared(
    step: Step,
    terms: list[tuple[Tensor, Tensor]],
    relevance: Tensor,
    bias: Tensor | None,
    divide: Divide,
) -> Tensor:
    """Return the relevance of an input from pairs (input, weight) whose sums add up to the denominator."""
    leaves = [x.detach().requires_grad_() for x, _weight in terms]
    with torch.enable_grad():
        sums = [
            _weighted(step, leaf, weight, bias if number == 0 else None)
            for number, (leaf, (_x, weight)) in enumerate(zip(leaves, terms, strict=True))
        ]
        total = reduce(torch.add, sums)
    slopes = torch.autograd.grad(total, leaves, divide(relevance, total.detach()))
    products = [slope.mul_(leaf.detach()) for leaf, slope in zip(leaves, slopes, strict=True)]
    return reduce(torch.add, products)


def _weight(step: Step) -> Tensor:
    if isinstance(step.call, nn.Module):
        return _parameter(step.call)
    found: Tensor = step.kwargs["weight"] if "weight" in step.kwargs else step.args[1]
    return found.detach()


def _parameter(module: nn.Module) -> Tensor:
    weight: Tensor = module.weight  # type: ignore[assignment]
    return weight.detach()


def _bias(step: Step) -> Tensor | None:
    if isinstance(step.call, nn.Module):
        bias: Tensor | None = step.call.bias  # type: ignore[assignment]
    else:
        bias = step.kwargs.get("bias", step.args[2] if len(step.args) > 2 else None)
    return None if bias is None else bias.detach()


def _weighted(step: Step, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
    """Return what the step's operation makes of `x` with another weight and bias."""
    if isinstance(step.call, nn.Module):
        layer = copy.copy(step.call.layer if isinstance(step.call, Folded) else step.call)
        layer._parameters = {"weight": weight, "bias": bias}  # type: ignore[dict-item]
        return layer(x)
    others = {key: value for key, value in step.kwargs.items() if key not in {"input", "weight", "bias"}}
    return step.call(x, weight, bias, *step.args[3:], **others)


_z_stable, _z_innvestigate = partial(z, divide=stable), partial(z, divide=as_innvestigate)

LRP_Z: dict[str, dict[Kind, Rule]] = {
    "conserving": {
        "weights": z, "norm": z, "linear": z, "route": vjp, "activation": unchanged, "relu6": unchanged,
    },
    "innvestigate": {
        "weights": _z_innvestigate, "norm": faulty_norm, "linear": sum_or_slope, "route": vjp,
        "activation": unchanged_but_leaky, "relu6": vjp,
    },
}  # fmt: skip
DEEP_TAYLOR: dict[str, dict[Kind, Rule]] = {
    "conserving": {
        "weights": z_bounded, "norm": unchanged, "linear": z, "route": vjp, "activation": unchanged,
        "relu6": unchanged,
    },
    "innvestigate": {
        "weights": z_bounded, "norm": vjp, "linear": vjp, "route": vjp, "activation": vjp, "relu6": vjp,
    },
}  # fmt: skip
EPSILON_PLUS_FLAT: dict[Kind, Rule] = {
    "weights": plus_or_flat, "norm": unchanged, "linear": _z_stable, "route": vjp, "activation": unchanged,
    "relu6": unchanged,
}  # fmt: skip
