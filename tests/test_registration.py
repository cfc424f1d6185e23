import hashlib
import os

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file
from torch import nn

from allxai_desktop import registration
from allxai_desktop.errors import AllxaiError
from allxai_desktop.explainers.explain import Explainer
from allxai_desktop.explainers.registry import ExplainerError
from allxai_desktop.networks.architectures import ARCHITECTURES, build
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.registry import list_networks, load_network
from allxai_desktop.registration import Description, add_network

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
TWO = Description(("ill", "well"), "two-conv")


def weights(architecture="two-conv", classes=2):
    torch.manual_seed(0)
    return build(architecture, classes).state_dict()


def onnx_file(path, *, activation="Relu", outputs=2, nan=False):
    random = np.random.default_rng(0)
    w = random.normal(size=(4, 3, 3, 3)).astype(np.float32)
    w[0, 0, 0, 0] = np.nan if nan else 1
    tensors = {"w": w, "d": random.normal(size=(4, outputs)).astype(np.float32)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node(activation, ["c"], ["r"], name="act"),
        helper.make_node("GlobalAveragePool", ["r"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "d"], ["z"]),
        helper.make_node("Softmax", ["z"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 9])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


class _Code:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("ending", ["safetensors", "pt", "pth"])
def test_a_checkpoint_is_converted_and_can_be_loaded(tmp_path, user_networks, ending):
    path, state = tmp_path / f"My net.{ending}", weights()
    if ending == "safetensors":
        save_file(state, path)
    else:
        torch.save({"state_dict": state}, path)
    card, missing = add_network(path, TWO)
    assert (card.name, card.title, missing) == ("my-net", "my-net · Two convolutions", [])
    saved = (user_networks / "my-net" / "weights.safetensors").read_bytes()
    assert hashlib.sha256(saved).hexdigest() == card.sha256
    assert list_networks()[-1] == card
    loaded = load_network("my-net").module.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())
    assert load_network("my-net").predict(PIXELS).predicted in {"ill", "well"}


def test_the_card_takes_what_is_said_and_the_rest_from_the_architecture(tmp_path, user_networks):
    torch.save(weights("mobilenet-v1", 3), tmp_path / "w.pt")
    given = Description(
        ("a", "b", "c"), "mobilenet-v1", name="mine", title="Mine", input_size=(32, 64), mean=(0.25,)
    )
    card, _missing = add_network(tmp_path / "w.pt", given)
    known = ARCHITECTURES["mobilenet-v1"]
    assert (card.name, card.title, card.input_size) == ("mine", "Mine", (32, 64))
    assert (card.mean, card.std) == ((0.25, 0.25, 0.25), known.std)
    assert (card.cam_layer, card.departures_from_paper) == (known.cam_layer, known.departures)
    assert card.domain == {}


def test_a_grey_network(tmp_path, user_networks):
    torch.save(weights("five-conv-grey", 4), tmp_path / "grey.pt")
    card, missing = add_network(tmp_path / "grey.pt", Description(tuple("abcd"), "five-conv-grey"))
    assert (card.mean, card.std, missing) == ((0.0,), (1.0,), [])
    assert len(load_network("grey").predict(PIXELS).probabilities) == 4


def test_a_segmentation_network_is_kept_but_not_explained(tmp_path, user_networks):
    torch.save(weights("unet"), tmp_path / "nuclei.pt")
    _card, missing = add_network(tmp_path / "nuclei.pt", Description(("rest", "nucleus"), "unet"))
    assert missing == []
    assert load_network("nuclei").segment(PIXELS).shape == (40, 50)


def test_an_onnx_file_is_kept_as_it_is(tmp_path, user_networks):
    path = onnx_file(tmp_path / "theirs.onnx")
    card, missing = add_network(path, Description(("ill", "well"), std=(1 / 255,)))
    assert (user_networks / "theirs" / "network.onnx").read_bytes() == path.read_bytes()
    assert card.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (card.input_size, card.mean, card.std) == ((8, 9), (0.0,) * 3, (1 / 255,) * 3)
    assert card.training["file"] == "theirs.onnx"
    assert "Softmax is left out" in card.training["notes"][0]
    assert missing == []
    session = onnx.reference.ReferenceEvaluator(str(path))
    network = load_network("theirs")
    (expected,) = session.run(None, {"x": network.preprocess(PIXELS).numpy()})
    assert list(network.predict(PIXELS).probabilities.values()) == pytest.approx(
        expected[0].tolist(), abs=1e-5
    )


def test_an_operation_without_a_rule_is_named_and_the_network_kept(tmp_path, user_networks):
    path = onnx_file(tmp_path / "theirs.onnx", activation="Sigmoid")
    _card, missing = add_network(path, Description(("ill", "well")))
    assert [text.split(":")[0] for text in missing] == ["LRP-z", "Deep Taylor"]
    assert all("Sigmoid (act)" in text for text in missing)
    assert list_networks()[-1].name == "theirs"


