"""Growing from seeds: what is painted spreads over what is not, and its classes meet at the edges of the image."""

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.cellclasses import UNLABELLED

SMOOTH_PX = 1.0
"""Standard deviation of the Gaussian under which edges are looked for: finer grain stops nothing."""
LEVELS = 255


def grow_from_seeds(codes: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the mask (H, W) with its unlabelled pixels given to the classes that are painted in `codes` (H, W).

    A watershed (Beucher and Meyer 1993) of the steepest channel of `pixels` (H, W, 3) with the classes as markers. Of
    one class alone nothing is grown: it would take the whole image.
    """
    from scipy.ndimage import gaussian_gradient_magnitude
    from skimage.segmentation import watershed

    if len(np.setdiff1d(codes, UNLABELLED)) < 2:
        return codes
    steep = np.max(
        [
            gaussian_gradient_magnitude(channel.astype(np.float32), SMOOTH_PX)
            for channel in np.moveaxis(pixels, 2, 0)
        ],
        axis=0,
    )
    # Whole levels keep the flood quick, and their order is all that counts.
    levels = np.rint(steep * (LEVELS / max(float(steep.max()), 1e-6))).astype(np.uint8)
    grown: NDArray[np.uint8] = watershed(levels, codes.astype(np.int32)).astype(np.uint8)  # type: ignore[no-untyped-call]
    return grown
