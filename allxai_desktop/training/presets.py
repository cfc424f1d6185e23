"""The systems of the source documents by name, and a modern one that beats them.

What a document leaves open is chosen here and said in `departures`, which go on the card of the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from allxai_desktop.i18n import N_, _
from allxai_desktop.networks.architectures import ARCHITECTURES, Task
from allxai_desktop.training.classify import RandomSymmetries
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.datasets.mask_classes import ANNOTATOR, NUCLEI, MaskClasses
from allxai_desktop.training.fit import Plan
from allxai_desktop.training.optimisers import Optimiser
from allxai_desktop.training.preparing.augment import Augmentation
from allxai_desktop.training.preparing.pairs import PairAugmentation

FIRST: Literal["first"] = "first"
"""The start of a second stage: a network that was trained before, which the request names."""
Start = Literal["none", "imagenet", "first"]
MeanStd = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and deviation of each channel of the input, in 0…1."""
# What the ImageNet weights were trained on: torchvision's, and TensorFlow's −1…1 of MobileNet V1 and of GoogLeNet,
# which torchvision has from there (its `transform_input`).
_TORCHVISION_INPUT: MeanStd = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_TENSORFLOW_INPUT: MeanStd = (0.5,) * 3, (0.5,) * 3
Enlarge = Literal["", "quarter turns", "balanced"]
"""How the copies of the training part are made: none, as phase 1 of the thesis, or `count` a class."""


@dataclass(frozen=True)
class Drawing:
    """What a segmentation learns: the classes of the masks, from random views of image and mask.

    `weights` are those of the classes in the cross-entropy, for classes that are rare.
    """

    classes: MaskClasses
    views: PairAugmentation
    weights: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Preset:
    """One system: how the data are divided and shown, the network, and how it is fitted.

    `title` and `source` (document and place in it) are English, translated when shown. `classes`: how many it is for,
    None for as many as the data have. `side` is that of the input in pixels. `val` and `test` are shares of the
    images, rounded down in each class; `unseen` images a class are held out before ("never seen") and then measured.
    `copies` is what `balanced` brings each class to. `random` views are drawn in each epoch. `shrunk`: (side, share of
    the epochs) of the first epochs that see smaller images. `at_least`: views an epoch, by repeating small sets.
    `rare`: how often at most an epoch sees an image of a rarer kind of field (`DataSet.strata`).
    `sharpened`: see `networks.network.sharpened`. `normalised`: mean and deviation are those of the training part, else
    the architecture's or `mean_std`. `keras`: weights start as in Keras.
    `drawing` is there for a segmentation.
    """

    name: str
    title: str
    source: str
    architecture: str
    side: int
    plan: Plan
    classes: int | None = None
    start: Start = "none"
    val: float = 0.1
    test: float = 0.1
    unseen: int = 0
    enlarge: Enlarge = ""
    copies: int = 0
    random: Augmentation | RandomSymmetries | None = None
    shrunk: tuple[tuple[int, float], ...] = ()
    at_least: int = 0
    rare: int = 1
    sharpened: bool = False
    normalised: bool = False
    mean_std: MeanStd | None = None
    keras: bool = False
    weighted: bool = False
    smoothing: float = 0.0
    drawing: Drawing | None = None
    departures: tuple[str, ...] = ()

    @property
    def task(self) -> Task:
        """What its network does."""
        return ARCHITECTURES[self.architecture].task

    @property
    def normalisation(self) -> MeanStd:
        """Mean and deviation by which images are shown, where they are not those of the training part."""
        info = ARCHITECTURES[self.architecture]
        return self.mean_std or (info.mean, info.std)

    def sides(self, epochs: int) -> tuple[int, ...]:
        """Return the input side of each of `epochs` epochs."""
        small = [side for side, share in self.shrunk for _epoch in range(round(share * epochs))][: epochs - 1]
        return (*small, *[self.side] * (epochs - len(small)))


def _numbers(**values: object) -> Mapping[str, object]:
    return MappingProxyType(values)


# Keras' defaults (TensorFlow 2), for the documents name the optimisers and not their numbers.
KERAS_ADAM = Optimiser("adam", 1e-3, numbers=_numbers(eps=1e-7))
KERAS_ADAMAX = Optimiser("adamax", 1e-3, numbers=_numbers(eps=1e-7))
KERAS_RMSPROP = Optimiser("rmsprop", 1e-3, numbers=_numbers(alpha=0.9, eps=1e-7))
KERAS_ADADELTA = Optimiser("adadelta", 1e-3, numbers=_numbers(rho=0.95, eps=1e-7))

