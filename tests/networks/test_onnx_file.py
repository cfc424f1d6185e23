"""Tiny ONNX files, checked against the reference implementation of the `onnx` package."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from allxai_desktop.explainers import attribute
from allxai_desktop.explainers.graph import trace
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.onnx_file import open_onnx

RANDOM = np.random.default_rng(0)


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs.split(), output.split(), name=f"the_{kind}", **attributes)


def model_of(*nodes, weights=(), shape=(1, 3, 7, 6), opset=17, output="y"):
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in output.split()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in dict(weights).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def floats(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def agrees(model, shape=(3, 7, 6), last=False, **size):
    """Compare with the reference, for one image and for two at once."""
    network = open_onnx(model.SerializeToString(), **size)
    assert (network.channels, *network.input_size) == shape
    images = floats(2, *shape)
    given = images.transpose(0, 2, 3, 1) if last else images
    evaluator = ReferenceEvaluator(model)
    expected = [np.asarray(evaluator.run(None, {"x": one[None]})[0]).reshape(1, -1) for one in given]
    with torch.no_grad():
        found = network.module(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-4, atol=1e-5)
    return network


CONV = {"w": floats(4, 3, 3, 2), "b": floats(4)}
OPERATIONS = {
    "conv": ([node("Conv", "x w b", "y")], CONV),
    "conv with uneven padding": (
        [node("Conv", "x w", "y", pads=[0, 1, 2, 0], strides=[2, 1], dilations=[1, 2])],
        CONV,
    ),
    "conv same upper": ([node("Conv", "x w b", "y", auto_pad="SAME_UPPER", strides=[2, 2])], CONV),
    "conv same lower": ([node("Conv", "x w", "y", auto_pad="SAME_LOWER", strides=[2, 1])], CONV),
    "conv valid": ([node("Conv", "x w", "y", auto_pad="VALID")], CONV),
    "depthwise conv": ([node("Conv", "x w", "y", group=3)], {"w": floats(6, 1, 3, 3)}),
    "conv and its bias apart": (
        [node("Conv", "x w", "c"), node("Add", "b c", "y")],
        CONV | {"b": floats(1, 4, 1, 1)},
    ),
    "conv read twice": (
        [node("Conv", "x w", "c"), node("Add", "c b", "d"), node("Mul", "c d", "y")],
        CONV | {"b": floats(4, 1, 1)},
    ),
    "conv and a plane added": (
        [node("Conv", "x w", "c"), node("Add", "c b", "y")],
        {"w": floats(4, 3, 3, 3), "b": floats(5, 4)},
    ),
    "batch norm": (
        [node("BatchNormalization", "x s b m v", "y", epsilon=0.01)],
        {"s": floats(3), "b": floats(3), "m": floats(3), "v": floats(3) ** 2},
    ),
    "max pool": ([node("MaxPool", "x", "y", kernel_shape=[3, 2], strides=[2, 1])], {}),
    "max pool, ceil": ([node("MaxPool", "x", "y", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)], {}),
    "max pool, uneven padding": (
        [node("MaxPool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])],
        {},
    ),
    "max pool, same": (
        [node("MaxPool", "x", "y", kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")],
        {},
    ),
    "average pool": ([node("AveragePool", "x", "y", kernel_shape=[2, 3], strides=[2, 2])], {}),
    "average pool, padded": (
        [node("AveragePool", "x", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1])],
        {},
    ),
    "average pool, padding counted": (
        [node("AveragePool", "x", "y", kernel_shape=[3, 3], pads=[1, 0, 0, 1], count_include_pad=1)],
        {},
    ),
    "average pool, uneven padding": (
        [node("AveragePool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])],
        {},
    ),
    "average pool, stride 1 with uneven padding": (
        [node("AveragePool", "x", "y", kernel_shape=[2, 4], auto_pad="SAME_UPPER")],
        {},
    ),
    "average pool, more padding before": (
        [node("AveragePool", "x", "y", kernel_shape=[3, 2], strides=[2, 1], auto_pad="SAME_LOWER")],
        {},
    ),
    "average pool, rounded up": (
        [node("AveragePool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 0, 1], ceil_mode=1)],
        {},
    ),
    "global pools": (
        [node("GlobalAveragePool", "x", "a"), node("GlobalMaxPool", "x", "b"), node("Concat", "a b", "y", axis=1)],
        {},
    ),
    "mean": ([node("ReduceMean", "x", "y", axes=[2, 3], keepdims=0)], {}),
    "sum": ([node("ReduceSum", "x a", "y", keepdims=1)], {"a": np.array([-1])}),
    "max": ([node("ReduceMax", "x", "y", axes=[3], keepdims=0)], {}),
    "dense": (
        [node("Flatten", "x", "f"), node("Gemm", "f w b", "y", transB=1, alpha=0.5, beta=2.0)],
        {"w": floats(5, 126), "b": floats(1, 5)},
    ),
    "dense, as Keras has it": (
        [node("Flatten", "x", "f"), node("MatMul", "f w", "m"), node("Add", "m b", "y")],
        {"w": floats(126, 5), "b": floats(5)},
    ),
    "arithmetic": (
        [
            node("Sub", "x m", "a"), node("Div", "a s", "b"), node("Mul", "b x", "c"), node("Neg", "c", "d"),
            node("Sum", "a c d x", "e"), node("Sub", "m e", "y"),
        ],
        {"m": floats(3, 1, 1), "s": np.float32(3)},
    ),
    "shapes": (
        [
            node("Transpose", "x", "a", perm=[0, 2, 3, 1]), node("Unsqueeze", "a one", "b"),
            node("Squeeze", "b one", "c"), node("Reshape", "c s", "y"),
        ],
        {"one": np.array([1]), "s": np.array([0, -1, 2])},
    ),
    "a shape computed, as torch exports it": (
        [
            node("Shape", "x", "s"), node("Gather", "s zero", "n", axis=0), node("Unsqueeze", "n zeros", "m"),
            node("Concat", "m rest", "t", axis=0), node("Reshape", "x t", "y"),
        ],
        {"zero": np.array(0), "zeros": np.array([0]), "rest": np.array([-1])},
    ),
    "slices": (
        [
            node("Slice", "x a b c d", "e"), node("Slice", "x f g c", "h"), node("Flatten", "e", "i"),
            node("Flatten", "h", "j"), node("Concat", "i j", "y", axis=1),
        ],
        {
            "a": np.array([-1]), "b": np.array([-9]), "c": np.array([1]), "d": np.array([-1]),
            "f": np.array([1]), "g": np.array([2**60]),
        },
    ),
    "split": (
        [node("Split", "x s", "a b", axis=1), node("Flatten", "b", "c"), node("Flatten", "a", "d"),
         node("Concat", "c d", "y", axis=-1)],
        {"s": np.array([1, 2])},
    ),
    "gather": ([node("Gather", "x i", "y", axis=1)], {"i": np.array([2, 1, 0])}),
    "gather one": ([node("Gather", "x i", "y", axis=3)], {"i": np.array(-1)}),
    "pad": ([node("Pad", "x p v", "y")], {"p": np.array([0, 0, 1, 0, 0, 0, 2, 3]), "v": np.float32(0.5)}),
    "pad by reflection": ([node("Pad", "x p", "y", mode="reflect")], {"p": np.array([0, 0, 1, 2, 0, 0, 0, 1])}),
    "pad by the edge": ([node("Pad", "x p", "y", mode="edge")], {"p": np.array([0, 0, 1, 2, 0, 0, 0, 1])}),
    "relu6": ([node("Clip", "x a b", "y")], {"a": np.float32(0), "b": np.float32(6)}),
    "clip": ([node("Clip", "x a b", "y")], {"a": np.float32(-0.5), "b": np.float32(0.5)}),
    "clip on one side": ([node("Clip", "x a", "y")], {"a": np.float32(-0.5)}),
    "prelu": ([node("PRelu", "x s", "y")], {"s": floats(3, 1, 1)}),
    "leaky": ([node("LeakyRelu", "x", "y", alpha=0.3)], {}),
    "hard sigmoid": ([node("HardSigmoid", "x", "y", alpha=0.3)], {}),
    "softmax within": ([node("Softmax", "x", "a", axis=-1), node("Mul", "a x", "y")], {}),
    **{
        kind: ([node(kind, "x", "y")], {})
        for kind in ("Relu", "Elu", "Celu", "Selu", "Softplus", "Softsign", "Tanh", "HardSwish", "Abs", "Exp",
                     "Erf", "Identity", "Dropout")
    },
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_what_onnx_says(name):
    nodes, weights = OPERATIONS[name]
    agrees(model_of(*nodes, weights=weights))


def test_local_response_normalisation():
    model = model_of(node("LRN", "x", "y", size=3, alpha=0.5, beta=0.7, bias=2.0))
    # The reference normalises as many channels as there are images (onnx 1.23).
    images = floats(3, 3, 7, 6)
    (expected,) = ReferenceEvaluator(model).run(None, {"x": images})
    found = open_onnx(model.SerializeToString()).module(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(found, expected.reshape(3, -1), rtol=1e-5)


def test_axes_of_newer_files_are_inputs():
    agrees(model_of(node("ReduceMean", "x a", "y"), weights={"a": np.array([2, 3])}, opset=18))


def test_a_bias_of_its_own_belongs_to_its_layer():
    nodes, weights = OPERATIONS["dense, as Keras has it"]
    *_, layer = agrees(model_of(*nodes, weights=weights)).module.children()
    assert torch.equal(layer.bias, torch.from_numpy(weights["b"]))


def classifier(*final, outputs=4, activation="Relu", first=(), image="x", output="z", **options):
    """A convolution, an activation, a mean, a dense layer, and what is `final`; the weights are always the same."""
    random = np.random.default_rng(1)
    weights = {
        "w": random.normal(size=(5, 3, 3, 3)).astype(np.float32),
        # Positive, so that a map is defined.
        "d": np.abs(random.normal(size=(5, outputs))).astype(np.float32),
        "b": np.zeros(outputs, np.float32),
    }
    nodes = [
        *first,
        node("Conv", f"{image} w", "c", pads=[1, 1, 1, 1]),
        node(activation, "c", "r"),
        node("GlobalAveragePool", "r", "g"),
        node("Flatten", "g", "f"),
        node("Gemm", "f d b", "z"),
        *final,
    ]
    return model_of(*nodes, weights=weights, output=output, **options)


def logits(model, images):
    with torch.no_grad():
        return open_onnx(model.SerializeToString()).module(images)


@pytest.mark.parametrize(
    "final",
    [
        [node("Softmax", "z", "y")],
        [node("LogSoftmax", "z", "y")],
        [node("Sigmoid", "z", "y")],
        [node("Softmax", "z", "p"), node("Identity", "p", "y")],
    ],
)
def test_a_final_activation_is_left_out_and_told(final):
    model = classifier(*final, output="y")
    images = torch.from_numpy(floats(2, 3, 7, 6))
    assert torch.equal(logits(model, images), logits(classifier(), images))
    note = open_onnx(model.SerializeToString()).notes[0]
    assert f"final {final[0].op_type} is left out" in note


@pytest.mark.parametrize(("final", "told"), [("Softmax", False), ("Sigmoid", True)])
def test_several_scores_with_a_sigmoid_each_say_that_percentages_are_others(final, told):
    notes = open_onnx(classifier(node(final, "z", "y"), output="y").SerializeToString()).notes
    assert any("not the sigmoid of each" in note for note in notes) is told


def test_one_score_with_a_sigmoid_becomes_two():
    model = classifier(node("Sigmoid", "z", "y"), outputs=1, output="y")
    images = floats(1, 3, 7, 6)
    expected = ReferenceEvaluator(model).run(None, {"x": images})[0]
    found = logits(model, torch.from_numpy(images))
    assert found[0, 0] == -found[0, 1]
    np.testing.assert_allclose(found.softmax(1)[:, 1:].numpy(), expected, rtol=1e-5)


def test_channels_may_come_last():
    turn = node("Transpose", "x", "t", perm=[0, 3, 1, 2])
    agrees(classifier(first=[turn], image="t", shape=(1, 7, 6, 3)), last=True)


def test_an_open_number_of_images_and_an_open_size():
    model = classifier(shape=("n", 3, None, None))
    agrees(model, size=(7, 6))
    with pytest.raises(NetworkError, match="give the size"):
        open_onnx(model.SerializeToString())


def test_grey_images():
    agrees(model_of(node("Relu", "x", "y"), shape=(1, 1, 4, 5)), shape=(1, 4, 5))


def test_scores_of_more_than_one_axis_become_rows():
    assert agrees(model_of(node("GlobalAveragePool", "x", "y"))).module(torch.zeros(1, 3, 7, 6)).shape == (
        1,
        3,
    )


def test_the_last_feature_map_has_its_channels_second():
    # As Keras flattens: channels go last first. Read as a map, that would be one of 6 channels and 7×5 cells.
    nodes = [
        node("Conv", "x w", "c", pads=[1, 1, 1, 1]),
        node("Relu", "c", "r"),
        node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[1, 1]),
        node("Transpose", "p", "t", perm=[0, 2, 3, 1]),
        node("Flatten", "t", "f"),
        node("Gemm", "f d", "y"),
    ]
    model = model_of(*nodes, weights={"w": floats(4, 3, 3, 3), "d": floats(120, 2)})
    network = agrees(model)
    graph = trace(network.module)
    images = torch.from_numpy(floats(1, 3, 7, 6))
    _logits, values = graph.run(images, keep=graph.nodes)
    assert values[graph.layer(network.cam_layer)].shape == (1, 4, 7, 6)
    assert network.cam_layer == "the_Relu"


def test_a_concatenation_can_be_the_last_feature_map():
    nodes = [
        node("Conv", "x w", "c"),
        node("Relu", "c", "a"),
        node("Tanh", "c", "b"),
        node("Concat", "a b", "m", axis=1),
        node("GlobalAveragePool", "m", "y"),
    ]
    network = agrees(model_of(*nodes, weights={"w": floats(4, 3, 3, 3)}))
    graph = trace(network.module)
    _logits, values = graph.run(torch.from_numpy(floats(1, 3, 7, 6)), keep=graph.nodes)
    assert values[graph.layer(network.cam_layer)].shape == (1, 8, 5, 4)


@pytest.mark.parametrize("method", ["gradient", "grad-cam", "lrp-z", "deep-taylor"])
def test_the_module_is_explained(method):
    network = open_onnx(classifier(node("Softmax", "z", "y"), output="y").SerializeToString())
    images = torch.from_numpy(floats(1, 3, 7, 6))
    target = int(network.module(images).argmax())
    found = attribute(network.module, images, target, method)
    assert found.undefined == [None]
    if method == "lrp-z":
        assert float(found.conservation) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("side", "stride"), [(3, 2), (2, 1)])
def test_an_average_at_the_edge_is_one_operation_of_innvestigate(side, stride):
    # Keras' "same" of an even image: as an average and a division it would not share by the terms.
    average = node(
        "AveragePool", "x", "a", kernel_shape=[side] * 2, strides=[stride] * 2, auto_pad="SAME_UPPER"
    )
    model = model_of(average, node("Flatten", "a", "y"), shape=(1, 3, 6, 6))
    images = torch.rand(1, 3, 6, 6, dtype=torch.float64) + 0.1
    found = attribute(open_onnx(model.SerializeToString()).module, images, 5, "lrp-z", preset="innvestigate")
    assert found.conservation.item() == pytest.approx(1, abs=1e-12)


def test_an_operation_from_elsewhere_is_named():
    strange = helper.make_node("Relu", ["x"], ["y"], name="theirs", domain="org.example")
    with pytest.raises(NetworkError, match=r"operation Relu \(theirs\)"):
        open_onnx(model_of(strange).SerializeToString())


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Einsum", "x", "y", equation="nchw->nc")],
        [node("Det", "x", "y")],
        # Not as one may use it.
        [node("Conv", "x x", "y")],
        [node("Transpose", "x", "y", perm=[0, 9, 1, 2])],
        [node("Reshape", "x s", "y")],
    ],
)
def test_the_first_unknown_operation_is_named(nodes):
    model = model_of(*nodes, weights={"s": np.array([5, 5])})
    with pytest.raises(NetworkError, match=rf"cannot read the operation {nodes[0].op_type} \(the_"):
        open_onnx(model.SerializeToString())


def test_a_constant_that_would_fill_the_memory_is_not_made():
    huge = node("ConstantOfShape", "s", "h")
    with pytest.raises(NetworkError, match="ConstantOfShape"):
        open_onnx(
            model_of(huge, node("Add", "x h", "y"), weights={"s": np.array([2**40])}).SerializeToString()
        )


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Add", "column row", "c0")],
        [node("Concat", f"{'column' if n == 0 else f'c{n - 1}'} " * 2, f"c{n}", axis=0) for n in range(40)],
        [node("Gather", "column many", "c0", axis=1)],
    ],
    ids=["sum", "repeated", "gathered"],
)
def test_constants_that_together_would_fill_the_memory_are_not_made(nodes):
    weights = {
        "column": np.zeros((2**15, 1), np.float32),
        "row": np.zeros((1, 2**15), np.float32),
        "many": np.zeros(2**10, np.int64),
    }
    model = model_of(*nodes, node("Add", "x c0", "y"), weights=weights)
    with pytest.raises(NetworkError, match=nodes[0].op_type):
        open_onnx(model.SerializeToString())


def test_a_value_that_would_fill_the_memory_is_not_computed():
    doubled = [node("Concat", f"x{n} x{n}", f"x{n + 1}", axis=1) for n in range(40)]
    model = model_of(node("Relu", "x", "x0"), *doubled, node("Relu", "x40", "y"))
    with pytest.raises(NetworkError, match="operation Concat"):
        open_onnx(model.SerializeToString())


def external():
    model = classifier()
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "../../secret")
    return model


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (external(), "keeps its weights in other files"),
        (classifier(opset=6), "old kind .opset 6"),
        (classifier(output="z r"), "2 outputs"),
        (model_of(node("Relu", "x", "y"), shape=(1, 2, 7, 6)), "shape 2×7×6, not colour or grey"),
        (model_of(node("Relu", "x", "y"), shape=(1, 3, 7)), "one batch of images"),
        (model_of(node("Relu", "x", "y"), shape=(1, 3, 9999, 7)), "at most 2048"),
        (model_of(node("Relu", "nothing", "y")), "damaged"),
        (model_of(node("Identity", "y", "y")), "damaged"),
        (model_of(helper.make_node("Det", ["x"], ["y"], name="two\nlines")), r"Det \(two lines\)"),
        (model_of(output="x"), "damaged"),
        (model_of(node("Relu", "w", "r"), node("Relu", "x", "y"), weights={"w": floats(2)}), "Relu"),
        (model_of(node("Add", "w w", "y"), weights={"w": floats(2)}), "does not depend on the image"),
        (
            model_of(node("Add", "x w", "y"), weights={"w": np.array([1, np.nan, 0, 0, 0, 0], np.float32)}),
            "not finite",
        ),
    ],
)
def test_what_cannot_be_a_network_here_is_one_sentence(model, reason):
    with pytest.raises(NetworkError, match=reason) as found:
        open_onnx(model.SerializeToString())
    assert len(str(found.value).splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"no protobuf", b"\x08\x07"])
def test_another_kind_of_file_is_damaged(content):
    with pytest.raises(NetworkError, match="damaged"):
        open_onnx(content)


def test_another_size_than_the_files_own_is_refused():
    with pytest.raises(NetworkError, match="7×6 only"):
        open_onnx(classifier().SerializeToString(), (8, 6))
