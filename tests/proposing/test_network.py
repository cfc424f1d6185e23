import csv
from importlib.resources import as_file, files

import numpy as np
import pytest
import torch

from allxai_desktop.images import read_image
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.proposing import network as proposing_network
from allxai_desktop.proposing.classical import classical_probabilities
from allxai_desktop.proposing.effort import CYTOPLASM, NUCLEUS, iou, read_truth
from allxai_desktop.proposing.network import five_class_network, network_probabilities


class Painter(torch.nn.Module):
    """Scores dark pixels as nucleus, the others as background, and notes the sizes that it saw."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __deepcopy__(self, memo):
        return self

    def forward(self, x):
        self.seen.append(tuple(x.shape[2:]))
        dark = (x.mean(1, keepdim=True) < 0).float() * 20 - 10
        return torch.cat([dark, *[torch.full_like(dark, -20)] * 3, -dark], 1)


class Network:
    def __init__(self):
        self.module = Painter()

    def preprocess_resized(self, image):
        return image / 127.5 - 1


def cell(size, diameter):
    rows, columns = np.mgrid[:size, :size]
    pixels = np.full((size, size, 3), 240, np.uint8)
    pixels[np.hypot(rows - size / 2, columns - size / 2) < diameter / 2] = 40
    return pixels


def probabilities(network, pixels):
    return network_probabilities(network, pixels, np.zeros(pixels.shape[:2], bool))


def test_probabilities_are_at_the_size_of_the_image():
    found = probabilities(Network(), cell(100, 44)[:, :90])
    assert (found.shape, found.dtype) == ((100, 90, 5), np.float32)
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-5)
    assert (found[50, 50].argmax(), found[5, 5].argmax()) == (0, 4)


def test_the_cell_is_brought_to_the_size_that_the_network_knows():
    network = Network()
    probabilities(network, cell(200, 55))
    # First the shorter side at 224; then 110 / 55 of 200, to multiples of 16, as it is and mirrored.
    assert network.module.seen == [(224, 224), (400, 400), (400, 400)]


def test_a_platelet_is_not_brought_to_the_size_of_a_cell():
    network = Network()
    probabilities(network, cell(224, 30))
    assert network.module.seen[1:] == [(448, 448)] * 2


def test_a_scene_without_cell_is_seen_once():
    network = Network()
    found = probabilities(network, np.full((64, 64, 3), 240, np.uint8))
    assert network.module.seen == [(224, 224)]
    assert (found.argmax(axis=2) == 4).all()


def test_a_missing_network_is_none(monkeypatch):
    def missing(name):
        raise NetworkError("There is none.")

    monkeypatch.setattr(proposing_network, "load_network", missing)
    five_class_network.cache_clear()
    assert five_class_network() is None
    five_class_network.cache_clear()


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (17, 1)])
def test_the_smallest_images_pass(shape):
    found = probabilities(Network(), np.full((*shape, 3), 240, np.uint8))
    assert found.shape == (*shape, 5)


def test_the_network_that_ships_is_small_and_draws_a_cell_that_it_never_saw():
    with as_file(files("allxai_resources")) as resources:
        folder = resources / "networks" / proposing_network.NAME
        assert (folder / "weights.safetensors").stat().st_size < 10e6
        with (folder / "held_out.csv").open() as stream:
            parts = {row["file"]: row["part"] for row in csv.DictReader(stream)}
        image = read_image(resources / "sample_study" / "images" / "MO_340650.jpg")
        truth = read_truth(resources / "sample_study" / "masks" / "MO_340650.npz", image)
    assert parts["MO_340650.png"] == "test"
    found = five_class_network()
    assert found is not None
    nuclei = classical_probabilities(image.pixels)[..., 0] > 0.5
    codes = (network_probabilities(found, image.pixels, nuclei).argmax(axis=2) + 1).astype(np.uint8)
    # That it draws, not how well: that is measured over many images, in the README.
    assert iou(codes, truth, NUCLEUS) > 0.9
    assert iou(codes, truth, CYTOPLASM) > 0.8


def test_a_field_is_looked_through_at_half_its_size():
    network = Network()
    probabilities(network, np.full((640, 960, 3), 240, np.uint8))
    assert network.module.seen == [(320, 480)]
