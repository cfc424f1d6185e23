import numpy as np
import pytest
from PIL import Image

from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.study.folder import Study

SHAPE = (4, 6)


def _make_study(folder, count=6, annotators=("A01",), labelled=None):
    """A study of `count` images, `cell_1.png` …, the first `labelled` of them with masks by `annotators` in turn."""
    (folder / "images").mkdir(parents=True)
    for number in range(count):
        pixels = np.full((*SHAPE, 3), number, np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"cell_{number + 1}.png")
    study = Study.open(folder)
    for number, item in enumerate(study.items[:labelled]):
        codes = np.full(SHAPE, 5, np.uint8)
        codes[1:3, 1:4] = 1
        save_mask(
            item.mask_path,
            codes,
            image=read_image(item.image_path),
            annotator=annotators[number % len(annotators)],
        )
    return study


@pytest.fixture
def make_study():
    return _make_study


@pytest.fixture
def study(tmp_path):
    return _make_study(tmp_path / "study")
