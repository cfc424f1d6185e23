"""The explain panel for stock napari, from its Plugins menu."""

from __future__ import annotations

from pathlib import Path

from napari.components import ViewerModel
from napari.utils.notifications import show_error
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QLabel, QVBoxLayout

from allxai_desktop.analyses.what_if import WhatIf
from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.images import CellImage
from allxai_desktop.networks.registry import list_networks
from allxai_desktop.session import Session
from allxai_desktop.session_engine import Engine
from napari_allxai_annotate.shared import ViewerPainting
from napari_allxai_annotate.shortcuts import Shortcuts, region_actions
from napari_allxai_explain.analyses import AnalysisTabs
from napari_allxai_explain.comparing import Comparing
from napari_allxai_explain.offered import OfferedNetworks
from napari_allxai_explain.overlay import RelevanceOverlay
from napari_allxai_explain.panel import ExplainPanel
from napari_allxai_explain.view import ExplainView
from napari_allxai_explain.what_if import WhatIfBanner
from napari_allxai_explain.what_if_view import WhatIfView
from napari_allxai_widgets.dispatch import Dispatcher
from napari_allxai_widgets.docked import DockedWidget


class ExplainWidget(DockedWidget):
    """The panel over the image and mask that the annotate widget of the same viewer works on."""

    def __init__(self, napari_viewer: ViewerModel, engine: Engine | None = None) -> None:
        super().__init__()
        self.painting: ViewerPainting | None = ViewerPainting.of(napari_viewer)
        dispatch = Dispatcher()
        self.session = Session(self.painting.model, engine, dispatch)
        self.what_if = WhatIf(self.session, dispatch)
        self.view = ExplainView()
        cards = []
        try:
            cards = list_networks()
        except AllxaiError as error:
            show_error(str(error))
        canvas = self.painting.canvas
        self.overlay = RelevanceOverlay(napari_viewer, self.session, self.view, lambda: canvas.image_layer)
        self.overlay.map_shown.connect(lambda shown: setattr(canvas, "map_shown", shown))
        self.panel = ExplainPanel(self.session, self.view, cards)
        self.what_if_view = WhatIfView(canvas, self.what_if)
        self.what_if_banner = WhatIfBanner(self.what_if)
        self.analyses = AnalysisTabs(self.panel, self.what_if, dispatch)
        self.comparing = Comparing(
            self.panel,
            self,
            dispatch,
            lambda: [Path(layer.source.path) for layer in napari_viewer.layers if layer.source.path],
        )
        self.networks = OfferedNetworks(self.panel, self.comparing, dispatch, show_error)
        self._toggle_key: Shortcuts | None = None
        self._brush_keys: Shortcuts | None = None
        self.hint = QLabel(
            _("Open an image to explain it, or File › Open Sample › AllXAI Desktop."), wordWrap=True
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.what_if_banner)
        layout.addWidget(self.hint)
        layout.addWidget(self.panel)
        self.session.failed.connect(self._on_failure)
        self.painting.image_changed.connect(self._on_image)
        self.painting.annotating_changed.connect(self._bind_brush_keys)
        self.what_if.active_changed.connect(self._bind_brush_keys)
        # A napari that is closed as a whole deletes the widget where it is docked.
        self._deleted = self.destroyed.connect(lambda: self._disconnect())
        if cards:
            self.session.choose(network=cards[0].name)
        self._on_image(self.painting.image)

    def showEvent(self, event: QShowEvent) -> None:
        """Take the key of what-if, once there is a window to take it in."""
        super().showEvent(event)
        if self.painting is not None and self._toggle_key is None:
            self._toggle_key = Shortcuts(self.window(), {"what-if": self.what_if.toggle})

    def release(self) -> None:
        """Take the layers of the map away and stop following."""
        if self.painting is None:
            return
        for keys in (self._toggle_key, self._brush_keys):
            if keys is not None:
                keys.release()
        self.comparing.close()
        self._disconnect()
        # Qt would hold the widget by it, with all its maps, though nobody shows it any more.
        self.destroyed.disconnect(self._deleted)

    def _disconnect(self) -> None:
        # The widgets first: what the models say while they stop would reach some that Qt has deleted already.
        if self.painting is None:
            return
        painting, self.painting = self.painting, None
        painting.image_changed.disconnect(self._on_image)
        painting.annotating_changed.disconnect(self._bind_brush_keys)
        self.networks.close()
        self.what_if.active_changed.disconnect(self._bind_brush_keys)
        self.what_if_banner.disconnect_model()
        self.panel.disconnect_session()
        self.analyses.close()
        self.what_if_view.close()
        self.what_if.close()
        self.overlay.close()
        self.session.close()
        painting.release()

    def _on_failure(self, message: str) -> None:
        show_error(message)
        # The network may have been removed by another program.
        self.networks.read_again()

    def _bind_brush_keys(self, *_changed: bool) -> None:
        # Where somebody annotates, the keys are bound already, and a second time none would work.
        assert self.painting is not None
        wanted = self.what_if.active and not self.painting.annotating
        if self._brush_keys is not None:
            self._brush_keys.release()
            self._brush_keys = None
        if wanted:
            self._brush_keys = Shortcuts(self.window(), region_actions(self.painting.canvas))

    def _on_image(self, image: CellImage | None) -> None:
        self.hint.setVisible(image is None)
        self.panel.setEnabled(image is not None)
        self.panel.set_pixel_size(image.pixel_size_um if image is not None else None)
        self.session.set_image(image)