_RATE = N_("the learning rate is not given: Keras' default, 0.001")
_TORCHVISION = N_("ImageNet weights and their preprocessing are torchvision's, not Keras'")
_SPLIT_FIRST = N_("copies are made of the training part only, after the split, unless it is run as published")
_NORMAL = N_("the class with the fewest images is the one that is mirrored too, as the normal cells were")
_STRATIFIED = N_("the split is by class, and copies of one image stay together")


def _thesis_1(network: str, title: str, optimiser: Optimiser, epochs: int, *departures: str) -> Preset:
    return Preset(
        name=f"thesis-1-{network}",
        title=title,
        source=N_("Velázquez 2024 (thesis), 3.1: B, T and normal cells, 363 → 1545 images"),
        architecture=f"{network}-thesis",
        side=256,
        plan=Plan(epochs, 6, optimiser),
        classes=3,
        start="imagenet",
        enlarge="quarter turns",
        mean_std=_TENSORFLOW_INPUT if network == "mobilenet-v1" else _TORCHVISION_INPUT,
        keras=True,
        departures=(_RATE, _SPLIT_FIRST, _NORMAL, *departures),
    )


def _thesis_2(network: str, title: str, optimiser: Optimiser, epochs: int) -> Preset:
    return Preset(
        name=f"thesis-2-{network}",
        title=title,
        source=N_("Velázquez 2024 (thesis), 3.2: healthy and ALL, 100 → 1000 images a class, 30 never seen"),
        architecture=network,
        side=224,
        plan=Plan(epochs, 6, optimiser),
        classes=2,
        start="imagenet",
        test=0.0,
        unseen=30,
        enlarge="balanced",
        copies=1000,
        mean_std=_TENSORFLOW_INPUT if network == "googlenet" else _TORCHVISION_INPUT,
        departures=(
            _RATE,
            _SPLIT_FIRST,
            N_(
                "the eight symmetries of an image, then the same enlarged: the thesis names rotation and reflection"
            ),
            N_("a tenth of the 100 images a class is for validation: the thesis does not say how many were"),
        ),
    )


def _two_convolutions(side: int, batch: int, epochs: int) -> Preset:
    return Preset(
        name=f"two-conv-{side}",
        title=N_("Two convolutions, small images") if side == 32 else N_("Two convolutions, whole images"),
        source=N_("Soto-Ayala and Cantoral-Ceballos, tables III and IV: typical and atypical"),
        architecture="two-conv",
        side=side,
        plan=Plan(epochs, batch, Optimiser("sgd", 1e-3, numbers=_numbers(momentum=0.9))),
        classes=2,
        val=0.0,
        test=0.2,
        mean_std=_TENSORFLOW_INPUT,
        departures=(_STRATIFIED, N_("how the images are normalised is not given: to −1…1")),
    )


def _transfer(depth: int, side: int) -> Preset:
    return Preset(
        name=f"resnet{depth}-transfer-{side}",
        title=f"ResNet{depth}, {side}×{side}",
        source=N_("Soto-Ayala and Cantoral-Ceballos, tables V and VI: typical and atypical"),
        architecture=f"resnet{depth}-transfer",
        side=side,
        plan=Plan(30, 32, Optimiser("adam", 5e-4, weight_decay=3e-3)),
        classes=2,
        start="imagenet",
        val=0.0,
        test=0.2,
        departures=(_STRATIFIED, N_("the batch is not given: 32, as for the other network")),
    )


GREY_CNN = Preset(
    name="grey-cnn",
    title=N_("Five convolutions on grey images"),
    source=N_("Amador 2023, 4 and 5: benign, early, pre and pro, 1000 images a class"),
    architecture="five-conv-grey",
    side=224,
    plan=Plan(40, 32, Optimiser("adam", 1e-4, numbers=_numbers(eps=1e-7), dense_l2=0.01), average=0.998),
    enlarge="balanced",
    copies=1000,
    random=RandomSymmetries(),
    sharpened=True,
    normalised=True,
    keras=True,
    departures=(
        N_(
            "copies are made of the training part only, and drawn anew in each epoch, unless it is run as published"
        ),
        N_("no region of interest is cut out: an explanation is of the whole image"),
        N_("grey values are normalised by mean and deviation of the training part"),
        N_("the weights that are kept are a running mean over the last epochs, not those of the last step"),
    ),
)

MODERN = Preset(
    name="modern",
    title=N_("MobileNet V1, a modern recipe"),
    source=N_("This program: warm-up and cosine, small images first, random views, label smoothing"),
    architecture="mobilenet-v1",
    side=224,
    plan=Plan(6, 32, Optimiser("adamw", 1e-3, weight_decay=0.02), "cosine", bfloat16=True),
    start="imagenet",
    random=Augmentation(),
    shrunk=((160, 2 / 3),),
    at_least=2000,
    weighted=True,
    smoothing=0.1,
)

