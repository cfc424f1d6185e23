"""Padding that is part of a convolution in Keras, and an operation of its own in torch."""

from collections.abc import Mapping
from typing import Any

from torch import fx, nn
from torch.nn import functional as F

from allxai_desktop.explainers.graph import Graph, arguments

_Size = tuple[int, ...]


def pads(graph: Graph, node: fx.Node) -> bool:
    """Return whether `node` adds rows and columns around images."""
    return graph.calls[node] is F.pad or isinstance(graph.calls[node], nn.ZeroPad2d)


def is_same(graph: Graph, node: fx.Node, values: Mapping[fx.Node, Any]) -> bool:
    """Return whether what `node` adds is what "same" in Keras adds for each convolution that reads it.

    Only where that is more on the far side, which no convolution of torch does by itself.
    """
    call = graph.calls[node]
    args, kwargs = arguments(node, values)
    padding = call.padding if isinstance(call, nn.ZeroPad2d) else kwargs.get("pad", args[-1])
    shape = values[node.all_input_nodes[0]].shape
    rows, columns = tuple(padding[2:]), tuple(padding[:2])
    if len(shape) != 4 or len(rows) != 2 or (rows[0] == rows[1] and columns[0] == columns[1]):
        return False
    windows = [_window(graph, reader, values) for reader in node.users]
    return all(window and _same(shape[2:], *window) == [rows, columns] for window in windows)


def _window(graph: Graph, node: fx.Node, values: Mapping[fx.Node, Any]) -> tuple[_Size, _Size, _Size] | None:
    """Return kernel, stride and dilation of a convolution, None of anything else."""
    call: Any = graph.calls.get(node)
    if isinstance(call, nn.Conv2d):
        return call.kernel_size, call.stride, call.dilation
    if call is not F.conv2d:
        return None
    names = ("input", "weight", "bias", "stride", "padding", "dilation")
    given: dict[str, Any] = fx.map_arg(dict(zip(names, node.args, strict=False)) | node.kwargs, values.get)
    weight = given["weight"]
    if weight is None:
        return None
    return weight.shape[2:], _pair(given.get("stride", 1)), _pair(given.get("dilation", 1))


def _pair(value: Any) -> _Size:
    return tuple(value) if isinstance(value, tuple | list) else (value, value)


def _same(sides: _Size, kernel: _Size, stride: _Size, dilation: _Size) -> list[_Size]:
    """Return the rows and the columns that "same" in Keras adds before and after."""
    added: list[_Size] = []
    for n, k, s, d in zip(sides, kernel, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        added.append((total // 2, total - total // 2))
    return added
