"""Where two explainers are the same by theory, read from the network's operations.

LRP-z with the bias in the denominator gives the relevance a·∂f/∂a to every value a, if it does so one
operation later. For z = Σ wx + b it sends x·w·R/z back, and R/z is ∂f/∂z where R = z·∂f/∂z. A ReLU
passes R = a·∂f/∂a on as it is, which is z·∂f/∂z because a = z·∂a/∂z; this holds for every activation with
f(z) = z·f′(z), and for no other. A pooling or reshaping moves both factors together. So at the image,
R = x·∂f/∂x: Gradient × Input (Kindermans et al. 2016; Ancona et al. 2018, proposition 1).
"""

import operator
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional as F

from allxai_desktop.explainers.graph import Graph, cached_graph
from allxai_desktop.explainers.operations import ADDITIONS, AVERAGES, KINDS, RELUS
from allxai_desktop.explainers.registry import EXPLAINERS
from allxai_desktop.i18n import _

# f(z) = z·f′(z): piecewise linear, through zero.
_HOMOGENEOUS = {nn.ReLU, nn.LeakyReLU, F.relu, F.leaky_relu, torch.relu, "relu"}
# They read the shape of a value and pass nothing on.
_SHAPES: set[Any] = {"size", "dim", "numel", getattr}
_PAIR = {"lrp-z", "gradient-x-input"}


def same_by_theory(module: nn.Module, method_a: str, method_b: str, rules: str = "conserving") -> str | None:
    """Return a sentence that says why the two explainers draw the same map on `module`; None where they need not.

    `rules` is the setting of LRP-z. Raises `UnsupportedOperation` for a module that cannot be traced.
    """
    if {method_a, method_b} != _PAIR:
        return None
    conserving = rules == "conserving"
    graph = cached_graph(module, torch.float32, fold_norms=conserving)
    keeps = _keeps_the_equality if conserving else _keeps_it_as_innvestigate
    if not all(keeps(graph, node) for node in _on_the_way(graph)):
        return None
    return _(
        "{first} and {second} are one map here: in a network of weighted sums, ReLU and pooling the two formulas"
        " are equal."
    ).format(first=_(EXPLAINERS["lrp-z"].title), second=_(EXPLAINERS["gradient-x-input"].title))


def _on_the_way(graph: Graph) -> list[fx.Node]:
    """Return the operations between the image and the logits."""
    depends = {graph.input}
    found = []
    for node in graph.nodes:
        passes = node in graph.calls and node is not graph.output and graph.key(node) not in _SHAPES
        if passes and any(source in depends for source in node.all_input_nodes):
            depends.add(node)
            found.append(node)
    return found


def _keeps_the_equality(graph: Graph, node: fx.Node) -> bool:
    key = graph.key(node)
    kind = KINDS.get(key)
    if kind == "activation":
        return key in _HOMOGENEOUS
    return kind not in {None, "relu6"} or key is operator.getitem


def _keeps_it_as_innvestigate(graph: Graph, node: fx.Node) -> bool:
    """Its rule for BatchNorm is another one, and that for LeakyReLU, factors and differences is the gradient's."""
    key = graph.key(node)
    kind = KINDS.get(key)
    if kind == "linear":
        return key in AVERAGES or (key in ADDITIONS and len(node.all_input_nodes) > 1)
    if kind == "activation":
        return key in RELUS
    return kind in {"weights", "route", "relu6"} or key is operator.getitem
