"""Registers a user's own trained network: its file is read, tried out, explained once, and only then kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from allxai_desktop.explainers.api import attribute
from allxai_desktop.explainers.graph import cached_graph
from allxai_desktop.explainers.registry import ExplainerError, explainer
from allxai_desktop.i18n import _
from allxai_desktop.networks.architectures import Size, architecture
from allxai_desktop.networks.card import ONNX, ONNX_FILE, WEIGHTS_FILE, Card, parse_card
from allxai_desktop.networks.checkpoints import dump_weights, read_checkpoint, read_whole
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.network import Network, build_trained, try_out
from allxai_desktop.networks.onnx_file import open_onnx
from allxai_desktop.networks.registry import find_networks
from allxai_desktop.networks.user import check_name, complete_card, name_from, save_network, user_folder

# One of each kind: what these can explain, their relatives can.
_TRIED = ("gradient", "grad-cam", "lrp-z", "deep-taylor")


@dataclass(frozen=True)
class Description:
    """What a user says of a network; None where the architecture's, or the file's, own holds.

    `mean` and `std` are of the image in 0…1, one number for all channels or one for each.
    """

    classes: tuple[str, ...]
    architecture: str | None = None
    name: str | None = None
    title: str | None = None
    input_size: Size | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


def add_network(path: Path, given: Description) -> tuple[Card, list[str]]:
    """Register the weights or the ONNX file at `path`; return the card and sentences on what it cannot do.

    Raises `AllxaiError` for a file that cannot be read, used, or explained at all; nothing is then kept.
    """
    name = given.name or name_from(path.stem)
    check_name(name)
    # A damaged network is not among the cards, but has its folder.
    if name in {card.name for card in find_networks().cards} or (user_folder() / name).exists():
        raise NetworkError(
            _("There is a network “{name}” already: choose another name, or remove that one.").format(
                name=name
            )
        )
    is_onnx = path.suffix.lower() == ".onnx"
    if is_onnx == (given.architecture is not None):
        raise NetworkError(
            _("An ONNX file holds its own architecture: leave it out.")
            if is_onnx
            else _("Say which architecture the weights are for; an ONNX file holds its own.")
        )
    card, network, file, content = (_from_onnx if is_onnx else _from_weights)(path, name, given)
    try_out(network)
    missing = _explain_once(network) if _is_classifier(card) else []
    save_network(card, file, content)
    return network.card, missing


_Read = tuple[dict[str, Any], Network, str, bytes]


def _from_weights(path: Path, name: str, given: Description) -> _Read:
    known = architecture(given.architecture or "")
    raw = _card(
        given,
        name,
        given.architecture or "",
        f"{name} · {known.title}",
        {
            "input_size": list(given.input_size or known.input_size),
            "mean": _each(given.mean, known.mean),
            "std": _each(given.std, known.std),
            "cam_layer": known.cam_layer,
            "sha256": "0" * 64,
            "departures_from_paper": list(known.departures),
        },
    )
    module = build_trained(parse_card(raw), read_checkpoint(path))
    content = dump_weights(module)
    raw["sha256"] = sha256(content).hexdigest()
    return raw, Network(parse_card(raw), module), WEIGHTS_FILE, content


def _from_onnx(path: Path, name: str, given: Description) -> _Read:
    content = read_whole(path)
    found = open_onnx(content, given.input_size)
    raw = _card(
        given,
        name,
        ONNX,
        name,
        {
            "input_size": list(found.input_size),
            "mean": _each(given.mean, (0.0,) * found.channels),
            "std": _each(given.std, (1.0,) * found.channels),
            "cam_layer": found.cam_layer,
            "sha256": sha256(content).hexdigest(),
            "training": {"file": path.name, "notes": list(found.notes)},
        },
    )
    return raw, Network(parse_card(raw), found.module), ONNX_FILE, content


def _card(given: Description, name: str, kind: str, title: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return complete_card(name, kind, given.classes, {"title": given.title or title, **more})


def _each(given: Sequence[float] | None, usual: Sequence[float]) -> list[float]:
    if given is None:
        return list(usual)
    return list(given) * len(usual) if len(given) == 1 else list(given)


def _is_classifier(card: Mapping[str, Any]) -> bool:
    return card["architecture"] == ONNX or architecture(card["architecture"]).task == "classification"


def _explain_once(network: Network) -> list[str]:
    """Return a sentence for each kind of explainer that cannot explain the network.

    Raises `ExplainerError` if not even the gradient can.
    """
    random = np.random.default_rng(0).integers(0, 256, (*network.card.input_size, 3), np.uint8)
    inputs = network.preprocess(random)
    cached_graph(network.module, torch.float32)
    layer = network.card.cam_layer
    missing = []
    for method in _TRIED:
        try:
            attribute(network.module, inputs, 0, method, **({"layer": layer} if method == "grad-cam" else {}))
        except ExplainerError as error:
            if method == "gradient":
                raise
            missing.append(f"{_(explainer(method).title)}: {error}")
    return missing
