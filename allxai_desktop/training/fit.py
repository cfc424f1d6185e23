"""The training loop of every network: steps, validation, checkpoints, exact resume.

What a network learns is its `Objective`.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from allxai_desktop.i18n import _
from allxai_desktop.training.checkpoint import State, read_state, write_state
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.device import compute_device, half_precision, is_out_of_memory
from allxai_desktop.training.optimisers import Optimiser, make_optimiser
from allxai_desktop.training.preparing.batches import ahead, batches_of, parts_of
from allxai_desktop.training.preparing.copies import epoch_order
from allxai_desktop.training.run_types import EpochRecord, Unwatched, Watcher
from allxai_desktop.training.words import duration

Answer = Callable[[Tensor], Tensor]
"""Takes inputs (N, …) and returns the outputs of the network as float32 on the CPU, in evaluation mode."""


# After so many batches of the first epoch it is said how long the run will take, if that is a while.
_TIMED = 3
_A_WHILE = 600


@dataclass(frozen=True)
class Measured:
    """What was measured on the validation part: mean loss, the share that is right, and of masks Dice, 0…1."""

    loss: float
    accuracy: float
    dice: float | None = None


class Objective(Protocol):
    """What a network learns. Everything is on the CPU; `fit` takes it to the device of the network."""

    @property
    def size(self) -> int:
        """How many images an epoch has."""

    def batch(self, places: Sequence[int], epoch: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets for the images at `places` (0…size − 1) as the epoch (from 0) sees them.

        Depends on nothing else, as a generator of random numbers with a state: so a resumed run sees the same. Called
        on a thread of its own, one batch ahead.
        """

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss over the images of a batch, a scalar."""

    def accuracy(self, outputs: Tensor, targets: Tensor) -> float:
        """Return the share 0…1 of a batch that is right: of its images, or of its pixels."""

    def validate(self, answer: Answer) -> Measured | None:
        """Return what is measured after each epoch, None where there is nothing to measure on."""


@dataclass(frozen=True)
class Plan:
    """How a network is fitted.

    "cosine" warms up over the share `warm_up` of all steps and falls to nothing by the last; "constant" does neither.
    `average`: what is measured and kept is a running mean of the weights, in which those of n steps ago count
    `average`ⁿ; less long at the beginning. `patience`: stop after so many epochs without a lower validation loss, and
    keep the weights of the best one. `bfloat16`: compute in it on a CPU that can; on a GPU always in half.
    """

    epochs: int
    batch: int
    optimiser: Optimiser
    schedule: Literal["constant", "cosine"] = "constant"
    warm_up: float = 0.1
    average: float | None = None
    patience: int | None = None
    bfloat16: bool = False
    seed: int = 0


def fit(
    model: nn.Module, objective: Objective, plan: Plan, checkpoint: Path, watcher: Watcher | None = None
) -> list[EpochRecord]:
    """Fit `model` and return how its epochs went; the model is on the CPU and in evaluation mode afterwards.

    After each epoch everything that the next one depends on goes to the file `checkpoint`; where there is one, the
    run goes on from it and ends with the same weights, bit for bit on a CPU. Raises `TrainingError` where the loss is
    no number, the checkpoint is of another run or cannot be written, or two images do not fit into memory.
    """
    try:
        fitting = Fitting(model, objective, plan, checkpoint, watcher or Unwatched())
        while fitting.next_epoch < plan.epochs and not fitting.stopped:
            fitting.run_epoch()
        return fitting.finish()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            _("The network does not fit into memory: close other programs, or choose a smaller network.")
        ) from error


class Fitting:
    """A run between two epochs."""

    def __init__(
        self, model: nn.Module, objective: Objective, plan: Plan, checkpoint: Path, watcher: Watcher
    ) -> None:
        self.objective, self.plan, self.checkpoint, self.watcher = objective, plan, checkpoint, watcher
        self.device = compute_device(watcher.note)
        self.model = model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = make_optimiser(plan.optimiser, model)
        self._half = half_precision(self.device, bfloat16=plan.bfloat16)
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=self._half is torch.float16)
        # The running mean of the weights, or the weights themselves.
        self.kept: nn.Module = self.model if plan.average is None else _averaged(self.model, plan.average)
        self.records: list[EpochRecord] = []
        self.best: dict[str, Tensor] | None = None
        # How many images go through the network at once: fewer than the batch when memory is short.
        self._at_once = plan.batch + 1
        self._resume()

    @property
    def next_epoch(self) -> int:
        """The number of the next epoch, from 0."""
        return len(self.records)

    @property
    def stopped(self) -> bool:
        """Whether the validation loss has not fallen for `patience` epochs."""
        if self.plan.patience is None:
            return False
        losses = self._validation_losses()
        return bool(losses) and len(losses) - 1 - int(np.argmin(losses)) >= self.plan.patience

    def run_epoch(self) -> None:
        """Go once through the images, measure, and write the checkpoint."""
        epoch, start = self.next_epoch, time.monotonic()
        batches = batches_of(
            epoch_order(self.objective.size, self.plan.seed, epoch).tolist(), self.plan.batch
        )
        self.model.train()
        loss, right = 0.0, 0.0
        for number, (places, (inputs, targets)) in enumerate(
            ahead(partial(self.objective.batch, epoch=epoch), batches)
        ):
            self.watcher.step(number / len(batches))
            if not self.records and number == _TIMED:
                self._estimate((time.monotonic() - start) / _TIMED * len(batches))
            step = epoch * len(batches) + number
            rate = self._rate(step, self.plan.epochs * len(batches))
            found, its_right = self.take_step(inputs, targets, step, rate)
            if not math.isfinite(found):
                raise self._no_number(epoch)
            loss += found * len(places)
            right += its_right * len(places)
        if not all(bool(weight.isfinite().all()) for weight in self.model.parameters()):
            raise self._no_number(epoch)
        measured = self.objective.validate(self.answer)
        self._end_epoch(loss, right, measured, time.monotonic() - start)

    def finish(self) -> list[EpochRecord]:
        """Put the weights of the best epoch back, where they were kept, and return the records."""
        kept = self._kept_state() if self.best is None else self.best
        self.model.load_state_dict(kept)
        self.model.cpu().eval()
        return self.records

    def answer(self, inputs: Tensor) -> Tensor:
        """Return the outputs as float32 on the CPU, in evaluation mode."""
        self.kept.eval()
        parts = []
        with torch.inference_mode():
            start = 0
            while start < len(inputs):
                # Measuring too can be cancelled.
                self.watcher.step(1.0)
                part = inputs[start : start + self._at_once]
                try:
                    parts.append(self._forward(part, self.kept).cpu())
                    start += len(part)
                    continue
                except (RuntimeError, MemoryError) as error:
                    self._take_fewer(error)
                self._free()
        return torch.cat(parts)

    def take_step(self, inputs: Tensor, targets: Tensor, step: int, rate: float) -> tuple[float, float]:
        """Take the step of this number at a learning rate; return the loss and the share that was right before it."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        while True:
            # Dropout depends on the step alone: not on what was drawn before, here or elsewhere in the program.
            self._seed(_mixed(self.plan.seed, step))
            self.optimiser.zero_grad()
            try:
                loss, right = self._gradients(inputs, targets)
                break
            except (RuntimeError, MemoryError) as error:
                self._take_fewer(error)
            self._free()
        self._scaler.step(self.optimiser)
        self._scaler.update()
        if isinstance(self.kept, AveragedModel):
            self.kept.update_parameters(self.model)
        return loss, right

    def _seed(self, seed: int) -> None:
        # torch.manual_seed takes a millisecond and keeps a traceback of each call for a GPU that is not there.
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def _gradients(self, inputs: Tensor, targets: Tensor) -> tuple[float, float]:
        """Add up the gradients of the mean loss over the batch, `_at_once` images at a time."""
        loss, right = 0.0, 0.0
        for part, wanted in parts_of(inputs, targets, self._at_once):
            share = len(part) / len(inputs)
            outputs = self._forward(part, self.model)
            found = self.objective.loss(outputs, wanted.to(self.device)) * share
            self._scaler.scale(found).backward()  # type: ignore[no-untyped-call]
            loss += found.item()
            right += self.objective.accuracy(outputs.detach().cpu(), wanted) * share
        return loss, right

    def _forward(self, inputs: Tensor, model: nn.Module) -> Tensor:
        context: AbstractContextManager[object] = (
            nullcontext() if self._half is None else torch.autocast(self.device.type, self._half)
        )
        with context:
            outputs: Tensor = model(inputs.to(self.device).contiguous(memory_format=torch.channels_last))
        return outputs.float()

    def _take_fewer(self, error: Exception) -> None:
        """Halve how many images are computed at once where memory ran out; else raise `error`."""
        if not is_out_of_memory(error):
            raise error
        if self._at_once <= 2:
            raise TrainingError(
                _(
                    "Two images at a time do not fit into memory: close other programs, or choose a smaller network."
                )
            ) from error
        self._at_once = max(2, self._at_once // 2)
        self.watcher.note(
            _(
                "Memory ran out: from now on {count} images at a time, their gradients added up to batches of {batch}."
            ).format(count=self._at_once, batch=self.plan.batch)
        )

    def _free(self) -> None:
        # Not while an error is handled: its traceback still holds what did not fit.
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _estimate(self, seconds: float) -> None:
        """Say how long all epochs take if one takes `seconds`."""
        if seconds * self.plan.epochs > _A_WHILE:
            self.watcher.note(
                _("At this speed an epoch takes about {epoch}, all {count} about {all}.").format(
                    epoch=duration(seconds), count=self.plan.epochs, all=duration(seconds * self.plan.epochs)
                )
            )

    def _rate(self, step: int, steps: int) -> float:
        highest = self.plan.optimiser.rate
        if self.plan.schedule == "constant":
            return highest
        warm = max(1, round(self.plan.warm_up * steps))
        if step < warm:
            return highest * (step + 1) / warm
        return highest * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))) / 2

    def _end_epoch(self, loss: float, right: float, measured: Measured | None, seconds: float) -> None:
        size, number = self.objective.size, self.next_epoch + 1
        taken = [*(record.seconds for record in self.records), seconds]
        self.records.append(
            EpochRecord(
                number,
                self.plan.epochs,
                loss / size,
                right / size,
                None if measured is None else measured.loss,
                None if measured is None else measured.accuracy,
                seconds,
                float(np.median(taken)) * (self.plan.epochs - number),
                None if measured is None else measured.dice,
            )
        )
        losses = self._validation_losses()
        if self.plan.patience is not None and losses and losses[-1] == min(losses):
            self.best = {name: value.cpu().clone() for name, value in self._kept_state().items()}
        self._save()
        self.watcher.epoch(self.records[-1])

    def _kept_state(self) -> dict[str, Tensor]:
        module = self.kept.module if isinstance(self.kept, AveragedModel) else self.kept
        return module.state_dict()

    def _validation_losses(self) -> list[float]:
        found = [record.validation_loss for record in self.records]
        return [loss for loss in found if loss is not None]

    def _no_number(self, epoch: int) -> TrainingError:
        return TrainingError(
            _(
                "In epoch {epoch} the loss was not a finite number; the checkpoint before it is kept. Train again with"
                " a learning rate below {rate:g}."
            ).format(epoch=epoch + 1, rate=self.plan.optimiser.rate)
        )

    def _save(self) -> None:
        state: State = {
            "plan": repr(self.plan),
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self._scaler.state_dict(),
            "at_once": self._at_once,
            "records": [asdict(record) for record in self.records],
            "best": self.best,
            "average": self.kept.state_dict() if isinstance(self.kept, AveragedModel) else None,
        }
        write_state(self.checkpoint, state)

    def _resume(self) -> None:
        state = read_state(self.checkpoint, repr(self.plan))
        if state is None:
            return
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        # A run that began where nothing is scaled, as on a CPU, has none.
        if state["scaler"]:
            self._scaler.load_state_dict(state["scaler"])
        if isinstance(self.kept, AveragedModel):
            self.kept.load_state_dict(state["average"])
        self._at_once, self.best = state["at_once"], state["best"]
        self.records = [EpochRecord(**record) for record in state["records"]]
        for record in self.records:
            self.watcher.epoch(record)


def _averaged(model: nn.Module, decay: float) -> AveragedModel:
    def mean(kept: Tensor, new: Tensor, count: Tensor | int) -> Tensor:
        # The first weights, random numbers, would else count for long.
        share = min(decay, (1 + int(count)) / (10 + int(count)))
        return torch.lerp(new, kept, share) if kept.is_floating_point() else new

    return AveragedModel(model, avg_fn=mean, use_buffers=True)


def _mixed(seed: int, step: int) -> int:
    """Return 32 bits that depend on both: odd multipliers spread neighbours far apart (Knuth, 6.4)."""
    return (seed * 0x9E3779B1 + step * 0x85EBCA6B + 1) % 2**32
