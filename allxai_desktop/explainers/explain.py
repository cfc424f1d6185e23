"""Explanations of a registered network for an image, in the image's own coordinates."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from allxai_desktop.explainers.api import constant_map_reason, explain_passes, recipe
from allxai_desktop.explainers.cam import resample
from allxai_desktop.explainers.graph import Graph, cached_graph
from allxai_desktop.explainers.passes import Passes
from allxai_desktop.explainers.propagation import Bounds
from allxai_desktop.explainers.registry import ExplainerError, complete_settings, explainer
from allxai_desktop.i18n import _
from allxai_desktop.networks.network import Network, Prediction
from allxai_desktop.networks.registry import load_network, network_card
from allxai_desktop.tasks import Progress, unwatched


@dataclass(frozen=True)
class Explanation:
    """What one explainer says about one image.

    `relevance` is float32 (H, W) on the image's pixels, read-only, or None where `undefined` says in
    a sentence why. `conservation` is ΣR / logit before any resampling, None where it is not promised.
    `prediction` comes from the same forward pass; `seconds` covers it all.
    """

    relevance: NDArray[np.float32] | None
    undefined: str | None
    target: str
    logit: float
    probability: float
    prediction: Prediction
    explainer: str
    settings: dict[str, Any]
    conservation: float | None
    seconds: float


class Explainer:
    """Explains one network, on a private copy of it. Any number of threads may use it at once.

    Raises `UnsupportedOperation` for a network that cannot be traced.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        # Now, so that a network that cannot be traced is refused before anything is explained.
        cached_graph(network.module, torch.float32)

    def explain(
        self,
        pixels: NDArray[np.uint8],
        method: str,
        target: str | None = None,
        settings: Mapping[str, Any] | None = None,
        progress: Progress = unwatched,
    ) -> Explanation:
        """Explain the class `target` (None: the predicted one) of an image (H, W, 3) with one of `EXPLAINERS`.

        `progress` is told by explainers on demand; what it raises ends the work.
        Raises `ExplainerError` for a name, setting or target that there is not.
        """
        start = perf_counter()
        info = explainer(method)
        chosen = complete_settings(info, settings or {})
        card = self.network.card
        number = None if target is None else self._class_number(target)
        found = explain_passes(
            self._passes(self.network.preprocess(pixels)), number, method, chosen, progress
        )
        undefined = found.undefined[0]
        relevance = None
        if undefined is None:
            size = pixels.shape[0], pixels.shape[1]
            if info.is_cam:
                relevance = resample(found.relevance, size, recipe(chosen))[0, 0].numpy()
            else:
                relevance = _nearest(found.relevance[0].sum(0).numpy(), size)
            relevance.flags.writeable = False
            if relevance.min() == relevance.max():
                relevance, undefined = None, constant_map_reason()
        prediction = self.network.prediction(found.logits[0])
        key = card.classes[int(found.targets[0])]
        ratio = float(found.conservation[0])
        return Explanation(
            relevance=relevance,
            undefined=undefined,
            target=key,
            logit=float(found.logits[0, found.targets[0]]),
            probability=prediction.probabilities[key],
            prediction=prediction,
            explainer=method,
            settings=chosen,
            conservation=None if np.isnan(ratio) else ratio,
            seconds=perf_counter() - start,
        )

    def _passes(self, inputs: Tensor) -> Passes:
        """Return those of the explanation before, if it was of the same image."""
        global _latest
        latest = _latest
        if latest is None or latest[0] is not self or not torch.equal(latest[1].inputs, inputs):
            passes = Passes(
                self._graph,
                inputs,
                bounds=self._bounds(inputs),
                layer=self.network.card.cam_layer,
                shared=True,
            )
            _latest = latest = self, passes
        return latest[1]

    def _graph(self, folded: bool) -> Graph:
        return cached_graph(self.network.module, torch.float32, fold_norms=folded)

    def _bounds(self, inputs: Tensor) -> Bounds:
        """The network's input for black and for white, in the shape of `inputs`."""
        mean, std = (
            torch.tensor(values).view(-1, 1, 1).expand_as(inputs)
            for values in (self.network.card.mean, self.network.card.std)
        )
        return -mean / std, (1 - mean) / std

    def _class_number(self, key: str) -> int:
        classes = self.network.card.classes
        if key not in classes:
            raise ExplainerError(
                _("The network has no class “{name}”: choose one of {known}.").format(
                    name=key, known=", ".join(classes)
                )
            )
        return classes.index(key)


# Of one image and one network only: the values of a large network are hundreds of megabytes.
_latest: tuple[Explainer, Passes] | None = None
_shared: dict[tuple[str, str], Explainer] = {}
_loading = threading.Lock()


def shared_explainer(name: str) -> Explainer:
    """Return the one explainer of the registered network `name`, for any thread; loaded when first asked for.

    Raises `AllxaiError` for a network that cannot be read or traced.
    """
    with _loading:
        card = network_card(name)
        key = name, card.sha256
        if key not in _shared:
            # A network that was registered anew under its name takes the place of the old one.
            for old in [other for other in _shared if other[0] == name]:
                del _shared[old]
            _shared[key] = Explainer(load_network(name))
        return _shared[key]


def _nearest(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return `values` (h, w) at `size`, each pixel the value at its centre."""
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new) for old, new in zip(values.shape, size, strict=True)
    )
    picked: NDArray[np.float32] = values[rows][:, columns]
    return picked
