"""Segmentation: what a network learns from images with masks, and how well it then draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from allxai_desktop.images import read_image
from allxai_desktop.networks.network import Network
from allxai_desktop.tasks import Progress, unwatched
from allxai_desktop.training.datasets.data import Item
from allxai_desktop.training.datasets.label_masks import read_label_mask
from allxai_desktop.training.datasets.mask_classes import IGNORED, MaskClasses
from allxai_desktop.training.fit import Answer, Measured
from allxai_desktop.training.measuring.segmentation_metrics import pixel_confusion
from allxai_desktop.training.preparing.pairs import PairAugmentation, augment_pairs

# Whole images that are measured at once; their features take some 20 MB each at 256 × 256.
_MEASURED_AT_ONCE = 8


def segmentation_loss(logits: Tensor, truth: Tensor, weights: Sequence[float] | None = None) -> Tensor:
    """Return the mean over images of cross-entropy and 1 − soft Dice, that of the classes averaged; a scalar.

    `logits` (N, classes, h, w), `truth` uint8 (N, h, w); pixels that are `IGNORED` count in neither, and a class that
    is not in an image counts as well drawn where nothing is drawn (Milletari et al. 2016; 1 added above and below).
    `weights` are those of the classes in the cross-entropy, 1 without them.
    """
    known = truth != IGNORED
    target = torch.where(known, truth, 0).long()
    weight = None if weights is None else torch.tensor(weights, device=logits.device)
    each = functional.cross_entropy(logits, target, weight, reduction="none") * known
    entropy = each.sum((1, 2)) / known.sum((1, 2)).clamp(min=1)
    shares = logits.softmax(1) * known[:, None]
    true = functional.one_hot(target, logits.shape[1]).permute(0, 3, 1, 2) * known[:, None]
    hits = (shares * true).sum((2, 3))
    dice = (2 * hits + 1) / (shares.sum((2, 3)) + true.sum((2, 3)) + 1)
    return (entropy + 1 - dice.mean(1)).mean()


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The `Objective` of a segmentation: views of the images `train` are learnt, the images `val` measured whole.

    `pixels` uint8 (M, 3, h, h) and `masks` uint8 (M, h, h) may be arrays on disk; the network gets
    (pixels / 255 − `mean`) / `std`.
    """

    pixels: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    train: Sequence[int]
    val: Sequence[int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: MaskClasses
    augmentation: PairAugmentation
    seed: int
    weights: Sequence[float] | None = None

    @property
    def size(self) -> int:
        """How many views an epoch has: one an image."""
        return len(self.train)

    def batch(self, places: Sequence[int], epoch: int) -> tuple[Tensor, Tensor]:
        """Return views float32 (N, 3, c, c) and their masks uint8 (N, c, c)."""
        items = [self.train[place] for place in places]
        views, masks = augment_pairs(
            *self._pairs(items), self.augmentation, seed=self.seed, epoch=epoch, items=items
        )
        return self._inputs(views), masks

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the `segmentation_loss`."""
        return segmentation_loss(outputs, targets, self.weights)

    def accuracy(self, outputs: Tensor, targets: Tensor) -> float:
        """Return the share of the labelled pixels that are right."""
        known = targets != IGNORED
        right = (outputs.argmax(1) == targets) & known
        return float(right.sum() / known.sum().clamp(min=1))

    def validate(self, answer: Answer) -> Measured | None:
        """Return of the images `val` the mean loss, the share of labelled pixels that are right, and `drawn_dice`."""
        if not self.val:
            return None
        count = len(self.classes.keys)
        loss, confusion = 0.0, np.zeros((count, count), np.int64)
        for start in range(0, len(self.val), _MEASURED_AT_ONCE):
            pixels, truth = self._pairs(self.val[start : start + _MEASURED_AT_ONCE])
            logits = answer(self._inputs(pixels.float() / 255))
            loss += float(segmentation_loss(logits, truth, self.weights)) * len(truth)
            confusion += pixel_confusion(truth.numpy(), logits.argmax(1).numpy(), count, ignore=IGNORED)
        right = float(np.trace(confusion) / max(1, confusion.sum()))
        return Measured(loss / len(self.val), right, drawn_dice(confusion, self.classes))

    def _pairs(self, items: Sequence[int]) -> tuple[Tensor, Tensor]:
        return (
            torch.from_numpy(np.stack([self.pixels[item] for item in items])),
            torch.from_numpy(np.stack([self.masks[item] for item in items])),
        )

    def _inputs(self, images: Tensor) -> Tensor:
        return (images - torch.tensor(self.mean).view(1, -1, 1, 1)) / torch.tensor(self.std).view(1, -1, 1, 1)


def drawn_dice(confusion: NDArray[np.int64], classes: MaskClasses) -> float | None:
    """Return the mean Dice of the classes that are not background and there; None where there is none of them."""
    sizes = confusion.sum(axis=0) + confusion.sum(axis=1)
    there = [place for place in classes.drawn if sizes[place]]
    return float(np.mean([2 * confusion[p, p] / sizes[p] for p in there])) if there else None


def measure_segmentation(
    network: Network,
    root: Path,
    items: Sequence[Item],
    classes: MaskClasses,
    progress: Progress = unwatched,
) -> list[NDArray[np.int64]]:
    """Return the `pixel_confusion` of each image, at its own size, as the program draws it.

    Raises `ImageError`, `MaskError`, `TrainingError`.
    """
    found = []
    for number, item in enumerate(items):
        progress(number / len(items))
        assert item.mask is not None
        image = read_image(root / item.file)
        truth = classes.read(item.mask, read_label_mask(root / item.mask, image))
        found.append(pixel_confusion(truth, network.segment(image.pixels), len(classes.keys), ignore=IGNORED))
    progress(1.0)
    return found
