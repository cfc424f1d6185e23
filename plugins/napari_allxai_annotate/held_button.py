"""A mouse button whose release the canvas never hears of."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QWidget

PRESSES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
LOSSES = (QEvent.Type.WindowDeactivate, QEvent.Type.Hide)


class HeldButton(QObject):
    """Lets the button on `canvas` go where it was seen last, once another window takes the mouse or the keyboard.

    A dialog that comes up in mid-stroke, or Alt+Tab, takes the release: without it the brush would go on to paint under
    a mouse that nobody presses.
    """

    def __init__(self, canvas: QWidget) -> None:
        super().__init__()
        self._canvas = canvas
        self._held = Qt.MouseButton.NoButton
        self._place = QPointF()
        canvas.installEventFilter(self)

    def close(self) -> None:
        """Stop watching; the canvas may be gone already."""
        self.deleteLater()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Keep what is held, and where; every event goes on to the canvas."""
        kind = event.type()
        if isinstance(event, QMouseEvent):
            if kind == QEvent.Type.MouseMove and event.buttons() == Qt.MouseButton.NoButton:
                self._let_go()
            elif kind in PRESSES:
                self._held = event.button()
            elif kind == QEvent.Type.MouseButtonRelease and event.button() == self._held:
                self._held = Qt.MouseButton.NoButton
            self._place = event.position()
        elif kind in LOSSES:
            self._let_go()
        return False

    def _let_go(self) -> None:
        if self._held == Qt.MouseButton.NoButton:
            return
        button, self._held = self._held, Qt.MouseButton.NoButton
        release = QMouseEvent(
            QEvent.Type.MouseButtonRelease,
            self._place,
            self._canvas.mapToGlobal(self._place),
            button,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(self._canvas, release)
