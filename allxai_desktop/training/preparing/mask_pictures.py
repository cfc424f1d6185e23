"""Images with their masks, as they were drawn by hand and by a network, side by side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.cellclasses import BY_KEY
from allxai_desktop.files import write_whole
from allxai_desktop.images import png_bytes, read_image
from allxai_desktop.networks.network import Network, resize
from allxai_desktop.training.datasets.data import Item
from allxai_desktop.training.datasets.label_masks import read_label_mask
from allxai_desktop.training.datasets.mask_classes import MaskClasses

MASKS_FILE = "masks.png"
SHOWN = 12
"""How many images are shown; the document looks at 10 to 20."""
_SIDE = 192
_GAP = 4
_GREY = (128, 128, 128)


def write_mask_pictures(
    folder: Path, network: Network, root: Path, items: Sequence[Item], classes: MaskClasses
) -> None:
    """Write `MASKS_FILE`: a row an image, the image | its mask | the image under what `network` draws.

    Of many images `SHOWN` are taken, evenly. Raises `ImageError`, `MaskError`, `WriteError`.
    """
    chosen = np.unique(np.linspace(0, len(items) - 1, min(SHOWN, len(items))).round().astype(int))
    rows = []
    for place in chosen:
        item = items[place]
        assert item.mask is not None
        image = read_image(root / item.file)
        truth = classes.read(item.mask, read_label_mask(root / item.mask, image))
        rows.append(mask_row(image.pixels, truth, network.segment(image.pixels), classes))
    write_whole(folder / MASKS_FILE, png_bytes(np.concatenate(rows)))


def mask_row(
    pixels: NDArray[np.uint8], truth: NDArray[np.uint8], drawn: NDArray[np.uint8], classes: MaskClasses
) -> NDArray[np.uint8]:
    """Return the image (H, W, 3) | its mask `truth` | the image half under `drawn`, `_SIDE` pixels high each.

    Background is black in the mask and uncovered in the image, what nobody labelled grey.
    """
    image = resize(pixels, (_SIDE, _SIDE))[0].permute(1, 2, 0).round().byte().numpy()
    gap = np.full((_SIDE, _GAP, 3), 255, np.uint8)
    row = np.concatenate(
        [image, gap, mask_picture(_nearest(truth), classes), gap, covered(image, _nearest(drawn), classes)],
        axis=1,
    )
    return np.concatenate([row, np.full((_GAP, row.shape[1], 3), 255, np.uint8)])


def mask_picture(mask: NDArray[np.uint8], classes: MaskClasses) -> NDArray[np.uint8]:
    """Return a mask (H, W) in colours (H, W, 3): background black, what nobody labelled grey."""
    colors = np.tile(np.array(_GREY, np.uint8), (256, 1))
    for place, key in enumerate(classes.keys):
        colors[place] = BY_KEY[key].color if place in classes.drawn else (0, 0, 0)
    picture: NDArray[np.uint8] = colors[mask]
    return picture


def covered(pixels: NDArray[np.uint8], mask: NDArray[np.uint8], classes: MaskClasses) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) half under its mask (H, W), without the background."""
    half = ((pixels.astype(np.uint16) + mask_picture(mask, classes)) // 2).astype(np.uint8)
    return np.where(np.isin(mask, classes.drawn)[..., None], half, pixels)


def _nearest(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = ((np.arange(_SIDE) + 0.5) * side / _SIDE for side in mask.shape)
    found: NDArray[np.uint8] = mask[rows.astype(int)[:, None], columns.astype(int)]
    return found
