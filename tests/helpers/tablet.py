"""The pen of a graphics tablet."""

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QInputDevice, QPointingDevice, QTabletEvent
from qtpy.QtWidgets import QApplication

PEN, ERASER = QPointingDevice.PointerType.Pen, QPointingDevice.PointerType.Eraser


def tablet(canvas, kind, end, place):
    """Send what Qt tells of one end of a pen at a place of `canvas`."""
    device = QPointingDevice(
        "pen", 1, QInputDevice.DeviceType.Stylus, end, QInputDevice.Capability.Pressure, 1, 1
    )
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    held = left if kind == QEvent.Type.TabletPress else none
    event = QTabletEvent(
        kind, device, place, place, 0.3, 0, 0, 0, 0, 0, Qt.KeyboardModifier.NoModifier, left, held
    )
    QApplication.sendEvent(canvas, event)
