"""What the window shows before there is an image."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from allxai_desktop.i18n import _


class EmptyState(QWidget):
    """What is shown before there is an image: what to do, or that one is being opened."""

    def __init__(self) -> None:
        super().__init__(objectName="empty", autoFillBackground=True)
        self._opening = False
        middle = Qt.AlignmentFlag.AlignCenter
        self.title = QLabel(objectName="emptyTitle", alignment=middle, wordWrap=True)
        self.text = QLabel(objectName="emptyText", alignment=middle, wordWrap=True)
        self.open_image, self.open_folder, self.open_sample = QPushButton(), QPushButton(), QPushButton()
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addStretch()
        for text in (self.title, self.text):
            layout.addWidget(text)
        for button in (self.open_image, self.open_folder, self.open_sample):
            layout.addWidget(button, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch()

    def set_opening(self, opening: bool) -> None:
        """Say that an image is being opened, or else what to do."""
        self._opening = opening
        for widget in (self.text, self.open_image, self.open_folder, self.open_sample):
            widget.setHidden(opening)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.title.setText(_("Opening…") if self._opening else _("Drop an image or a folder here"))
        self.text.setText(_("or choose what to open"))
        self.open_image.setText(_("Open image…"))
        self.open_folder.setText(_("Open folder…"))
        self.open_sample.setText(_("Open the sample study"))
