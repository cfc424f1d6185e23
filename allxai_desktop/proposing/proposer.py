"""Proposes the classes of an image, and learns from what a person paints."""

from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from allxai_desktop.cellclasses import BY_KEY
from allxai_desktop.images import CellImage
from allxai_desktop.proposing.classical import classical_probabilities
from allxai_desktop.proposing.classifier import PixelClassifier
from allxai_desktop.proposing.cutout import on_white
from allxai_desktop.proposing.lessons import Correction, Lesson, lesson
from allxai_desktop.proposing.network import five_class_network, network_probabilities
from allxai_desktop.proposing.outlines import on_edges, vacuoles_on_edges, without_specks
from allxai_desktop.proposing.own_colours import with_own_colours
from allxai_desktop.proposing.proposal import Proposal, Source, proposal_from
from allxai_desktop.proposing.tidying import tidied

# Larger images are proposed for at a smaller size of about so many pixels.
_PIXELS = 800 * 800
# Below this share of the pixels a nucleus is none that the network has missed.
_NUCLEUS_SHARE = 0.004
_FLOOR = 0.02
_VACUOLE = BY_KEY["vacuole"].code

Planes = NDArray[np.float32]


class Proposer:
    """Makes the proposals for one image; its methods belong on one worker thread.

    With a `correction` it begins with what that makes of the first probabilities.
    """

    def __init__(self, image: CellImage, correction: Correction | None = None) -> None:
        self._image, self._correction = image, correction
        self._seen = _Seen(image)

    def corrected(self, correction: Correction | None) -> "Proposer":
        """Return a proposer with another correction that shares what is known of the image already."""
        found = Proposer(self._image, correction)
        found._seen = self._seen
        return found

    def lesson(self, codes: NDArray[np.uint8]) -> Lesson | None:
        """Return what the finished mask `codes` (H, W) of the image teaches, None where nothing is labelled."""
        seen = self._seen
        return lesson(seen.pixels, seen.first[0], _nearest(codes, seen.pixels.shape[:2]))

    def start(self) -> Proposal:
        """Return the proposal for the untouched image."""
        return self._start

    def update(self, codes: NDArray[np.uint8], person: NDArray[np.bool_]) -> Proposal:
        """Return the proposal that follows from the `codes` (H, W) where `person` (H, W) says that a person set them.

        Those pixels keep their code, with no uncertainty; a person's 0 says nothing.
        """
        given = np.where(person, codes, np.uint8(0))
        if not given.any():
            return self._start
        if given.all():
            return Proposal(given, np.zeros(given.shape, np.float32), "classifier")
        seen = _nearest(given, self._seen.pixels.shape[:2])
        # Nothing is learnt from vacuoles: they are as pale as much of a cytoplasm, which would be taken for them. On 31
        # painted images, the IoU of vacuoles went from 0.59 to 0.42 with three of them, and without to 0.69.
        taught = np.where(seen == _VACUOLE, np.uint8(0), seen)
        learnt = self._proposal(self._classifier.learn(taught), "classifier", seen)
        return Proposal(
            np.where(given > 0, given, learnt.codes),
            np.where(given > 0, np.float32(0), learnt.uncertainty),
            "classifier",
        )

    @cached_property
    def _first(self) -> tuple[Planes, Source]:
        probabilities, source = self._seen.first
        if self._correction is not None:
            probabilities, source = self._correction.corrected(self._seen.pixels, probabilities), "study"
        return without_specks(probabilities), source

    @cached_property
    def _start(self) -> Proposal:
        return self._proposal(*self._first, np.zeros(self._seen.pixels.shape[:2], np.uint8))

    @cached_property
    def _classifier(self) -> PixelClassifier:
        return PixelClassifier(self._seen.pixels, self._first[0])

    def _proposal(self, probabilities: Planes, source: Source, given: NDArray[np.uint8]) -> Proposal:
        found = proposal_from(probabilities, source)
        codes, shape = tidied(probabilities, given), self._seen.shape
        return Proposal(_nearest(codes, shape), _nearest(found.uncertainty, shape), source)


class _Seen:
    """An image as it is looked at, and what is proposed for it before anything is known of its study."""

    def __init__(self, image: CellImage) -> None:
        self.shape = image.pixels.shape[:2]
        self._image = image

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """The image (H, W, 3), smaller where it is large, on white."""
        return _at_most(on_white(self._image.pixels), _PIXELS)

    @cached_property
    def first(self) -> tuple[Planes, Source]:
        """Probabilities (H, W, 5), and whose they are."""
        classical = classical_probabilities(self.pixels)
        network = five_class_network()
        if network is None:
            return classical, "classical"
        drawn = network_probabilities(network, self.pixels, classical[..., 0] > 0.5)
        known = with_own_colours(self.pixels, settled(drawn, classical))
        return vacuoles_on_edges(self.pixels, on_edges(self.pixels, known)), "network"


def settled(network: Planes, classical: Planes) -> Planes:
    """Return the probabilities (H, W, 5) of the network, and where it is unsure also what the classical method says.

    Where the network misses the only nuclei that there are, only the latter counts.
    """
    sides = network[..., 0] > 0.5, classical[..., 0] > 0.5
    if sides[0].mean() < _NUCLEUS_SHARE <= sides[1].mean():
        return classical
    two = np.partition(network, -2, axis=-1)[..., -2:]
    margin = two[..., 1:] - two[..., :1]
    # Half and half where two classes are as likely, next to nothing where the margin is a half.
    doubt = (1 - margin) ** 4 / 2
    mixed = (network + _FLOOR) ** (1 - doubt) * (classical + _FLOOR) ** doubt
    found: Planes = (mixed / mixed.sum(axis=-1, keepdims=True)).astype(np.float32)
    return found


def _at_most(pixels: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Return the image (H, W, 3), or where it has more pixels a smaller one with at most `count`."""
    height, width = pixels.shape[:2]
    scale = (count / (height * width)) ** 0.5
    if scale >= 1:
        return pixels
    image = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float()
    size = [max(1, int(height * scale)), max(1, int(width * scale))]
    small = functional.interpolate(image, size, mode="bilinear", antialias=True)
    found: NDArray[np.uint8] = small[0].permute(1, 2, 0).round().byte().contiguous().numpy()
    return found


def _nearest(values: NDArray[Any], size: tuple[int, ...]) -> NDArray[Any]:
    """Return the values (H, W) at another size, each that of the nearest pixel."""
    if values.shape == size:
        return values
    rows, columns = (
        (np.arange(new) * 2 + 1) * old // (2 * new) for new, old in zip(size, values.shape, strict=True)
    )
    return values[np.ix_(rows, columns)]
