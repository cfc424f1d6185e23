"""Optimisers by name, each with the numbers that the documents' programs gave it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import nn

Kind = Literal["sgd", "adam", "adamw", "adamax", "adadelta", "rmsprop"]
_KINDS: dict[Kind, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adamax": torch.optim.Adamax,
    "adadelta": torch.optim.Adadelta,
    "rmsprop": torch.optim.RMSprop,
}


@dataclass(frozen=True)
class Optimiser:
    """An optimiser: its kind, (highest) learning rate, weight decay, and what else torch's class of that kind takes.

    `dense_l2`: Keras' `kernel_regularizer` of the first dense layer, whose square sum times this is in the loss.
    """

    kind: Kind
    rate: float
    weight_decay: float = 0.0
    numbers: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    dense_l2: float = 0.0


def make_optimiser(settings: Optimiser, model: nn.Module) -> torch.optim.Optimizer:
    """Return torch's optimiser for all weights of `model`."""
    groups: list[dict[str, Any]] = [{"params": list(model.parameters())}]
    if settings.dense_l2:
        kernel = next(module.weight for module in model.modules() if isinstance(module, nn.Linear))
        rest = [weight for weight in model.parameters() if weight is not kernel]
        # The gradient of l2 · Σ w² is 2 · l2 · w, and weight decay adds its number times w.
        groups = [{"params": rest}, {"params": [kernel], "weight_decay": 2 * settings.dense_l2}]
    return _KINDS[settings.kind](
        groups, lr=settings.rate, weight_decay=settings.weight_decay, **settings.numbers
    )
