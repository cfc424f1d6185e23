import json

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.cli import LEFT_OUT, main
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.networks.architectures import build
from allxai_desktop.networks.card import CARD_FILE, WEIGHTS_FILE
from allxai_desktop.networks.checkpoints import write_weights
from allxai_desktop.networks.user import complete_card
from allxai_desktop.training.datasets.data import Item
from allxai_desktop.training.datasets.dataset import look_through
from allxai_desktop.training.datasets.split_file import SavedSplit, save_split
from allxai_desktop.training.datasets.splits import Split
from allxai_desktop.training.run_folder import write_card


@pytest.fixture
def data(tmp_path):
    """Three images with masks of 1, 2 and 3 pixels of 64."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(1, 4):
        mask = np.zeros((8, 8), np.uint8)
        mask.flat[:number] = 9
        Image.fromarray(40 * mask).save(folder / f"{number}.png")
        Image.fromarray(mask).save(folder / f"{number}_mask.png")
    return folder


@pytest.fixture
def network(tmp_path):
    """The folder of a network that draws nothing anywhere."""
    folder = tmp_path / "run"
    folder.mkdir()
    model = build("unet", 2)
    model.head.weight.data.zero_()
    model.head.bias.data.copy_(model.head.bias.new_tensor([1.0, 0.0]))
    given = {"input_size": [16, 16], "sha256": write_weights(folder / WEIGHTS_FILE, model)}
    write_card(folder, complete_card("n", "unet", ["background", "nucleus"], given))
    return folder


def test_a_network_is_measured_on_all_images(data, network, capsys):
    assert main(["masks", "measure", "--network", str(network), "--data", str(data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"Pixel accuracy, all pixels: {100 * (1 - 6 / 192):.1f}" in lines[0]
    assert [line for line in lines if line.startswith("Dice, all pixels, Nucleus: 0.0")]


def test_an_image_that_cannot_be_measured_on_has_an_exit_code(data, network, capsys):
    (data / "3.png").write_bytes(b"")
    assert main(["masks", "measure", "--network", str(network), "--data", str(data)]) == LEFT_OUT
    printed = capsys.readouterr()
    assert "Pixel accuracy, all pixels: " in printed.out
    assert printed.err.startswith("3.png: 3.png is empty")


def test_images_of_a_study_that_are_not_painted_yet_are_not_left_out(data, network, capsys):
    (data / "study.toml").touch()
    save_mask(data / "masks" / "1.npz", np.ones((8, 8), np.uint8))
    assert main(["masks", "measure", "--network", str(network), "--data", str(data)]) == 0
    assert capsys.readouterr().err == ""


def test_only_a_part_of_a_split_is_measured(data, network, tmp_path, capsys):
    items = [Item(f"{number}.png", "", None, f"{number}_mask.png") for number in range(1, 4)]
    found = look_through(data, items, segmentation=True)
    save_split(tmp_path / "split.json", found, SavedSplit(Split([0], [1], [2]), "by image", 0, False))
    options = ["--network", str(network), "--data", str(data), "--split", str(tmp_path / "split.json")]
    assert main(["masks", "measure", *options]) == 0
    assert f"all pixels: {100 * (1 - 3 / 64):.1f}" in capsys.readouterr().out
    assert main(["masks", "measure", *options, "--part", "unseen"]) == 2
    assert "no images in its part unseen" in capsys.readouterr().err


def test_a_network_that_draws_something_else_is_named(network, data, capsys):
    card = json.loads((network / CARD_FILE).read_text(encoding="utf-8"))
    write_card(network, card | {"classes": ["a", "b"]})
    assert main(["masks", "measure", "--network", str(network), "--data", str(data)]) == 2
    assert "n draws neither nuclei nor the five classes" in capsys.readouterr().err


def test_masks_are_proposed_for_a_folder(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    Image.new("RGB", (30, 20), (250, 250, 250)).save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").touch()
    assert main(["masks", "propose", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == LEFT_OUT
    printed = capsys.readouterr()
    assert "correct the masks, then train" in printed.out
    assert printed.err.startswith("b.png is empty")
    assert np.asarray(Image.open(tmp_path / "out" / "masks" / "a.png")).shape == (20, 30)
