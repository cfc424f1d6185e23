"""A training run as a window shows it: what is chosen, how far it is, what came of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from allxai_desktop.errors import AllxaiError
from allxai_desktop.files import is_empty
from allxai_desktop.i18n import N_, _
from allxai_desktop.tasks import Dispatch, Progress, TaskRunner, at_once
from allxai_desktop.training.datasets.data_model import DataModel, missing_data
from allxai_desktop.training.measuring.read_report import Report, read_report
from allxai_desktop.training.measuring.report import JSON_FILE
from allxai_desktop.training.presets import FIRST, Preset
from allxai_desktop.training.run_folder import read_curves
from allxai_desktop.training.run_types import EpochRecord, Request, TrainChoices

if TYPE_CHECKING:
    from allxai_desktop.training.trainer import Trainer

Shown = tuple[Report, Path, Path | None, list[EpochRecord] | None]
"""A report, the folder of its run, that of its images (None for the one that is chosen at the moment), and how the
epochs of a former run went."""
# A first estimate from less of an epoch would jump about.
_ENOUGH = 0.05


class TrainModel:
    """One run at a time, on a thread of its own; `dispatch` as in `TaskRunner`.

    `starts` are the networks, name and title, that the chosen preset can start from; `unfinished` is the folder of a
    run of the chosen data and preset that was broken off. `records`, `notes` and `stage` (what is being done, and its
    share 0…1) are of the run that goes on or ended last, `error` is why it ended, or ""; a run that is opened has
    records too. `report` and `folder` are of the run that is shown, and `network` is its name once it is offered.
    `failed` tells what went wrong beside a run: a report that cannot be read, a network that cannot be kept.
    """

    choices_changed = Signal(TrainChoices)
    run_changed = Signal()
    stepped = Signal(float)
    epoch_ended = Signal(EpochRecord)
    report_changed = Signal()
    offered = Signal(str)
    explain_asked = Signal(Path, str)
    failed = Signal(str)

    def __init__(
        self,
        presets: Mapping[str, Preset],
        trainer: Trainer,
        runs: Path,
        dispatch: Dispatch = at_once,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.presets = presets
        self.runs = runs
        self.data = DataModel(dispatch)
        self.choices = TrainChoices(next(iter(presets)))
        self.running = False
        self.unfinished: Path | None = None
        self.records: list[EpochRecord] = []
        self.notes: list[str] = []
        self.stage: tuple[str, float] | None = None
        self.share = 0.0
        self.error = ""
        self.report: Report | None = None
        self.folder: Path | None = None
        self._root: Path | None = None
        self.network: str | None = None
        self.starts = trainer.starts(self.preset.architecture)
        self._trainer, self._dispatch, self._clock = trainer, dispatch, clock
        self._request: Request | None = None
        self._request_root = Path()
        self._to_explain: Path | None = None
        self._number = 0
        self._epoch_began = 0.0
        self._runner = TaskRunner(
            dispatch, N_("The training failed: see the log. Resume goes on after the last finished epoch.")
        )
        self._offerer = TaskRunner(dispatch, N_("The network could not be kept: see the log, and try again."))
        self._reader = TaskRunner(
            dispatch, N_("The report could not be read: see the log, or choose another.")
        )
        self._runner.finished.connect(self._on_finished)
        self._runner.failed.connect(self._end)
        self._offerer.finished.connect(self._on_offered)
        self._reader.finished.connect(self._show)
        for runner in (self._offerer, self._reader):
            runner.failed.connect(self._on_failed)
        self.data.changed.connect(self._on_data)

    @property
    def root(self) -> Path | None:
        """The folder of the images of the report; None where nobody has said where those of an earlier run are."""
        if self._root is not None or self.data.path is None:
            return self._root
        return self.data.root

    @property
    def preset(self) -> Preset:
        """The preset that is chosen."""
        return self.presets[self.choices.preset]

    @property
    def epochs(self) -> int:
        """How many epochs the run has."""
        if self.records:
            return self.records[-1].of
        return self.choices.epochs or self.preset.plan.epochs

    @property
    def seconds_left(self) -> float | None:
        """How long the epochs will still take; None where that is not known yet."""
        spent = self._clock() - self._epoch_began
        if self.records:
            last = self.records[-1]
            return max(last.seconds_left - min(spent, last.seconds), 0.0)
        if self.share < _ENOUGH:
            return None
        return spent / self.share * (self.epochs - self.share)

    @property
    def missing(self) -> str:
        """What there is to do before a run can start, in one sentence; "" where nothing."""
        reading = _("The images are still being read.") if self.data.looking else ""
        return (
            missing_data(self.data)
            or reading
            or self.unsuitable(self.choices.preset)
            or self._missing_choice()
        )

    def unsuitable(self, name: str) -> str:
        """Return why a preset cannot learn from the data, in one sentence; "" where it can or there are none yet."""
        preset, data = self.presets[name], self.data
        if not data.usable:
            return ""
        if preset.task == "segmentation":
            missing = _(
                "This preset learns masks, and these images have none: choose one that tells classes apart."
            )
            return "" if data.has_masks else missing
        if not data.has_classes:
            return _("This preset learns classes, and these images have none: choose a U-Net.")
        count = len(data.classes)
        if preset.classes is not None and count != preset.classes:
            return _(
                "This preset tells {wanted} classes apart, and these images have {count}: choose other classes."
            ).format(wanted=preset.classes, count=count)
        return "" if count > 1 else _("There is only one class: there is nothing to tell apart.")

    def choose(self, **changes: Any) -> None:
        """Change some of the choices."""
        self.choices = replace(self.choices, **changes)
        if "preset" in changes:
            self.starts = self._trainer.starts(self.preset.architecture)
            self._follow_task()
        self._find_unfinished()
        self.choices_changed.emit(self.choices)

    def start(self) -> None:
        """Begin the run that is chosen, in a folder of its own."""
        if not self.running and not self.missing:
            self._run(self._make_request(), self.data.root)

    def resume(self) -> None:
        """Go on with the run that was broken off."""
        folder = self.unfinished
        if self.running or folder is None:
            return
        if self._request is not None and self._request.out == folder:
            # What was chosen since then is for another run.
            self._run(replace(self._request, resume=True), self._request_root)
            return
        if self.data.path is None:
            self._end(missing_data(self.data))
            return
        try:
            self._run(self._trainer.former(folder, self.data.path), self.data.root)
        except AllxaiError as error:
            self._end(str(error))

    def cancel(self) -> None:
        """End the run; what its last epoch left stays, and it can go on from there."""
        if not self.running:
            return
        self._number += 1
        self._runner.cancel()
        self._end(_("The run was stopped. Resume goes on after its last finished epoch."))

    def open_report(self, path: Path) -> None:
        """Show the report of a run that was made before."""
        self._reader.start(lambda _progress: (read_report(path), path.parent, None, read_curves(path.parent)))

    def offer(self) -> None:
        """Offer the network that is shown in the program."""
        folder = self.folder
        if folder is not None and not self._offerer.running:
            self._offerer.start(lambda _progress: self._trainer.offer(folder))

    def explain(self, file: str) -> None:
        """Ask for an image of `root` to be explained with the network that is shown; it is offered first."""
        if self.root is None:
            return
        self._to_explain = self.root / file
        if self.network is None:
            self.offer()
        else:
            self._ask_explain(self.network)

    def close(self) -> None:
        """Stop, and wait until the run has noticed: nothing is delivered after this."""
        self._number += 1
        self.data.close()
        self._offerer.close()
        self._reader.close()
        self._runner.close()

    def _run(self, request: Request, root: Path) -> None:
        self._request, self._request_root, self._number = request, root, self._number + 1
        self.records, self.notes, self.stage, self.share, self.error = [], [], None, 0.0, ""
        self.running = True
        self._epoch_began = self._clock()
        number = self._number

        def work(progress: Progress) -> Shown:
            folder = self._trainer.train(request, _Relay(self, number, progress)).folder
            return read_report(folder / JSON_FILE), folder, root, None

        self._runner.start(work)
        self.run_changed.emit()

    def _missing_choice(self) -> str:
        if self.preset.start == FIRST and self.choices.weights is None:
            return _(
                "Choose the network to start from: this preset goes on from one that was trained before."
            )
        names = [found.name for found in self.data.classes]
        if self.preset.task == "classification" and len(names) == 2 and self.choices.positive not in names:
            return _("Choose the positive class: the one that must not be missed.")
        return ""

    def _make_request(self) -> Request:
        choices, data = self.choices, self.data
        assert data.path is not None
        return Request(
            preset=choices.preset,
            data=data.path,
            out=self._new_folder(),
            groups=data.pattern or None,
            class_map=data.class_map or None,
            positive=choices.positive,
            weights=choices.weights,
            epochs=choices.epochs,
            batch=choices.batch,
            rate=choices.rate,
            unseen=choices.unseen,
            test_subjects=choices.test_subjects if data.subjects else (),
            patience=choices.patience if self.preset.val else None,
            seed=choices.seed,
            as_published=choices.as_published,
        )

    def _run_name(self) -> str:
        return "" if self.data.path is None else f"{self.data.path.stem}-{self.choices.preset}"

    def _new_folder(self) -> Path:
        """Return the chosen folder, or one named after data and preset; a number is added where it is taken."""
        wanted = self.choices.out or self.runs / self._run_name()
        free, number = wanted, 2
        # What cannot be looked into is no folder for a run either, which will say so.
        with suppress(OSError):
            while free.exists() and not (free.is_dir() and is_empty(free)):
                free, number = wanted.with_name(f"{wanted.name}-{number}"), number + 1
        return free

    def _find_unfinished(self) -> None:
        folders = [self.choices.out] if self.choices.out is not None else self._former_runs()
        self.unfinished = next((folder for folder in folders if self._trainer.resumable(folder)), None)

    def _former_runs(self) -> list[Path]:
        """Return the folders where a run of the data and the preset may lie, the last one first."""
        own = [] if self._request is None else [self._request.out]
        name = self._run_name()
        if not name or not self.runs.is_dir():
            return own
        pattern = re.compile(re.escape(name) + r"(-\d+)?")
        named = [folder for folder in self.runs.iterdir() if pattern.fullmatch(folder.name)]
        return own + sorted(named, key=lambda folder: (len(folder.name), folder.name), reverse=True)

    def _on_data(self) -> None:
        self._follow_task()
        names = [found.name for found in self.data.classes]
        if len(names) != 2:
            positive = None
        elif self.choices.positive in names:
            positive = self.choices.positive
        else:
            positive = self.data.suggested_positive
        self.choose(positive=positive)

    def _follow_task(self) -> None:
        # Data that can be read one way only keep to it, and the preset says what it lacks.
        if self.data.has_masks and self.data.has_classes:
            self.data.set_task(segmentation=self.preset.task == "segmentation")

    def _on_finished(self, shown: Shown) -> None:
        self._end("")
        self._show(shown)

    def _end(self, error: str) -> None:
        self.running, self.stage, self.error = False, None, error
        self._find_unfinished()
        self.run_changed.emit()

    def _show(self, shown: Shown) -> None:
        self.report, self.folder, self._root, records = shown
        self.network = None
        # What is still being offered or explained is of the report before.
        self._offerer.cancel()
        self._to_explain = None
        if records is not None and not self.running:
            self.records, self.notes, self.error = records, [], ""
            self.run_changed.emit()
        self.report_changed.emit()

    def _on_failed(self, message: str) -> None:
        self._to_explain = None
        self.failed.emit(message)

    def _on_offered(self, name: str) -> None:
        self.network = name
        self.offered.emit(name)
        self._ask_explain(name)

    def _ask_explain(self, network: str) -> None:
        if self._to_explain is not None:
            path, self._to_explain = self._to_explain, None
            self.explain_asked.emit(path, network)

    def _on_note(self, sentence: str) -> None:
        self.notes.append(sentence)
        self.run_changed.emit()

    def _on_stage(self, title: str, share: float) -> None:
        self.stage = title, share
        self.run_changed.emit()

    def _on_step(self, share: float) -> None:
        if self.stage is not None:
            self.stage = None
            self._epoch_began = self._clock()
            self.run_changed.emit()
        self.share = share
        self.stepped.emit(share)

    def _on_epoch(self, record: EpochRecord) -> None:
        self.records.append(record)
        self.share, self._epoch_began = 0.0, self._clock()
        self.epoch_ended.emit(record)


class _Relay:
    """Hands what a run tells on to the thread of the model; stops the run where it is not wanted any more."""

    def __init__(self, model: TrainModel, number: int, progress: Progress) -> None:
        self._model, self._number, self._progress = model, number, progress

    def note(self, sentence: str) -> None:
        self._deliver(lambda: self._model._on_note(sentence))

    def stage(self, title: str, share: float) -> None:
        self._deliver(lambda: self._model._on_stage(title, share))

    def step(self, share: float) -> None:
        self._deliver(lambda: self._model._on_step(share))

    def epoch(self, record: EpochRecord) -> None:
        self._deliver(lambda: self._model._on_epoch(record))

    def _deliver(self, call: Callable[[], None]) -> None:
        # Raises `Cancelled`.
        self._progress(0.0)
        model, number = self._model, self._number
        model._dispatch(lambda: call() if number == model._number else None)
