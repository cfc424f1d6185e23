"""Which learning rate and weight decay suit a network and its data: a range test, and a small search."""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor, nn

from allxai_desktop.i18n import _
from allxai_desktop.training.classify_run import Run, gather
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.fit import Fitting, Objective, Plan, fit
from allxai_desktop.training.preparing.batches import ahead, batches_of
from allxai_desktop.training.preparing.copies import epoch_order
from allxai_desktop.training.presets import Preset, find_preset
from allxai_desktop.training.run_types import EpochRecord, Request, Unwatched, Watcher

LOWEST, HIGHEST = 1e-6, 1.0
STEPS = 100
# Weight of the newest loss in the running mean, and how far that may rise before the test ends (Smith 2017, fastai).
_NEWEST = 0.1
_RISEN = 4.0
# A loss that falls by a smaller share than this only trembles: no rate can be read from it.
_FALLEN = 0.02
DECAYS = (0.0, 1e-3, 1e-2)


@dataclass(frozen=True)
class RangeTest:
    """The running mean of the loss at rising learning rates."""

    rates: list[float]
    losses: list[float]

    @property
    def suggested(self) -> float | None:
        """A rate to train with, a tenth of that where the loss is lowest; None where it hardly fell."""
        lowest = min(range(len(self.losses)), key=self.losses.__getitem__)
        fell = self.losses[lowest] < (1 - _FALLEN) * self.losses[0]
        return self.rates[lowest] / 10 if fell else None


@dataclass(frozen=True)
class Trial:
    """How a short run with this learning rate and weight decay ended on the validation part; None for no number."""

    rate: float
    decay: float
    loss: float | None
    accuracy: float | None


def range_test(
    model: nn.Module, objective: Objective, plan: Plan, watcher: Watcher, steps: int = STEPS
) -> RangeTest:
    """Take `steps` steps with a copy of `model` at rates from `LOWEST` to `HIGHEST`; ends where the loss explodes.

    Raises `TrainingError` where the first loss is no number.
    """
    # Nothing is written: a range test is too short to be resumed.
    fitting = Fitting(copy.deepcopy(model), objective, plan, Path("nowhere"), watcher)
    fitting.model.train()
    rates: list[float] = []
    losses: list[float] = []
    mean = 0.0
    for step, (inputs, targets) in enumerate(_endless(objective, plan, steps)):
        watcher.step(step / steps)
        rate = LOWEST * (HIGHEST / LOWEST) ** (step / (steps - 1))
        loss, _right = fitting.take_step(inputs, targets, step, rate)
        mean = (1 - _NEWEST) * mean + _NEWEST * loss
        # Without the correction the mean would begin at a tenth of the first loss.
        corrected = mean / (1 - (1 - _NEWEST) ** (step + 1))
        if not math.isfinite(corrected) or (losses and corrected > _RISEN * min(losses)):
            break
        rates.append(rate)
        losses.append(corrected)
    if not losses:
        raise TrainingError(
            _("The loss is not a finite number from the first step on: check the images and the weights.")
        )
    return RangeTest(rates, losses)


def _endless(objective: Objective, plan: Plan, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    epoch = 0
    taken = 0
    while taken < steps:
        # The first epoch's views again and again: schedules of input sizes are as long as the run.
        order = epoch_order(objective.size, plan.seed, epoch).tolist()
        for _places, made in ahead(
            partial(objective.batch, epoch=0), batches_of(order, plan.batch)[: steps - taken]
        ):
            yield made
            taken += 1
        epoch += 1


def find_rate(request: Request, watcher: Watcher | None = None) -> RangeTest:
    """Make the range test of `request`'s preset on its images; nothing is kept. Raises `AllxaiError`."""
    preset, watcher = find_preset(request.preset), watcher or Unwatched()
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        run = _run(request, preset, watcher, Path(folder))
        found = range_test(run.start()[0], run.objective, run.plan, watcher)
        # Windows deletes no file that is still looked at as an array.
        del run
    return found


def search(
    request: Request,
    watcher: Watcher | None = None,
    rates: Sequence[float] | None = None,
    decays: Sequence[float] = DECAYS,
) -> list[Trial]:
    """Train with every pair for `request.epochs` (2 by default) and return the trials, the lowest loss first.

    By default the rates are a third of the preset's, its own, and three times it. Raises `AllxaiError`.
    """
    preset, watcher = find_preset(request.preset), watcher or Unwatched()
    rate = request.rate or preset.plan.optimiser.rate
    if not preset.val:
        preset = replace(preset, val=0.1)
    request = replace(request, epochs=request.epochs or 2, rate=None, decay=None)
    trials = []
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        run = _run(request, preset, watcher, Path(folder))
        pairs = [(one, decay) for one in rates or (rate / 3, rate, 3 * rate) for decay in decays]
        for number, (one, decay) in enumerate(pairs):
            watcher.stage(_("Trying learning rates and weight decays"), number / len(pairs))
            optimiser = replace(run.plan.optimiser, rate=one, weight_decay=decay)
            trials.append(
                _try(run, replace(run.plan, optimiser=optimiser), Path(folder) / f"{number}.pt", watcher)
            )
        del run
    return sorted(trials, key=lambda trial: math.inf if trial.loss is None else trial.loss)


def _run(request: Request, preset: Preset, watcher: Watcher, folder: Path) -> Run:
    if preset.task != "classification":
        raise TrainingError(_("Learning rates are searched for networks that classify only."))
    request = replace(request, out=folder / "run", resume=False)
    return Run(request, preset, watcher, gather(request, preset, watcher))


class _Steps(Unwatched):
    """Passes on how far an epoch is, and with that the wish to stop."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def step(self, share: float) -> None:
        """Pass it on."""
        self._watcher.step(share)


def _try(run: Run, plan: Plan, checkpoint: Path, watcher: Watcher) -> Trial:
    optimiser = plan.optimiser
    try:
        records: list[EpochRecord] = fit(run.start()[0], run.objective, plan, checkpoint, _Steps(watcher))
    except TrainingError:
        # Too high a rate is an answer too.
        return Trial(optimiser.rate, optimiser.weight_decay, None, None)
    checkpoint.unlink(missing_ok=True)
    last = records[-1]
    return Trial(optimiser.rate, optimiser.weight_decay, last.validation_loss, last.validation_accuracy)
