"""The wheel of the mouse."""

from qtpy.QtCore import QPoint, QPointF
from qtpy.QtTest import QTest


def wheel(control, notches):
    """Turn the wheel over a control, as the system tells of it: an event sent to it would end there."""
    window = control.window()
    place = control.mapTo(window, control.rect().center())
    QTest.wheelEvent(window.windowHandle(), QPointF(place), QPoint(0, 120 * notches))
