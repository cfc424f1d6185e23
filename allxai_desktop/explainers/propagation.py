"""Relevance from the logits back to the input, node by node, each by the rule for its kind of operation."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

from allxai_desktop.explainers.graph import Graph, UnsupportedOperation, arguments
from allxai_desktop.explainers.operations import KINDS, PRODUCTS, QUOTIENTS, Kind
from allxai_desktop.i18n import _

Relevance = dict[fx.Node, Any]
"""Node → the relevance of its value: a tensor of its shape, or index → tensor where it is a tuple."""
Bounds = tuple[Tensor, Tensor]
"""The lowest and the highest values that an input may take, of its shape."""


@dataclass(frozen=True)
class Step:
    """One node as it was computed, which is what a rule is given.

    `inputs` are the values that depend on the image, by the node that made them; `output` can be
    differentiated by them if the rule `records`. `args` and `kwargs` are what `call` was called with.
    `bounds` are those of the input where it is nothing but the image, moved about or scaled.
    """

    call: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: dict[fx.Node, Tensor]
    output: Any
    bounds: Bounds | None


@dataclass(frozen=True)
class Rule:
    """`apply` turns a step and the relevance of its output into that of its inputs.

    `records`: it differentiates the output; `keeps`: it reads the step at all, but for `inputs`' nodes.
    """

    apply: Callable[[Step, Any], Relevance]
    records: bool = True
    keeps: bool = True


def propagate(
    graph: Graph,
    rules: Mapping[Kind, Rule],
    inputs: Tensor,
    seed: Callable[[Tensor], Tensor],
    bounds: Bounds | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the relevance of `inputs` (N, C, H, W) and the logits (N, classes).

    `seed` takes the logits and returns their relevance. Raises `UnsupportedOperation` for the first
    operation without a rule.
    """
    forward = _Forward(graph, rules, bounds)
    logits, _values = graph.run(inputs.detach(), compute=forward.compute)
    relevance: Relevance = {}
    (last,) = graph.output.all_input_nodes
    _add(relevance, last, seed(logits))
    while forward.steps:
        node, rule, step = forward.steps.pop()
        if node in relevance:
            for source, part in rule.apply(step, relevance.pop(node)).items():
                _add(relevance, source, part)
    return relevance.get(graph.input, torch.zeros_like(inputs)), logits


class _Forward:
    """Computes node after node and notes a step for each that depends on the image."""

    def __init__(self, graph: Graph, rules: Mapping[Kind, Rule], bounds: Bounds | None) -> None:
        self.steps: list[tuple[fx.Node, Rule, Step]] = []
        self._graph = graph
        self._rules = rules
        self._depends = {graph.input}
        self._bounds: dict[fx.Node, Bounds] = {} if bounds is None else {graph.input: bounds}

    def compute(self, node: fx.Node, values: Mapping[fx.Node, Any]) -> Any:
        sources = [source for source in node.all_input_nodes if source in self._depends]
        if not sources or node is self._graph.output:
            return self._graph.compute(node, values)
        rule, kind = self._rule(node, values)
        records = rule is not None and rule.records
        leaves = {source: _leaf(values[source], records) for source in sources}
        seen = {**values, **leaves}
        with torch.set_grad_enabled(records):
            output = self._graph.compute(node, seen)
        if not _floating(output):
            return output
        if rule is None or not all(_floating(output)):
            raise UnsupportedOperation(
                _(
                    "This explainer has no rule for the operation {operation}: choose a gradient or Grad-CAM."
                ).format(operation=self._graph.title(node))
            )
        self._depends.add(node)
        self._follow_bounds(node, kind, sources, values)
        args, kwargs = arguments(node, seen) if rule.keeps else ((), {})
        step = Step(
            self._graph.calls[node],
            args,
            kwargs,
            leaves if rule.keeps else dict.fromkeys(leaves, torch.empty(0)),
            output if records else None,
            self._bounds.get(sources[0]),
        )
        self.steps.append((node, rule, step))
        return _leaf(output, requires_grad=False)

    def _rule(self, node: fx.Node, values: Mapping[fx.Node, Any]) -> tuple[Rule | None, Kind | None]:
        key = self._graph.key(node)
        kind = KINDS.get(key)
        changing = [arg for arg in node.args if isinstance(arg, fx.Node) and arg in self._depends]
        if key is operator.getitem and isinstance(values[node.args[0]], tuple | list):  # type: ignore[index]
            return _FROM_TUPLE, kind
        if len(changing) > 1 and (key in PRODUCTS or kind == "weights"):
            return None, kind
        if key in QUOTIENTS and changing != [node.args[0]]:
            return None, kind
        return (None if kind is None else self._rules[kind]), kind

    def _follow_bounds(
        self, node: fx.Node, kind: Kind | None, sources: list[fx.Node], values: Mapping[fx.Node, Any]
    ) -> None:
        if sources[0] not in self._bounds or len(sources) > 1 or kind not in {"route", "linear"}:
            return
        ends = [self._graph.compute(node, {**values, sources[0]: end}) for end in self._bounds[sources[0]]]
        if all(isinstance(end, Tensor) for end in ends):
            # A negative factor swaps the two.
            self._bounds[node] = torch.minimum(*ends), torch.maximum(*ends)


def vjp(step: Step, relevance: Any) -> Relevance:
    """Take relevance back as a gradient; where outputs are copies of inputs, this moves it to where it came from."""
    outputs, seeds = step.output, relevance
    if isinstance(relevance, dict):
        outputs, seeds = [step.output[index] for index in relevance], list(relevance.values())
    slopes = torch.autograd.grad(outputs, list(step.inputs.values()), seeds, allow_unused=True)
    return {source: slope for source, slope in zip(step.inputs, slopes, strict=True) if slope is not None}


def _from_tuple(step: Step, relevance: Tensor) -> Relevance:
    (source,) = step.inputs
    return {source: {step.args[1]: relevance}}


_FROM_TUPLE = Rule(_from_tuple, records=False)


def _add(relevance: Relevance, node: fx.Node, part: Any) -> None:
    if node not in relevance:
        relevance[node] = part
    elif isinstance(part, dict):
        known = relevance[node]
        relevance[node] = known | {index: known.get(index, 0) + own for index, own in part.items()}
    else:
        relevance[node] = relevance[node] + part


def _leaf(value: Any, requires_grad: bool) -> Any:
    if isinstance(value, Tensor):
        return value.detach().requires_grad_(requires_grad)
    return type(value)(_leaf(one, requires_grad) for one in value)


def _floating(value: Any) -> list[bool]:
    """Return for each tensor in `value` whether it holds real numbers; nothing where none does."""
    tensors = [
        one for one in (value if isinstance(value, tuple | list) else [value]) if isinstance(one, Tensor)
    ]
    found = [one.is_floating_point() for one in tensors]
    return found if any(found) else []
