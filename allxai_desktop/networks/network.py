"""A loaded network: its module, its preprocessing, its predictions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from allxai_desktop.i18n import _
from allxai_desktop.networks.architectures import architecture, build
from allxai_desktop.networks.card import (
    CARD_FILE,
    ONNX,
    ONNX_FILE,
    SHARPENED,
    WEIGHTS_FILE,
    Card,
    read_card,
)
from allxai_desktop.networks.checkpoints import read_checkpoint, read_whole
from allxai_desktop.networks.domain import domain_warning
from allxai_desktop.networks.errors import NetworkError

_LUMINANCE = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
# How far from 1 probabilities may add up.
_ROUNDED = 1e-4
_GAUSSIAN = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16


@dataclass(frozen=True)
class Prediction:
    """Logits (classes,) and probabilities by class, in the card's order, and the class predicted."""

    logits: NDArray[np.float32]
    probabilities: dict[str, float]
    predicted: str


class Network:
    """A trained network. `module` is in evaluation mode and returns logits."""

    def __init__(self, card: Card, module: nn.Module) -> None:
        self.card = card
        self.module = module.eval().requires_grad_(False)
        self._mean = torch.tensor(card.mean).view(1, -1, 1, 1)
        self._std = torch.tensor(card.std).view(1, -1, 1, 1)

    def preprocess(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Return the network's input (1, channels, h, w) for an image (H, W, 3), resized without cropping."""
        return self.preprocess_resized(resize(pixels, self.card.input_size))

    def preprocess_resized(self, image: Tensor) -> Tensor:
        """Return the network's input (N, channels, h, w) for images (N, 3, h, w) in 0…255 that have its size.

        Grey is the luminance of ITU-R BT.601, as OpenCV and Pillow have it.
        """
        if len(self.card.mean) == 1:
            image = luminance(image)
        image = image / 255
        if self.card.preprocessing == SHARPENED:
            image = sharpened(image)
        return (image - self._mean) / self._std

    def predict(self, pixels: NDArray[np.uint8]) -> Prediction:
        """Predict the class of an image (H, W, 3)."""
        with torch.inference_mode():
            logits = self.module(self.preprocess(pixels))[0]
        return self.prediction(logits)

    def segment(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return for each pixel of an image (H, W, 3) its class, as a place among the card's; segmentation only."""
        with torch.inference_mode():
            scores = self.module(self.preprocess(pixels))
            scores = functional.interpolate(scores, pixels.shape[:2], mode="bilinear", antialias=True)
        found: NDArray[np.uint8] = scores[0].argmax(0).numpy().astype(np.uint8)
        return found

    def logits(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the logits (N, classes) of N images (H, W, 3), computed as one batch."""
        with torch.inference_mode():
            found: NDArray[np.float32] = self.module(
                torch.cat([self.preprocess(one) for one in images])
            ).numpy()
        return found

    def prediction(self, logits: Tensor) -> Prediction:
        """Return the prediction that the logits (classes,) say."""
        probabilities = logits.double().softmax(0).tolist()
        return Prediction(
            logits.numpy(),
            dict(zip(self.card.classes, probabilities, strict=True)),
            self.card.classes[int(logits.argmax())],
        )

    def domain_warning(self, pixels: NDArray[np.uint8]) -> str | None:
        """Return a sentence for the user if the image (H, W, 3) does not look like those of the training."""
        return domain_warning(self.card, pixels)


def resize(pixels: NDArray[np.uint8], size: tuple[int, int]) -> Tensor:
    """Return the image (H, W, 3) as float32 (1, 3, h, w) in 0…255: bilinear, antialiased, no cropping."""
    image = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float()
    return functional.interpolate(image, size, mode="bilinear", antialias=True)


def luminance(image: Tensor) -> Tensor:
    """Return RGB (N, 3, h, w) as grey (N, 1, h, w)."""
    return (image * _LUMINANCE).sum(1, keepdim=True)


def sharpened(image: Tensor) -> Tensor:
    """Return an image (N, C, h, w) in 0…1 as 1.5 times itself − 0.2 times its 5×5 Gaussian blur, cut off at 0 and 1.

    Weights, kernel and borders are those of Amador 2023 (`training.preparing.documents.sharpen`, OpenCV).
    """
    kernel = (_GAUSSIAN[:, None] * _GAUSSIAN).expand(image.shape[1], 1, 5, 5)
    blurred = functional.conv2d(
        functional.pad(image, (2, 2, 2, 2), mode="reflect"), kernel, groups=image.shape[1]
    )
    return (1.5 * image - 0.2 * blurred).clamp(0, 1)


def open_network(folder: Path) -> Network:
    """Load the network whose card and weights lie in `folder`. Raises `NetworkError`."""
    card = read_card(folder / CARD_FILE)
    if card.architecture == ONNX:
        from allxai_desktop.networks.onnx_file import open_onnx

        content = read_whole(folder / ONNX_FILE, card.sha256)
        return try_out(Network(card, open_onnx(content, card.input_size).module))
    return Network(card, build_trained(card, read_checkpoint(folder / WEIGHTS_FILE, card.sha256)))


def open_plugin(card: Card, load: Callable[[], nn.Module]) -> Network:
    """Load a network of another package. Raises `NetworkError`."""
    try:
        module = load()
    except Exception as error:  # whatever another package's code does
        raise NetworkError(
            _("The network {name} of another package cannot be loaded ({kind}: {reason}).").format(
                name=card.name, kind=type(error).__name__, reason=_one_line(error)
            )
        ) from error
    if not isinstance(module, nn.Module):
        raise NetworkError(
            _("The network {name} of another package is no torch.nn.Module.").format(name=card.name)
        )
    return try_out(Network(card, module))


def try_out(network: Network) -> Network:
    """Return the network if it gives one finite score a class, and no probabilities. Raises `NetworkError`."""
    card = network.card
    try:
        with torch.no_grad():
            scores = network.module(network.preprocess(np.full((1, 1, 3), 128, np.uint8)))
    except Exception as error:  # whatever a stranger's module does
        raise NetworkError(
            _("The network {name} does not take an input of {channels}×{height}×{width} ({reason}).").format(
                name=card.name,
                channels=len(card.mean),
                height=card.input_size[0],
                width=card.input_size[1],
                reason=_one_line(error),
            )
        ) from error
    found = tuple(scores.shape) if isinstance(scores, Tensor) else None
    if found is None or found[:2] != (1, len(card.classes)) or len(found) not in {2, 4}:
        raise NetworkError(
            _("The network {name} has {found} outputs, not one for each of its {wanted} classes.").format(
                name=card.name,
                found=_("several") if found is None else "×".join(map(str, found[1:])),
                wanted=len(card.classes),
            )
        )
    if not bool(torch.isfinite(scores).all()):
        raise NetworkError(
            _("The network {name} computes values that are not finite numbers: check its weights.").format(
                name=card.name
            )
        )
    if len(found) == 2 and bool((scores >= 0).all()) and abs(float(scores.sum()) - 1) < _ROUNDED:
        raise NetworkError(
            _(
                "The network {name} returns probabilities, not scores: leave out the softmax at its end."
            ).format(name=card.name)
        )
    return network


def _one_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def build_trained(card: Card, state: Mapping[str, Tensor]) -> nn.Module:
    """Return the card's architecture with the weights `state`.

    Raises `NetworkError` that names the first weight that does not fit.
    """
    info = architecture(card.architecture)
    if len(card.mean) != info.channels:
        raise NetworkError(
            _(
                "The card of {name} is for {found} channels, but the architecture “{architecture}” has {wanted}."
            ).format(
                name=card.name, found=len(card.mean), architecture=card.architecture, wanted=info.channels
            )
        )
    # On no device: no memory and no time go into weights that are replaced at once.
    with torch.device("meta"):
        module = build(card.architecture, len(card.classes), card.input_size)
    state = {name: tensor for name, tensor in state.items() if not name.startswith(info.training_only)}
    wanted = module.state_dict()
    # Counters that old versions of torch did not save and nothing here reads.
    counters = {name: torch.tensor(0) for name in wanted if name.endswith("num_batches_tracked")}
    problem = _misfit(wanted, counters | state)
    if problem is not None:
        raise NetworkError(
            _(
                "The weights of {name} do not fit the architecture “{architecture}” with {count} classes:"
                " {problem}."
            ).format(name=card.name, architecture=card.architecture, count=len(card.classes), problem=problem)
        )
    state = {name: tensor.to(wanted[name].dtype) for name, tensor in (counters | state).items()}
    module.load_state_dict(state, assign=True)
    return module


def _misfit(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str | None:
    for name, tensor in wanted.items():
        if name not in found:
            return _("{weight} is missing").format(weight=name)
        if found[name].shape != tensor.shape:
            return _("{weight} is {found}, not {wanted}").format(
                weight=name, found=_shape(found[name]), wanted=_shape(tensor)
            )
    extra = [name for name in found if name not in wanted]
    return _("it has no {weight}").format(weight=extra[0]) if extra else None


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "1"
