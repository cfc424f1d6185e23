"""How long a run will take: counted operations against the measured speed of this machine. Good to a factor of two."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from psygnal import Signal
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from allxai_desktop.networks.architectures import ARCHITECTURES, build
from allxai_desktop.tasks import Dispatch, Progress, TaskRunner, at_once
from allxai_desktop.training.device import compute_device
from allxai_desktop.training.preparing.copies import QUARTER_TURNS

if TYPE_CHECKING:
    from allxai_desktop.training.presets import Preset
    from allxai_desktop.training.train_model import TrainModel

# Fitted to a forward and a backward pass of fifteen networks (4 ms to 4 s an image) on a core of 58.5 · 10⁹ operations
# a second: what share of the speed of a convolution they reach, and seconds for each value that a layer hands on, for
# each parameter and batch, and for each batch.
_REACHED = 0.73
_VALUE, _PARAMETER, _BATCH, _MEASURED_ON = 11.6e-9, 9.0e-9, 5e-3, 58.5e9


@dataclass(frozen=True)
class Cost:
    """Parameters of a network; for one image, operations of a forward pass and values that its layers hand on."""

    parameters: int
    operations: float
    values: int


class _OperationCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operations of what its thread computes.

    torch's own FlopCounterMode also hooks the modules of every other thread, where explaining then fails.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        from torch.utils.flop_counter import flop_registry

        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        count = flop_registry.get(func.overloadpacket)
        self.total += count(*args, **kwargs, out_val=output) if count else 0
        return output


@cache
def cost_of(architecture: str, classes: int, side: int) -> Cost:
    """Return the cost of a network for images of `side` × `side` pixels; no weights are made."""
    with torch.device("meta"):
        model = build(architecture, classes, (side, side))
        values = 0

        def count(_module: nn.Module, _inputs: Any, output: Any) -> None:
            nonlocal values
            values += output.numel() if isinstance(output, Tensor) else 0

        for module in model.modules():
            if not list(module.children()):
                module.register_forward_hook(count)
        # Two, for BatchNorm refuses one.
        images = torch.empty(2, ARCHITECTURES[architecture].channels, side, side)
        with _OperationCounter() as counter:
            model(images)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Cost(parameters, counter.total / 2, values // 2)


@cache
def speed(*, bfloat16: bool) -> float:
    """Return the operations a second of a convolution, forward and backward, where and as runs are computed.

    A graphics card always computes in half precision, a processor where the plan says `bfloat16`.
    """
    device = compute_device().type
    half = torch.float16 if device == "cuda" else torch.bfloat16
    layer = nn.Conv2d(64, 64, 3, padding=1).to(device)
    images = torch.randn(8, 64, 56, 56, device=device)
    operations = 3 * 2 * images.numel() * 64 * 9
    best = float("inf")
    for _turn in range(8):
        begin = time.perf_counter()
        with torch.autocast(device, half, enabled=bfloat16 or device == "cuda"):
            loss = layer(images).square().sum()
        loss.backward()
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begin)
    return operations / best


def images_an_epoch(preset: Preset, counts: Mapping[str, int]) -> int:
    """Return how many images, copies included, an epoch has where the classes have so many images."""
    left = {name: max(count - preset.unseen, 0) for name, count in counts.items()}
    learnt = [count - int(preset.val * count) - int(preset.test * count) for count in left.values()]
    if preset.enlarge == "balanced":
        return preset.copies * len(learnt)
    total = sum(learnt) * (len(QUARTER_TURNS) if preset.enlarge == "quarter turns" else 1)
    return max(total, preset.at_least)


def seconds_of(
    preset: Preset, counts: Mapping[str, int], classes: int, epochs: int, operations_a_second: float
) -> float:
    """Return about how long `epochs` epochs of `preset` take; `counts` as in `images_an_epoch`."""
    images, slower = images_an_epoch(preset, counts), _MEASURED_ON / operations_a_second
    sides = [preset.drawing.views.crop] * epochs if preset.drawing else preset.sides(epochs)
    total = 0.0
    for side, number in Counter(sides).items():
        cost = cost_of(preset.architecture, classes, side)
        batch = (_PARAMETER * cost.parameters + _BATCH) / preset.plan.batch
        handed = slower * (_VALUE * cost.values + batch)
        total += number * images * (3 * cost.operations / (_REACHED * operations_a_second) + handed)
    return total


class CostModel:
    """Parameters and time of what a `TrainModel` has chosen; None until they are known, `seconds` without data too."""

    changed = Signal()

    def __init__(self, model: TrainModel, dispatch: Dispatch = at_once) -> None:
        self.model = model
        self.parameters: int | None = None
        self.seconds: float | None = None
        self._asked: tuple[object, ...] = ()
        self._runner = TaskRunner(dispatch)
        self._runner.finished.connect(self._on_known)
        model.choices_changed.connect(self._refresh)
        self._refresh()

    def close(self) -> None:
        """Stop: nothing is delivered after this."""
        self.model.choices_changed.disconnect(self._refresh)
        self._runner.close()

    def _refresh(self, *_choices: object) -> None:
        model, preset = self.model, self.model.preset
        counts = {found.name: found.images for found in model.data.classes}
        if preset.task == "segmentation":
            counts = {"": len(model.data.usable)} if model.data.has_masks else {}
        classes = preset.classes or max(len(counts), 2)
        epochs = model.choices.epochs or preset.plan.epochs
        asked = (preset, tuple(counts.items()), classes, epochs)
        # While a run goes on, the machine would seem slow.
        if asked == self._asked or model.running:
            return
        self._asked, self.parameters, self.seconds = asked, None, None

        def work(_progress: Progress) -> tuple[int, float | None]:
            cost = cost_of(preset.architecture, classes, preset.side)
            if model.unsuitable(preset.name) or not counts:
                return cost.parameters, None
            return cost.parameters, seconds_of(
                preset, counts, classes, epochs, speed(bfloat16=preset.plan.bfloat16)
            )

        self._runner.start(work)
        self.changed.emit()

    def _on_known(self, found: tuple[int, float | None]) -> None:
        self.parameters, self.seconds = found
        self.changed.emit()
