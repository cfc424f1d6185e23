"""The sample study is complete, clean and what its attribution says."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from allxai_desktop.cellclasses import BY_KEY, CELL_CODES, CODES
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask
from allxai_desktop.study.folder import Study, StudyItem

FOLDER = Path(__file__).parents[2] / "resources" / "sample_study"
STUDY = Study.open(FOLDER)
VACUOLE = BY_KEY["vacuole"].code
EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)
SMALLEST_VACUOLE = 12
SMALLEST_PATCH = 25

of_each_item = pytest.mark.parametrize("item", STUDY.items, ids=lambda item: item.stem)


def codes_of(item: StudyItem) -> NDArray[np.uint8]:
    return load_mask(item.mask_path, read_image(item.image_path)).codes


def patches(region: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    labels, count = ndimage.label(region)
    return [labels == label for label in range(1, count + 1)]


def test_it_has_twelve_images_of_seven_cell_types() -> None:
    assert len(STUDY.items) == 12
    assert {item.true_class for item in STUDY.items} == {
        "basophil",
        "eosinophil",
        "erythroblast",
        "ig",
        "lymphocyte",
        "monocyte",
        "neutrophil",
    }


def test_no_pixel_size_is_claimed() -> None:
    assert all(item.pixel_size_um is None for item in STUDY.items)


def test_at_least_four_cells_have_vacuoles() -> None:
    assert sum(bool((codes_of(item) == VACUOLE).any()) for item in STUDY.items) >= 4


def test_the_attribution_names_source_and_licence() -> None:
    text = (FOLDER / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert all(words in text for words in ("10.1016/j.dib.2020.105474", "CC BY 4.0", "WBCAtt", "MIT"))


def test_no_file_lies_there_that_the_study_does_not_know() -> None:
    assert {path.name for path in (FOLDER / "images").iterdir()} == {i.image_path.name for i in STUDY.items}
    assert {path.name for path in (FOLDER / "masks").iterdir()} == {i.mask_path.name for i in STUDY.items}


@of_each_item
def test_the_image_has_no_exif(item: StudyItem) -> None:
    with Image.open(item.image_path) as image:
        assert len(image.getexif()) == 0
        assert "exif" not in image.info


@of_each_item
def test_the_mask_is_known_by_the_pixels_of_its_image(item: StudyItem) -> None:
    image = read_image(item.image_path)
    mask = load_mask(item.mask_path, image)
    assert mask.warning is None
    assert mask.codes.shape == image.pixels.shape[:2]


@of_each_item
def test_every_pixel_has_a_class(item: StudyItem) -> None:
    assert set(np.unique(codes_of(item))) <= set(CODES)


@of_each_item
def test_every_vacuole_is_inside_its_cell(item: StudyItem) -> None:
    codes = codes_of(item)
    around = ndimage.binary_dilation(codes == VACUOLE, EIGHT_NEIGHBOURS)
    assert np.isin(codes[around], CELL_CODES).all()


@of_each_item
def test_there_are_no_specks(item: StudyItem) -> None:
    codes = codes_of(item)
    for code in CODES:
        smallest = SMALLEST_VACUOLE if code == VACUOLE else SMALLEST_PATCH
        assert all(patch.sum() >= smallest for patch in patches(codes == code))


@of_each_item
def test_every_cell_has_its_nucleus_and_no_hole(item: StudyItem) -> None:
    codes = codes_of(item)
    for cell in patches(np.isin(codes, CELL_CODES)):
        assert (codes[cell] == BY_KEY["nucleus"].code).sum() > 1000
        assert (ndimage.binary_fill_holes(cell) == cell).all()
