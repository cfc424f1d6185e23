import dataclasses

import numpy as np
import pytest
import torch

from allxai_desktop.networks.architectures import build
from allxai_desktop.networks.card import parse_card
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.network import Network, build_trained, luminance, sharpened
from allxai_desktop.networks.user import complete_card
from allxai_desktop.training.preparing import documents

CARD = parse_card(
    complete_card(
        "tiny",
        "two-conv",
        ["ill", "well"],
        {"input_size": [32, 32], "cam_layer": "features.4", "sha256": "0" * 64},
    )
)


def weights(name="two-conv", size=(32, 32), classes=2):
    torch.manual_seed(0)
    return build(name, classes, size).state_dict()


def test_the_weights_are_those_given():
    state = weights()
    module = build_trained(CARD, state)
    assert all(torch.equal(state[name], tensor) for name, tensor in module.state_dict().items())
    assert Network(CARD, module).predict(np.zeros((9, 9, 3), np.uint8)).logits.shape == (2,)


@pytest.mark.parametrize("size", [(32, 32), (400, 400), (256, 256), (33, 47)])
def test_any_input_size_that_the_architecture_takes(size):
    card = dataclasses.replace(CARD, input_size=size)
    network = Network(card, build_trained(card, weights(size=size)))
    assert network.preprocess(np.zeros((9, 9, 3), np.uint8)).shape == (1, 3, *size)
    assert network.predict(np.zeros((9, 9, 3), np.uint8)).logits.shape == (2,)


def test_a_grey_network_sees_luminance():
    card = dataclasses.replace(CARD, mean=(0.5,), std=(0.25,), input_size=(2, 2))
    network = Network(card, torch.nn.Identity())
    pixels = np.full((4, 4, 3), (255, 0, 51), np.uint8)
    # 0.299 · 255 + 0.114 · 51 of 255, less 0.5, through 0.25.
    expected = (0.299 + 0.114 * 0.2 - 0.5) / 0.25
    torch.testing.assert_close(network.preprocess(pixels), torch.full((1, 1, 2, 2), expected))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda state: state.pop("features.3.bias"), r"2 classes: features\.3\.bias is missing"),
        (lambda state: state.update(other=torch.ones(1)), "it has no other"),
        (
            lambda state: state.update({"classifier.4.weight": torch.ones(3, 84)}),
            r"classifier\.4\.weight is 3×84, not 2×84",
        ),
    ],
)
def test_the_first_weight_that_does_not_fit_is_named(change, reason):
    state = weights()
    change(state)
    with pytest.raises(NetworkError, match=reason):
        build_trained(CARD, state)


def test_counters_that_old_files_lack_are_not_missed():
    card = dataclasses.replace(CARD, architecture="resnet18")
    state = {name: tensor for name, tensor in weights("resnet18").items() if "num_batches" not in name}
    module = build_trained(card, state)
    assert int(module.bn1.num_batches_tracked) == 0


def test_heads_that_serve_training_only_are_left_out():
    card = dataclasses.replace(CARD, architecture="googlenet")
    state = weights("googlenet") | {"aux1.fc2.bias": torch.ones(2)}
    assert not hasattr(build_trained(card, state).aux1, "fc2")


def test_weights_of_integers_are_taken_as_real_numbers():
    state = weights() | {"classifier.4.bias": torch.tensor([1, 2])}
    assert build_trained(CARD, state).classifier[4].bias.tolist() == [1.0, 2.0]


def test_a_card_for_another_number_of_channels_is_refused():
    card = dataclasses.replace(CARD, mean=(0.5,), std=(0.5,))
    with pytest.raises(NetworkError, match="for 1 channels, but the architecture “two-conv” has 3"):
        build_trained(card, weights())


def test_a_sharpened_network_sees_what_the_document_does():
    pixels = np.random.default_rng(0).integers(0, 256, (12, 10, 3), np.uint8)
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
    found = sharpened(luminance(image) / 255)[0, 0]
    grey = pixels @ np.array([0.299, 0.587, 0.114]) / 255
    np.testing.assert_allclose(found, documents.sharpen(grey, documents.blur(grey)), atol=1e-6)
