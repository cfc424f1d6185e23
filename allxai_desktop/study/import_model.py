"""Masks from elsewhere, step by step: which file, what its labels mean, and the work in the background."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psygnal import Signal

from allxai_desktop.masks.labels import guess
from allxai_desktop.study.exchange_reports import ImportReport
from allxai_desktop.study.folder import Study
from allxai_desktop.study.mask_import import import_masks, uncertain_labels
from allxai_desktop.study.people import Person
from allxai_desktop.tasks import Dispatch, TaskRunner, at_once


class ImportModel:
    """What `person`, where known, decides before masks come into `study`.

    Once a path is chosen its labels are looked through; those that do not say which class they are wait in `meanings`
    for a code, or with a guess to be looked at. `cancelled` says what is in already when an import is stopped.
    `dispatch` runs a callable on the thread that owns the widgets, where all signals are emitted.
    """

    changed = Signal()
    progressed = Signal(float)
    imported = Signal(ImportReport)
    cancelled = Signal(ImportReport)
    failed = Signal(str)

    def __init__(
        self,
        study: Study,
        dispatch: Dispatch = at_once,
        person: Person | None = None,
    ) -> None:
        self.study = study
        self.path: Path | None = None
        self.meanings: dict[str, int | None] = {}
        self.replace_existing = False
        self.person = person
        self._looked = False
        self._report: ImportReport | None = None
        self._tasks = TaskRunner(dispatch)
        self._tasks.progressed.connect(self.progressed.emit)
        self._tasks.finished.connect(self._on_finished)
        self._tasks.failed.connect(self._on_failed)
        self._tasks.running_changed.connect(self._on_running)

    @property
    def running(self) -> bool:
        """Whether files are being read."""
        return self._tasks.running

    @property
    def ready(self) -> bool:
        """Whether the import can start: every label has a meaning."""
        return self._looked and not self.running and None not in self.meanings.values()

    def choose(self, path: Path) -> None:
        """Look through the labels of a file or folder."""
        self.path, self.meanings, self._looked = path, {}, False
        self._report = None
        self._tasks.start(lambda progress: uncertain_labels(self.study, path, progress))

    def set_meaning(self, label: str, code: int | None) -> None:
        """Say which class a label is; None for not yet decided."""
        self.meanings[label] = code
        self.changed.emit()

    def start(self) -> None:
        """Import; does nothing before it is `ready`."""
        path, replace = self.path, self.replace_existing
        if not self.ready or path is None:
            return
        mapping = {label: code for label, code in self.meanings.items() if code is not None}
        report = self._report = ImportReport()
        self._tasks.start(
            lambda progress: import_masks(
                self.study,
                path,
                mapping,
                replace_existing=replace,
                person=self.person,
                report=report,
                progress=progress,
            )
        )

    def close(self) -> None:
        """Stop, wait for the thread, and say what a stopped import has left."""
        stopped = self._report if self.running else None
        self._tasks.close()
        if stopped is not None:
            self.cancelled.emit(stopped)

    def _on_finished(self, result: Any) -> None:
        if isinstance(result, ImportReport):
            self._report = None
            self.imported.emit(result)
            return
        self.meanings, self._looked = {label: guess(label) for label in result}, True
        self.changed.emit()

    def _on_failed(self, text: str) -> None:
        self.failed.emit(text)

    def _on_running(self, _running: bool) -> None:
        self.changed.emit()
