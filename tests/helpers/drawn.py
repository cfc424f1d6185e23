"""Images that tests draw."""

import numpy as np
from PIL import Image


def noise(path, seed, size=(20, 16)):
    """Write an image of random squares, coarse, so that it survives being made small; return its pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    image = Image.fromarray(values).resize(size, Image.Resampling.NEAREST)
    image.save(path)
    return np.asarray(image)


def disc(pixels, row, column, diameter, color):
    """Draw a disc into `pixels` (H, W, 3)."""
    rows, columns = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
    pixels[(rows - row) ** 2 + (columns - column) ** 2 <= diameter**2 / 4] = color