_UNET_OPEN = N_(
    "loss, optimiser, learning rate, batch and epochs are not given: cross-entropy and Dice, Adam at 0.001 with warm-up"
    " and cosine, 8 views, 100 epochs, in which an image of the rarer kind of field, bright or dark, is seen up to"
    " three times"
)
_UNET_VIEWS = N_(
    "each epoch sees another 128×128 part of each image, turned, mirrored, enlarged and in other colours: the paper"
    " names no augmentation"
)
_UNET_STEPS = N_("of the paper's steps before the network, denoising is left out")

UNET_NUCLEI = Preset(
    name="unet-nuclei",
    title=N_("U-Net for nuclei"),
    source=N_("Campos et al., III and IV: nuclei of cells in any stain, 80/10/10"),
    architecture="unet-standardised",
    side=256,
    plan=Plan(100, 8, Optimiser("adam", 1e-3), "cosine", bfloat16=True),
    classes=2,
    rare=3,
    drawing=Drawing(NUCLEI, PairAugmentation(crop=128, zoom=1.25, stain=0.2, grey=0.2, negative=0.1)),
    departures=(_UNET_OPEN, _UNET_VIEWS, _UNET_STEPS),
)

UNET_NUCLEI_2 = replace(
    UNET_NUCLEI,
    name="unet-nuclei-2",
    title=N_("U-Net for nuclei, second stage"),
    source=N_("Campos et al., V.2, “Etapa 2”: going on from the first network with images of a new stain"),
    plan=Plan(20, 8, Optimiser("adam", 3e-4), "cosine", bfloat16=True),
    start=FIRST,
    departures=(
        N_("how the second stage is trained is not given: Adam at 0.0003 with warm-up and cosine, 20 epochs"),
        N_("only the new images are learnt: of the first ones none are mixed in"),
        _UNET_VIEWS,
        _UNET_STEPS,
    ),
)

UNET_FIVE_CLASSES = Preset(
    name="unet-five-classes",
    rare=1,
    title=N_("U-Net for the five classes of the annotator"),
    source=N_(
        "Velázquez 2024 (thesis), 3.2.2: nucleus, cytoplasm, vacuole, red cell and background, painted by hand"
    ),
    architecture="mobilenet-v1-unet",
    side=256,
    plan=Plan(60, 8, Optimiser("adamw", 1e-3, weight_decay=0.02), "cosine", average=0.99, bfloat16=True),
    classes=5,
    start="imagenet",
    drawing=Drawing(
        ANNOTATOR,
        PairAugmentation(crop=160, zoom=2.0, stain=0.6, dyes=0.4, own=0.35, blur=3.0, noise=0.05),
        # Vacuoles are one pixel in a thousand.
        weights=(1.0, 1.0, 8.0, 1.0, 1.0),
    ),
    at_least=400,
    departures=(
        N_(
            "the thesis trains no network on its painted masks: network and recipe are this program's, made to carry"
            " over to other stains, lamps and magnifications"
        ),
    ),
)

_ALL = (
    MODERN,
    GREY_CNN,
    _two_convolutions(32, 4, 45),
    _two_convolutions(400, 8, 45),
    *(_transfer(depth, side) for depth in (18, 34) for side in (32, 400)),
    _thesis_1("vgg16", N_("VGG16, phase 1 of the thesis"), KERAS_ADAMAX, 100, _TORCHVISION),
    _thesis_1("vgg19", N_("VGG19, phase 1 of the thesis"), KERAS_ADAM, 100, _TORCHVISION),
    _thesis_1("mobilenet-v1", N_("MobileNet V1, phase 1 of the thesis"), KERAS_RMSPROP, 110),
    _thesis_1("resnet50", N_("ResNet50, phase 1 of the thesis"), KERAS_ADADELTA, 110, _TORCHVISION),
    _thesis_2("vgg19", N_("VGG19, phase 2 of the thesis"), KERAS_ADAM, 100),
    _thesis_2("resnet18", N_("ResNet18, phase 2 of the thesis"), KERAS_ADADELTA, 110),
    _thesis_2("resnet50", N_("ResNet50, phase 2 of the thesis"), KERAS_ADADELTA, 110),
    _thesis_2("googlenet", N_("GoogLeNet, phase 2 of the thesis"), KERAS_ADADELTA, 110),
    UNET_NUCLEI,
    UNET_NUCLEI_2,
    UNET_FIVE_CLASSES,
)
PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ALL}
"""Name → preset, the modern one first."""


def find_preset(name: str) -> Preset:
    """Return the preset called `name`. Raises `TrainingError`."""
    if name not in PRESETS:
        raise TrainingError(
            _("There is no preset “{name}”: choose one of {known}.").format(
                name=name, known=", ".join(PRESETS)
            )
        )
    return PRESETS[name]
