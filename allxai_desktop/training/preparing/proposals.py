"""Proposed nucleus masks for a folder of images, to look through and correct: data for a U-Net."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from allxai_desktop.files import write_whole
from allxai_desktop.i18n import _
from allxai_desktop.images import ImageError, png_bytes, read_image
from allxai_desktop.study.folder import IMAGES_FOLDER, MASKS_FOLDER
from allxai_desktop.tasks import Progress, unwatched
from allxai_desktop.training.datasets.data import TrainingError, one_name_each, read_image_names
from allxai_desktop.training.preparing.copies import make_empty
from allxai_desktop.training.preparing.documents import beside_mask, nucleus_mask_steps

PICTURES_FOLDER = "pictures"


def propose_mask(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the `mask` of `nucleus_mask_steps` at the size of the image (H, W, 3)."""
    mask = Image.fromarray(nucleus_mask_steps(pixels)["mask"])
    height, width = pixels.shape[:2]
    found: NDArray[np.bool_] = np.asarray(mask.resize((width, height), Image.Resampling.NEAREST))
    return found


def write_proposals(folder: Path, out: Path, progress: Progress = unwatched) -> list[str]:
    """Write the images in `folder`, their proposed masks, and pictures image | mask | overlay into the empty `out`.

    Of a folder with `images/` they are those in there. They lie in `images/`, `masks/` (0 and 255) and `pictures/` as
    PNG, which is a data set of images with masks. Returns a sentence for each image that cannot be
    read. Raises `TrainingError`, `WriteError`.
    """
    if (folder / IMAGES_FOLDER).is_dir():
        folder /= IMAGES_FOLDER
    names = one_name_each(read_image_names(folder), folder)
    make_empty(out, [Path(part) for part in (IMAGES_FOLDER, MASKS_FOLDER, PICTURES_FOLDER)])
    problems = []
    for number, (stem, name) in enumerate(names.items()):
        progress(number / len(names))
        try:
            pixels = read_image(folder / name).pixels
        except ImageError as error:
            problems.append(str(error))
            continue
        mask = propose_mask(pixels)
        drawn = np.where(mask, np.uint8(255), np.uint8(0))
        for part, picture in (
            (IMAGES_FOLDER, pixels),
            (MASKS_FOLDER, drawn),
            (PICTURES_FOLDER, beside_mask(pixels, mask)),
        ):
            write_whole(out / part / f"{stem}.png", png_bytes(picture))
    progress(1.0)
    if len(problems) == len(names):
        raise TrainingError(_("None of the images can be used: {reason}").format(reason=problems[0]))
    return problems
