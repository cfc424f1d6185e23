"""Any module as a graph of operations that can be walked node by node, on a private copy of it."""

import copy
import operator
import threading
import weakref
from collections.abc import Callable, Container, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn

from allxai_desktop.explainers.copying import Fingerprint, PrivateCopy, fingerprint
from allxai_desktop.explainers.folding import Folded, fold_batch_norm
from allxai_desktop.explainers.registry import ExplainerError
from allxai_desktop.i18n import _

Call = Callable[..., Any]
Compute = Callable[[fx.Node, Mapping[fx.Node, Any]], Any]
"""Takes a node and the values of those before it, returns its value."""
# Largest difference between the logits of the graph and of the module, relative to the largest logit.
TOLERANCE = 1e-3
# torch.fx patches nn.Module for the whole process while it traces.
_tracing = threading.Lock()

# They follow the last feature map and are none; with channels last it has the wrong axes.
_AFTER_FEATURES = {
    torch.permute, torch.transpose, "permute", "transpose", "contiguous",
    nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.Dropout, nn.Dropout2d, nn.Identity,
    nn.functional.max_pool2d, nn.functional.avg_pool2d, nn.functional.adaptive_avg_pool2d,
    nn.functional.adaptive_max_pool2d, nn.functional.dropout, nn.functional.dropout2d,
}  # fmt: skip


class UnsupportedOperation(ExplainerError):
    """An operation that cannot be traced, or for which an explainer has no rule."""


