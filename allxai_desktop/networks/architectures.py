"""The network architectures by name, and what is known of each. torch is imported when one is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from allxai_desktop.i18n import N_, _
from allxai_desktop.networks.errors import NetworkError

if TYPE_CHECKING:
    from torch import nn

Task = Literal["classification", "segmentation"]
Size = tuple[int, int]
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_FROM_0_TO_1 = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Architecture:
    """One architecture.

    `builder` names the module of this package and the function in it that takes the number of
    classes and the input size. `cam_layer` is the module whose output is the last spatial feature
    map; None where there is nothing to explain. Input sides are at least `smallest` and multiples
    of `multiple`; `mean` and `std` (one number a channel) are the usual preprocessing.
    `training_only`: what the names of weights begin with that a trained network does without.
    """

    title: str
    builder: str
    cam_layer: str | None
    departures: tuple[str, ...] = ()
    input_size: Size = (224, 224)
    mean: tuple[float, ...] = _IMAGENET_MEAN
    std: tuple[float, ...] = _IMAGENET_STD
    smallest: int = 32
    multiple: int = 1
    task: Task = "classification"
    training_only: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """How many channels the input has: 3, or 1 for grey."""
        return len(self.mean)

    def takes(self, size: Size) -> bool:
        """Return whether an input of (height, width) fits."""
        return all(side >= self.smallest and side % self.multiple == 0 for side in size)


_VGG = (
    N_("adaptive pooling to 7×7 before the dense layers, so that other sizes than 224×224 fit (torchvision)"),
)
_RESNET50 = (N_("the stride of a block is in its 3×3 convolution, not in its first 1×1 (torchvision)"),)
_MOBILENET = (N_("the classifier is a dense layer, not a 1×1 convolution"),)
_TRANSFER = (N_("ReLU between the two dense layers: the paper does not name it"),)

_UNET = (
    N_(
        "16 to 256 filters, transposed convolutions and dropout as in the widely used TensorFlow U-Net for"
        " these images: the paper does not give its layers"
    ),
)


def _thesis(trunk: str, layers: int, builder: str, cam_layer: str) -> Architecture:
    mean, std = _FROM_0_TO_1
    return Architecture(
        f"{trunk}, dense 128 × {layers}",
        builder,
        cam_layer,
        (N_("ReLU between the dense layers: the thesis does not name their activation"),),
        input_size=(256, 256),
        mean=mean,
        std=std,
        multiple=32,
    )


ARCHITECTURES: dict[str, Architecture] = {
    "vgg16": Architecture("VGG16", "torchvision_models.vgg16", "features.29", _VGG),
    "vgg19": Architecture("VGG19", "torchvision_models.vgg19", "features.35", _VGG),
    "resnet18": Architecture("ResNet18", "torchvision_models.resnet18", "layer4"),
    "resnet34": Architecture("ResNet34", "torchvision_models.resnet34", "layer4"),
    "resnet50": Architecture("ResNet50", "torchvision_models.resnet50", "layer4", _RESNET50),
    "googlenet": Architecture(
        "GoogLeNet",
        "torchvision_models.googlenet",
        "inception5b",
        (
            N_("BatchNorm after every convolution, which the paper does not have (torchvision)"),
            N_("3×3 kernels in place of 5×5 in the third branch of each inception module (torchvision)"),
            N_("no local response normalisation (torchvision)"),
            N_("no auxiliary heads"),
        ),
        training_only=("aux1.", "aux2."),
    ),
    "mobilenet-v1": Architecture(
        "MobileNet V1",
        "mobilenet.mobilenet_v1",
        "features.26",
        _MOBILENET,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        multiple=32,
    ),
    "two-conv": Architecture(
        "Two convolutions",
        "small.two_convolutions",
        "features.4",
        (N_("6 and 16 filters of 5×5 without padding: the paper does not say how many and how large"),),
        input_size=(32, 32),
        mean=_FROM_0_TO_1[0],
        std=_FROM_0_TO_1[1],
        smallest=16,
    ),
    "resnet18-transfer": Architecture(
        "ResNet18, head 512 → 100 → classes",
        "torchvision_models.resnet18_transfer",
        "layer4",
        _TRANSFER,
    ),
    "resnet34-transfer": Architecture(
        "ResNet34, head 512 → 100 → classes",
        "torchvision_models.resnet34_transfer",
        "layer4",
        _TRANSFER,
    ),
    "five-conv-grey": Architecture(
        "Five convolutions, grey",
        "small.five_convolutions",
        "features.13",
        (N_("without the sharpening of the image that comes before the network"),),
        mean=(0.0,),
        std=(1.0,),
        smallest=94,
    ),
    "vgg16-thesis": _thesis("VGG16", 3, "torchvision_models.vgg16_thesis", "features.29"),
    "vgg19-thesis": _thesis("VGG19", 4, "torchvision_models.vgg19_thesis", "features.35"),
    "mobilenet-v1-thesis": _thesis("MobileNet V1", 4, "mobilenet.mobilenet_v1_thesis", "features.26"),
    "resnet50-thesis": _thesis("ResNet50", 4, "torchvision_models.resnet50_thesis", "features.layer4"),
    "unet": Architecture(
        "U-Net",
        "unet.unet",
        None,
        _UNET,
        input_size=(128, 128),
        mean=_FROM_0_TO_1[0],
        std=_FROM_0_TO_1[1],
        smallest=16,
        multiple=16,
        task="segmentation",
    ),
    "unet-standardised": Architecture(
        "U-Net, images standardised",
        "unet.unet_standardised",
        None,
        (
            *_UNET,
            N_(
                "the network itself brings each image to mean 0 and deviation 1: how the paper normalises and corrects"
                " contrast is not given"
            ),
        ),
        input_size=(256, 256),
        mean=_FROM_0_TO_1[0],
        std=_FROM_0_TO_1[1],
        smallest=16,
        multiple=16,
        task="segmentation",
    ),
    "mobilenet-v1-unet": Architecture(
        "U-Net on MobileNet V1, in white light",
        "mobilenet_unet.mobilenet_unet",
        None,
        input_size=(256, 256),
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        multiple=16,
        task="segmentation",
    ),
}


def architecture(name: str) -> Architecture:
    """Return the architecture called `name`. Raises `NetworkError`."""
    if name not in ARCHITECTURES:
        raise NetworkError(
            _("This program has no architecture “{name}”: choose one of {known}.").format(
                name=name, known=", ".join(ARCHITECTURES)
            )
        )
    return ARCHITECTURES[name]


def build(name: str, n_classes: int, input_size: Size | None = None) -> nn.Module:
    """Return an untrained network that maps (N, channels, H, W) to logits (N, n_classes).

    A segmentation network returns (N, n_classes, H, W). `input_size` is (H, W), by default the
    architecture's own. Raises `NetworkError`.
    """
    info = architecture(name)
    size = info.input_size if input_size is None else input_size
    if not info.takes(size):
        raise NetworkError(
            _(
                "The architecture {name} takes no input of {height}×{width}: its sides are at least {smallest}"
                " and multiples of {multiple}."
            ).format(name=name, height=size[0], width=size[1], smallest=info.smallest, multiple=info.multiple)
        )
    module, function = info.builder.split(".")
    make: Callable[[int, Size], nn.Module] = getattr(
        import_module(f"allxai_desktop.networks.{module}"), function
    )
    return make(n_classes, size)
