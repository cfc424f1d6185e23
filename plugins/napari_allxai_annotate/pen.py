"""The pen of a graphics tablet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QPointingDevice, QTabletEvent
from qtpy.QtWidgets import QWidget

if TYPE_CHECKING:
    from napari_allxai_annotate.gestures import Gestures


class PenEraser(QObject):
    """Has the eraser of a pen on `canvas` erase: Qt makes of it the left button, as of the tip."""

    def __init__(self, canvas: QWidget, gestures: Gestures) -> None:
        super().__init__()
        self._gestures = gestures
        canvas.installEventFilter(self)

    def close(self) -> None:
        """Stop watching; the canvas may be gone already."""
        self.deleteLater()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Tell which end is on the tablet, before Qt sends the button; every event goes on to the canvas."""
        # Not while it is held above the tablet: who takes the mouse next would erase.
        if isinstance(event, QTabletEvent) and event.type() != QEvent.Type.TabletMove:
            eraser = event.pointerType() == QPointingDevice.PointerType.Eraser
            self._gestures.pen_erases = eraser and event.type() == QEvent.Type.TabletPress
        return False
