"""The training panel for stock napari, from its Plugins menu."""

from __future__ import annotations

from pathlib import Path

from napari.components import ViewerModel
from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QVBoxLayout

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.images import read_image
from allxai_desktop.training.train_model import TrainModel
from napari_allxai_train.panel import TrainPanel
from napari_allxai_train.window import new_model
from napari_allxai_widgets.dispatch import Dispatcher
from napari_allxai_widgets.docked import DockedWidget


class TrainWidget(DockedWidget):
    """The panel, its parts below each other; a misclassified image becomes a layer of the viewer."""

    def __init__(self, napari_viewer: ViewerModel, model: TrainModel | None = None) -> None:
        super().__init__()
        self._viewer = napari_viewer
        dispatch = Dispatcher()
        self.model: TrainModel | None = model or new_model(dispatch)
        self.panel = TrainPanel(self.model, dispatch, Qt.Orientation.Vertical)
        self.model.explain_asked.connect(self._show_image)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel)

    def release(self) -> None:
        """Stop the run and following it; it can be resumed from a new widget."""
        if self.model is None:
            return
        model, self.model = self.model, None
        model.explain_asked.disconnect(self._show_image)
        self.panel.release()
        model.close()

    def _show_image(self, path: Path, network: str) -> None:
        try:
            image = read_image(path)
        except AllxaiError as error:
            show_error(str(error))
            return
        self._viewer.add_image(image.pixels, name=image.name)
        show_info(
            _("{image} is open: choose {network} in the explain panel.").format(
                image=image.name, network=network
            )
        )
