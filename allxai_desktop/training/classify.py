"""The objective of a classifying network: images in a memory map, their views, cross-entropy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from allxai_desktop.training.fit import Answer, Measured
from allxai_desktop.training.preparing.augment import Augmentation, augment_items
from allxai_desktop.training.preparing.copies import ZOOM, Copy, random_view
from allxai_desktop.training.preparing.views import View, see

# Whole images that are validated at once.
_AT_ONCE = 32


@dataclass(frozen=True)
class RandomSymmetries:
    """In each epoch any of the eight symmetries, and in every second one a zoom of up to `zoom`."""

    zoom: float = ZOOM


@dataclass(frozen=True)
class Look:
    """What the network is shown: (pixels / 255 − `mean`) / `std`, one number a channel.

    `random` are the views that are drawn anew in each epoch; without them each copy is seen as it says. `sides` is
    the input side of each epoch where it is not that of the pixels.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    random: Augmentation | RandomSymmetries | None = None
    sides: tuple[int, ...] = ()


class Classification:
    """Learns `copies`, measures on `validation`; `pixels` is uint8 (N, channels, h, w), on disk or in memory.

    `labels` (N,) are class numbers. The loss is cross-entropy; with `balanced` each class counts as much as any
    other, whatever its number of copies.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        labels: Sequence[int],
        copies: Sequence[Copy],
        validation: Sequence[Copy],
        look: Look,
        *,
        seed: int = 0,
        balanced: bool = False,
        smoothing: float = 0.0,
    ) -> None:
        self._pixels, self._labels, self._seed = pixels, np.asarray(labels), seed
        self._copies, self._validation, self._look = list(copies), list(validation), look
        self._smoothing = smoothing
        shape = (1, -1, 1, 1)
        self._mean, self._std = torch.tensor(look.mean).view(shape), torch.tensor(look.std).view(shape)
        counts = np.bincount([labels[copy.position] for copy in copies], minlength=max(labels) + 1)
        self._weight = torch.from_numpy(len(self._copies) / (counts.clip(1) * len(counts))).float()
        self._balanced = balanced

    @property
    def size(self) -> int:
        """How many copies an epoch has."""
        return len(self._copies)

    def batch(self, places: Sequence[int], epoch: int) -> tuple[Tensor, Tensor]:
        """Return inputs float32 (N, channels, h, w) and class numbers (N,)."""
        copies = [self._copies[place] for place in places]
        side = self._look.sides[epoch] if self._look.sides else self._pixels.shape[-1]
        random = self._look.random
        if isinstance(random, Augmentation):
            pixels = _resized(self._read(copies), side)
            views = augment_items(pixels, random, seed=self._seed, epoch=epoch, items=places)
        else:
            if random is not None:
                copies = [
                    Copy(copy.position, random_view(self._seed, epoch, place, random.zoom))
                    for copy, place in zip(copies, places, strict=True)
                ]
            views = _resized(self._read(copies), side) / 255
        return self._normalised(views), self._targets(copies)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy, a scalar."""
        if not self._balanced:
            return functional.cross_entropy(outputs, targets, label_smoothing=self._smoothing)
        losses = functional.cross_entropy(outputs, targets, label_smoothing=self._smoothing, reduction="none")
        return (losses * self._weight.to(targets.device)[targets]).mean()

    def accuracy(self, outputs: Tensor, targets: Tensor) -> float:
        """Return the share of images that is right."""
        return float((outputs.argmax(1) == targets).double().mean())

    def validate(self, answer: Answer) -> Measured | None:
        """Return plain cross-entropy and accuracy on the validation part."""
        if not self._validation:
            return None
        logits = self.logits(answer, self._validation)
        targets = self._targets(self._validation)
        loss = float(functional.cross_entropy(logits.double(), targets))
        return Measured(loss, self.accuracy(logits, targets))

    def logits(self, answer: Answer, copies: Sequence[Copy]) -> Tensor:
        """Return the logits (N, classes) for `copies`, each seen as it says, at the full size."""
        parts = [copies[start : start + _AT_ONCE] for start in range(0, len(copies), _AT_ONCE)]
        return torch.cat([answer(self.inputs(part)) for part in parts])

    def inputs(self, copies: Sequence[Copy]) -> Tensor:
        """Return what the network is shown for `copies`, each seen as it says, at the full size."""
        return self._normalised(self._read(copies) / 255)

    def _read(self, copies: Sequence[Copy]) -> Tensor:
        """Return the copies as uint8 (N, channels, h, w)."""
        return torch.from_numpy(np.stack([_see(self._pixels[copy.position], copy.view) for copy in copies]))

    def _targets(self, copies: Sequence[Copy]) -> Tensor:
        return torch.from_numpy(self._labels[[copy.position for copy in copies]].astype(np.int64))

    def _normalised(self, images: Tensor) -> Tensor:
        return (images - self._mean) / self._std


def _see(pixels: NDArray[np.uint8], view: View) -> NDArray[Any]:
    """Return an image (channels, h, w) as `view` shows it."""
    if view == View():
        return np.asarray(pixels)
    if len(pixels) == 1:
        return see(pixels[0], view)[None]
    return see(pixels.transpose(1, 2, 0), view).transpose(2, 0, 1)


def _resized(pixels: Tensor, side: int) -> Tensor:
    if pixels.shape[-1] == side:
        return pixels
    return (
        functional.interpolate(pixels.float(), (side, side), mode="bilinear", antialias=True).round().byte()
    )
