import hashlib
import subprocess
import sys

import numpy as np
import pytest
import torch

from allxai_desktop.networks import registry
from allxai_desktop.networks.architectures import build
from allxai_desktop.networks.card import WEIGHTS_FILE
from allxai_desktop.networks.checkpoints import dump_weights
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.registry import list_networks, load_network
from allxai_desktop.networks.user import complete_card, save_network

NAMES = ["pbc-mobilenet-v1", "cnmc-mobilenet-v1", "pbc-googlenet"]
# With the one that draws.
SHIPPED = ["pbc-mobilenet-v1", "cnmc-mobilenet-v1", "dsb2018-unet", "five-classes-unet", "pbc-googlenet"]


def test_three_networks_ship_with_the_program_and_the_default_comes_first():
    assert [card.name for card in list_networks()] == NAMES


def test_listing_does_not_import_torch():
    code = "import sys; from allxai_desktop.networks import registry; registry.list_networks();"
    code += " print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert found.stdout.strip() == "False", found.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_network_predicts_with_probabilities_in_the_order_of_its_card(name):
    network = load_network(name)
    pixels = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    assert network.preprocess(pixels).shape == (1, 3, *network.card.input_size)
    prediction = network.predict(pixels)
    assert tuple(prediction.probabilities) == network.card.classes
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert prediction.probabilities[prediction.predicted] == max(prediction.probabilities.values())
    assert prediction.logits.shape == (len(network.card.classes),)
    assert network.domain_warning(pixels)
    assert isinstance(network.module.get_submodule(network.card.cam_layer), torch.nn.Module)


def test_preprocessing_scales_to_the_card():
    network = load_network("pbc-mobilenet-v1")
    assert network.preprocess(np.zeros((9, 9, 3), np.uint8)).unique().tolist() == [-1.0]
    assert network.preprocess(np.full((9, 9, 3), 255, np.uint8)).unique().tolist() == [1.0]


def test_an_unknown_network_is_named_with_the_known_ones():
    with pytest.raises(NetworkError, match=r"“vgg”.*pbc-mobilenet-v1"):
        load_network("vgg")


def test_weights_of_another_architecture_are_refused(tmp_path, monkeypatch):
    from allxai_desktop.networks import network

    card = next(card for card in list_networks() if card.name == "pbc-mobilenet-v1")
    monkeypatch.setattr(network, "read_card", lambda path: card)
    monkeypatch.setattr(network, "read_checkpoint", lambda path, sha256: {"other": torch.zeros(1)})
    with pytest.raises(NetworkError, match="do not fit"):
        network.open_network(tmp_path)


def test_no_trained_network_is_missing_a_caution_about_its_split():
    assert all(card.split["caution"] for card in registry.list_networks())


def add(name, architecture="two-conv", **given):
    torch.manual_seed(0)
    weights = dump_weights(build(architecture, 2))
    given = {"sha256": hashlib.sha256(weights).hexdigest(), "input_size": [32, 32]} | given
    card = complete_card(name, architecture, ["ill", "well"], given)
    return save_network(card, WEIGHTS_FILE, weights)


def test_the_users_networks_come_after_those_that_ship(user_networks):
    add("mine")
    add("also-mine")
    assert [card.name for card in list_networks()] == [*NAMES, "also-mine", "mine"]
    network = load_network("mine")
    pixels = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    assert set(network.predict(pixels).probabilities) == {"ill", "well"}
    assert "not known" in network.domain_warning(pixels)


def test_a_damaged_network_does_not_take_the_others_away(user_networks):
    add("mine")
    (add("torn") / "card.json").write_text("{")
    add("moved").rename(user_networks / "elsewhere")
    found = registry.find_networks()
    assert [card.name for card in found.cards] == [*SHIPPED, "mine"]
    assert "calls itself “moved”" in found.problems[0]
    assert "torn" in found.problems[1]
    assert "damaged" in found.problems[1]


def test_a_user_cannot_replace_a_network_that_ships(user_networks):
    add("pbc-googlenet")
    found = registry.find_networks()
    assert [card.name for card in found.cards] == SHIPPED
    assert "two networks called “pbc-googlenet”" in found.problems[0]


def test_weights_that_were_changed_are_refused(user_networks):
    (add("mine") / WEIGHTS_FILE).write_bytes(b"other")
    with pytest.raises(NetworkError, match="not the ones that their card describes"):
        load_network("mine")


def test_the_network_that_ships_to_draw_finds_a_nucleus():
    rows, columns = np.mgrid[:256, :256]
    nucleus = (rows - 120) ** 2 + (columns - 130) ** 2 < 25**2
    pixels = np.where(nucleus[..., None], np.uint8(120), np.uint8(8)).repeat(3, axis=2)
    drawn = load_network("dsb2018-unet").segment(pixels) == 1
    assert 2 * (drawn & nucleus).sum() / (drawn.sum() + nucleus.sum()) > 0.9


def test_a_segmentation_network_is_not_offered_for_explaining(user_networks):
    add("nuclei", "unet")
    assert "nuclei" not in [card.name for card in list_networks()]
    assert registry.network_card("nuclei").architecture == "unet"
    found = load_network("nuclei").segment(np.zeros((40, 50, 3), np.uint8))
    assert (found.shape, found.dtype) == ((40, 50), np.uint8)
    assert set(np.unique(found)) <= {0, 1}
