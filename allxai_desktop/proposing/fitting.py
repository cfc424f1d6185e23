"""Logistic regression of classes, fast enough to be done after each stroke."""

import numpy as np
from scipy.special import softmax

from allxai_desktop.proposing.features import Planes

_ITERATIONS = 30


def margins(probabilities: Planes) -> Planes:
    """Return by how much the likeliest class leads the next, (N,) in 0…1, of probabilities (N, 5)."""
    two = np.partition(probabilities, -2, axis=-1)[..., -2:]
    found: Planes = two[..., 1] - two[..., 0]
    return found


def fit(inputs: Planes, offsets: Planes, wanted: Planes, weights: Planes, punished: Planes) -> Planes:
    """Return the (F, 5) for which softmax(offsets + inputs · it) is nearest to `wanted`, by cross-entropy.

    Newton's method with Böhning's bound (1992) in place of the curvature: it needs one small inverse, and each step
    lowers the loss. Nesterov's momentum makes it faster.
    """
    bound = (inputs * weights[:, None]).T @ inputs / 2 + np.diag(2 * punished)
    inverse = np.linalg.inv(bound)
    found = ahead = np.zeros((inputs.shape[1], offsets.shape[1]), np.float32)
    for step in range(_ITERATIONS):
        off = weights[:, None] * (softmax(offsets + inputs @ ahead, axis=1) - wanted)
        new = ahead - inverse @ (inputs.T @ off + 2 * punished[:, None] * ahead)
        ahead = new + step / (step + 3) * (new - found)
        found = new
    return found.astype(np.float32)
