"""Training in the desktop window: a window of its own over a run that outlives it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMessageBox

from allxai_desktop.i18n import _
from allxai_desktop.notice import Notice

if TYPE_CHECKING:
    from allxai_desktop.app.window import MainWindow
    from allxai_desktop.training.train_model import TrainModel
    from napari_allxai_train.window import TrainWindow


class Training:
    """Opens the training window of a main window, and says there how far the run is while it is closed."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.model: TrainModel | None = None
        self.train_window: TrainWindow | None = None
        self._was_running = False

    def open(self) -> None:
        """Show the training window."""
        if self.train_window is None:
            # torch comes with it, and a start of the program must not wait for that.
            from napari_allxai_train.window import TrainWindow, new_model

            self.model = new_model(self.window.dispatch)
            self.train_window = TrainWindow(self.model, self.window.dispatch, self.window)
            self.model.explain_asked.connect(self._explain)
            for signal in (self.model.run_changed, self.model.stepped, self.model.epoch_ended):
                signal.connect(self._show_state)
        # Often it is the study that is open.
        self.train_window.panel.data_box.beside = self.window.settings.last_folder
        self.train_window.open()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        if self.train_window is not None:
            self.train_window.retranslate()
        self._show_state()

    def may_close(self) -> bool:
        """Return whether the program may end; a run that goes on is asked about."""
        if self.model is None or not self.model.running:
            return True
        box = QMessageBox(
            QMessageBox.Icon.Question,
            "AllXAI Desktop",
            _("A network is being trained."),
            parent=self.window,
        )
        box.setInformativeText(
            _("Close the program, and the run stops. Resume in the training window then goes on with it.")
        )
        stop = box.addButton(_("Stop the run and close"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        return box.clickedButton() is stop

    def close(self) -> None:
        """Stop the run and wait until it has noticed."""
        if self.train_window is not None and self.model is not None:
            self.train_window.close()
            self.train_window.release()
            self.model.close()

    def _explain(self, path: Path, network: str) -> None:
        window = self.window
        window.session.choose(network=network)
        window.open_path(path)
        window.raise_()
        window.activateWindow()

    def _show_state(self, *_event: object) -> None:
        model = self.model
        if model is None:
            return
        from napari_allxai_train.run_page import state_text

        self.window.status.training.setText(
            _("Training: {state}").format(state=state_text(model)) if model.running else ""
        )
        if self._was_running and not model.running and not self._is_seen():
            text = model.error or _("The network is trained: its figures are in the training window.")
            self.window.notices.show_notice(Notice("error" if model.error else "warning", text))
        self._was_running = model.running

    def _is_seen(self) -> bool:
        return self.train_window is not None and self.train_window.isVisible()