class _Tracer(fx.Tracer):
    """Remembers which node is the output of which module, and where a trace stopped."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()
        self.outputs: dict[str, fx.Node] = {}
        self.place = ""

    def create_args_for_root(self, root_fn: Call, is_module: bool, concrete_args: Any = None) -> Any:
        function, args = super().create_args_for_root(root_fn, is_module, concrete_args)
        # Defaults are values and not to be followed: paths may depend on them.
        return function, [*args[:2], *map(_default, args[2:])]

    def call_module(self, m: nn.Module, forward: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # Modules that other threads run meanwhile come through here too.
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        outside, self.place = self.place, self.path_of_module(m)
        output = super().call_module(m, forward, args, kwargs)
        if isinstance(output, fx.Proxy):
            self.outputs[self.place] = output.node
        self.place = outside
        return output


class Graph:
    """A module as a list of nodes, no operation in place.

    With `fold_norms`, BatchNorm is folded into the layer before it; without, the logits are bit for
    bit the module's own. `calls` holds what computes each node, `constants` the tensors that nodes name. Immutable once
    made, so any number of threads may run it. Raises `UnsupportedOperation` if it cannot be traced.
    """

    def __init__(self, module: nn.Module, dtype: torch.dtype, *, fold_norms: bool) -> None:
        try:
            self._copy = PrivateCopy(module, dtype)
        except Exception as error:  # whatever a stranger's module does when it is copied
            raise UnsupportedOperation(
                _("This network cannot be explained: it cannot be copied ({reason}).").format(
                    reason=_reason(error)
                )
            ) from error
        root = self._copy.module
        tracer = _Tracer()
        try:
            with _tracing:
                self._graph = tracer.trace(root)
        except Exception as error:  # whatever a stranger's forward does when it is traced
            raise UnsupportedOperation(
                _(
                    "This network cannot be explained: the operations of {place} cannot be followed ({reason})."
                ).format(place=_module_title(root, tracer.place), reason=_reason(error))
            ) from error
        self.calls: dict[fx.Node, Call] = {}
        self.constants: dict[fx.Node, Any] = {}
        self._resolve(root)
        self._remove_in_place()
        self._graph.eliminate_dead_code(lambda node: node.op in {"placeholder", "output"})
        merged: dict[fx.Node, fx.Node] = {}
        if fold_norms:
            merged = fold_batch_norm(self._graph, self.calls, self._copy.derived_from)
        self.nodes = list(self._graph.nodes)
        self.input = self._input()
        self.output = self.nodes[-1]
        self._frees = self._last_uses()
        self._layers: dict[str, fx.Node] = {node.name: node for node in self.nodes} | {
            name: node for name, node in tracer.outputs.items() if node not in merged
        }
        self._merged = {name: merged[node].target for name, node in tracer.outputs.items() if node in merged}
        self._unchecked: nn.Module | None = root
        self._last_spatial: dict[torch.Size, fx.Node] = {}

    @property
    def finite(self) -> bool:
        """Whether all weights are finite numbers."""
        return self._copy.finite

    def is_current(self) -> bool:
        """Return whether the tensors that were computed once still fit those of the module."""
        return self._copy.is_current()

    def run(
        self,
        inputs: Tensor,
        *,
        keep: Container[fx.Node] = (),
        leaf: fx.Node | None = None,
        compute: Compute | None = None,
    ) -> tuple[Tensor, dict[fx.Node, Any]]:
        """Return the logits (N, classes) of `inputs` (N, C, H, W) and the values of the nodes in `keep`.

        The value of `leaf` is cut off from what made it and made a leaf that requires gradients.
        `compute` computes each node in place of `self.compute`.
        Raises `ExplainerError` if the network cannot be run on such inputs.
        """
        self._check(inputs)
        values: dict[fx.Node, Any] = {self.input: inputs, **self.constants}
        for node in self.nodes:
            if node in self.calls:
                values[node] = (compute or self.compute)(node, values)
            if leaf is not None and node is leaf:
                values[node] = _as_leaf(values[node], node)
            for done in self._frees.get(node, ()):
                if done not in keep:
                    del values[done]
        logits = values.pop(self.output)
        if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != len(inputs):
            raise ExplainerError(
                _(
                    "The network does not return logits of shape (images, classes): this network cannot be explained."
                )
            )
        return logits, {node: value for node, value in values.items() if node in keep}

    def compute(self, node: fx.Node, values: Mapping[fx.Node, Any]) -> Any:
        """Return the value of `node` from those of the nodes it reads. Raises `ExplainerError`."""
        args, kwargs = arguments(node, values)
        try:
            return self.calls[node](*args, **kwargs)
        except Exception as error:  # whatever a stranger's operation does
            raise ExplainerError(
                _("The network cannot take this image: its operation {operation} failed ({reason}).").format(
                    operation=self.title(node), reason=_reason(error)
                )
            ) from error

    def layer(self, name: str) -> fx.Node:
        """Return the node that is the output of the module (or node) called `name`. Raises `ExplainerError`."""
        if name in self._merged:
            raise ExplainerError(
                _("The layer “{name}” is computed together with “{other}”: name that one.").format(
                    name=name, other=self._merged[name]
                )
            )
        if name not in self._layers:
            raise ExplainerError(
                _("The network has no layer “{name}”: give a module's name, such as {example}.").format(
                    name=name, example=next(reversed(self._layers), "layer4")
                )
            )
        return self._layers[name]

    def last_spatial(self, inputs: Tensor) -> fx.Node:
        """Return the node of the last feature map larger than 1×1, before any pooling of it.

        Raises `ExplainerError` where there is none.
        """
        shape = inputs.shape[1:]
        if shape not in self._last_spatial:
            with torch.no_grad():
                _logits, values = self.run(inputs[:1], keep=self.nodes)
            spatial = [node for node in self.nodes if node in self.calls and _is_spatial(values.get(node))]
            if not spatial:
                raise ExplainerError(
                    _(
                        "The network has no feature map of more than one cell: choose an explainer other than a CAM."
                    )
                )
            node: fx.Node = spatial[-1]
            while self.key(node) in _AFTER_FEATURES and node.all_input_nodes[0] in spatial:
                node = node.all_input_nodes[0]
            self._last_spatial[shape] = node
        return self._last_spatial[shape]

    def key(self, node: fx.Node) -> Any:
        """Return what operation the node is: a module's type, a function, or a method's name."""
        if node.op != "call_module":
            return node.target
        call = self.calls[node]
        return type(call.layer if isinstance(call, Folded) else call)

    def title(self, node: fx.Node) -> str:
        """Return the operation's name for people and where it is, as “ReLU (features.3)”."""
        key = self.key(node)
        name = key if isinstance(key, str) else getattr(key, "__name__", str(key))
        return f"{name} ({node.target if node.op == 'call_module' else node.name})"

    def _resolve(self, root: nn.Module) -> None:
        for node in self._graph.nodes:
            if node.op == "call_module":
                self.calls[node] = root.get_submodule(node.target)
            elif node.op == "call_function":
                self.calls[node] = node.target
            elif node.op == "call_method":
                self.calls[node] = _method(node.target)
            elif node.op == "output":
                self.calls[node] = lambda value: value
            elif node.op == "get_attr":
                self.constants[node] = operator.attrgetter(node.target)(root)

    def _remove_in_place(self) -> None:
        """Let every operation make a new value, and what came after read that."""
        order = {node: number for number, node in enumerate(self._graph.nodes)}
        for node in order:
            call = self.calls.get(node)
            if isinstance(call, nn.Module) and getattr(call, "inplace", False) is True:
                self.calls[node] = copy.copy(call)
                self.calls[node].inplace = False  # type: ignore[attr-defined]
            elif node.kwargs.get("inplace") is True:
                node.kwargs = {**node.kwargs, "inplace": False}
            elif node.op == "call_method" and node.target.endswith("_") and not node.target.endswith("__"):
                node.target = self._out_of_place(node, torch.Tensor)
                self.calls[node] = _method(node.target)
            elif node.op == "call_function" and getattr(node.target, "__name__", "").endswith("_"):
                name = self._out_of_place(node, torch)
                node.target = self.calls[node] = getattr(torch, name)
            else:
                continue
            changed = node.args[0]
            if isinstance(changed, fx.Node):
                for user in list(changed.users):
                    if order[user] > order[node]:
                        user.replace_input_with(changed, node)

    def _out_of_place(self, node: fx.Node, home: Any) -> str:
        name = str(getattr(node.target, "__name__", node.target)).rstrip("_")
        if not hasattr(home, name):
            raise UnsupportedOperation(
                _("This network cannot be explained: it overwrites values with {operation}.").format(
                    operation=self.title(node)
                )
            )
        return name

    def _input(self) -> fx.Node:
        taken: list[fx.Node] = [node for node in self.nodes if node.op == "placeholder"]
        required = [node for node in taken[1:] if not node.args and not str(node.target).startswith("*")]
        if not taken or str(taken[0].target).startswith("*") or required:
            raise UnsupportedOperation(
                _("This network cannot be explained: it takes other inputs than one batch of images.")
            )
        return taken[0]

    def _last_uses(self) -> dict[fx.Node, list[fx.Node]]:
        last = {source: node for node in self.nodes for source in node.all_input_nodes}
        frees: dict[fx.Node, list[fx.Node]] = {}
        for source, node in last.items():
            frees.setdefault(node, []).append(source)
        return frees

    def _check(self, inputs: Tensor) -> None:
        """Once, compare with the module itself: following the operations must not have changed the function."""
        module, self._unchecked = self._unchecked, None
        if module is None:
            return
        try:
            with torch.no_grad():
                followed = self.run(inputs[:1])[0]
                own = _own(module, inputs[:1].clone())
        except BaseException:
            self._unchecked = module
            raise
        if not _agree(own, followed):
            self._unchecked = module
            raise UnsupportedOperation(
                _(
                    "This network cannot be explained: followed operation by operation it gives other scores than"
                    " when it runs. An operation in place, or one that depends on the values, may be the reason."
                )
            )


