"""The forward passes of one batch of images through one network, each made once, when an explainer first asks."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, fx

from allxai_desktop.explainers.graph import Graph, check_feature_map
from allxai_desktop.explainers.propagation import Bounds, Recording, record


@dataclass(frozen=True)
class Tape:
    """A forward pass that autograd recorded: logits (N, classes), the image, and the values of some nodes."""

    logits: Tensor
    image: Tensor
    values: dict[fx.Node, Tensor]


class Passes:
    """The forward passes of `inputs` (N, C, H, W), whose `bounds` are the lowest and the highest value of each.

    `graph_of` gives the network's graph, with BatchNorm folded or not; `layer` names the feature maps of CAMs (None:
    the last spatial ones). With `shared`, passes are kept for the next explainer; without, each records only what it
    is asked for. Any number of threads may ask.
    """

    def __init__(
        self,
        graph_of: Callable[[bool], Graph],
        inputs: Tensor,
        *,
        bounds: Bounds | None = None,
        layer: str | None = None,
        shared: bool = False,
    ) -> None:
        self.inputs = inputs.detach()
        self.shared = shared
        self._trace = graph_of
        self._graphs: dict[bool, Graph] = {}
        self._bounds = bounds
        self._layer = layer
        self._lock = threading.Lock()
        self._tape: Tape | None = None
        self._slopes: dict[tuple[float, ...], Tensor] = {}
        self._recordings: dict[bool, Recording] = {}

    @property
    def graph(self) -> Graph:
        """The graph whose logits are bit for bit the module's own."""
        return self._graph_of(False)

    @property
    def finite(self) -> bool:
        """Whether all weights of the graphs that were asked for are finite numbers."""
        return all(graph.finite for graph in self._graphs.values())

    def cam_layer(self) -> fx.Node:
        """Return the node of the feature maps for CAMs. Raises `ExplainerError` if there is none."""
        graph = self.graph
        return graph.last_spatial(self.inputs) if self._layer is None else graph.layer(self._layer)

    def slope(self, direction: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Return the derivative of Σ direction(logits) · logits by the image, and the logits (N, classes)."""
        with self._lock:
            tape = self._taped(None)
            seed = direction(tape.logits.detach())
            key = tuple(seed.flatten().tolist())
            if key not in self._slopes:
                slope = backward(tape.logits, tape.image, seed)
                if not self.shared:
                    return slope, tape.logits.detach()
                self._slopes[key] = slope
            return self._slopes[key], tape.logits.detach()

    def features(self, direction: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the CAM layer's value (N, K, h, w), the derivative as in `slope` by it, and the logits.

        Raises `ExplainerError` if there is no such layer or its value is no feature map.
        """
        with self._lock:
            layer = self.cam_layer()
            tape = self._taped(layer)
            features = tape.values[layer]
            check_feature_map(features, layer)
            slope = backward(tape.logits, features, direction(tape.logits.detach()))
            return features.detach(), slope, tape.logits.detach()

    def recorded(self, *, folded: bool) -> Recording:
        """Return the steps of a forward pass: with BatchNorm folded, or as iNNvestigate takes them."""
        with self._lock:
            if folded not in self._recordings:
                recording = record(self._graph_of(folded), self.inputs, self._bounds, innvestigate=not folded)
                if not self.shared:
                    return recording
                self._recordings[folded] = recording
            return self._recordings[folded]

    def _graph_of(self, folded: bool) -> Graph:
        # Each asked for once: to find out whether a module has changed since takes milliseconds.
        if folded not in self._graphs:
            self._graphs[folded] = self._trace(folded)
        return self._graphs[folded]

    def _taped(self, layer: fx.Node | None) -> Tape:
        if self.shared and self._tape is not None and (layer is None or layer in self._tape.values):
            return self._tape
        graph = self.graph
        if not self.shared and layer is not None:
            # Nothing below the layer need be recorded.
            logits, values = graph.run(self.inputs, keep={layer}, leaf=layer)
            return Tape(logits, self.inputs, values)
        keep = {layer} if layer is not None else set()
        if self.shared and self._layer is not None:
            # A CAM may be asked for next.
            keep.add(graph.layer(self._layer))
        image = self.inputs.clone().requires_grad_() if self.shared else self.inputs.detach().requires_grad_()
        logits, values = graph.run(image, keep=keep)
        tape = Tape(logits, image, values)
        if self.shared:
            self._tape, self._slopes = tape, {}
        return tape


def backward(logits: Tensor, source: Tensor, seed: Tensor) -> Tensor:
    """Return the derivative of Σ seed·logits by `source`; zeros where the logits do not depend on it."""
    if not logits.requires_grad or not source.requires_grad:
        return torch.zeros_like(source)
    (slope,) = torch.autograd.grad(logits, source, seed, allow_unused=True, retain_graph=True)
    return torch.zeros_like(source) if slope is None else slope