def test_a_network_that_nothing_can_explain_is_refused(tmp_path, user_networks, monkeypatch):
    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.scores = nn.Linear(3, 2)

        def forward(self, x):
            if x.sum() > 0:
                x = x * 2
            return self.scores(x.mean((2, 3)))

    torch.manual_seed(0)
    module = Branching()
    torch.save(module.state_dict(), tmp_path / "w.pt")
    monkeypatch.setattr(registration, "build_trained", lambda card, state: module)
    with pytest.raises(ExplainerError, match="cannot be explained: the operations of Branching"):
        add_network(tmp_path / "w.pt", TWO)
    assert not user_networks.exists()


def refuses(path, given, reason, user_networks):
    with pytest.raises(AllxaiError, match=reason) as found:
        add_network(path, given)
    assert len(str(found.value).splitlines()) == 1
    assert not user_networks.exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"features.0.weight": torch.full((6, 3, 5, 5), torch.nan)},
            "not numbers, or infinite .first in features.0",
        ),
        ({"features.0.weight": torch.full((6, 3, 5, 5), torch.inf)}, "not numbers, or infinite"),
        ({"features.0.weight": torch.zeros(6, 1, 5, 5)}, "features.0.weight is 6×1×5×5, not 6×3×5×5"),
        ({"classifier.4.weight": torch.zeros(3, 84)}, "with 2 classes: classifier.4.weight is 3×84"),
        ({"conv9.weight": torch.zeros(1)}, "it has no conv9.weight"),
        # Each weight is finite, but not what they compute.
        ({"features.0.weight": torch.full((6, 3, 5, 5), 3e38)}, "not finite numbers"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(tmp_path, user_networks, change, reason):
    torch.save(weights() | change, tmp_path / "w.pt")
    refuses(tmp_path / "w.pt", TWO, reason, user_networks)


def test_a_checkpoint_that_holds_code_is_refused_and_not_run(tmp_path, user_networks):
    torch.save({"state_dict": _Code(str(tmp_path / "made"))}, tmp_path / "w.pt")
    refuses(tmp_path / "w.pt", TWO, "maybe code", user_networks)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Description(("a", "b")), "Say which architecture"),
        (Description(("a", "b"), "alexnet"), "no architecture “alexnet”"),
        (Description(("a",), "two-conv"), "“classes” is missing or not right"),
        (Description(("a", "a"), "two-conv"), "“classes”"),
        (Description(("a", "b"), "two-conv", input_size=(9, 9)), "takes no input of 9×9"),
        (Description(("a", "b"), "two-conv", input_size=(99999, 99999)), "“input_size”"),
        (Description(("a", "b"), "two-conv", mean=(0.0, 0.0)), "“mean”"),
        (Description(("a", "b"), "two-conv", std=(0.0,)), "“std”"),
        (Description(("a", "b"), "two-conv", mean=(0.5, 0.5, 0.5, 0.5)), "“mean”"),
        (Description(("a", "b"), "two-conv", name="../mine"), "cannot be called"),
        (Description(("a", "b"), "two-conv", name="pbc-googlenet"), "“pbc-googlenet” already"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(tmp_path, user_networks, given, reason):
    torch.save(weights(), tmp_path / "w.pt")
    refuses(tmp_path / "w.pt", given, reason, user_networks)


@pytest.mark.parametrize(
    ("options", "given", "reason"),
    [
        ({}, Description(("a", "b"), "vgg16"), "holds its own architecture"),
        ({}, Description(("a", "b", "c")), "2 outputs, not one for each of its 3 classes"),
        ({}, Description(("a", "b"), input_size=(9, 9)), "8×9 only"),
        ({"nan": True}, Description(("a", "b")), "not finite"),
        ({"activation": "Det"}, Description(("a", "b")), "operation Det .act."),
    ],
)
def test_an_onnx_file_that_cannot_be_used_is_refused(tmp_path, user_networks, options, given, reason):
    refuses(onnx_file(tmp_path / "n.onnx", **options), given, reason, user_networks)


@pytest.mark.parametrize("name", ["gone.pt", "gone.onnx"])
def test_a_missing_file(tmp_path, user_networks, name):
    given = Description(("a", "b"), None if name.endswith("onnx") else "two-conv")
    refuses(tmp_path / name, given, "cannot be read", user_networks)


def test_a_name_is_used_once(tmp_path, user_networks):
    torch.save(weights(), tmp_path / "w.pt")
    add_network(tmp_path / "w.pt", TWO)
    with pytest.raises(NetworkError, match="“w” already"):
        add_network(tmp_path / "w.pt", TWO)


def test_a_damaged_network_keeps_its_name(tmp_path, user_networks):
    torch.save(weights(), tmp_path / "w.pt")
    (user_networks / "w").mkdir(parents=True)
    with pytest.raises(NetworkError, match="“w” already"):
        add_network(tmp_path / "w.pt", TWO)


def test_a_grey_network_is_explained_with_its_bounds(tmp_path, user_networks):
    torch.save(weights("five-conv-grey", 4), tmp_path / "grey.pt")
    add_network(tmp_path / "grey.pt", Description(tuple("abcd"), "five-conv-grey"))
    engine = Explainer(load_network("grey"))
    found = engine.explain(PIXELS, "deep-taylor")
    assert found.relevance is not None
    assert found.relevance.shape == PIXELS.shape[:2]
    assert found.conservation == pytest.approx(1, abs=1e-4)
