"""What every further window of the program shares."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMainWindow, QWidget


class SideWindow(QMainWindow):
    """A window of its own in the looks of its parent, with which it goes away."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_WindowPropagation)

    def open(self) -> None:
        """Come to the front."""
        self.show()
        self.raise_()
        self.activateWindow()
