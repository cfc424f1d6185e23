"""Studies whose masks go out or come in, and what lies in their folders."""

import numpy as np
from PIL import Image

from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.painting.history import Edit, Runs
from allxai_desktop.study.folder import Study
from allxai_desktop.study.journal import Journal
from allxai_desktop.study.journal_file import Head
from allxai_desktop.study.locks import PaintingSession

SHAPE = (4, 5)
CODES = np.arange(20, dtype=np.uint8).reshape(SHAPE) % 6


def make_study(folder, names=("Ana Ruiz 1.png", "Ana Ruiz 2.png"), labelled=None):
    """A study whose images differ; each of `labelled`, all by default, has a mask."""
    (folder / "images").mkdir(parents=True)
    for number, name in enumerate(names):
        pixels = np.full((*SHAPE, 3), 10 * number, np.uint8)
        exif = Image.Exif()
        exif[0x010E] = "Ana Ruiz"
        Image.fromarray(pixels).save(folder / "images" / name, exif=exif)
    study = Study.open(folder)
    for number, item in enumerate(study.items):
        if labelled is None or item.image_path.name in labelled:
            save_mask(
                item.mask_path, (CODES + number) % 6, image=read_image(item.image_path), annotator="A07"
            )
    return study


def masks_of(study):
    return [load_mask(item.mask_path).codes.tolist() for item in study.items if item.mask_path.exists()]


def leave_stroke(item, mask_sha256):
    """Leave what a crash does: a stroke in a journal on a mask file."""
    head = Head(read_image(item.image_path).sha256, mask_sha256, *SHAPE, PaintingSession.new())
    stroke = Edit(np.array([0, 1]), np.zeros(2, np.uint8), np.ones(2, np.uint8))
    Journal(item.mask_path, head).append(Runs.pack(stroke))


def names_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def turned_study(folder):
    """A study of one image that is stored upside down, and says so."""
    study = make_study(folder, ("a.png",), labelled=())
    exif = Image.Exif()
    exif[0x0112] = 3
    item = study.items[0]
    Image.fromarray(np.arange(60, dtype=np.uint8).reshape(*SHAPE, 3)).save(item.image_path, exif=exif)
    return study
