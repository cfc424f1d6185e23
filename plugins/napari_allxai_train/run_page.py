"""How a run goes: curves, how far it is, what it says."""

from __future__ import annotations

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QLabel, QListWidget, QProgressBar, QVBoxLayout, QWidget

from allxai_desktop.i18n import _
from allxai_desktop.tasks import time_estimate
from allxai_desktop.training.run_types import EpochRecord
from allxai_desktop.training.train_model import TrainModel
from napari_allxai_train.curves import CurvesPlot

MOST_NOTES = 6


class RunPage(QWidget):
    """Shows the run of a `TrainModel`; holds no state of its own."""

    def __init__(self, model: TrainModel) -> None:
        super().__init__()
        self.model = model
        self.empty = QLabel(objectName="emptyText", wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.state = QLabel(wordWrap=True)
        self.progress = QProgressBar(maximum=1000, textVisible=False)
        self.progress.setFixedHeight(8)
        self.error = QLabel(objectName="warning", wordWrap=True)
        self.curves = CurvesPlot()
        self.notes_title = QLabel(objectName="panelTitle")
        self.notes = QListWidget(wordWrap=True)
        self.notes.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        # The time left goes on while an epoch lasts.
        self._clock = QTimer(self, interval=1000)
        self._clock.timeout.connect(self._show_state)
        layout = QVBoxLayout(self)
        layout.setSpacing(6)
        for widget, stretch in (
            (self.empty, 1),
            (self.error, 0),
            (self.state, 0),
            (self.progress, 0),
            (self.curves, 1),
            (self.notes_title, 0),
            (self.notes, 0),
        ):
            layout.addWidget(widget, stretch)
        # Takes the room where neither the empty state nor the curves do.
        layout.addStretch(0)
        model.run_changed.connect(self._show)
        model.stepped.connect(self._show_step)
        model.epoch_ended.connect(self._show_epoch)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.empty.setText(
            _("Choose images and a preset, then Start: the curves of loss and accuracy grow here.")
        )
        self.progress.setAccessibleName(_("Progress of the run"))
        self.notes_title.setText(_("Worth knowing"))
        self.notes.setAccessibleName(_("Worth knowing"))
        self.curves.retranslate()
        self._show()

    def disconnect_model(self) -> None:
        """Stop following; called before the page goes away."""
        self.model.run_changed.disconnect(self._show)
        self.model.stepped.disconnect(self._show_step)
        self.model.epoch_ended.disconnect(self._show_epoch)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._clock.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._clock.stop()

    def _show(self) -> None:
        model = self.model
        begun = model.running or bool(model.records or model.notes)
        self.empty.setVisible(not begun and not model.error)
        self.error.setVisible(bool(model.error))
        self.error.setText(model.error)
        self.state.setVisible(begun)
        self.curves.setVisible(model.running or bool(model.records))
        self.progress.setVisible(model.running)
        if self.notes.count() > len(model.notes):
            self.notes.clear()
        self.notes.addItems(model.notes[self.notes.count() :])
        rows = min(max(len(model.notes), 2), MOST_NOTES)
        self.notes.setFixedHeight(rows * max(self.notes.sizeHintForRow(0), 16) + 8)
        self.notes_title.setVisible(bool(model.notes))
        self.notes.setVisible(bool(model.notes))
        self.curves.show_records(model.records, model.epochs)
        self._show_state()

    def _show_epoch(self, _record: EpochRecord) -> None:
        self.curves.show_records(self.model.records, self.model.epochs)
        self._show_state()

    def _show_step(self, _share: float) -> None:
        self.progress.setValue(self._done())

    def _show_state(self) -> None:
        self.state.setText(state_text(self.model))
        self.progress.setValue(self._done())

    def _done(self) -> int:
        model = self.model
        if model.stage is not None:
            return round(1000 * model.stage[1])
        return round(1000 * (len(model.records) + model.share) / max(model.epochs, 1))


def state_text(model: TrainModel) -> str:
    """Return in one line how far the run is, or how the last one ended."""
    if not model.running:
        if not model.records:
            return ""
        last = model.records[-1]
        ended = _("Ended after epoch {number}.") if model.error else _("Finished after epoch {number}.")
        return ended.format(number=last.number)
    if model.stage is not None:
        return model.stage[0]
    number = min(len(model.records) + 1, model.epochs)
    text = _("Epoch {number} of {of}").format(number=number, of=model.epochs)
    left = model.seconds_left
    return text if left is None else f"{text} · " + _("{time} left").format(time=time_estimate(left))
