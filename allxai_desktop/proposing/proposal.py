"""What is proposed for each pixel of an image, and how sure that is."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Source = Literal["network", "classical", "study", "classifier"]
"""Who made a proposal: the five-class network, the classical method, either of them corrected by the finished masks of
the study, or the classifier that learns from a person."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """Class codes uint8 (H, W), 0 where it does not say; uncertainty float32 (H, W) in 0…1, for the same pixels.

    The uncertainty is 1 − the margin between the probabilities of the two likeliest classes.
    """

    codes: NDArray[np.uint8]
    uncertainty: NDArray[np.float32]
    source: Source


def proposal_from(probabilities: NDArray[np.float32], source: Source) -> Proposal:
    """Return the proposal that probabilities (H, W, 5) make, in the order of the codes 1…5 and adding up to 1."""
    two = np.partition(probabilities, -2, axis=-1)[..., -2:]
    codes = (probabilities.argmax(axis=-1) + 1).astype(np.uint8)
    uncertainty = np.clip(1 - (two[..., 1] - two[..., 0]), 0, 1).astype(np.float32)
    return Proposal(codes, uncertainty, source)
