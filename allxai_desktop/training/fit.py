"""The training loop: stages of input size, one warm-up and cosine over all, exact resume from the last epoch."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from allxai_desktop.training.augment import Augmentation, augment


@dataclass(frozen=True)
class Plan:
    """How a network is fitted. `stages` are (input side in pixels, epochs); `rate` is the highest learning rate."""

    stages: tuple[tuple[int, int], ...]
    rate: float
    batch: int = 32
    weight_decay: float = 0.02
    warm_up: float = 0.1
    label_smoothing: float = 0.1
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0

    @property
    def sides(self) -> list[int]:
        """The input side of each epoch."""
        return [side for side, epochs in self.stages for _ in range(epochs)]


def fit(
    model: nn.Module,
    pixels: Tensor,
    labels: Tensor,
    plan: Plan,
    checkpoint: Path,
    *,
    report: Callable[[int, float], None] = lambda epoch, loss: None,
) -> None:
    """Fit `model` to uint8 images (N, 3, h, w) and labels (N,); inputs are scaled to −1…1.

    After each epoch everything that the next one depends on goes to `checkpoint`; a run that was
    broken off goes on from there and ends with the same weights. `report` gets the epoch and its
    mean loss. The model is in evaluation mode afterwards.
    """
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    sides = plan.sides
    steps = len(labels) // plan.batch
    rate = _rate(plan, steps * len(sides))
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=plan.weight_decay)
    generator = torch.Generator().manual_seed(plan.seed)
    torch.manual_seed(plan.seed)
    first = _resume(checkpoint, model, optimizer, generator)
    weight = len(labels) / torch.bincount(labels).clamp(min=1) / len(torch.bincount(labels))
    resized: dict[int, Tensor] = {}
    for epoch in range(first, len(sides)):
        model.train()
        side = sides[epoch]
        if side not in resized:
            resized = {side: _shrink(pixels, side)}
        order = torch.randperm(len(labels), generator=generator)
        losses = []
        for step in range(steps):
            chosen = order[step * plan.batch : (step + 1) * plan.batch]
            for group in optimizer.param_groups:
                group["lr"] = rate(epoch * steps + step)
            views = 2 * augment(resized[side][chosen], plan.augmentation, generator) - 1
            loss = _loss(model, views, labels[chosen], weight, plan.label_smoothing)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.item())
        _save(checkpoint, model, optimizer, generator, epoch + 1)
        report(epoch, sum(losses) / len(losses))
    model.eval()


def predict_logits(model: nn.Module, pixels: Tensor, batch: int = 32) -> Tensor:
    """Return the logits (N, classes) in float32 of uint8 images (N, 3, h, w)."""
    model.eval()
    with torch.inference_mode():
        return torch.cat([model(part.float() / 127.5 - 1) for part in torch.split(pixels, batch)])


def _loss(
    model: nn.Module,
    views: Tensor,
    labels: Tensor,
    weight: Tensor,
    label_smoothing: float,
) -> Tensor:
    # Half the memory traffic, and twice the speed or more on processors with bfloat16.
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(views.contiguous(memory_format=torch.channels_last)).float()
    return functional.cross_entropy(logits, labels, weight, label_smoothing=label_smoothing)


def _rate(plan: Plan, steps: int) -> Callable[[int], float]:
    warm = max(1, round(plan.warm_up * steps))

    def rate(step: int) -> float:
        if step < warm:
            return plan.rate * (step + 1) / warm
        return plan.rate * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))) / 2

    return rate


def _shrink(pixels: Tensor, side: int) -> Tensor:
    if pixels.shape[-1] == side:
        return pixels
    parts = [
        functional.interpolate(part.float(), (side, side), mode="bilinear", antialias=True).round().byte()
        for part in torch.split(pixels, 64)
    ]
    return torch.cat(parts)


def _save(
    checkpoint: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    epoch: int,
) -> None:
    state: dict[str, Any] = {
        "epoch": epoch,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "augmentation": generator.get_state(),
        "dropout": torch.get_rng_state(),
    }
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    temporary = checkpoint.with_suffix(".tmp")
    torch.save(state, temporary)
    os.replace(temporary, checkpoint)


def _resume(
    checkpoint: Path, model: nn.Module, optimizer: torch.optim.Optimizer, generator: torch.Generator
) -> int:
    """Take up the state in `checkpoint`, if there is one, and return the next epoch."""
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    generator.set_state(state["augmentation"])
    torch.set_rng_state(state["dropout"])
    return int(state["epoch"])
