"""ONNX's operations in torch's words, each as what the explainers have a rule for if there is one."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from allxai_desktop.networks.onnx_builder import Operation, Value


def _conv(op: Operation) -> Value:
    weight, bias = op.constant(1), op.constant(2)
    if weight is None or weight.ndim != 4:
        raise op.unknown()
    kernel = weight.shape[2:]
    image, padding = _padded(op, kernel, 0.0)
    groups = op.attributes.get("group", 1)
    conv = nn.Conv2d(
        weight.shape[1] * groups,
        weight.shape[0],
        tuple(kernel),  # type: ignore[arg-type]
        op.whole("strides") or 1,  # type: ignore[arg-type]
        padding,
        op.whole("dilations") or 1,  # type: ignore[arg-type]
        groups,
        bias=bias is not None,
        device="meta",
    )
    return op.module(_with(conv, weight, bias), image)


def _gemm(op: Operation) -> Value:
    weight, bias = op.constant(1), op.constant(2)
    if weight is None or op.attributes.get("transA"):
        raise op.unknown()
    weight = weight if op.attributes.get("transB") else weight.T
    if bias is not None:
        bias = (bias * op.attributes.get("beta", 1.0)).broadcast_to(1, len(weight))[0]
    return op.module(_linear(weight * op.attributes.get("alpha", 1.0), bias))


def _matmul(op: Operation) -> Value:
    weight = op.constant(1)
    if weight is None or weight.ndim != 2:
        raise op.unknown()
    return op.module(_linear(weight.T, None))


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Module:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    return _with(layer, weight.contiguous(), bias)


def _with(layer: nn.Module, weight: Tensor, bias: Tensor | None) -> nn.Module:
    layer.register_parameter("weight", nn.Parameter(weight, requires_grad=False))
    layer.register_parameter(
        "bias", None if bias is None else nn.Parameter(bias.clone(), requires_grad=False)
    )
    return layer


def _add(op: Operation) -> Value:
    """A constant added to what a layer without bias gives is its bias: Keras keeps the two apart."""
    for position in (0, 1):
        value, constant = op.inputs[position], op.inputs[1 - position]
        if not isinstance(value, Value) or not isinstance(constant, Tensor) or op.uses[position] > 1:
            continue
        layer = op.builder.root.get_submodule(value.node.target) if value.node.op == "call_module" else None  # type: ignore[arg-type]
        if not isinstance(layer, nn.Conv2d | nn.Linear) or layer.bias is not None:
            continue
        channel = -3 if isinstance(layer, nn.Conv2d) else -1
        if constant.ndim >= -channel and constant.shape[channel] == constant.numel() == len(layer.weight):
            layer.bias = nn.Parameter(constant.reshape(-1).clone(), requires_grad=False)
            return value
    return _binary(torch.add)(op)


def _binary(function: Callable[..., Tensor]) -> Callable[[Operation], Value]:
    def emit(op: Operation) -> Value:
        first, second = op.inputs
        return op.builder.call(function, first, second)

    return emit


def _sum(op: Operation) -> Value:
    total = op.inputs[0]
    for other in op.inputs[1:]:
        total = op.builder.call(torch.add, total, other)
    return total if isinstance(total, Value) else op.image


def _batch_norm(op: Operation) -> Value:
    scale, shift, mean, variance = (op.constant(position) for position in range(1, 5))
    if scale is None or op.attributes.get("training_mode"):
        raise op.unknown()
    kind = nn.BatchNorm2d if op.image.sample.ndim == 4 else nn.BatchNorm1d
    norm = _with(kind(len(scale), eps=op.attributes.get("epsilon", 1e-5)), scale, shift)
    norm.register_buffer("running_mean", mean)
    norm.register_buffer("running_var", variance)
    return op.module(norm)


def _max_pool(op: Operation) -> Value:
    kernel = op.whole("kernel_shape") or []
    image, padding = _padded(op, kernel, -torch.inf)
    pool = nn.MaxPool2d(
        tuple(kernel),
        op.whole("strides") or 1,  # type: ignore[arg-type]
        padding,
        op.whole("dilations") or 1,  # type: ignore[arg-type]
        ceil_mode=bool(op.attributes.get("ceil_mode", 0)),
    )
    return op.module(pool, image)


def _average_pool(op: Operation) -> Value:
    kernel = op.whole("kernel_shape") or []
    if set(op.whole("dilations") or [1]) != {1}:
        raise op.unknown()
    counts_padding = bool(op.attributes.get("count_include_pad", 0))
    options: dict[str, Any] = {
        "stride": op.whole("strides") or [1, 1],
        "ceil_mode": bool(op.attributes.get("ceil_mode", 0)),
        "count_include_pad": counts_padding,
    }
    top, left, bottom, right = _pads(op, kernel)
    if (top, left) != (bottom, right) and not counts_padding:
        mean = _mean_inside(op, kernel, options["stride"])
        if mean is not None:
            return mean
    image, options["padding"] = _padded(op, kernel, 0.0)
    mean = op.module(nn.AvgPool2d(tuple(kernel), **options), image)  # type: ignore[arg-type]
    if image is op.image or counts_padding:
        return mean
    # Padded beforehand: the mean is over fewer pixels at the edges.
    inside = functional.pad(torch.ones(1, 1, *op.image.sample.shape[2:]), (left, right, top, bottom))
    share = functional.avg_pool2d(inside, kernel, **options)
    return op.builder.call(torch.div, mean, share)


def _mean_inside(op: Operation, kernel: Sequence[int], strides: Sequence[int]) -> Value | None:
    """Return the mean over what lies inside the unevenly padded image as one pooling, None where torch has none.

    More padding on the far side is what rounding up does; with stride 1, what even padding gives but for the first.
    """
    pads = _pads(op, kernel)
    sides = zip(op.image.sample.shape[2:], pads[:2], pads[2:], kernel, strides, strict=True)
    size = [(side + before + after - k) // stride + 1 for side, before, after, k, stride in sides]
    cuts = [
        max(0, after - before) if stride == 1 else 0
        for before, after, stride in zip(pads[:2], pads[2:], strides, strict=True)
    ]
    padding = tuple(before + cut for before, cut in zip(pads[:2], cuts, strict=True))
    if any(2 * pad > side for pad, side in zip(padding, kernel, strict=True)):
        return None
    pool = nn.AvgPool2d(tuple(kernel), tuple(strides), padding, ceil_mode=True, count_include_pad=False)  # type: ignore[arg-type]
    found = pool(op.image.sample).shape[2:]
    if [side - cut for side, cut in zip(found, cuts, strict=True)] != size:
        return None
    mean = op.module(pool)
    rest = (slice(None), slice(None), *(slice(cut, None) for cut in cuts))
    return op.builder.call(operator.getitem, mean, rest) if any(cuts) else mean


def _pads(op: Operation, kernel: Sequence[int]) -> list[int]:
    """Return how much is added at top, left, bottom and right."""
    how = op.attributes.get("auto_pad", "NOTSET")
    if how == "NOTSET":
        return op.whole("pads") or [0, 0, 0, 0]
    if how == "VALID":
        return [0, 0, 0, 0]
    before, after = [], []
    for side, window, stride, step in zip(
        op.image.sample.shape[2:],
        kernel,
        op.whole("strides") or [1, 1],
        op.whole("dilations") or [1, 1],
        strict=True,
    ):
        total = max((-(-side // stride) - 1) * stride + (window - 1) * step + 1 - side, 0)
        less, more = total // 2, total - total // 2
        before.append(less if how == "SAME_UPPER" else more)
        after.append(more if how == "SAME_UPPER" else less)
    return before + after


def _padded(op: Operation, kernel: Sequence[int], value: float) -> tuple[Value, tuple[int, int]]:
    """Return the first input, and the padding that the operation can do itself: none where it is uneven."""
    if op.image.sample.ndim != 4 or len(kernel) != 2:
        raise op.unknown()
    top, left, bottom, right = _pads(op, kernel)
    # Torch's pooling pads by at most half its window.
    own = (top, left) == (bottom, right) and 2 * top <= kernel[0] and 2 * left <= kernel[1]
    if own or (value == 0 and op.kind == "Conv" and (top, left) == (bottom, right)):
        return op.image, (top, left)
    return op.builder.call(functional.pad, op.image, (left, right, top, bottom), value=value), (0, 0)


def _pad(op: Operation) -> Value:
    rank = op.image.sample.ndim
    pads = op.whole("pads", 1) or []
    value: Any = op.attributes.get("value")
    value = op.constant(2) if value is None else value
    axes = op.axes(3) or list(range(rank))
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}.get(
        op.attributes.get("mode", "constant")
    )
    if mode is None or len(pads) != 2 * len(axes):
        raise op.unknown()
    sides = [(0, 0)] * rank
    for axis, before, after in zip(axes, pads, pads[len(axes) :], strict=False):
        sides[axis] = before, after
    # Torch begins at the last axis, and repeats an image on its two sides only.
    flat = [number for side in reversed(sides) for number in side]
    if mode != "constant":
        return op.builder.call(functional.pad, op.image, tuple(flat[:4]), mode)
    return op.builder.call(
        functional.pad, op.image, tuple(flat), value=float(0.0 if value is None else value)
    )


def _reshape(op: Operation) -> Value:
    shape = op.whole("shape", 1) or []
    if not op.attributes.get("allowzero"):
        shape = [size or op.image.sample.shape[axis] for axis, size in enumerate(shape)]
    return op.reshaped(op.image.sample.reshape(shape).shape)


def _flatten(op: Operation) -> Value:
    sizes = op.image.sample.shape
    axis = op.attributes.get("axis", 1) % (len(sizes) + 1)
    return op.reshaped((int(np.prod(sizes[:axis])), int(np.prod(sizes[axis:]))))


def _squeeze(op: Operation) -> Value:
    sizes = op.image.sample.shape
    axes = op.axes(1)
    gone = [axis for axis, size in enumerate(sizes) if size == 1] if axes is None else axes
    return op.reshaped([size for axis, size in enumerate(sizes) if axis not in gone])


def _unsqueeze(op: Operation) -> Value:
    sizes = list(op.image.sample.shape)
    axes = op.whole("axes", 1) or []
    rank = len(sizes) + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        sizes.insert(axis, 1)
    return op.reshaped(sizes)


def _transpose(op: Operation) -> Value:
    order = op.whole("perm") or list(reversed(range(op.image.sample.ndim)))
    return op.builder.call(torch.permute, op.image, tuple(order))


def _concat(op: Operation) -> Value:
    return op.builder.call(torch.cat, list(op.inputs), op.attributes["axis"])


def _split(op: Operation) -> list[Value]:
    axis = op.attributes.get("axis", 0)
    size = op.image.sample.shape[axis]
    even = -(-size // op.outputs)
    sizes = op.whole("split", 1) or [min(even, size - start) for start in range(0, size, even)]
    starts = np.cumsum([0, *sizes])
    return [
        _part(op, axis, slice(start, start + own)) for start, own in zip(starts.tolist(), sizes, strict=False)
    ]


def _slice(op: Operation) -> Value:
    starts, ends = op.whole("starts", 1) or [], op.whole("ends", 2) or []
    axes, steps = op.axes(3) or list(range(len(starts))), op.whole("steps", 4) or [1] * len(starts)
    value = op
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        picked = range(op.image.sample.shape[axis])[start:end:step]
        # Torch has no negative steps: the places are listed.
        part = slice(picked.start, picked.stop, step) if step > 0 else list(picked)
        value = replace(value, inputs=[_part(value, axis, part)])
    return value.image


def _gather(op: Operation) -> Value:
    places = op.constant(1)
    if places is None or places.ndim > 1:
        raise op.unknown()
    part = int(places) if places.ndim == 0 else places.tolist()
    return _part(op, op.attributes.get("axis", 0), part)


def _part(op: Operation, axis: int, part: Any) -> Value:
    before = (slice(None),) * (axis % op.image.sample.ndim)
    return op.builder.call(operator.getitem, op.image, (*before, part))


def _reduce(function: Callable[..., Tensor], op: Operation) -> Value:
    axes = op.axes(1)
    if not axes:
        if op.attributes.get("noop_with_empty_axes"):
            return op.image
        axes = list(range(op.image.sample.ndim))
    keep = bool(op.attributes.get("keepdims", 1))
    return op.builder.call(function, op.image, tuple(axes), keepdim=keep)


def _clip(op: Operation) -> Value:
    low, high = (
        op.attributes.get(name, op.constant(position)) for name, position in (("min", 1), ("max", 2))
    )
    ends = None if low is None else float(low), None if high is None else float(high)
    if ends == (0, None):
        return op.module(nn.ReLU())
    if ends == (0, 6):
        return op.module(nn.ReLU6())
    if None in ends:
        return op.builder.call(torch.clamp, op.image, *ends)
    return op.module(nn.Hardtanh(*ends))  # type: ignore[arg-type]


def _cast(op: Operation) -> Value:
    if op.attributes.get("to") not in _REAL:
        raise op.unknown()
    return op.image


def _softmax(op: Operation) -> Value:
    axis = op.attributes.get("axis", -1 if op.version >= 13 else 1)
    if op.version < 13 and axis % op.image.sample.ndim != op.image.sample.ndim - 1:
        raise op.unknown()
    return op.builder.call(torch.softmax, op.image, axis)


def _prelu(op: Operation) -> Value:
    slope = op.constant(1)
    if slope is None:
        raise op.unknown()
    layer = nn.PReLU(slope.numel(), device="meta")
    layer.weight = nn.Parameter(slope.reshape(-1), requires_grad=False)
    return op.module(layer)


def _hard_sigmoid(op: Operation) -> Value:
    scaled = op.builder.call(torch.mul, op.image, op.attributes.get("alpha", 0.2))
    shifted = op.builder.call(torch.add, scaled, op.attributes.get("beta", 0.5))
    return op.module(nn.Hardtanh(0.0, 1.0), shifted)


def _module(make: Callable[..., nn.Module], **defaults: float | str) -> Callable[[Operation], Value]:
    """Return what adds a module made with the attributes named, or their defaults, in this order."""
    return lambda op: op.module(make(*(op.attributes.get(name, value) for name, value in defaults.items())))


def _function(function: Callable[[Tensor], Tensor]) -> Callable[[Operation], Value]:
    return lambda op: op.builder.call(function, op.image)


def _same(op: Operation) -> Value:
    return op.image


# The codes of float32, float16, float64 and bfloat16.
_REAL = {1, 10, 11, 16}
OPERATIONS: dict[str, Callable[[Operation], Value | list[Value]]] = {
    "Conv": _conv, "Gemm": _gemm, "MatMul": _matmul,
    "Add": _add, "Sub": _binary(torch.sub), "Mul": _binary(torch.mul), "Div": _binary(torch.div), "Sum": _sum,
    "Max": _binary(torch.maximum), "Min": _binary(torch.minimum), "Pow": _binary(torch.pow),
    "BatchNormalization": _batch_norm,
    "MaxPool": _max_pool, "AveragePool": _average_pool,
    "GlobalAveragePool": _module(partial(nn.AdaptiveAvgPool2d, 1)),
    "GlobalMaxPool": _module(partial(nn.AdaptiveMaxPool2d, 1)),
    "ReduceMean": partial(_reduce, torch.mean), "ReduceSum": partial(_reduce, torch.sum),
    "ReduceMax": partial(_reduce, torch.amax),
    "Reshape": _reshape, "Flatten": _flatten, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze,
    "Transpose": _transpose, "Concat": _concat, "Split": _split, "Slice": _slice, "Gather": _gather, "Pad": _pad,
    "Identity": _same, "Dropout": _same, "Cast": _cast,
    "Relu": _module(nn.ReLU), "LeakyRelu": _module(nn.LeakyReLU, alpha=0.01), "PRelu": _prelu,
    "Elu": _module(nn.ELU, alpha=1.0), "Celu": _module(nn.CELU, alpha=1.0), "Selu": _module(nn.SELU),
    "Gelu": _module(nn.GELU, approximate="none"), "Mish": _module(nn.Mish), "Softplus": _module(nn.Softplus),
    "Softsign": _module(nn.Softsign), "Tanh": _module(nn.Tanh), "Sigmoid": _module(nn.Sigmoid),
    "HardSigmoid": _hard_sigmoid, "HardSwish": _module(nn.Hardswish), "Clip": _clip, "Softmax": _softmax,
    "LRN": _module(nn.LocalResponseNorm, size=5, alpha=1e-4, beta=0.75, bias=1.0),
    "Abs": _function(torch.abs), "Erf": _function(torch.erf), "Exp": _function(torch.exp),
    "Log": _function(torch.log), "Neg": _function(operator.neg), "Sqrt": _function(torch.sqrt),
    "Reciprocal": _function(torch.reciprocal),
}  # fmt: skip
