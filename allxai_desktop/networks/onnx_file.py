"""An ONNX file, as Keras, TensorFlow, MATLAB and PyTorch export it, as a torch module that can be traced.

The `onnx` package reads the file and evaluates what does not depend on the image. The rest becomes
plain torch operations here (`onnx_operations`), not by one of the converters that exist: none of
them was kept up with torch and ONNX, and their modules look at shapes while they run, which
`torch.fx` cannot follow.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.external_data_helper import uses_external_data
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

from allxai_desktop.i18n import _
from allxai_desktop.networks.card import MAX_SIDE
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.onnx_builder import Builder, Operation, Value
from allxai_desktop.networks.onnx_operations import OPERATIONS

Size = tuple[int, int]
# Since then, shapes of sums and products follow numpy.
OLDEST_OPSET = 7
# How many numbers may be computed from constants: so many in any file, and some for each number that a file holds.
MAX_FOLDED = 2**23
FOLDS = 8
# What may be computed from constants.
_FOLDED = {
    "Add", "Cast", "Concat", "ConstantOfShape", "Div", "Flatten", "Gather", "Identity", "Mul", "Neg", "ReduceProd",
    "Reshape", "Shape", "Slice", "Split", "Sqrt", "Squeeze", "Sub", "Transpose", "Unsqueeze",
}  # fmt: skip
# What makes probabilities of logits, and what may come after it.
_FINAL = {"Softmax", "LogSoftmax", "Sigmoid"}
_TAIL = {"Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze"}


@dataclass(frozen=True)
class OnnxNetwork:
    """`module` maps (N, `channels`, *`input_size`) to logits (N, classes); `notes` say what was done for that.

    `cam_layer` names what computes the last spatial feature map, if there is one.
    """

    module: nn.Module
    channels: int
    input_size: Size
    cam_layer: str | None
    notes: tuple[str, ...]


def open_onnx(content: bytes, size: Size | None = None) -> OnnxNetwork:
    """Return the network in an ONNX file; `size` (height, width) is only needed where the file leaves it open.

    Raises `NetworkError`, which names the first operation that is not known here.
    """
    try:
        return _open(content, size)
    except NetworkError:
        raise
    except Exception as error:  # there is no end to what a damaged file leads to
        raise _damaged() from error


def _damaged() -> NetworkError:
    return NetworkError(_("The ONNX file is damaged or of another kind: export it again."))


def _open(content: bytes, size: Size | None) -> OnnxNetwork:
    model = _parse(content)
    name, channels, size, channels_last = _input(model, size)
    final = _final_activation(model.graph)
    notes: list[str] = []
    builder = Builder()
    with torch.no_grad():
        image = builder.input((1, channels, *size))
        if channels_last:
            image = builder.call(torch.permute, image, (0, 2, 3, 1))
        scores = _follow(model, builder, {name: image}, final)
        if scores.sample.ndim != 2:
            scores = builder.call(torch.flatten, scores, 1)
        if final is not None:
            notes.append(
                _("The file's final {operation} is left out, so that logits are returned.").format(
                    operation=final.op_type
                )
            )
        if final is not None and final.op_type == "Sigmoid" and scores.sample.shape[1] == 1:
            notes.append(_("Its one score z is returned as −z/2 and z/2, whose softmax is the sigmoid of z."))
            pair = nn.Linear(1, 2, bias=False)
            pair.weight.copy_(torch.tensor([[-0.5], [0.5]]))
            scores = builder.module("two_scores", pair, scores)
        elif final is not None and final.op_type == "Sigmoid":
            notes.append(
                _("Percentages shown are the softmax of its scores, not the sigmoid of each, which differs.")
            )
    return OnnxNetwork(builder.finish(scores), channels, size, builder.last_map, tuple(notes))


def _parse(content: bytes) -> onnx.ModelProto:
    model = onnx.load_model_from_string(content)
    if not model.graph.node or not model.graph.output:
        raise _damaged()
    tensors = [*model.graph.initializer, *(a.t for node in model.graph.node for a in node.attribute)]
    if any(uses_external_data(tensor) for tensor in tensors):
        raise NetworkError(_("The ONNX file keeps its weights in other files: export it as one file."))
    if _opset(model) < OLDEST_OPSET:
        raise NetworkError(
            _("The ONNX file is of an old kind (opset {found}): export it with opset 13 or later.").format(
                found=_opset(model)
            )
        )
    if len(model.graph.output) != 1:
        raise NetworkError(
            _("The ONNX file has {count} outputs: export only the scores of the classes.").format(
                count=len(model.graph.output)
            )
        )
    return model


def _opset(model: onnx.ModelProto) -> int:
    return max((entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"}), default=0)


def _input(model: onnx.ModelProto, size: Size | None) -> tuple[str, int, Size, bool]:
    """Return the input's name, channels and (height, width), and whether its channels come last."""
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    kind = inputs[0].type.tensor_type if len(inputs) == 1 else None
    # An open side is 0.
    shape = [dim.dim_value for dim in kind.shape.dim] if kind is not None else []
    if kind is None or kind.elem_type != onnx.TensorProto.FLOAT or len(shape) != 4:
        raise NetworkError(
            _("The ONNX file does not take one batch of images with float32 numbers: export it so.")
        )
    last = shape[1] not in {1, 3}
    if last and shape[3] not in {1, 3}:
        raise NetworkError(
            _("The ONNX file takes images of shape {shape}, not colour or grey ones.").format(
                shape="×".join(map(str, shape[1:]))
            )
        )
    channels = shape[3] if last else shape[1]
    height, width = shape[1:3] if last else shape[2:4]
    if (not height or not width) and size is None:
        raise NetworkError(_("The ONNX file does not say how large its images are: give the size."))
    found = height or size[0], width or size[1]  # type: ignore[index]
    if size not in {None, found}:
        raise NetworkError(
            _("The ONNX file takes images of {height}×{width} only.").format(height=found[0], width=found[1])
        )
    if max(found) > MAX_SIDE or min(found) < 1:
        raise NetworkError(
            _("The ONNX file takes images of {height}×{width}: at most {most} a side is possible.").format(
                height=found[0], width=found[1], most=MAX_SIDE
            )
        )
    return inputs[0].name, channels, found, last


