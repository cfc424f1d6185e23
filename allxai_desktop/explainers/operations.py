"""What kind of operation a node is, as far as relevance is concerned. What is not here has no rule."""

import operator
from typing import Any, Literal

import torch
from torch import nn
from torch.nn import functional as F

Kind = Literal["weights", "norm", "linear", "route", "activation", "relu6"]
"""`weights`: a weighted sum plus bias. `norm`: BatchNorm that could not be folded. `linear`: sums, means
and factors without weights of their own. `route`: every output is a copy of one input. `activation`:
elementwise; `relu6`: those that are flat above as well."""

_OPERATIONS: dict[Kind, tuple[Any, ...]] = {
    "weights": (
        nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Linear,
        torch.conv1d, torch.conv2d, torch.conv3d, F.conv1d, F.conv2d, F.conv3d, F.linear,
        F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d,
    ),
    "norm": (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d),
    "linear": (
        nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d,
        nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d,
        F.avg_pool1d, F.avg_pool2d, F.avg_pool3d,
        F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d,
        operator.add, operator.sub, operator.mul, operator.truediv, operator.neg,
        torch.add, torch.sub, torch.mul, torch.div, torch.mean, torch.sum,
        "add", "sub", "mul", "div", "mean", "sum", nn.Upsample, nn.UpsamplingBilinear2d, nn.UpsamplingNearest2d,
        F.interpolate,
    ),
    "route": (
        nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d,
        nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d,
        F.max_pool1d, F.max_pool2d, F.max_pool3d, F.adaptive_max_pool1d, F.adaptive_max_pool2d,
        F.adaptive_max_pool3d, torch.max_pool2d, "amax",
        nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d,
        nn.AlphaDropout, nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d, nn.ConstantPad2d, nn.ReflectionPad2d,
        nn.ReplicationPad2d, nn.CircularPad2d, nn.ChannelShuffle, nn.PixelShuffle, nn.PixelUnshuffle,
        F.dropout, F.dropout2d, F.pad,
        operator.getitem, torch.flatten, torch.reshape, torch.permute, torch.transpose, torch.squeeze,
        torch.unsqueeze, torch.cat, torch.concat, torch.chunk, torch.split, torch.stack, torch.amax,
        "flatten", "reshape", "view", "permute", "transpose", "squeeze", "unsqueeze", "contiguous", "clone",
        "chunk", "split", torch.unbind, "unbind", torch.flip, "flip", torch.roll, "roll", "expand", "repeat",
    ),
    "activation": (
        nn.ReLU, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.Tanh,
        nn.Hardswish, nn.PReLU, nn.RReLU, F.hardswish, F.prelu, F.rrelu,
        F.relu, F.leaky_relu, F.elu, F.celu, F.selu, F.gelu, F.silu, F.mish, F.softplus, F.tanh,
        torch.relu, torch.tanh, "relu", "tanh",
    ),
    "relu6": (nn.ReLU6, nn.Hardtanh, F.relu6, F.hardtanh),
}  # fmt: skip
KINDS: dict[Any, Kind] = {key: kind for kind, keys in _OPERATIONS.items() for key in keys}
RELUS = {nn.ReLU, F.relu, torch.relu, "relu"}
RECTIFIERS = {*RELUS, *_OPERATIONS["relu6"]}
LEAKY = {nn.LeakyReLU, F.leaky_relu}
ADDITIONS = {operator.add, torch.add, "add"}
AVERAGES = {
    nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d,
    F.avg_pool1d, F.avg_pool2d, F.avg_pool3d, F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d,
    torch.mean, "mean",
}  # fmt: skip
# They change the order and the number of values, and no value.
RESHAPES = {
    nn.Flatten, nn.Unflatten, nn.Identity, torch.flatten, torch.reshape, torch.permute, torch.transpose,
    torch.squeeze, torch.unsqueeze, "flatten", "reshape", "view", "permute", "transpose", "squeeze", "unsqueeze",
    "contiguous", "clone",
}  # fmt: skip
# With two inputs that both depend on the image these are no longer linear.
PRODUCTS = {operator.mul, operator.truediv, torch.mul, torch.div, "mul", "div"}
# These only by a constant.
QUOTIENTS = {operator.truediv, torch.div, "div"}
