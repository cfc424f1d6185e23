"""Proposes the classes of an image, and learns from what a person paints."""

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.images import CellImage
from allxai_desktop.proposing.classical import classical_probabilities
from allxai_desktop.proposing.proposal import Proposal, proposal_from


class Proposer:
    """Makes the proposals for one image; `start` and `update` belong on one worker thread."""

    def __init__(self, image: CellImage) -> None:
        self._pixels = image.pixels

    def start(self) -> Proposal:
        """Return the proposal for the untouched image."""
        return proposal_from(classical_probabilities(self._pixels), "classical")

    def update(self, codes: NDArray[np.uint8], person: NDArray[np.bool_]) -> Proposal:
        """Return the proposal that follows from the `codes` (H, W) where `person` (H, W) says that a person set them.

        Those pixels keep their code, with no uncertainty; a person's 0 says nothing.
        """
        found = self.start()
        given = person & (codes > 0)
        return Proposal(
            np.where(given, codes, found.codes),
            np.where(given, np.float32(0), found.uncertainty),
            "classifier",
        )
