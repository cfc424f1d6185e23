"""`allxai explain --regions` with a network whose score is known."""

import json

import numpy as np
import pytest
from PIL import Image

from allxai_desktop import cli
from allxai_desktop.analyses import explain_cli
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.networks.card import parse_card
from allxai_desktop.networks.user import complete_card


@pytest.fixture
def toy(monkeypatch):
    """Class "bright" is the mean of the red channel in 0…1 times 8, class "dark" is 0."""
    import torch
    from torch import nn

    from allxai_desktop.networks.network import Network

    features, head = nn.Conv2d(3, 1, 1, bias=False), nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        features.weight.copy_(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1))
        head.weight.copy_(torch.tensor([[0.0], [8.0]]))
    module = nn.Sequential()
    module.add_module("features", features)
    module.add_module("pool", nn.AdaptiveAvgPool2d(1))
    module.add_module("flatten", nn.Flatten())
    module.add_module("head", head)
    card = parse_card(
        complete_card(
            "toy",
            "toy",
            ["dark", "bright"],
            {"input_size": [32, 32], "cam_layer": "features", "sha256": "0" * 64},
        )
    )
    network = Network(card, module)
    monkeypatch.setattr(network, "domain_warning", lambda pixels: None)
    monkeypatch.setattr(explain_cli, "list_networks", lambda: [card])
    monkeypatch.setattr(explain_cli, "load_network", lambda name: network)


@pytest.fixture
def arguments(tmp_path, toy):
    """The command for an image whose left half is a nucleus, red 255, on a background, red 0."""
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:, :16, 0] = 255
    Image.fromarray(pixels).save(tmp_path / "cell.png")
    codes = np.full((32, 32), 5, np.uint8)
    codes[:, :16] = 1
    save_mask(tmp_path / "cell.npz", codes, image=read_image(tmp_path / "cell.png"))
    return [
        "explain",
        str(tmp_path / "cell.png"),
        "--out",
        str(tmp_path / "out"),
        "--mask",
        str(tmp_path / "cell.npz"),
    ]


def test_json_holds_the_values_and_how_they_were_made(arguments, capsys):
    assert cli.main([*arguments, "--regions", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["regions"]
    # Half of the pixels fall from 1 to 0: 8 · 0.5; the background is what it is filled with.
    assert found["values"] == pytest.approx({"nucleus": 4.0, "background": 0.0}, abs=1e-5)
    assert (found["target"], found["fill"], found["network"]) == ("bright", "background", "toy")
    assert found["logit"] == pytest.approx(4.0, abs=1e-5)
    assert found["logit_all_removed"] == pytest.approx(0.0, abs=1e-5)


def test_the_text_has_a_table(arguments, capsys):
    assert cli.main([*arguments, "--regions"]) == 0
    text = capsys.readouterr().out
    assert "Shapley values" in text
    assert "Nucleus" in text.split("Shapley values")[1]
    assert "+4.00" in text


def test_the_fill_can_be_chosen(arguments, capsys):
    assert cli.main([*arguments, "--regions", "--fill", "blur", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["regions"]["fill"] == "blur"


def test_they_are_left_out_where_nobody_asks(arguments, capsys):
    assert cli.main([*arguments, "--json"]) == 0
    assert "regions" not in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("more", "reason"), [(["--fill", "noise"], "choose background, blur"), (["--regions"], "with --mask")]
)
def test_wrong_choices_are_one_sentence(arguments, capsys, more, reason):
    assert cli.main([*arguments[:-2], *more]) == 2
    assert reason in capsys.readouterr().err
