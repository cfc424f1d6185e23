"""Architectures from torchvision, some with heads of the source papers. The one module that imports torchvision."""

from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn

from allxai_desktop.networks.downloads import download
from allxai_desktop.networks.small import dense_head, with_head
from allxai_desktop.networks.torchvision_ops import define_missing_schemas
from allxai_desktop.tasks import Progress, unwatched

define_missing_schemas()
from torchvision import models  # noqa: E402

Size = tuple[int, int]
# Keras' ResNet50.
KERAS_EPSILON = 1.001e-5


def vgg16(n_classes: int, size: Size) -> nn.Module:
    """VGG16 (Simonyan and Zisserman 2015), configuration D."""
    return _torchvision("vgg16", n_classes)


def vgg19(n_classes: int, size: Size) -> nn.Module:
    """VGG19 (Simonyan and Zisserman 2015), configuration E."""
    return _torchvision("vgg19", n_classes)


def resnet18(n_classes: int, size: Size) -> nn.Module:
    """ResNet18 (He et al. 2016)."""
    return _torchvision("resnet18", n_classes)


def resnet34(n_classes: int, size: Size) -> nn.Module:
    """ResNet34 (He et al. 2016)."""
    return _torchvision("resnet34", n_classes)


def resnet50(n_classes: int, size: Size) -> nn.Module:
    """ResNet50 (He et al. 2016)."""
    return _torchvision("resnet50", n_classes)


def googlenet(n_classes: int, size: Size) -> nn.Module:
    """GoogLeNet (Szegedy et al. 2015) without its auxiliary heads."""
    return _torchvision("googlenet", n_classes, aux_logits=False, init_weights=False)


def resnet18_transfer(n_classes: int, size: Size) -> nn.Module:
    """ResNet18 with dense layers 512 → 100 → classes (Soto-Ayala and Cantoral-Ceballos)."""
    return _transfer(resnet18(n_classes, size), n_classes)


def resnet34_transfer(n_classes: int, size: Size) -> nn.Module:
    """ResNet34 with dense layers 512 → 100 → classes (Soto-Ayala and Cantoral-Ceballos)."""
    return _transfer(resnet34(n_classes, size), n_classes)


def vgg16_thesis(n_classes: int, size: Size) -> nn.Module:
    """VGG16 without top, dense 128 three times (Velázquez 2024, phase 1)."""
    trunk = models.vgg.make_layers(models.vgg.cfgs["D"])
    return with_head(trunk, 512, size, (128,) * 3, n_classes)


def vgg19_thesis(n_classes: int, size: Size) -> nn.Module:
    """VGG19 without top, dense 128 four times (Velázquez 2024, phase 1)."""
    trunk = models.vgg.make_layers(models.vgg.cfgs["E"])
    return with_head(trunk, 512, size, (128,) * 4, n_classes)


def resnet50_thesis(n_classes: int, size: Size) -> nn.Module:
    """ResNet50 as Keras has it, without top, dense 128 four times (Velázquez 2024, phase 1)."""
    whole = resnet50(n_classes, size)
    _as_in_keras(whole)
    trunk = nn.Sequential(
        OrderedDict((name, child) for name, child in whole.named_children() if name not in {"avgpool", "fc"})
    )
    return with_head(trunk, 2048, size, (128,) * 4, n_classes)


def _as_in_keras(resnet: nn.Module) -> None:
    """Give the convolutions biases, and the stride of a block to its first convolution as in the paper."""
    for name, module in resnet.named_modules():
        if isinstance(module, nn.Conv2d):
            module.bias = nn.Parameter(module.weight.new_zeros(module.out_channels))
            if name.endswith("0.conv2") and module.stride == (2, 2):
                module.stride = (1, 1)
                first = resnet.get_submodule(name.replace("conv2", "conv1"))
                assert isinstance(first, nn.Conv2d)
                first.stride = (2, 2)
        elif isinstance(module, nn.BatchNorm2d):
            module.eps = KERAS_EPSILON


def imagenet_file(name: str, progress: Progress = unwatched) -> Path:
    """Return the file of torchvision's ImageNet weights of one of its networks; it is downloaded, once.

    It lies where torchvision looks for it, and may be put there by hand. Raises `NetworkError`, and
    `ValueError` for a network that torchvision does not have.
    """
    url = models.get_model_weights(name).DEFAULT.url
    path = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
    if not path.exists():
        # torchvision's names end in the beginning of the SHA-256.
        download(url, path, path.stem.rpartition("-")[2], progress)
    return path


def _transfer(resnet: nn.Module, n_classes: int) -> nn.Module:
    resnet.fc = dense_head(512, (100,), n_classes)
    return resnet


def _torchvision(name: str, n_classes: int, **options: bool) -> nn.Module:
    network: nn.Module = getattr(models, name)(weights=None, num_classes=n_classes, **options)
    return network
