"""Explanations of a network for an image, in the image's coordinates."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from allxai_desktop.explainers.explain import Explainer
from allxai_desktop.explainers.graph import cached_graph
from allxai_desktop.explainers.registry import EXPLAINERS, ExplainerError
from allxai_desktop.networks.network import Network


def network(size=(2, 2), cam_layer="0", counts=None):
    """Logits: sum of the red channel (0…1) over the image, and of the green one less the blue one."""
    conv = nn.Conv2d(3, 3, 1, bias=False)
    last = nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        conv.weight.copy_(torch.eye(3).view(3, 3, 1, 1))
        last.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1, -1]]))
    module = nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)
    card = SimpleNamespace(
        classes=("red", "green"),
        input_size=size,
        mean=(0.0, 0, 0),
        std=(1.0, 1, 1),
        cam_layer=cam_layer,
        preprocessing="",
    )
    return Network(card, module)


def picture(*rows):
    """An image whose channels are given as rows of (r, g, b)."""
    return np.array(rows, np.uint8)


PIXELS = picture([(255, 0, 0), (51, 0, 102)], [(0, 204, 0), (255, 255, 255)])


def test_gradient_x_input_is_summed_over_the_channels():
    found = Explainer(network()).explain(PIXELS, "gradient-x-input", "green")
    np.testing.assert_allclose(found.relevance, np.array([[0, -0.4], [0.8, 0]]) / 4, atol=1e-7)
    assert found.relevance.dtype == np.float32
    assert found.undefined is None
    assert found.explainer == "gradient-x-input"
    assert found.settings == {}
    assert found.conservation is None
    assert found.seconds > 0


def test_the_prediction_comes_with_it():
    net = network()
    found = Explainer(net).explain(PIXELS, "gradient-x-input")
    alone = net.predict(PIXELS)
    np.testing.assert_array_equal(found.prediction.logits, alone.logits)
    assert found.prediction.probabilities == alone.probabilities
    # Means: red 561/255/4, green minus blue (459 − 357)/255/4.
    assert found.target == found.prediction.predicted == "red"
    assert found.logit == pytest.approx(0.55)
    assert found.probability == pytest.approx(1 / (1 + np.exp(0.1 - 0.55)))


def test_target_and_probability_follow_the_class_asked_for():
    found = Explainer(network()).explain(PIXELS, "gradient-x-input", "green")
    assert found.target == "green"
    assert found.logit == pytest.approx(0.1)
    assert found.probability == found.prediction.probabilities["green"]


def test_another_explainer_of_the_same_image_reuses_the_forward_pass():
    net = network()
    engine = Explainer(net)
    graph = cached_graph(net.module, torch.float32)
    engine.explain(PIXELS, "grad-cam")
    passes = []
    conv = graph.calls[graph.layer("0")]
    graph.calls[graph.layer("0")] = lambda x: passes.append(x) or conv(x)
    for name in ("gradient", "abs-gradient", "gradient-x-input", "grad-cam", "layer-cam"):
        engine.explain(PIXELS, name)
        engine.explain(PIXELS, name, "green")
    assert len(passes) == 0
    engine.explain(PIXELS[::-1], "gradient")
    engine.explain(PIXELS[::-1], "grad-cam")
    assert len(passes) == 1


@pytest.mark.parametrize("name", [name for name, info in EXPLAINERS.items() if not info.on_demand])
def test_a_reused_pass_gives_the_same_map_bit_for_bit(name):
    fresh = Explainer(network()).explain(PIXELS, name, "red").relevance
    engine = Explainer(network())
    for other in EXPLAINERS:
        if not EXPLAINERS[other].on_demand:
            engine.explain(PIXELS, other, "green")
    np.testing.assert_array_equal(engine.explain(PIXELS, name, "red").relevance, fresh)


def test_deep_taylor_of_a_network_takes_the_bounds_of_its_images():
    found = Explainer(network()).explain(PIXELS, "deep-taylor", "red")
    # Only the red channel speaks for red; black is the lowest input, so each pixel gets what it adds.
    np.testing.assert_allclose(found.relevance, np.array([[1, 0.2], [0, 1]]) / 4, atol=1e-6)
    assert found.conservation == pytest.approx(1)
    assert found.settings == {"rules": "conserving"}


def test_an_explainer_that_needs_a_positive_logit_says_so():
    found = Explainer(network()).explain(255 - PIXELS, "deep-taylor", "green")
    assert found.logit < 0
    assert found.relevance is None
    assert "zero or less" in found.undefined
    assert found.conservation is None


def test_a_pixel_map_comes_to_the_image_by_nearest_neighbour():
    large = PIXELS.repeat(3, 0).repeat(2, 1)
    found = Explainer(network()).explain(large, "gradient-x-input", "green").relevance
    assert found.shape == (6, 4)
    assert len(np.unique(found)) == 4
    np.testing.assert_array_equal(found, found[::3, ::2].repeat(3, 0).repeat(2, 1))


def test_a_cam_comes_to_the_image_by_its_recipe():
    standard = Explainer(network()).explain(PIXELS.repeat(2, 0), "grad-cam", "red")
    assert standard.settings == {"recipe": "standard"}
    top, bottom = standard.relevance[0, 0], standard.relevance[3, 0]
    between = [0.75 * top + 0.25 * bottom, 0.25 * top + 0.75 * bottom]
    np.testing.assert_allclose(standard.relevance[1:3, 0], between, rtol=1e-6)
    matlab = Explainer(network()).explain(PIXELS, "grad-cam", "red", {"recipe": "matlab"})
    assert (matlab.relevance.min(), matlab.relevance.max()) == (0, 1)


def test_the_map_cannot_be_written_to():
    assert not Explainer(network()).explain(PIXELS, "gradient-x-input").relevance.flags.writeable


def test_an_image_of_one_colour_is_undefined():
    found = Explainer(network()).explain(np.full((5, 7, 3), 100, np.uint8), "grad-cam")
    assert found.relevance is None
    assert "same value everywhere" in found.undefined
    assert found.prediction.predicted == "red"


def test_an_image_of_one_pixel_is_undefined():
    for name in EXPLAINERS:
        found = Explainer(network()).explain(np.full((1, 1, 3), 100, np.uint8), name)
        assert found.relevance is None
        assert found.undefined


def test_the_same_image_gives_the_same_map_bit_for_bit():
    net = network((32, 32))
    pixels = np.random.default_rng(0).integers(0, 256, (50, 40, 3), np.uint8)
    for name in ("gradient-x-input", "grad-cam"):
        maps = [Explainer(net).explain(pixels, name).relevance for _ in range(5)]
        assert all(np.array_equal(one, maps[0]) for one in maps)


def test_an_unknown_class_is_named():
    with pytest.raises(ExplainerError, match="no class “blue”: choose one of red, green"):
        Explainer(network()).explain(PIXELS, "gradient", "blue")


def test_an_unknown_explainer_is_named():
    with pytest.raises(ExplainerError, match="no explainer “lime2”"):
        Explainer(network()).explain(PIXELS, "lime2")


def test_a_wrong_layer_on_the_card_is_named():
    with pytest.raises(ExplainerError, match="no layer “layer4”"):
        Explainer(network(cam_layer="layer4")).explain(PIXELS, "grad-cam")


def test_the_networks_that_ship_can_be_explained():
    from allxai_desktop.networks.registry import list_networks, load_network

    for card in list_networks():
        net = load_network(card.name)
        pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
        found = Explainer(net).explain(pixels, "grad-cam")
        np.testing.assert_array_equal(found.prediction.logits, net.predict(pixels).logits)
        assert found.relevance is None or found.relevance.shape == (60, 80)