def _default(proxy: fx.Proxy) -> Any:
    """Return the default of an input, or what stands for one that has none."""
    name = str(proxy.node.target)
    if name.startswith("*"):
        return {} if name.startswith("**") else ()
    return proxy.node.args[0] if proxy.node.args else proxy


def arguments(node: fx.Node, values: Mapping[fx.Node, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of `node`, each node among them replaced by its value."""
    args: tuple[Any, ...] = fx.map_arg(node.args, values.__getitem__)
    kwargs: dict[str, Any] = fx.map_arg(node.kwargs, values.__getitem__)
    return args, kwargs


def trace(module: nn.Module, dtype: torch.dtype = torch.float32, *, fold_norms: bool = False) -> Graph:
    """Return the graph of a private copy of `module` in `dtype`. Raises `UnsupportedOperation`."""
    return Graph(module, dtype, fold_norms=fold_norms)


_graphs: weakref.WeakKeyDictionary[nn.Module, dict[Any, tuple[Fingerprint, Graph]]]
_graphs = weakref.WeakKeyDictionary()
_cache = threading.Lock()


def cached_graph(module: nn.Module, dtype: torch.dtype, *, fold_norms: bool = False) -> Graph:
    """Return the `trace` of these arguments, made anew only when the module has changed since."""
    found = fingerprint(module)
    with _cache:
        known = _graphs.setdefault(module, {})
        key = dtype, fold_norms
        if key not in known or known[key][0] != found or not known[key][1].is_current():
            known[key] = found, trace(module, dtype, fold_norms=fold_norms)
        return known[key][1]


def _own(module: nn.Module, inputs: Tensor) -> Any:
    try:
        return module(inputs)
    except Exception as error:  # whatever a stranger's module does
        raise ExplainerError(
            _("The network cannot take this image ({reason}).").format(reason=_reason(error))
        ) from error


def _agree(own: Any, followed: Tensor) -> bool:
    if not isinstance(own, Tensor) or own.shape != followed.shape:
        return False
    largest = float(own.abs().nan_to_num(0, 0).amax())
    return torch.allclose(own, followed, rtol=0, atol=TOLERANCE * largest, equal_nan=True)


def _method(name: str) -> Call:
    def call(value: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(value, name)(*args, **kwargs)

    return call


def check_feature_map(value: Any, node: fx.Node) -> None:
    """Raise `ExplainerError` if the value of `node` is no feature map (N, K, h, w)."""
    if not _is_spatial(value, smallest=1):
        raise ExplainerError(
            _("The layer “{name}” has no feature map: choose a convolution or what follows one.").format(
                name=node.target if node.op == "call_module" else node.name
            )
        )


def _as_leaf(value: Any, node: fx.Node) -> Tensor:
    check_feature_map(value, node)
    leaf: Tensor = value.detach().requires_grad_()
    return leaf


def _is_spatial(value: Any, smallest: int = 2) -> bool:
    return (
        isinstance(value, Tensor)
        and value.ndim == 4
        and value.is_floating_point()
        and value.shape[2] * value.shape[3] >= smallest
    )


def _module_title(root: nn.Module, path: str) -> str:
    return f"{path} ({type(root.get_submodule(path)).__name__})" if path else type(root).__name__


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
