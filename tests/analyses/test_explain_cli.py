import json
import os
import sys

import numpy as np
import pytest
from command_line import fails
from PIL import Image
from written import content

from allxai_desktop import cli
from allxai_desktop.analyses import explain_cli
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.networks.card import parse_card
from allxai_desktop.networks.user import complete_card
from allxai_desktop.relevance import RULES, pixel_weights

SHARE_KEYS = ["pixels", "area_share", "relevant", "relevant_share", "enrichment"]
ROW_KEYS = ["nucleus", "cytoplasm", "vacuole", "rbc", "background", "unlabelled"]
CARD = complete_card(
    "toy",
    "toy",
    ["dark", "bright"],
    {
        "title": {"en": "Toy network", "es": "Red de juguete"},
        "class_titles": {"en": ["Dark", "Bright"], "es": ["Oscura", "Clara"]},
        "input_size": [32, 32],
        "cam_layer": "features",
        "sha256": "0" * 64,
    },
)


@pytest.fixture
def toy(monkeypatch):
    """One network whose class "bright" follows the mean of the red channel."""
    import torch
    from torch import nn

    from allxai_desktop.networks.network import Network

    features = nn.Sequential(nn.Conv2d(3, 2, 4, stride=4), nn.ReLU())
    head = nn.Linear(2, 2)
    with torch.no_grad():
        features[0].weight.zero_()
        features[0].weight[0, 0] = 1 / 16
        features[0].bias.zero_()
        head.weight.copy_(torch.tensor([[-4.0, 0.0], [4.0, 0.0]]))
        head.bias.copy_(torch.tensor([2.0, -2.0]))
    module = nn.Sequential()
    module.add_module("features", features)
    module.add_module("pool", nn.AdaptiveAvgPool2d(1))
    module.add_module("flatten", nn.Flatten())
    module.add_module("head", head)
    card = parse_card(CARD)
    network = Network(card, module)
    monkeypatch.setattr(network, "domain_warning", lambda pixels: None)
    monkeypatch.setattr(explain_cli, "list_networks", lambda: [card])
    monkeypatch.setattr(explain_cli, "load_network", lambda name: network)
    return network


@pytest.fixture
def image(tmp_path):
    """Bright red on the left half, dark on the right."""
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:, :24] = (250, 100, 100)
    Image.fromarray(pixels).save(tmp_path / "cell.png")
    return tmp_path / "cell.png"


@pytest.fixture
def mask(image):
    """Nucleus left, background right, one row unlabelled."""
    codes = np.full((32, 48), 5, np.uint8)
    codes[:, :24] = 1
    codes[0] = 0
    path = image.parent / "masks" / "cell.npz"
    save_mask(path, codes, image=read_image(image))
    return path


def explain(capsys, image, *arguments):
    code = cli.main(
        ["explain", str(image), "--out", str(image.parent / "out"), "--json", *map(str, arguments)]
    )
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_json_has_the_agreed_keys(capsys, toy, image, mask):
    result = explain(capsys, image, "--mask", mask, "--target", "bright")
    assert list(result) == [
        "image",
        "network",
        "domain_warning",
        "prediction",
        "target",
        "logit",
        "explainer",
        "undefined",
        "conservation",
        "map_warning",
        "seconds",
        "rule",
        "colormap",
        "shares",
    ]
    assert list(result["shares"]) == ROW_KEYS
    assert all(list(row) == SHARE_KEYS for row in result["shares"].values())
    assert list(result["prediction"]) == ["dark", "bright"]
    assert sum(result["prediction"].values()) == pytest.approx(1)
    assert (result["image"], result["network"], result["explainer"]) == ("cell.png", "toy", "grad-cam")
    assert (result["rule"], result["colormap"]) == ("red-channel", "jet")
    assert result["undefined"] is None
    assert result["domain_warning"] is None
    assert result["conservation"] is None
    assert result["map_warning"] is None


def test_the_numbers_of_a_toy_network(capsys, toy, image):
    # The network's logit is 4 · mean red − 2, of the image as it is resized.
    result = explain(capsys, image, "--target", "bright")
    red = float(toy.preprocess(read_image(image).pixels)[0, 0].mean())
    assert result["target"] == "bright"
    assert result["logit"] == pytest.approx(4 * red - 2, abs=1e-5)


