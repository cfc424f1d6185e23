"""Makes the data set of the five-class network: `python -m allxai_desktop.training.five_classes --data DIR --out DIR`.

`--data` holds `bccd_masks/`, whose masks tell nucleus and cytoplasm from the rest, and `pbc/`, of which the program's
resources hold painted masks. The result is `images/` and `masks/`, for `allxai train --preset unet-five-classes`.

Where nothing was painted, the program's own proposals teach, by the network that it ships: the outlines of bccd_masks
but for the images that are held out, and more images of `pbc`. Their masks say that nobody painted them, so nothing is
measured on them.
"""

import argparse
import csv
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from allxai_desktop.cellclasses import BY_KEY
from allxai_desktop.files import write_whole
from allxai_desktop.images import CellImage, image_from_array, png_bytes, read_image
from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.masks.pictures import read_values
from allxai_desktop.proposing.adapting import dyed_as_learnt
from allxai_desktop.proposing.classical import optical_density
from allxai_desktop.proposing.network import NAME
from allxai_desktop.proposing.proposal import Proposal
from allxai_desktop.proposing.proposer import Proposer
from allxai_desktop.study.folder import IMAGES_FOLDER, MASKS_FOLDER
from allxai_desktop.training.preparing.copies import make_empty

_VACUOLE = BY_KEY["vacuole"].code
# Of bccd_masks every second image, so that its one laboratory does not outweigh the painted masks.
_STRIDE = 2
# Outlines of bccd_masks are polygons: so many pixels on either side of them are doubtful.
_DOUBT = 3
# Green density between which it is left open whether anything lies there, and red density of what is no red cell.
_NOTHING, _SOMETHING, _DYED = 0.06, 0.12, 0.45
# Pixels of a hole that is the pale middle of a red cell, and of dyed things that are platelets.
_MIDDLE, _PLATELET = 1500, 900
# Images of `pbc` that proposals label: none of basophils, for the granules hide their nucleus.
_FURTHER = {
    "eosinophil": 60,
    "erythroblast": 40,
    "ig": 40,
    "lymphocyte": 60,
    "monocyte": 60,
    "neutrophil": 60,
    "platelet": 15,
}
# Uncertainty from which on a proposal teaches nothing, unless it is that of an outline, and how wide one is.
_UNSURE, _OUTLINE = 0.5, 5


def derive(
    pixels: NDArray[np.uint8], given: NDArray[np.uint8], proposed: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Return the codes (H, W) of an image (H, W, 3) where `given` is 1 in nuclei, 2 in cytoplasm and 0 elsewhere.

    Elsewhere what absorbs green light is red cell, with its pale middle, and the rest background; platelets are
    background too, for they are none of the classes. Along the outlines of what is given the codes are those `proposed`
    (H, W), where they are no vacuoles. Doubtful pixels are 0.
    """
    density = ndimage.gaussian_filter(optical_density(pixels), (1, 1, 0))
    green, red = density[..., 1], density[..., 0]
    lies = green > _SOMETHING
    holes, count = ndimage.label(~lies)
    sizes = np.bincount(holes.ravel(), minlength=count + 1)
    sizes[0] = sizes.max() + 1
    filled = lies | (sizes < _MIDDLE)[holes]
    codes = np.where(filled, np.uint8(4), np.uint8(5))
    codes[(green > _NOTHING) & ~filled] = 0
    dyed = ndimage.binary_dilation((red > _DYED) & (given == 0), iterations=2)
    labels, count = ndimage.label(dyed)
    small = np.bincount(labels.ravel(), minlength=count + 1) < _PLATELET
    codes[dyed] = np.where(small[labels], np.uint8(5), np.uint8(0))[dyed]
    codes = np.where(given > 0, given, codes)
    outline = _outlines(given, 2 * _DOUBT + 1)
    codes[outline] = 0
    if proposed is not None:
        outline &= proposed != _VACUOLE
        codes[outline] = proposed[outline]
    return codes


def sure(proposal: Proposal) -> NDArray[np.uint8]:
    """Return the codes (H, W) that a proposal is sure of, with the outlines that it found; 0 elsewhere.

    It says nothing of vacuoles, half of which it misses or makes up, nor of what is next to them.
    """
    unsure = (proposal.uncertainty > _UNSURE) & ~_outlines(proposal.codes, _OUTLINE)
    vacuoles = ndimage.maximum_filter(proposal.codes == _VACUOLE, _OUTLINE)
    return np.where(unsure | vacuoles, np.uint8(0), proposal.codes)


def _outlines(codes: NDArray[np.uint8], width: int) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = ndimage.maximum_filter(codes, width) != ndimage.minimum_filter(codes, width)
    return found


def square_about(given: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Return rows and columns of the largest square in the image that has what is `given` nearest to its middle."""
    side = min(given.shape)
    middle = [
        int(places.mean()) if places.size else size // 2
        for places, size in zip(np.nonzero(given), given.shape, strict=True)
    ]
    starts = [min(max(0, at - side // 2), size - side) for at, size in zip(middle, given.shape, strict=True)]
    return slice(starts[0], starts[0] + side), slice(starts[1], starts[1] + side)


def make(data: Path, out: Path) -> None:
    """Write the data set to the empty folder `out`."""
    make_empty(out, [Path(IMAGES_FOLDER), Path(MASKS_FOLDER)])
    held_out = _held_out()
    for path in sorted((data / "bccd_masks").glob("*.jpg"))[::_STRIDE]:
        given = read_values(path.with_name(f"{path.stem}_mask.png")).astype(np.uint8)
        rows, columns = square_about(given)
        image = image_from_array(read_image(path).pixels[rows, columns], f"bccd_{path.stem}.png")
        proposed = None if image.name in held_out else Proposer(image).start().codes
        _write(out, image, derive(image.pixels, given[rows, columns], proposed))
    images = {path.stem: path for path in sorted((data / "pbc").rglob("*.jpg"))}
    with as_file(files("allxai_resources")) as resources:
        for folder in (resources / "sample_study" / "masks", resources / "training_masks" / "pbc"):
            for mask in sorted(folder.glob("*.npz")):
                image = read_image(images.pop(mask.stem))
                _write(out, image, load_mask(mask, image).codes)
    random = np.random.default_rng(0)
    for kind, count in _FURTHER.items():
        unpainted = [path for path in images.values() if path.parent.name == kind]
        for number in random.permutation(len(unpainted))[:count]:
            image = read_image(unpainted[number])
            _write(out, image, sure(Proposer(image).start()), proposed=True)


def _held_out() -> set[str]:
    """Return the names of the images that the network that ships was never trained on."""
    with (files("allxai_resources") / "networks" / NAME / "held_out.csv").open(encoding="utf-8") as table:
        return {row["file"] for row in csv.DictReader(table)}


def _write(out: Path, image: CellImage, codes: NDArray[np.uint8], *, proposed: bool = False) -> None:
    """Write an image as the network will be shown it, with its dye brought to one strength, and its mask."""
    stem = Path(image.name).stem
    shown = image_from_array(dyed_as_learnt(image.pixels, codes == 1).round().astype(np.uint8), image.name)
    write_whole(out / IMAGES_FOLDER / f"{stem}.png", png_bytes(shown.pixels))
    accepted = codes > 0 if proposed else None
    save_mask(out / MASKS_FOLDER / f"{stem}.npz", codes, image=shown, accepted=accepted)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    make(options.data, options.out)
