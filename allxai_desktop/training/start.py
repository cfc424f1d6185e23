"""Where a network begins: random numbers, as Keras draws them or torch, then weights from elsewhere where they fit."""

import re
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from allxai_desktop.i18n import _
from allxai_desktop.networks.architectures import build
from allxai_desktop.networks.checkpoints import read_checkpoint
from allxai_desktop.networks.mobilenet import load_folded_trunk, unfold_batch_norm
from allxai_desktop.networks.registry import find_networks, load_network
from allxai_desktop.tasks import Progress, unwatched
from allxai_desktop.training.datasets.data import TrainingError

NONE, IMAGENET = "none", "imagenet"
_SUFFIXES = {".npz", ".safetensors", ".pt", ".pth"}
_TRUNK = "mobilenet-v1-imagenet.npz"


def begin(
    name: str, n_classes: int, size: tuple[int, int], weights: str, images: Tensor, *, keras: bool, seed: int
) -> tuple[nn.Module, str]:
    """Return the architecture `name` ready to be trained, and what it starts from, for its card.

    `weights` is as in `Request`. `images` (N, channels, h, w) are inputs from the training part. Raises
    `TrainingError` where the weights cannot be had or do not fit, `NetworkError` for a file that cannot be read.
    """
    torch.manual_seed(seed)
    model = build(name, n_classes, size)
    if keras:
        initialise_as_keras(model)
    random = "random weights, as Keras draws them" if keras else "random weights"
    if weights == NONE:
        return model, random
    if weights == IMAGENET and name.startswith("mobilenet-v1"):
        with as_file(files("allxai_resources") / "weights" / _TRUNK) as path:
            _load_trunk(model, path, images)
        return model, "MobileNet V1 1.0/224 trained on ImageNet (TensorFlow, Apache-2.0), BatchNorm put back"
    if weights == IMAGENET:
        _load_fitting(model, read_checkpoint(_imagenet_file(name)), weights)
        return model, f"torchvision's ImageNet weights; the head: {random}"
    if Path(weights).suffix.lower() in _SUFFIXES:
        path = Path(weights)
        if path.suffix.lower() == ".npz":
            _load_trunk(model, path, images)
        else:
            _load_fitting(model, read_checkpoint(path), path.name)
        return model, f"the weights of the file {path.name}"
    _check_known(weights)
    _load_fitting(model, load_network(weights).module.state_dict(), weights)
    return model, f"the network {weights} of the program"


def fetch(name: str, weights: str, progress: Progress = unwatched) -> None:
    """See that a run of the architecture `name` can begin from `weights`, which are downloaded where they must be.

    Raises `TrainingError`, `NetworkError`: before thousands of images are read.
    """
    if weights in (NONE, IMAGENET):
        if weights == IMAGENET and not name.startswith("mobilenet-v1"):
            _imagenet_file(name, progress)
    elif Path(weights).suffix.lower() not in _SUFFIXES:
        _check_known(weights)
    elif not Path(weights).is_file():
        raise TrainingError(
            _("The weights {path} are not there: choose none, imagenet, or another file.").format(
                path=weights
            )
        )


def _check_known(network: str) -> None:
    known = [card.name for card in find_networks().cards]
    if network not in known:
        raise TrainingError(
            _("There are no weights “{name}”: choose none, imagenet, a file, or one of {known}.").format(
                name=network, known=", ".join(known)
            )
        )


def initialise_as_keras(model: nn.Module) -> None:
    """Draw the weights of every layer as Keras' defaults do: Glorot's uniform numbers, biases zero."""
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _load_trunk(model: nn.Module, path: Path, images: Tensor) -> None:
    features = getattr(model, "features", None)
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays: dict[str, NDArray[np.float32]] = dict(found)
        assert isinstance(features, nn.Sequential)
        load_folded_trunk(features, arrays)
    except (OSError, ValueError, KeyError, RuntimeError, AssertionError, TypeError) as error:
        raise TrainingError(
            _(
                "{name} does not hold the convolutions of a MobileNet V1, or the network is another one:"
                " choose other weights."
            ).format(name=path.name)
        ) from error
    unfold_batch_norm(features, images)


def _imagenet_file(name: str, progress: Progress = unwatched) -> Path:
    base = re.match(r"[a-z]+\d*", name)
    assert base is not None
    from allxai_desktop.networks.torchvision_models import imagenet_file

    try:
        return imagenet_file(base[0], progress)
    except ValueError as error:
        raise TrainingError(
            _("There are no ImageNet weights of {name}: start from a file or from random numbers.").format(
                name=name
            )
        ) from error


@torch.no_grad()
def _load_fitting(model: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Copy every weight that has a place of its name and shape; a head for other classes stays as it is."""
    found = {
        name: state[other]
        for name, tensor in model.state_dict().items()
        for other in (name, name.removeprefix("features."))
        if other in state and state[other].shape == tensor.shape
    }
    convolutions = [
        f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Conv2d)
    ]
    missing = [name for name in convolutions if name not in found]
    if missing:
        raise TrainingError(
            _("The weights {name} do not fit this network: they have no {weight}. Choose others.").format(
                name=source, weight=missing[0]
            )
        )
    model.load_state_dict(found, strict=False)
