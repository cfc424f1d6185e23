"""How much work is left for a person: a simulated annotator corrects proposals, disc by disc."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.images import IMAGE_SUFFIXES, CellImage, read_image
from allxai_desktop.masks.npz import load_mask
from allxai_desktop.masks.pictures import read_values
from allxai_desktop.proposing.classical import optical_density
from allxai_desktop.proposing.lessons import Correction
from allxai_desktop.proposing.proposer import Proposer

STEPS = (0, 1, 2, 3, 5, 10)
"""After how many interactions it is measured."""
RADIUS = 5
"""Of the disc that an interaction paints, in pixels."""

NUCLEUS, CYTOPLASM, REST, UNKNOWN = 1, 2, 3, 0
"""What truth tells apart: a vacuole counts as cytoplasm, for most data sets do not tell them apart."""
_GROUP_OF_CODE = np.array([UNKNOWN, NUCLEUS, CYTOPLASM, CYTOPLASM, REST, REST], np.uint8)
_RED_CELL, _BACKGROUND = 4, 5
# Density of green light above which what is neither nucleus nor cytoplasm is painted as red cell.
_LIES = 0.12

Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Truth:
    """Of each pixel (H, W) what it is, `UNKNOWN` where nobody says, and its code 1…5 where that is known, else 0."""

    groups: Codes
    codes: Codes


@dataclass(frozen=True)
class Effort:
    """Of one image: IoU of nucleus and of cytoplasm after each of `STEPS` (NaN without any), seconds of each update."""

    nucleus: tuple[float, ...]
    cytoplasm: tuple[float, ...]
    start_seconds: float
    update_seconds: tuple[float, ...]


def pairs(images: Path, masks: Path) -> list[tuple[Path, Path]]:
    """Return each image with its mask: of the same name up to the ending, or with `_mask` after it.

    Raises `AllxaiError` where there is none.
    """
    names = {
        path.stem: path for path in sorted(images.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES[1:]
    }
    names |= {path.stem: path for path in sorted(images.glob("*.png")) if path.stem not in names}
    found = []
    for mask in sorted(masks.iterdir()):
        image = names.get(mask.stem.removesuffix("_mask"))
        if mask.suffix.lower() in (".npz", ".png") and image is not None and image != mask:
            found.append((image, mask))
    if not found:
        raise AllxaiError(
            _(
                "No image in {images} has a mask in {masks}: the names must be the same up to the ending."
            ).format(images=images.name, masks=masks.name)
        )
    return found


def read_truth(path: Path, image: CellImage) -> Truth:
    """Read a mask of ours (`.npz`), or a picture of 0 rest, 128 cytoplasm, 255 nucleus or 0, 2, 1.

    Raises `MaskError`, `ImageError`, `AllxaiError`.
    """
    if path.suffix.lower() == ".npz":
        codes = load_mask(path, image).codes
        return Truth(_GROUP_OF_CODE[codes], codes)
    values = read_values(path)
    values = values if values.ndim == 2 else values[..., 0]
    if values.shape != image.pixels.shape[:2]:
        raise AllxaiError(_("{name} has another size than its image: leave it out.").format(name=path.name))
    cytoplasm, nucleus = (2, 1) if values.max() < 3 else (128, 255)
    if not np.isin(values, (0, cytoplasm, nucleus)).all():
        raise AllxaiError(
            _("{name} must hold 0, 128 and 255 (rest, cytoplasm, nucleus), or 0, 2 and 1.").format(
                name=path.name
            )
        )
    groups = np.where(values == nucleus, NUCLEUS, np.where(values == cytoplasm, CYTOPLASM, REST)).astype(
        np.uint8
    )
    codes = np.where(groups == REST, 0, groups).astype(np.uint8)
    return Truth(groups, codes)


def middle_of_largest_error(proposed: Codes, truth: Truth) -> tuple[int, int] | None:
    """Return row and column inside the largest connected region of one true class that is wrong, farthest from its rim.

    None where all is right. `proposed` are codes (H, W).
    """
    wrong = (_GROUP_OF_CODE[proposed] != truth.groups) & (truth.groups != UNKNOWN)
    largest, size = None, 0
    for group in (NUCLEUS, CYTOPLASM, REST):
        labels, _count = ndimage.label(wrong & (truth.groups == group))
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        if sizes.max() > size:
            largest, size = labels == sizes.argmax(), sizes.max()
    if largest is None:
        return None
    depth = ndimage.distance_transform_edt(np.pad(largest, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    return int(row), int(column)


def simulate(image: CellImage, truth: Truth, correction: Correction | None = None) -> Effort:
    """Let the annotator put one disc of `RADIUS` into the middle of the largest error, again and again.

    The disc stops at the border of the true class, as a person's would.
    """
    proposer = Proposer(image, correction)
    started = time.perf_counter()
    proposed = proposer.start().codes
    start_seconds = time.perf_counter() - started
    wanted = painted(image, truth)
    codes = np.zeros_like(proposed)
    rows, columns = np.ogrid[: codes.shape[0], : codes.shape[1]]
    figures: list[list[float]] = []
    seconds: list[float] = []
    for number in range(STEPS[-1] + 1):
        if number in STEPS:
            figures.append([iou(proposed, truth, group) for group in (NUCLEUS, CYTOPLASM)])
        at = middle_of_largest_error(proposed, truth)
        if at is None or number == STEPS[-1]:
            continue
        disc = np.hypot(rows - at[0], columns - at[1]) <= RADIUS
        disc &= truth.groups == truth.groups[at]
        codes = np.where(disc, wanted[at] if wanted[at] > 3 else wanted, codes)
        started = time.perf_counter()
        proposed = proposer.update(codes, codes > 0).codes
        seconds.append(time.perf_counter() - started)
    of_nucleus, of_cytoplasm = (tuple(figure[place] for figure in figures) for place in (0, 1))
    return Effort(of_nucleus, of_cytoplasm, start_seconds, tuple(seconds))


def painted(image: CellImage, truth: Truth) -> Codes:
    """Return what the annotator paints, codes (H, W); where nobody says, what takes green light is a red cell."""
    lies = ndimage.gaussian_filter(optical_density(image.pixels)[..., 1], 2) > _LIES
    rest = np.where(lies, np.uint8(_RED_CELL), np.uint8(_BACKGROUND))
    found: Codes = np.where((truth.codes == 0) & (truth.groups == REST), rest, truth.codes)
    return found


def iou(proposed: Codes, truth: Truth, group: int) -> float:
    """Return the overlap of what is proposed and true as one group, divided by both together; NaN without either."""
    known = truth.groups != UNKNOWN
    found, true = (_GROUP_OF_CODE[proposed] == group) & known, truth.groups == group
    union = int((found | true).sum())
    return int((found & true).sum()) / union if union else np.nan


def measure(found: Sequence[tuple[Path, Path]], correction: Correction | None = None) -> Iterator[Effort]:
    """Yield the effort of each image with its mask. Raises `AllxaiError`."""
    for image_path, mask_path in found:
        image = read_image(image_path)
        yield simulate(image, read_truth(mask_path, image), correction)


def taught_by(found: Sequence[tuple[Path, Path]]) -> Correction | None:
    """Return what images teach that the annotator finished, None where there is none. Raises `AllxaiError`."""
    lessons = []
    for image_path, mask_path in found:
        image = read_image(image_path)
        one = Proposer(image).lesson(painted(image, read_truth(mask_path, image)))
        if one is not None:
            lessons.append(one)
    return Correction(lessons) if lessons else None


def spread_evenly(found: Sequence[tuple[Path, Path]], limit: int | None) -> list[tuple[Path, Path]]:
    """Return at most `limit` of the pairs, at least one, spread evenly over all."""
    count = len(found) if limit is None else max(1, min(limit, len(found)))
    return [found[number * len(found) // count] for number in range(count)]


def mean_overlaps(efforts: Sequence[Effort]) -> list[tuple[int, float, float]]:
    """Return for each of `STEPS` its number and the mean IoU of nucleus and cytoplasm; NaN where no image has any."""
    rows = []
    for place, step in enumerate(STEPS):
        each = [[effort.nucleus[place], effort.cytoplasm[place]] for effort in efforts]
        known = [[value for value in values if not np.isnan(value)] for values in zip(*each, strict=True)]
        nucleus, cytoplasm = (sum(values) / len(values) if values else np.nan for values in known)
        rows.append((step, nucleus, cytoplasm))
    return rows