def test_a_map_that_blew_up_is_warned_of(capsys, toy, image):
    # What is left of 0.98 is a thousandth of it: the bias holds the rest, with the other sign.
    toy.module.features[0].bias[0] = -0.98
    toy.module.head.weight[1, 0] = 1e6
    assert "Do not rely on this map" in explain(capsys, image, "--explainer", "lrp-z")["map_warning"]
    assert cli.main(["explain", str(image), "--explainer", "lrp-z", "--out", str(image.parent / "out")]) == 0
    assert "of the score: it was divided by sums that are nearly zero" in capsys.readouterr().out


@pytest.mark.parametrize("rule", RULES)
def test_shares_can_be_recounted_from_the_saved_map(capsys, toy, image, mask, rule):
    result = explain(capsys, image, "--mask", mask, "--rule", rule, "--target", "bright")
    relevance = np.load(image.parent / "out" / "cell.toy.grad-cam.npz")["relevance"]
    assert relevance.dtype == np.float32
    assert relevance.shape == (32, 48)
    weights = pixel_weights(relevance, rule, colormap="jet")
    codes = np.load(mask)["mask"]
    rows = result["shares"]
    total = weights[codes > 0].sum()
    for key, code in (("nucleus", 1), ("background", 5)):
        assert rows[key]["pixels"] == (codes == code).sum() == 24 * 31
        assert rows[key]["area_share"] == 0.5
        assert rows[key]["relevant_share"] == pytest.approx(weights[codes == code].sum() / total, abs=1e-12)
        assert rows[key]["enrichment"] == pytest.approx(2 * rows[key]["relevant_share"])
        counted = None if rule == "positive-mass" else int(weights[codes == code].sum())
        assert rows[key]["relevant"] == counted
    assert rows["unlabelled"]["pixels"] == 48
    assert rows["unlabelled"]["area_share"] is rows["unlabelled"]["relevant_share"] is None
    assert rows["cytoplasm"]["enrichment"] is None


def test_without_a_mask_there_are_no_shares(capsys, toy, image):
    assert explain(capsys, image)["shares"] is None


def test_q_and_colormap(capsys, toy, image, mask):
    rows = explain(capsys, image, "--mask", mask, "--rule", "top-q", "--q", "0.25", "--target", "bright")[
        "shares"
    ]
    assert sum(row["relevant"] for row in rows.values()) == 32 * 48 // 4
    found = explain(capsys, image, "--explainer", "layer-cam", "--colormap", "seismic")
    assert found["colormap"] == "seismic"
    assert (
        explain(capsys, image, "--explainer", "abs-gradient", "--target", "bright")["colormap"] == "seismic"
    )


def test_outputs_are_named_by_image_network_and_explainer(capsys, toy, image):
    explain(capsys, image, "--explainer", "gradient-x-input", "--target", "bright")
    out = image.parent / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "cell.toy.gradient-x-input.npz",
        "cell.toy.gradient-x-input.png",
    ]
    with Image.open(out / "cell.toy.gradient-x-input.png") as overlay:
        assert overlay.size == (48, 32)
        assert overlay.info == {}
        assert len(overlay.getexif()) == 0
    assert str(image.parent).encode() not in content(out / "cell.toy.gradient-x-input.npz")


def test_results_that_differ_are_replaced_with_a_word(capsys, toy, image):
    arguments = ["explain", str(image), "--explainer", "gradient-x-input", "--out", str(image.parent / "out")]
    notes = [
        f"cell.toy.gradient-x-input.{ending} held another result, which is gone now."
        for ending in ("npz", "png")
    ]

    def said(*more):
        assert cli.main([*arguments, *more]) == 0
        return capsys.readouterr()

    assert "replaced" not in said("--target", "bright").out
    assert "replaced" not in said("--target", "bright").out
    told = said("--target", "dark").out.splitlines()
    assert [f"Note: {note}" in told for note in notes] == [True, True]
    assert said("--target", "bright", "--json").err.splitlines() == notes


def test_the_overlay_is_red_where_jet_is_red(capsys, toy, image):
    explain(capsys, image, "--target", "bright")
    overlay = np.asarray(Image.open(image.parent / "out" / "cell.toy.grad-cam.png")).astype(int)
    assert overlay[16, 2, 0] > overlay[16, 2, 2]
    assert overlay[16, 45, 2] > overlay[16, 45, 0]


