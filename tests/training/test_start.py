from importlib.resources import as_file, files
from urllib.error import URLError

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from allxai_desktop.networks.architectures import build
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.training import start
from allxai_desktop.training.datasets.data import TrainingError

SIZE = (32, 32)


def _begin(name="resnet18", weights="none", *, keras=False, seed=0, images=None):
    inputs = torch.zeros(2, 3, *SIZE) if images is None else images
    return start.begin(name, 2, SIZE, weights, inputs, keras=keras, seed=seed)


def test_random_weights_depend_on_the_seed_alone():
    first, again, other = (_begin("two-conv", seed=seed)[0].features[0].weight for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_keras_draws_glorots_uniform_numbers_and_zero_biases():
    model, words = _begin("two-conv", keras=True)
    dense = model.classifier[0]
    limit = (6 / (dense.in_features + dense.out_features)) ** 0.5
    assert 0.98 * limit < dense.weight.abs().max().item() <= limit
    assert not dense.bias.any()
    assert words == "random weights, as Keras draws them"


def test_a_file_fills_all_but_the_head_of_other_classes(tmp_path):
    torch.manual_seed(3)
    given = build("resnet18", 7, SIZE)
    save_file(given.state_dict(), tmp_path / "seven.safetensors")
    model, words = _begin(weights=str(tmp_path / "seven.safetensors"))
    assert torch.equal(model.layer4[1].conv2.weight, given.layer4[1].conv2.weight)
    assert model.fc.weight.shape == (2, 512)
    assert words == "the weights of the file seven.safetensors"


def test_the_weights_of_another_network_are_refused(tmp_path):
    save_file(build("two-conv", 2, SIZE).state_dict(), tmp_path / "two.safetensors")
    with pytest.raises(
        TrainingError, match=r"two\.safetensors do not fit this network: they have no conv1\.weight"
    ):
        _begin(weights=str(tmp_path / "two.safetensors"))


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty folder in the place where torchvision keeps what it downloaded; there is no internet."""

    def offline(_url, **_given):
        raise URLError("Name or service not known")

    monkeypatch.setattr("allxai_desktop.networks.downloads.urlopen", offline)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    return folder


@pytest.mark.slow
def test_imagenet_weights_fit_a_network_whose_trunk_is_named_features(hub):
    torch.manual_seed(3)
    given = build("vgg16", 1000)
    torch.save(given.state_dict(), hub / "vgg16-397923af.pth")
    model, words = start.begin(
        "vgg16-thesis", 3, (32, 32), "imagenet", torch.zeros(1, 3, 32, 32), keras=True, seed=0
    )
    assert torch.equal(model.features[0].weight, given.features[0].weight)
    assert words == "torchvision's ImageNet weights; the head: random weights, as Keras draws them"


@pytest.mark.parametrize("prepare", [start.fetch, lambda name, weights: _begin(name, weights)])
def test_imagenet_weights_that_cannot_be_downloaded_are_told_in_one_sentence(hub, prepare):
    with pytest.raises(
        NetworkError,
        match=r"^resnet18-f37072fd\.pth could not be downloaded \(Name or service not known\): connect to the"
        r" internet, .* from random numbers\.$",
    ):
        prepare("resnet18-transfer", "imagenet")


def test_a_damaged_file_in_the_place_of_imagenet_weights_is_named(hub):
    (hub / "resnet18-f37072fd.pth").write_bytes(b"PK\x03\x04, cut short")
    with pytest.raises(NetworkError, match=r"resnet18-f37072fd\.pth are damaged"):
        _begin("resnet18", "imagenet")


def test_there_are_no_imagenet_weights_of_a_network_of_this_program(hub):
    with pytest.raises(TrainingError, match="no ImageNet weights of two-conv: start from"):
        start.fetch("two-conv", "imagenet")


@pytest.mark.parametrize("name", ["mobilenet-v1", "mobilenet-v1-unet"])
def test_nothing_is_downloaded_for_a_network_whose_trunk_is_here(hub, name):
    start.fetch(name, "imagenet")


def test_weights_that_are_not_there_are_missed_before_a_run(tmp_path):
    with pytest.raises(TrainingError, match="are not there: choose none, imagenet, or another file"):
        start.fetch("resnet18", str(tmp_path / "a.pth"))
    with pytest.raises(TrainingError, match="no weights “nothing”"):
        start.fetch("resnet18", "nothing")


@pytest.mark.parametrize("name", ["mobilenet-v1", "mobilenet-v1-thesis"])
def test_the_trunk_of_mobilenet_comes_with_the_program(name):
    images = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    model, words = start.begin(name, 3, (64, 64), "imagenet", images, keras=False, seed=0)
    assert words.startswith("MobileNet V1 1.0/224 trained on ImageNet")
    # BatchNorm has the statistics of the images, and the first unit computes what the file says.
    first = model.eval().features[0]
    with as_file(files("allxai_resources") / "weights" / "mobilenet-v1-imagenet.npz") as path:
        arrays = np.load(path, allow_pickle=False)
        weight, bias = (torch.from_numpy(arrays[f"00_conv.{key}"]) for key in "wb")
    expected = nn.functional.conv2d(nn.functional.pad(images, (0, 1, 0, 1)), weight, bias, stride=2).clamp(
        0, 6
    )
    torch.testing.assert_close(first(images), expected, atol=1e-4, rtol=1e-4)


def test_a_trunk_is_refused_by_another_network(tmp_path):
    np.savez(tmp_path / "trunk.npz", a=np.zeros(3))
    with pytest.raises(TrainingError, match="does not hold the convolutions of a MobileNet V1"):
        _begin(weights=str(tmp_path / "trunk.npz"))


def test_a_network_of_the_program_can_be_gone_on_from():
    from allxai_desktop.networks.registry import load_network

    model, words = start.begin(
        "mobilenet-v1", 2, (224, 224), "pbc-mobilenet-v1", torch.zeros(1, 3, 224, 224), keras=False, seed=0
    )
    theirs = load_network("pbc-mobilenet-v1").module.features[4][0].weight
    assert torch.equal(model.features[4][0].weight, theirs)
    assert words == "the network pbc-mobilenet-v1 of the program"
    with pytest.raises(TrainingError, match="no weights “nothing”: choose none, imagenet, a file, or one of"):
        _begin(weights="nothing")
