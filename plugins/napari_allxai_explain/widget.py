"""The explain panel for stock napari, from its Plugins menu."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.images import CellImage
from allxai_desktop.networks.registry import list_networks
from allxai_desktop.session import Engine, Session
from napari_allxai_annotate.shared import ViewerPainting
from napari_allxai_explain.dispatch import Dispatcher
from napari_allxai_explain.overlay import RelevanceOverlay
from napari_allxai_explain.panel import ExplainPanel
from napari_allxai_explain.view import ExplainView


class ExplainWidget(QWidget):
    """The panel over the image and mask that the annotate widget of the same viewer works on."""

    def __init__(self, napari_viewer: ViewerModel, engine: Engine | None = None) -> None:
        super().__init__()
        self.painting: ViewerPainting | None = ViewerPainting.of(napari_viewer)
        self.session = Session(self.painting.model, engine, Dispatcher())
        self.view = ExplainView()
        cards = []
        try:
            cards = list_networks()
        except AllxaiError as error:
            show_error(str(error))
        canvas = self.painting.canvas
        self.overlay = RelevanceOverlay(napari_viewer, self.session, self.view, lambda: canvas.image_layer)
        self.panel = ExplainPanel(self.session, self.view, cards)
        self.hint = QLabel(
            _("Open an image to explain it, or File › Open Sample › AllXAI Desktop."), wordWrap=True
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.hint)
        layout.addWidget(self.panel)
        self.session.failed.connect(show_error)
        self.painting.image_changed.connect(self._on_image)
        if cards:
            self.session.choose(network=cards[0].name)
        self._on_image(self.painting.image)

    def event(self, event: QEvent) -> bool:
        """Stop when the dock that held the widget is closed."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.release()
        return super().event(event)

    def release(self) -> None:
        """Take the layers of the map away and stop following."""
        if self.painting is None:
            return
        painting, self.painting = self.painting, None
        painting.image_changed.disconnect(self._on_image)
        self.panel.disconnect_session()
        self.overlay.close()
        self.session.close()
        painting.release()

    def _on_image(self, image: CellImage | None) -> None:
        self.hint.setVisible(image is None)
        self.panel.setEnabled(image is not None)
        self.panel.set_pixel_size(image.pixel_size_um if image is not None else None)
        self.session.set_image(image)
