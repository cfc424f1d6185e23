"""BatchNorm folded into the layer before it, so that the two are one linear operation."""

import copy
from collections.abc import Callable
from typing import Any

from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights, fuse_linear_bn_weights

_NORMS = {nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d}
_TRANSPOSED = {nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d}
_LAYERS = {nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear} | _TRANSPOSED


def fold_batch_norm(
    graph: fx.Graph, calls: dict[fx.Node, Any], derived_from: Callable[..., None]
) -> dict[fx.Node, fx.Node]:
    """Fold where a BatchNorm is the only reader of a layer; the layer's node goes, the BatchNorm's stays.

    `calls` (what computes a node) is brought up to date; `derived_from` is told the tensors that the
    new weights rest on. Returns removed node → node that computes both.
    """
    merged: dict[fx.Node, fx.Node] = {}
    for node in list(graph.nodes):
        if node.op != "call_module" or type(calls[node]) not in _NORMS:
            continue
        source = node.args[0]
        if not _can_fold(calls[node], source, calls):
            continue
        layer, norm = calls.pop(source), calls[node]
        derived_from(*layer.parameters(), *norm.parameters(), *norm.buffers())
        calls[node] = _folded(layer, norm)
        node.args = source.args
        graph.erase_node(source)
        merged[source] = node
    return merged


def _can_fold(norm: Any, source: Any, calls: dict[fx.Node, Any]) -> bool:
    if not isinstance(source, fx.Node) or len(source.users) > 1 or norm.running_mean is None:
        return False
    layer: Any = calls.get(source)
    return type(layer) in _LAYERS and not (type(layer) in _TRANSPOSED and layer.groups > 1)


def _folded(layer: Any, norm: Any) -> Any:
    statistics = (norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias)
    if isinstance(layer, nn.Linear):
        weight, bias = fuse_linear_bn_weights(layer.weight, layer.bias, *statistics)
    else:
        weight, bias = fuse_conv_bn_weights(
            layer.weight, layer.bias, *statistics, transpose=type(layer) in _TRANSPOSED
        )
    folded = copy.copy(layer)
    folded._parameters = {
        "weight": nn.Parameter(weight, requires_grad=False),
        "bias": nn.Parameter(bias, requires_grad=False),
    }
    return folded
