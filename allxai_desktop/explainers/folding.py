"""BatchNorm folded into the layer before it, so that the two are one linear operation."""

import copy
from collections.abc import Callable
from typing import Any

from torch import Tensor, fx, nn

_NORMS = {nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d}
_TRANSPOSED = {nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d}
_LAYERS = {nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear} | _TRANSPOSED


class Folded(nn.Module):
    """A layer and the BatchNorm after it as one weighted sum.

    `layer` has no bias; its output is multiplied by `scale` and moved by `shift`, both (channels, 1, …). Folded
    weights are made when they are asked for: kept, those of a large network would take more memory than its passes.
    """

    def __init__(self, layer: Any, norm: Any) -> None:
        super().__init__()
        self.layer: nn.Module = copy.copy(layer)
        self.layer._parameters = {"weight": layer.weight, "bias": None}
        scale = (norm.running_var + norm.eps).rsqrt()
        if norm.weight is not None:
            scale = scale * norm.weight
        mean = norm.running_mean if layer.bias is None else norm.running_mean - layer.bias
        shift = -mean * scale if norm.bias is None else norm.bias - mean * scale
        shape = (-1, *[1] * (layer.weight.ndim - 2))
        self.scale: Tensor = scale.detach().view(shape)
        self.shift: Tensor = shift.detach().view(shape)
        self._first = type(layer) in _TRANSPOSED

    def forward(self, x: Tensor) -> Tensor:
        """Return the output of the layer and the norm."""
        summed: Tensor = self.layer(x)
        return summed.mul_(self.scale).add_(self.shift)

    @property
    def weight_scale(self) -> Tensor:
        """What the layer's weights are multiplied by, in a shape that fits them."""
        return self.scale[None] if self._first else self.scale[:, None]

    @property
    def weight(self) -> Tensor:
        """The folded weights, made anew."""
        weight: Tensor = self.layer.weight.detach()  # type: ignore[operator]
        return weight * self.weight_scale

    @property
    def bias(self) -> Tensor:
        """The folded bias (channels,)."""
        return self.shift.flatten()


def fold_batch_norm(
    graph: fx.Graph, calls: dict[fx.Node, Any], derived_from: Callable[..., None]
) -> dict[fx.Node, fx.Node]:
    """Fold where a BatchNorm is the only reader of a layer; the layer's node goes, the BatchNorm's stays.

    `calls` (what computes a node) is brought up to date; `derived_from` is told the tensors that scale and shift
    rest on. Returns removed node → node that computes both.
    """
    merged: dict[fx.Node, fx.Node] = {}
    for node in list(graph.nodes):
        if node.op != "call_module" or type(calls[node]) not in _NORMS:
            continue
        source = node.args[0]
        if not _can_fold(calls[node], source, calls):
            continue
        layer, norm = calls.pop(source), calls[node]
        derived_from(layer.bias, *norm.parameters(), *norm.buffers())
        calls[node] = Folded(layer, norm)
        node.args = source.args
        graph.erase_node(source)
        merged[source] = node
    return merged


def _can_fold(norm: Any, source: Any, calls: dict[fx.Node, Any]) -> bool:
    if not isinstance(source, fx.Node) or len(source.users) > 1 or norm.running_mean is None:
        return False
    layer: Any = calls.get(source)
    return type(layer) in _LAYERS and not (type(layer) in _TRANSPOSED and layer.groups > 1)
