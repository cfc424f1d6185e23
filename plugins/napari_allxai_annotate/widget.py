"""The annotate panel for stock napari, from its Plugins menu."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import QSignalBlocker
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QLabel, QSizePolicy, QVBoxLayout

from allxai_desktop.i18n import _
from allxai_desktop.images import CellImage
from allxai_desktop.proposing.model import ProposalModel
from allxai_desktop.relevance import ShareCounter
from napari_allxai_annotate.ghost import Ghost
from napari_allxai_annotate.panel import AnnotatePanel
from napari_allxai_annotate.shared import ViewerPainting
from napari_allxai_widgets.dispatch import Dispatcher
from napari_allxai_widgets.docked import DockedWidget


class AnnotateWidget(DockedWidget):
    """The choice of the image layer, and the panel; while it is docked, the mouse paints.

    A class, since napari hands its viewer to classes only, by the name of this parameter.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self.painting: ViewerPainting | None = ViewerPainting.of(napari_viewer)
        # In a viewer that others use too, a proposal comes when it is asked for.
        self.proposals = ProposalModel(self.painting.model, Dispatcher(), visible=False)
        self.ghost = Ghost(self.painting.canvas, self.proposals)
        self.panel = AnnotatePanel(self.painting.model, self.painting.canvas, ghost=self.ghost)
        self.image = QComboBox()
        self.image.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.image.setAccessibleName(_("Image layer"))
        self.image.setToolTip(_("The image layer whose classes are painted"))
        self.hint = QLabel(_("Open an image to paint its classes, or File › Open Sample › AllXAI Desktop."))
        self.hint.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        choice = QVBoxLayout()
        choice.setContentsMargins(8, 4, 8, 0)
        choice.addWidget(self.image)
        choice.addWidget(self.hint)
        layout.addLayout(choice)
        layout.addWidget(self.panel)
        layout.addStretch()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.image.activated.connect(self._on_activated)
        self.painting.candidates_changed.connect(self._show_candidates)
        self.painting.image_changed.connect(self._on_image)
        self.painting.model.edited.connect(self._on_edited)
        self.proposals.failed.connect(show_warning)
        self.ghost.told.connect(show_info)
        # A napari that is closed as a whole deletes the widget where it is docked.
        self._deleted = self.destroyed.connect(lambda: self._disconnect())
        self._show_candidates()
        self._on_image(self.painting.image)

    def showEvent(self, event: QShowEvent) -> None:
        """Take mouse and keys, once there is a window to take them in."""
        super().showEvent(event)
        if self.painting is not None and self.panel.shortcuts is None:
            self.painting.annotating = True
            self.panel.bind_keys(self.window())

    def release(self) -> None:
        """Give mouse and keys back to napari."""
        layer, painting = self.ghost.layer, self.painting
        if painting is None:
            return
        self.panel.release_keys()
        self._disconnect()
        # Qt would hold the widget by it, though nobody shows it any more.
        self.destroyed.disconnect(self._deleted)
        if layer is not None:
            painting.viewer.layers.remove(layer)

    def _disconnect(self) -> None:
        if self.painting is None:
            return
        painting, self.painting = self.painting, None
        self.panel.disconnect_model()
        self.ghost.close()
        self.proposals.close()
        painting.candidates_changed.disconnect(self._show_candidates)
        painting.image_changed.disconnect(self._on_image)
        painting.model.edited.disconnect(self._on_edited)
        painting.annotating = False
        painting.release()

    def _show_candidates(self) -> None:
        assert self.painting is not None
        with QSignalBlocker(self.image):
            self.image.clear()
            for layer in self.painting.candidates():
                self.image.addItem(layer.name, layer)
                if layer is self.painting.canvas.image_layer:
                    self.image.setCurrentIndex(self.image.count() - 1)

    def _on_activated(self) -> None:
        assert self.painting is not None
        chosen = self.image.currentData()
        for layer in self.painting.candidates():
            layer.visible = layer is chosen
        if self.painting.canvas.mask_layer is not None:
            self.painting.canvas.mask_layer.visible = False
        self.painting.choose(chosen)
        self.painting.model.mask_visible = True
        self.painting.canvas.fit()

    def _on_image(self, image: CellImage | None) -> None:
        assert self.painting is not None
        self.hint.setVisible(image is None)
        self.panel.setEnabled(image is not None)
        self.proposals.set_image(image)
        self._counter = ShareCounter(self.painting.model.codes)
        self._show_shares()
        self._show_candidates()

    def _on_edited(self, _indices: object, old: object, new: object) -> None:
        self._counter.update(old, new)  # type: ignore[arg-type]
        self._show_shares()

    def _show_shares(self) -> None:
        self.panel.set_area_shares({key: share.area_share for key, share in self._counter.shares().items()})