def test_an_undefined_map_is_told_and_leaves_no_picture(capsys, toy, image, mask):
    # No weight at all: the gradient is zero everywhere, a constant map.
    explain(capsys, image, "--mask", mask, "--target", "bright")
    toy.module.head.weight.zero_()
    assert cli.main(["explain", str(image), "--out", str(image.parent / "out")]) == 0
    assert "Note: cell.toy.grad-cam.npz held another result" in capsys.readouterr().out
    result = explain(capsys, image, "--mask", mask)
    assert isinstance(result["undefined"], str)
    assert list((image.parent / "out").iterdir()) == []
    assert result["shares"]["nucleus"]["area_share"] == 0.5
    assert result["shares"]["nucleus"]["relevant"] is None
    assert result["shares"]["nucleus"]["relevant_share"] is None


def test_text_for_people(capsys, toy, image, mask):
    arguments = ["explain", image, "--mask", mask, "--out", image.parent / "out", "--target", "bright"]
    assert cli.main([*map(str, arguments)]) == 0
    text = capsys.readouterr().out
    assert "Toy network sees:" in text
    assert "Grad-CAM of Bright" in text
    assert "50.0 %" in text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--explainer", "magic"], "no explainer “magic”: choose one of gradient,"),
        (["--rule", "median"], "no rule median"),
        (["--colormap", "viridis"], "choose jet, seismic"),
        (["--colormap", "viridis", "--rule", "mean"], "choose jet, seismic"),
        (["--rule", "top-q", "--q", "2"], "at most 1"),
        (["--q", "half"], "--help"),
        (["--network", "none"], "no network “none” that tells classes apart: choose one of toy"),
        (["--target", "lymphocyte"], "choose one of dark, bright"),
        (["--mask", "gone.npz"], "gone.npz was not found"),
        (["--setting", "recipe"], "“recipe” is no setting: write it as KEY=VALUE"),
        (["--setting", "samples=5"], "has no setting “samples”"),
        (["--explainer", "lime", "--setting", "samples=many"], "choose a whole number from 10"),
        (["--preset", "innvestigate"], "choose one of standard, matlab"),
        (["--nonsense"], "--help"),
    ],
)
def test_wrong_choices_are_one_sentence(capsys, toy, image, arguments, reason):
    assert reason in fails(capsys, "explain", image, "--out", image.parent / "out", *arguments)
    assert not (image.parent / "out").exists()


def test_bad_files_are_one_sentence(capsys, toy, image, mask, tmp_path):
    out = ["--out", tmp_path / "out"]
    assert "was not found" in fails(capsys, "explain", tmp_path / "gone.png", *out)
    assert "is damaged" in fails(capsys, "explain", image, "--mask", image, *out)
    Image.new("RGB", (9, 9)).save(tmp_path / "other.png")
    assert "not to other.png (9×9)" in fails(capsys, "explain", tmp_path / "other.png", "--mask", mask, *out)
    assert "--out" in fails(capsys, "explain", image)


def test_an_out_folder_that_cannot_be_made(capsys, toy, image):
    assert "cannot be made" in fails(capsys, "explain", image, "--out", image)


def test_a_full_disk(capsys, toy, image, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "the disk is full" in fails(
        capsys, "explain", image, "--target", "bright", "--out", image.parent / "out"
    )
    assert list((image.parent / "out").iterdir()) == []


def test_settings_and_presets_are_those_of_the_explainer(capsys, toy, image):
    found = explain(capsys, image, "--explainer", "occlusion", "--setting", "window=0.5")
    assert found["settings"] == {"window": 0.5, "baseline": "zero"}
    assert explain(capsys, image, "--preset", "matlab")["settings"] == {"recipe": "matlab"}


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_told_how_far_an_explainer_on_demand_is(capsys, toy, image, monkeypatch, terminal):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    arguments = ("explain", image, "--out", image.parent / "out", "--explainer", "smoothgrad")
    assert cli.main([*map(str, arguments), "--setting", "samples=4"]) == 0
    told = capsys.readouterr().err
    assert told.endswith("SmoothGrad: 100 %\n") if terminal else told == ""


def test_spanish(capsys, toy, monkeypatch, image):
    monkeypatch.setenv("LANGUAGE", "es")
    assert cli.main(["explain", str(image), "--target", "bright", "--out", str(image.parent / "out")]) == 0
    assert "Red de juguete" in capsys.readouterr().out
