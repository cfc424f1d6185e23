"""The masks painted for training are complete, clean and name nobody; their images are not in the repository."""

import re
from pathlib import Path

import numpy as np
import pytest

from allxai_desktop.cellclasses import BY_KEY, CODES
from allxai_desktop.masks.npz import load_mask

FOLDER = Path(__file__).parents[2] / "resources" / "training_masks"
MASKS = sorted(FOLDER.glob("*/*.npz"))
NUCLEUS, CYTOPLASM, VACUOLE = (BY_KEY[key].code for key in ("nucleus", "cytoplasm", "vacuole"))

of_each_mask = pytest.mark.parametrize("path", MASKS, ids=lambda path: path.stem)


def test_there_are_masks() -> None:
    assert MASKS


@of_each_mask
def test_every_pixel_has_a_class_and_numpy_reads_them_without_pickle(path: Path) -> None:
    with np.load(path, allow_pickle=False) as archive:
        assert set(np.unique(archive["mask"]).tolist()) <= set(CODES)


@of_each_mask
def test_vacuoles_lie_within_the_box_around_the_cells(path: Path) -> None:
    codes = load_mask(path).codes
    vacuoles = np.argwhere(codes == VACUOLE)
    if len(vacuoles):
        cells = np.argwhere(np.isin(codes, (NUCLEUS, CYTOPLASM)))
        assert (vacuoles > cells.min(axis=0)).all()
        assert (vacuoles < cells.max(axis=0)).all()


@of_each_mask
def test_the_mask_names_its_image_by_name_and_hash_and_its_painter_by_pseudonym(path: Path) -> None:
    meta = load_mask(path).meta
    assert Path(meta["image_name"]).stem == path.stem
    assert re.fullmatch(r"[0-9a-f]{64}", meta["image_sha256"])
    assert re.fullmatch(r"B\d", meta["annotator"])
    assert not any(re.search(r"[\\/]", value) for value in meta.values() if isinstance(value, str))


def test_the_readme_names_source_licence_and_who_has_not_seen_them() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(words in text for words in ("10.1016/j.dib.2020.105474", "CC BY 4.0", "No hematologist"))
