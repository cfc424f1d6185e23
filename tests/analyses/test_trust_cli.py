"""`allxai explain --trust` with a network whose score is the mean of the red channel."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from allxai_desktop import cli
from allxai_desktop.analyses import explain_cli
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.networks.card import parse_card
from allxai_desktop.networks.network import Network
from allxai_desktop.networks.user import complete_card


@pytest.fixture
def arguments(tmp_path, monkeypatch):
    """The command for an image whose left quarter is a nucleus, red 255, on a background, red 0."""
    conv, last = nn.Conv2d(3, 1, 1, bias=False), nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1))
        last.weight.copy_(torch.tensor([[-12.0], [12.0]]))
    module = nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)
    card = parse_card(
        complete_card(
            "toy",
            "resnet18",
            ["dark", "bright"],
            {"input_size": [32, 32], "cam_layer": "0", "sha256": "0" * 64},
        )
    )
    network = Network(card, module)
    monkeypatch.setattr(explain_cli, "list_networks", lambda: [card])
    monkeypatch.setattr(explain_cli, "load_network", lambda name: network)
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:, :8, 0] = 255
    codes = np.full((32, 32), 5, np.uint8)
    codes[:, :8] = 1
    Image.fromarray(pixels).save(tmp_path / "cell.png")
    save_mask(tmp_path / "cell.npz", codes, image=read_image(tmp_path / "cell.png"))
    files = [str(tmp_path / name) for name in ("cell.png", "out", "cell.npz")]
    return ["explain", files[0], "--out", files[1], "--explainer", "lrp-z", "--mask", files[2]]


def test_json_holds_figures_levels_and_sentences(arguments, capsys):
    assert cli.main([*arguments, "--trust", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["trust"]
    assert found["conservation"]["ratio"] == pytest.approx(1.0)
    assert found["conservation"]["level"] == "good"
    assert found["outside_cell"]["relevance"] == pytest.approx(0.0)
    assert found["outside_cell"]["area"] == 0.75
    assert "Gradient × Input" in found["same_map"]["sentence"]
    deletion, insertion = found["deletion"], found["insertion"]
    assert deletion["auc"] < deletion["random_auc_min"] < deletion["random_auc_max"] < insertion["auc"]
    assert len(deletion["scores"]) == 21
    assert found["stability"]["rank_correlation"] > 0.5
    assert found["randomisation"].keys() >= {"rank_correlation", "ssim", "last_layer_rank_correlation"}


def test_the_text_has_a_sentence_each(arguments, capsys):
    assert cli.main([*arguments, "--trust"]) == 0
    text = capsys.readouterr().out.split("How far to trust this map:\n")[1]
    assert len(text.splitlines()) == 7
    # Blurring leaves the mean of red as it is, and with it the score.
    assert "Without the picture the score of this class is nearly as high, or higher" in text
    assert "(rank correlation" in text


def test_without_a_mask_there_is_no_share(arguments, capsys):
    assert cli.main([*arguments[:-2], "--trust", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trust"]["outside_cell"] is None


def test_an_undefined_map_has_no_figures(arguments, capsys):
    asked = [*arguments, "--target", "dark", "--explainer", "deep-taylor", "--trust", "--json"]
    assert cli.main(asked) == 0
    assert set(json.loads(capsys.readouterr().out)["trust"].values()) == {None}


def test_it_is_left_out_where_nobody_asks(arguments, capsys):
    assert cli.main([*arguments, "--json"]) == 0
    assert "trust" not in json.loads(capsys.readouterr().out)
