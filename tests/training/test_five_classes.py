import numpy as np
import pytest
from PIL import Image

from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask
from allxai_desktop.training import five_classes
from allxai_desktop.training.five_classes import derive, make, square_about


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

    codes = derive(pixels, given)

    assert codes[[90, 90, 30, 5], [90, 105, 100, 110]].tolist() == [4, 4, 5, 5]
    assert codes[[35, 35], [35, 53]].tolist() == [1, 2]
    # The outlines are left open by three pixels on either side.
    assert codes[35, 44:50].tolist() == [0] * 6
    assert (codes[35, 43], codes[35, 50]) == (1, 2)


def test_the_square_is_moved_as_far_to_the_cell_as_the_image_allows():
    given = np.zeros((100, 160), np.uint8)
    given[20:30, 100:110] = 1
    assert square_about(given) == (slice(0, 100), slice(54, 154))
    given = np.zeros((100, 160), np.uint8)
    given[20:30, 150:160] = 1
    assert square_about(given) == (slice(0, 100), slice(60, 160))
    assert square_about(np.zeros((100, 160), np.uint8)) == (slice(0, 100), slice(30, 130))


@pytest.mark.parametrize("red", [60, 160])
def test_nuclei_are_brought_to_one_strength_of_dye(tmp_path, monkeypatch, red):
    monkeypatch.setattr(five_classes, "files", lambda _package: tmp_path / "none")
    pixels = np.full((60, 60, 3), 239, np.uint8)
    given = np.zeros((60, 60), np.uint8)
    pixels[20:40, 20:40], given[20:40, 20:40] = (red, 100, 180), 1
    (tmp_path / "data" / "bccd_masks").mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "data" / "bccd_masks" / "7.jpg", quality=100, subsampling=0)
    Image.fromarray(given).save(tmp_path / "data" / "bccd_masks" / "7_mask.png")

    make(tmp_path / "data", tmp_path / "out")

    image = read_image(tmp_path / "out" / "images" / "bccd_7.png")
    assert load_mask(tmp_path / "out" / "masks" / "bccd_7.npz", image).codes[30, 30] == 1
    # exp(−0.65) of the light.
    assert abs(int(image.pixels[30, 30, 0]) - 240 * 0.522 + 1) <= 2
