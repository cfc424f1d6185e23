"""What the widgets that stock napari docks share."""

from __future__ import annotations

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QWidget


class DockedWidget(QWidget):
    """Lets go of what it took when the dock that held it is closed: napari takes it out, and does not delete it."""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.release()
        return super().event(event)

    def release(self) -> None:
        """Give back what the widget took, and stop following; a second call does nothing."""
        raise NotImplementedError
