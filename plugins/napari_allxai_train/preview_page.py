"""What the chosen preset makes of an image, before anything is trained."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from allxai_desktop.i18n import _
from allxai_desktop.training.preparing.preview import PreviewModel
from napari_allxai_train.pictures import StripView


class PreviewPage(QWidget):
    """Shows a `PreviewModel`, which draws only while the page is seen; holds no state of its own."""

    def __init__(self, model: PreviewModel) -> None:
        super().__init__()
        self.model = model
        self.file = QLabel()
        self.previous, self.next = QPushButton(), QPushButton()
        self.empty = QLabel(objectName="emptyText", wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.area = QScrollArea(
            widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self.area.setFrameShape(QScrollArea.Shape.NoFrame)
        head = QHBoxLayout()
        head.addWidget(self.file, 1)
        head.addWidget(self.previous)
        head.addWidget(self.next)
        layout = QVBoxLayout(self)
        layout.addLayout(head)
        layout.addWidget(self.empty, 1)
        layout.addWidget(self.area, 1)
        self.previous.clicked.connect(lambda: model.step(-1))
        self.next.clicked.connect(lambda: model.step(1))
        model.changed.connect(self._show)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.previous.setText(_("Back"))
        self.previous.setToolTip(_("Show the image before"))
        self.next.setText(_("Another image"))
        self.next.setToolTip(_("Show another image of the data"))
        self._show()

    def disconnect_model(self) -> None:
        """Stop following; called before the page goes away."""
        self.model.changed.disconnect(self._show)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.model.active = True

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.model.active = False

    def _show(self) -> None:
        model = self.model
        shown = bool(model.strips)
        self.file.setText(model.file)
        for widget in (self.file, self.previous, self.next):
            widget.setVisible(shown or bool(model.error))
        self.empty.setVisible(not shown)
        self.empty.setText(
            model.error
            or _(
                "Choose images: here is then shown what the preset makes of them, and the views that it learns from."
            )
        )
        self.area.setVisible(shown)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        for strip in model.strips:
            title = QLabel(strip.title, objectName="panelTitle", wordWrap=True)
            column.addWidget(title)
            column.addWidget(StripView(strip))
        column.addStretch()
        self.area.setWidget(content)
