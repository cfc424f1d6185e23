"""The network architectures by name. The one module that imports torchvision, when one of its models is built."""

from collections.abc import Callable

from torch import nn

from allxai_desktop.i18n import _
from allxai_desktop.networks.card import NetworkError
from allxai_desktop.networks.mobilenet import MobileNetV1
from allxai_desktop.networks.torchvision_ops import define_missing_schemas


def _googlenet(n_classes: int) -> nn.Module:
    define_missing_schemas()
    from torchvision.models import googlenet

    model: nn.Module = googlenet(weights=None, num_classes=n_classes, aux_logits=False, init_weights=False)
    return model


def _resnet18(n_classes: int) -> nn.Module:
    define_missing_schemas()
    from torchvision.models import resnet18

    model: nn.Module = resnet18(weights=None, num_classes=n_classes)
    return model


BUILDERS: dict[str, Callable[[int], nn.Module]] = {
    "googlenet": _googlenet,
    "mobilenet-v1": MobileNetV1,
    "resnet18": _resnet18,
}
CAM_LAYERS = {"googlenet": "inception5b", "mobilenet-v1": "features.26", "resnet18": "layer4"}
"""Architecture → the module whose output is its last spatial feature map."""


def build(architecture: str, n_classes: int) -> nn.Module:
    """Return an untrained network that maps (N, 3, H, W) to logits (N, n_classes). Raises `NetworkError`."""
    if architecture not in BUILDERS:
        raise NetworkError(
            _("This program has no architecture “{name}”: choose one of {known}.").format(
                name=architecture, known=", ".join(BUILDERS)
            )
        )
    return BUILDERS[architecture](n_classes)
