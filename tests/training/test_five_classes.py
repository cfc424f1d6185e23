import numpy as np
import pytest
from PIL import Image

from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask
from allxai_desktop.proposing.proposal import Proposal
from allxai_desktop.training import five_classes
from allxai_desktop.training.datasets.label_masks import is_proposed
from allxai_desktop.training.five_classes import derive, make, square_about, sure


@pytest.fixture
def data(tmp_path, monkeypatch):
    """An empty folder of data, where the program ships no painted masks and `bccd_9.png` is held out."""
    held_out = tmp_path / "resources" / "networks" / "five-classes-unet" / "held_out.csv"
    held_out.parent.mkdir(parents=True)
    held_out.write_text("file,part\nbccd_9.png,test\n")
    monkeypatch.setattr(five_classes, "files", lambda _package: tmp_path / "resources")
    for name in ("bccd_masks", "pbc"):
        (tmp_path / "data" / name).mkdir(parents=True)
    return tmp_path / "data"


def _write_pair(folder, name, pixels, given):
    Image.fromarray(pixels).save(folder / f"{name}.jpg", quality=100, subsampling=0)
    Image.fromarray(given).save(folder / f"{name}_mask.png")


def test_outside_the_given_cell_red_cells_platelets_and_background_are_told_apart():
    rows, columns = np.mgrid[:120, :120]
    pixels = np.full((120, 120, 3), 240, np.uint8)
    ring = np.hypot(rows - 90, columns - 90)
    pixels[ring < 20] = (230, 150, 140)
    pixels[ring < 6] = 240
    pixels[np.hypot(rows - 30, columns - 100) < 6] = (90, 60, 140)
    given = np.zeros((120, 120), np.uint8)
    given[np.hypot(rows - 35, columns - 35) < 25] = 2
    given[np.hypot(rows - 35, columns - 35) < 12] = 1

    proposed = np.full((120, 120), 3, np.uint8)
    proposed[35, 44:48] = (1, 1, 2, 2)
    codes = derive(pixels, given, proposed)

    assert codes[[90, 90, 30, 5], [90, 105, 100, 110]].tolist() == [4, 4, 5, 5]
    assert codes[[35, 35], [35, 53]].tolist() == [1, 2]
    # Three pixels on either side of an outline are as proposed, and open where that is a vacuole.
    assert codes[35, 44:50].tolist() == [1, 1, 2, 2, 0, 0]
    assert (codes[35, 43], codes[35, 50]) == (1, 2)


def test_a_proposal_teaches_what_it_is_sure_of_and_its_outlines():
    codes = np.full((1, 9), 5, np.uint8)
    codes[0, :4] = 1
    uncertainty = np.array([[0.6, 0.4, 0.9, 0.9, 0.9, 0.9, 0.6, 0.5, 0.1]], np.float32)
    assert sure(Proposal(codes, uncertainty, "network")).tolist() == [[0, 1, 1, 1, 5, 5, 0, 5, 5]]


def test_a_proposal_teaches_nothing_of_vacuoles():
    codes = np.full((1, 9), 2, np.uint8)
    codes[0, 4] = 3
    found = sure(Proposal(codes, np.zeros((1, 9), np.float32), "network"))
    assert found.tolist() == [[2, 2, 0, 0, 0, 0, 0, 2, 2]]


def test_more_images_of_pbc_have_masks_that_nobody_painted(data, tmp_path, monkeypatch):
    monkeypatch.setattr(five_classes, "_FURTHER", {"monocyte": 2, "neutrophil": 1})
    for kind, count in (("basophil", 1), ("monocyte", 3), ("neutrophil", 1)):
        (data / "pbc" / kind).mkdir()
        for number in range(count):
            image = Image.new("RGB", (40, 40), (240, 230, 220))
            image.save(data / "pbc" / kind / f"{kind}_{number}.jpg")

    make(data, tmp_path / "out")

    masks = sorted((tmp_path / "out" / "masks").iterdir())
    assert [mask.name.split("_")[0] for mask in masks] == ["monocyte", "monocyte", "neutrophil"]
    assert all(is_proposed(mask) for mask in masks)


def test_outlines_are_proposed_but_for_what_is_held_out(data, tmp_path, monkeypatch):
    monkeypatch.setattr(five_classes, "_FURTHER", {})
    pixels = np.full((60, 60, 3), 239, np.uint8)
    given = np.zeros((60, 60), np.uint8)
    pixels[20:40, 20:40], given[20:40, 20:40] = (90, 60, 140), 1
    for name in ("7", "8", "9"):
        _write_pair(data / "bccd_masks", name, pixels, given)

    make(data, tmp_path / "out")

    assert sorted(path.stem for path in (tmp_path / "out" / "masks").iterdir()) == ["bccd_7", "bccd_9"]
    taught, held_out = (load_mask(tmp_path / "out" / "masks" / f"bccd_{name}.npz").codes for name in "79")
    assert held_out[30, 18:22].tolist() == [0] * 4
    assert (taught[30, 18:22] > 0).all()


def test_the_square_is_moved_as_far_to_the_cell_as_the_image_allows():
    given = np.zeros((100, 160), np.uint8)
    given[20:30, 100:110] = 1
    assert square_about(given) == (slice(0, 100), slice(54, 154))
    given = np.zeros((100, 160), np.uint8)
    given[20:30, 150:160] = 1
    assert square_about(given) == (slice(0, 100), slice(60, 160))
    assert square_about(np.zeros((100, 160), np.uint8)) == (slice(0, 100), slice(30, 130))


@pytest.mark.parametrize("red", [60, 160])
def test_nuclei_are_brought_to_one_strength_of_dye(data, tmp_path, monkeypatch, red):
    monkeypatch.setattr(five_classes, "_FURTHER", {})
    pixels = np.full((60, 60, 3), 239, np.uint8)
    given = np.zeros((60, 60), np.uint8)
    pixels[20:40, 20:40], given[20:40, 20:40] = (red, 100, 180), 1
    _write_pair(data / "bccd_masks", "9", pixels, given)

    make(data, tmp_path / "out")

    image = read_image(tmp_path / "out" / "images" / "bccd_9.png")
    assert load_mask(tmp_path / "out" / "masks" / "bccd_9.npz", image).codes[30, 30] == 1
    # exp(−0.65) of the light.
    assert abs(int(image.pixels[30, 30, 0]) - 240 * 0.522 + 1) <= 2
