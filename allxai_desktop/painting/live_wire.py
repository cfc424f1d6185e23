"""The live wire: an outline between clicks that follows the edges of the image (Mortensen and Barrett 1995)."""

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.painting.shapes import nearest_pixel

Point = tuple[float, float]

REACH = 96
"""How far from a click edges are followed, in px along rows and columns: a click costs this, not the image."""
SIGMA = 1.0
STRONG = 95
"""The percentile of the edges in reach that counts as a full edge."""
CHEAPEST = 0.05
"""What a px along a full edge costs; one without any edge costs 1 more."""


class LiveWire:
    """The cheapest ways from `anchor` (row, column) along the edges of `pixels` uint8 (H, W, 3)."""

    def __init__(self, pixels: NDArray[np.uint8], anchor: Point) -> None:
        # Half a second to import: the window is shown first.
        from skimage.graph import MCP_Geometric

        row, column = nearest_pixel(anchor)
        height, width = pixels.shape[:2]
        row, column = min(max(row, 0), height - 1), min(max(column, 0), width - 1)
        self._top, self._left = max(row - REACH, 0), max(column - REACH, 0)
        self._costs = _costs(pixels[self._top : row + REACH + 1, self._left : column + REACH + 1])
        self._ways = MCP_Geometric(self._costs)
        self._ways.find_costs([(row - self._top, column - self._left)])

    def way(self, point: Point) -> list[Point]:
        """Return the way from the anchor, which is left out, to `point`; a straight line where that is out of reach."""
        row, column = nearest_pixel(point)
        row, column = row - self._top, column - self._left
        if not (0 <= row < self._costs.shape[0] and 0 <= column < self._costs.shape[1]):
            return [point]
        steps = self._ways.traceback((row, column))[1:]
        return [(float(r + self._top), float(c + self._left)) for r, c in steps]


def _costs(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return what a step on each pixel costs: little where a colour channel changes much."""
    from scipy.ndimage import gaussian_gradient_magnitude

    edges = np.max(
        [gaussian_gradient_magnitude(pixels[..., channel].astype(float), SIGMA) for channel in range(3)],
        axis=0,
    )
    strong = np.percentile(edges, STRONG)
    costs: NDArray[np.float64] = CHEAPEST + 1 - np.minimum(edges / strong if strong else edges, 1)
    return costs