def _final_activation(graph: onnx.GraphProto) -> onnx.NodeProto | None:
    makers = {name: node for node in graph.node for name in node.output}
    node = makers.get(graph.output[0].name)
    # A damaged file may go round in circles.
    for _step in graph.node:
        if node is not None and node.op_type in _TAIL and node.input:
            node = makers.get(node.input[0])
    return node if node is not None and node.op_type in _FINAL else None


def _follow(
    model: onnx.ModelProto, builder: Builder, images: dict[str, Value], final: onnx.NodeProto | None
) -> Value:
    """Add every operation to `builder` and return the output."""
    graph, version = model.graph, _opset(model)
    known: dict[str, Value | Tensor | None] = {"": None, **images}
    known.update((tensor.name, _tensor(numpy_helper.to_array(tensor))) for tensor in graph.initializer)
    room = MAX_FOLDED + FOLDS * sum(math.prod(tensor.dims) for tensor in graph.initializer)
    uses = Counter([name for node in graph.node for name in node.input] + [graph.output[0].name])
    for node in graph.node:
        if any(name not in known for name in node.input):
            raise _damaged()
        operation = Operation(
            node.op_type,
            node.name or node.op_type,
            [known[name] for name in node.input],
            {attribute.name: _attribute(attribute) for attribute in node.attribute},
            len(node.output),
            version,
            [uses[name] for name in node.input],
            builder,
        )
        results = _results(node, operation, node is final, room)
        if node.op_type != "Constant":
            room -= sum(value.numel() for value in results if isinstance(value, Tensor))
        for name, value in zip(node.output, results, strict=False):
            known[name] = value
    output = known.get(graph.output[0].name)
    if not isinstance(output, Value):
        raise NetworkError(_("The output of the ONNX file does not depend on the image."))
    return output


def _results(
    node: onnx.NodeProto, operation: Operation, is_final: bool, room: int
) -> list[Value | Tensor | None]:
    images = [value for value in operation.inputs if isinstance(value, Value)]
    if node.domain not in {"", "ai.onnx"}:
        raise operation.unknown()
    if is_final:
        return [operation.inputs[0]]
    if node.op_type == "Shape" and images:
        shape = torch.tensor(images[0].sample.shape)
        return [shape[operation.attributes.get("start", 0) : operation.attributes.get("end")]]
    if not images:
        return _folded(node, operation, room)
    if node.op_type not in OPERATIONS:
        raise operation.unknown()
    try:
        found = OPERATIONS[node.op_type](operation)
    except NetworkError:
        raise
    except Exception as error:  # whatever torch makes of a stranger's numbers
        raise operation.unknown() from error
    return list(found) if isinstance(found, list) else [found]


def _folded(node: onnx.NodeProto, operation: Operation, room: int) -> list[Value | Tensor | None]:
    """Evaluate an operation on constants that makes at most `room` numbers."""
    if node.op_type == "Constant":
        (value,) = operation.attributes.values()
        return [_tensor(np.asarray(value))]
    given = {name: value.numpy() for name, value in zip(node.input, operation.inputs, strict=True) if name}  # type: ignore[union-attr]
    try:
        if node.op_type not in _FOLDED or _made(operation, list(given.values())) > room:
            raise operation.unknown()
        graph = helper.make_graph(
            [node],
            "constants",
            [helper.make_value_info(name, onnx.TypeProto()) for name in given],
            [helper.make_value_info(name, onnx.TypeProto()) for name in node.output],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", operation.version)])
        return [_tensor(np.asarray(value)) for value in ReferenceEvaluator(model).run(None, given)]
    except Exception as error:  # whatever a stranger's operation makes of its inputs
        raise operation.unknown() from error


def _made(operation: Operation, given: list[NDArray[Any]]) -> int:
    """Return how many numbers an operation on constants makes at most; few of them can ask for any number."""
    match operation.kind:
        case "ConstantOfShape":
            return math.prod(operation.whole("", 0) or [])
        case "Add" | "Div" | "Mul" | "Sub":
            return math.prod(np.broadcast_shapes(*(values.shape for values in given)))
        case "Gather":
            return math.prod(values.size for values in given)
        case _:
            return sum(values.size for values in given)


def _attribute(attribute: onnx.AttributeProto) -> Any:
    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return value


def _tensor(values: Any) -> Tensor:
    array = np.array(values)
    if array.dtype == np.float64 or array.dtype == np.float16:
        array = array.astype(np.float32)
    tensor = torch.from_numpy(array)
    if not bool(torch.isfinite(tensor).all()) and tensor.numel() > 1:
        raise NetworkError(
            _("The ONNX file holds weights that are not finite numbers: train the network again.")
        )
    return tensor
