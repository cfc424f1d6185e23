"""A loaded network: its module, its preprocessing, its predictions."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from allxai_desktop.i18n import _
from allxai_desktop.networks.architectures import build
from allxai_desktop.networks.card import CARD_FILE, WEIGHTS_FILE, Card, NetworkError, read_card
from allxai_desktop.networks.checkpoints import read_checkpoint
from allxai_desktop.networks.domain import domain_warning


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
        self._mean = torch.tensor(card.mean).view(1, 3, 1, 1)
        self._std = torch.tensor(card.std).view(1, 3, 1, 1)

    @property
    def weights_id(self) -> str:
        """SHA-256 of the weights file."""
        return self.card.sha256

    def preprocess(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Return the network's input (1, 3, h, w) for an image (H, W, 3), resized without cropping."""
        return (resize(pixels, self.card.input_size) / 255 - self._mean) / self._std

    def predict(self, pixels: NDArray[np.uint8]) -> Prediction:
        """Predict the class of an image (H, W, 3)."""
        with torch.inference_mode():
            logits = self.module(self.preprocess(pixels))[0]
        return self.prediction(logits)

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


def open_network(folder: Path) -> Network:
    """Load the network whose card and weights lie in `folder`. Raises `NetworkError`."""
    card = read_card(folder / CARD_FILE)
    module = build(card.architecture, len(card.classes))
    state = read_checkpoint(folder / WEIGHTS_FILE, card.sha256)
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise NetworkError(
            _("The weights of {name} do not fit the architecture “{architecture}” of its card.").format(
                name=card.name, architecture=card.architecture
            )
        ) from error
    return Network(card, module)
