"""A torch graph in the making, and what one operation of an ONNX file is given to add to it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from allxai_desktop.i18n import _
from allxai_desktop.networks.errors import NetworkError

# The most numbers in one value: 1 GB of float32.
MAX_NUMBERS = 2**28
_POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
# What takes and gives feature maps only.
_OF_MAPS = (*_POOLING, nn.Conv2d, nn.BatchNorm2d)


@dataclass(frozen=True)
class Value:
    """A value that depends on the image: the node that computes it, and a tensor without numbers of its shape.

    `is_map`: it is a feature map, its channels before its rows and columns.
    """

    node: fx.Node
    sample: Tensor
    is_map: bool


@dataclass
class Builder:
    """A torch graph in the making. `last_map` names its last feature map of more than one cell, before any pooling."""

    root: nn.Module = field(default_factory=nn.Module)
    graph: fx.Graph = field(default_factory=fx.Graph)
    last_map: str | None = None

    def input(self, shape: Sequence[int]) -> Value:
        """Start with a batch of images."""
        return Value(self.graph.placeholder("images"), torch.empty(tuple(shape), device="meta"), True)

    def module(self, name: str, module: nn.Module, value: Value) -> Value:
        """Add a module that takes `value`."""
        name = self._free_name(name)
        self.root.add_module(name, module.eval().requires_grad_(False))
        without = {key: tensor.to("meta") for key, tensor in module.state_dict().items()}
        sample = torch.func.functional_call(module, without, (value.sample,))
        is_map = value.is_map or isinstance(module, _OF_MAPS)
        return self._value(
            self.graph.call_module(name, (value.node,)), sample, is_map, name, isinstance(module, _POOLING)
        )

    def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Value:
        """Add a function; among its `args` are values and tensors, also in lists."""
        node = self.graph.call_function(function, fx.node.map_aggregate(args, self._argument), options)
        sample = function(*fx.node.map_aggregate(args, _sample), **options)
        found: list[bool] = []
        fx.node.map_aggregate(
            args, lambda value: found.append(value.is_map) if isinstance(value, Value) else None
        )
        is_map = all(found) and function not in {torch.permute, torch.reshape}
        return self._value(node, sample, is_map, node.name, function is functional.pad)

    def _value(self, node: fx.Node, sample: Tensor, is_map: bool, name: str, pools: bool) -> Value:
        # Found out without computing it: a small file can ask for more than any memory holds.
        if sample.numel() > MAX_NUMBERS:
            raise ValueError("too large")
        is_map = is_map and sample.ndim == 4
        if is_map and not pools and sample.shape[2] * sample.shape[3] > 1:
            self.last_map = name
        return Value(node, sample, is_map)

    def finish(self, output: Value) -> nn.Module:
        """Return the module that computes `output`."""
        self.graph.output(output.node)
        return fx.GraphModule(self.root, self.graph).eval()

    def _argument(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            name = self._free_name("constant")
            self.root.register_buffer(name, value)
            return self.graph.get_attr(name)
        return value.node if isinstance(value, Value) else value

    def _free_name(self, name: str) -> str:
        base = "_".join(re.findall(r"\w+", name)) or "operation"
        base = f"n{base}" if base[0].isdigit() else base
        free, number = base, 1
        while hasattr(self.root, free):
            number += 1
            free = f"{base}_{number}"
        return free


@dataclass
class Operation:
    """One operation of the file.

    `inputs` are values, constants, and None where one is left out; `uses` says how often each is
    read in the file; `outputs` is how many there are, `version` that of the operation set.
    """

    kind: str
    name: str
    inputs: list[Value | Tensor | None]
    attributes: dict[str, Any]
    outputs: int
    version: int
    uses: list[int]
    builder: Builder

    @property
    def image(self) -> Value:
        """The first input, which must depend on the image."""
        if not isinstance(self.inputs[0], Value):
            raise self.unknown()
        return self.inputs[0]

    def constant(self, position: int) -> Tensor | None:
        """Return an input that must not depend on the image; None where it is left out."""
        found = self.inputs[position] if position < len(self.inputs) else None
        if isinstance(found, Value):
            raise self.unknown()
        return found

    def whole(self, name: str, position: int | None = None) -> list[int] | None:
        """Return the whole numbers of an attribute, or of the input that took its place in newer files."""
        found: Any = self.attributes.get(name)
        if found is None and position is not None:
            found = self.constant(position)
        return None if found is None else [int(number) for number in np.asarray(found).reshape(-1)]

    def axes(self, position: int | None = None) -> list[int] | None:
        """Return the attribute or input `axes`, counted from the front."""
        found = self.whole("axes", position)
        return None if found is None else [axis % self.image.sample.ndim for axis in found]

    def unknown(self) -> NetworkError:
        """Return the error that names the operation."""
        return NetworkError(
            _("This program cannot read the operation {kind} ({name}) of the ONNX file.").format(
                kind=_short(self.kind), name=_short(self.name)
            )
        )

    def module(self, module: nn.Module, value: Value | None = None) -> Value:
        """Add a module that takes `value`, by default the first input."""
        return self.builder.module(self.name, module, value or self.image)

    def reshaped(self, shape: Sequence[int]) -> Value:
        """Give the first input another shape, whatever the number of images."""
        if shape and shape[0] == 1 == self.image.sample.shape[0]:
            shape = (-1, *shape[1:])
        return self.builder.call(torch.reshape, self.image, tuple(shape))


def _sample(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.to("meta")
    return value.sample if isinstance(value, Value) else value


def _short(text: str) -> str:
    return " ".join(text.split())[:60]
