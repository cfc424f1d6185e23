"""The window in which a network is trained. Closed, it lets the run go on; opened again, it shows how far it is."""

from __future__ import annotations

from qtpy.QtWidgets import QLabel, QStatusBar, QWidget

from allxai_desktop.i18n import _
from allxai_desktop.tasks import Dispatch
from allxai_desktop.training.presets import PRESETS
from allxai_desktop.training.train_model import TrainModel
from allxai_desktop.training.trainer import RunTrainer, runs_folder
from napari_allxai_train.panel import TrainPanel
from napari_allxai_widgets.side_window import SideWindow


def new_model(dispatch: Dispatch) -> TrainModel:
    """Return the model of the program's own presets and runs."""
    return TrainModel(PRESETS, RunTrainer(), runs_folder(), dispatch)


class TrainWindow(SideWindow):
    """Holds a `TrainPanel`."""

    def __init__(
        self,
        model: TrainModel,
        dispatch: Dispatch,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.panel = TrainPanel(model, dispatch)
        self.setCentralWidget(self.panel)
        self.research = QLabel(objectName="research")
        bar = QStatusBar(sizeGripEnabled=False)
        bar.addPermanentWidget(self.research)
        self.setStatusBar(bar)
        self.bind({"Ctrl+O": self.panel.data_box.ask_folder})
        self.resize(1240, 740)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.setWindowTitle(_("Train a network – AllXAI Desktop"))
        self.research.setText(_("Research use only, not a medical device"))
        self.panel.retranslate()

    def release(self) -> None:
        """Stop following; called before the window goes away."""
        self.panel.release()
