"""Relevance from the logits back to the input, node by node, each by the rule for its kind of operation."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from allxai_desktop.explainers import padding
from allxai_desktop.explainers.graph import Graph, UnsupportedOperation, arguments
from allxai_desktop.explainers.operations import (
    AVERAGES,
    KINDS,
    PRODUCTS,
    QUOTIENTS,
    RECTIFIERS,
    RELUS,
    RESHAPES,
    Kind,
)
from allxai_desktop.i18n import _

Relevance = dict[fx.Node, Any]
"""Node → the relevance of its value: a tensor of its shape, or index → tensor where it is a tuple."""
Bounds = tuple[Tensor, Tensor]
"""The lowest and the highest values that an input may take, of its shape."""


@dataclass(frozen=True)
class Step:
    """One node as it was computed, which is what a rule is given.

    `inputs` are the values that depend on the image, by the node that made them, and `output` can be differentiated
    by them. `key` says which operation it is; `args` and `kwargs` are what `call` was called with. `of_image`: the
    input is nothing but the image, moved about or scaled; `bounds` are its bounds then, where they are known.
    `nonnegative`: the inputs are known to be. A ReLU that overwrote its input has neither args nor an output.
    """

    node: fx.Node
    kind: Kind
    key: Any
    call: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: dict[fx.Node, Tensor]
    output: Any
    of_image: bool
    bounds: Bounds | None
    nonnegative: bool


Rule = Callable[[Step, Any], Relevance]
"""Turns a step and the relevance of its output into that of its inputs."""


@dataclass(frozen=True)
class Recording:
    """A forward pass: every step that depends on the image, and the logits (N, classes)."""

    graph: Graph
    image: Tensor
    steps: list[Step]
    logits: Tensor


def record(
    graph: Graph, inputs: Tensor, bounds: Bounds | None = None, *, innvestigate: bool = False
) -> Recording:
    """Run `inputs` (N, C, H, W) forward and note each step.

    A ReLU overwrites the sum that only it reads, which halves what is kept. Rules cannot tell: where the ReLU is
    zero so is the relevance that arrives there, of whatever divides by the sum. For `innvestigate` nothing is
    overwritten, and what was scaled is not the image any more.
    Raises `UnsupportedOperation` for the first operation without a rule.
    """
    forward = _Forward(graph, bounds, innvestigate)
    logits, _values = graph.run(inputs.detach(), compute=forward.compute)
    return Recording(graph, inputs, forward.steps, logits.detach())


def propagate(recording: Recording, rules: Mapping[Kind, Rule], seed: Tensor, *, keep: bool) -> Tensor:
    """Return the relevance of the image (N, C, H, W) from that of the logits, `seed` (N, classes).

    Without `keep` the recording is used up, which frees each step as soon as it is done.
    """
    steps = list(recording.steps) if keep else recording.steps
    relevance: Relevance = {}
    (last,) = recording.graph.output.all_input_nodes
    _add(relevance, last, seed)
    while steps:
        step = steps.pop()
        if step.node in relevance:
            rule = _from_tuple if _takes_from_tuple(step) else rules[step.kind]
            for source, part in rule(step, relevance.pop(step.node)).items():
                _add(relevance, source, part)
    found: Tensor = relevance.get(recording.graph.input, torch.zeros_like(recording.image))
    return found


class _Forward:
    """Computes node after node and notes a step for each that depends on the image."""

    def __init__(self, graph: Graph, bounds: Bounds | None, innvestigate: bool) -> None:
        self.steps: list[Step] = []
        self._graph = graph
        self._innvestigate = innvestigate
        self._depends = {graph.input}
        self._image: dict[fx.Node, Bounds | None] = {graph.input: bounds}
        self._sums: set[fx.Node] = set()
        self._nonnegative: set[fx.Node] = set()

    def compute(self, node: fx.Node, values: Mapping[fx.Node, Any]) -> Any:
        sources = [source for source in node.all_input_nodes if source in self._depends]
        if not sources or node is self._graph.output:
            return self._graph.compute(node, values)
        if self._may_overwrite(node):
            self._depends.add(node)
            self._note(node, "activation", (), {}, {sources[0]: torch.empty(0)}, None)
            self._nonnegative.add(node)
            return values[sources[0]].relu_()
        kind = self._kind(node, values)
        leaves = {source: _leaf(values[source], kind is not None) for source in sources}
        seen = {**values, **leaves}
        with torch.set_grad_enabled(kind is not None):
            output = self._graph.compute(node, seen)
        if not _floating(output):
            return output
        if kind is None or not all(_floating(output)):
            raise UnsupportedOperation(
                _(
                    "This explainer has no rule for the operation {operation}: choose a gradient or Grad-CAM."
                ).format(operation=self._graph.title(node))
            )
        self._depends.add(node)
        self._note(node, kind, *arguments(node, seen), leaves, output)
        if kind in {"weights", "norm", "linear"}:
            self._sums.add(node)
        if self._is_nonnegative(node, kind):
            self._nonnegative.add(node)
        self._follow_image(node, kind, sources, values)
        return _leaf(output, requires_grad=False)

    def _note(
        self,
        node: fx.Node,
        kind: Kind,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        inputs: dict[fx.Node, Tensor],
        output: Any,
    ) -> None:
        first = next(iter(inputs))
        of_image, bounds = first in self._image, self._image.get(first)
        self.steps.append(
            Step(
                node,
                kind,
                self._graph.key(node),
                self._graph.calls[node],
                args,
                kwargs,
                inputs,
                output,
                of_image,
                bounds,
                self._nonnegative.issuperset(inputs),
            )
        )

    def _is_nonnegative(self, node: fx.Node, kind: Kind) -> bool:
        key = self._graph.key(node)
        if key in RECTIFIERS:
            return key not in {nn.Hardtanh, F.hardtanh}
        keeps = (kind == "route" and key not in {F.pad, nn.ConstantPad2d}) or key in AVERAGES
        return keeps and self._nonnegative.issuperset(node.all_input_nodes)

    def _may_overwrite(self, node: fx.Node) -> bool:
        if self._innvestigate or self._graph.key(node) not in RELUS:
            return False
        (source,) = node.all_input_nodes
        return source in self._sums and len(source.users) == 1

    def _kind(self, node: fx.Node, values: Mapping[fx.Node, Any]) -> Kind | None:
        key = self._graph.key(node)
        kind = KINDS.get(key)
        changing = [arg for arg in node.args if isinstance(arg, fx.Node) and arg in self._depends]
        if len(changing) > 1 and (key in PRODUCTS or kind == "weights"):
            return None
        if key in QUOTIENTS and changing != [node.args[0]]:
            return None
        return kind

    def _follow_image(
        self, node: fx.Node, kind: Kind, sources: list[fx.Node], values: Mapping[fx.Node, Any]
    ) -> None:
        if sources[0] not in self._image or len(sources) > 1 or kind not in {"route", "linear"}:
            return
        if self._innvestigate and not self._is_image_to_innvestigate(node, values):
            return
        bounds = self._image[sources[0]]
        if bounds is not None:
            ends = [self._graph.compute(node, {**values, sources[0]: end}) for end in bounds]
            if not all(isinstance(end, Tensor) for end in ends):
                return
            # A negative factor swaps the two.
            bounds = torch.minimum(*ends), torch.maximum(*ends)
        self._image[node] = bounds

    def _is_image_to_innvestigate(self, node: fx.Node, values: Mapping[fx.Node, Any]) -> bool:
        if padding.pads(self._graph, node):
            return padding.is_same(self._graph, node, values)
        return self._graph.key(node) in RESHAPES


def vjp(step: Step, relevance: Any) -> Relevance:
    """Take relevance back as a gradient; where outputs are copies of inputs, this moves it to where it came from."""
    outputs, seeds = step.output, relevance
    if isinstance(relevance, dict):
        outputs, seeds = [step.output[index] for index in relevance], list(relevance.values())
    leaves = [(source, *leaf) for source, value in step.inputs.items() for leaf in _leaves(value)]
    slopes = torch.autograd.grad(
        outputs, [leaf for *_place, leaf in leaves], seeds, allow_unused=True, retain_graph=True
    )
    parts: Relevance = {}
    for (source, index, _value), slope in zip(leaves, slopes, strict=True):
        if slope is not None:
            _add(parts, source, slope if index is None else {index: slope})
    return parts


def _leaves(value: Any) -> list[tuple[int | None, Tensor]]:
    """Return the tensors of a value with their places in it, None where it is a tensor itself."""
    return [(None, value)] if isinstance(value, Tensor) else list(enumerate(value))


def _takes_from_tuple(step: Step) -> bool:
    return step.call is operator.getitem and isinstance(step.args[0], tuple | list)


def _from_tuple(step: Step, relevance: Any) -> Relevance:
    (source,) = step.inputs
    taken = range(len(step.args[0]))[step.args[1]]
    if isinstance(taken, int):
        return {source: {taken: relevance}}
    return {source: {taken[index]: part for index, part in relevance.items()}}


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
