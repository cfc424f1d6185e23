import numpy as np
from PIL import Image
from torch import nn

from allxai_desktop.networks.card import parse_card
from allxai_desktop.networks.network import Network
from allxai_desktop.networks.user import complete_card
from allxai_desktop.training.datasets.data import Item
from allxai_desktop.training.datasets.mask_classes import ANNOTATOR, IGNORED, NUCLEI
from allxai_desktop.training.preparing.mask_pictures import MASKS_FILE, SHOWN, mask_row, write_mask_pictures

SIDE, GAP = 192, 4


def test_a_row_is_the_image_its_mask_and_what_is_drawn_over_it():
    pixels = np.full((2, 2, 3), 100, np.uint8)
    truth = np.array([[0, 1], [IGNORED, 0]], np.uint8)
    drawn = np.array([[0, 0], [1, 0]], np.uint8)
    row = mask_row(pixels, truth, drawn, NUCLEI)
    assert row.shape == (SIDE + GAP, 3 * SIDE + 2 * GAP, 3)
    corners = [
        [row[y, left + x].tolist() for y in (0, SIDE - 1) for x in (0, SIDE - 1)]
        for left in (0, SIDE + GAP, 2 * (SIDE + GAP))
    ]
    assert corners[0] == [[100] * 3] * 4
    assert corners[1] == [[0] * 3, [240, 228, 66], [128] * 3, [0] * 3]
    assert corners[2] == [[100] * 3, [100] * 3, [170, 164, 83], [100] * 3]


def test_of_the_five_classes_the_background_is_not_covered():
    row = mask_row(
        np.zeros((1, 2, 3), np.uint8), np.array([[3, 4]], np.uint8), np.array([[3, 4]], np.uint8), ANNOTATOR
    )
    assert row[0, 2 * (SIDE + GAP)].tolist() == [106, 47, 0]
    assert row[0, -1].tolist() == [0, 0, 0]


class _Nothing(nn.Module):
    def forward(self, x):
        return x[:, :2] * 0


def test_of_many_images_some_are_shown(tmp_path):
    items = []
    for number in range(SHOWN + 3):
        for name in (f"{number}.png", f"{number}_mask.png"):
            Image.new("L", (16, 16), number).save(tmp_path / name)
        items.append(Item(f"{number}.png", "", None, f"{number}_mask.png"))
    given = {"input_size": [16, 16], "sha256": "0" * 64}
    network = Network(parse_card(complete_card("n", "unet", NUCLEI.keys, given)), _Nothing())
    write_mask_pictures(tmp_path, network, tmp_path, items, NUCLEI)
    picture = np.asarray(Image.open(tmp_path / MASKS_FILE))
    assert picture.shape == (SHOWN * (SIDE + GAP), 3 * SIDE + 2 * GAP, 3)
    assert picture[0, 0, 0] == 0
    assert picture[-GAP - 1, 0, 0] == SHOWN + 2
