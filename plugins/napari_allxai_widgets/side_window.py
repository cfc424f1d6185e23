"""What every further window of the program shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence, QShortcut
from qtpy.QtWidgets import QAbstractSpinBox, QLineEdit, QMainWindow, QWidget

FRAME = QSize(16, 40)
"""What the title and the borders of a window take of the screen at most, in px."""


def fit_to_screen(window: QWidget) -> None:
    """Make a window that is closed, and larger than what its screen has free, as large as that."""
    free = window.screen().availableGeometry()
    size = window.size().boundedTo(free.size() - FRAME)
    if window.isHidden() and not window.isMaximized() and size != window.size():
        window.resize(size)
        window.move(free.topLeft())


class SideWindow(QMainWindow):
    """A window of its own in the looks of its parent, with which it goes away."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_WindowPropagation)
        self._keys: set[QKeySequence] = set()

    def open(self) -> None:
        """Come to the front; a window that was closed is no larger than the screen."""
        fit_to_screen(self)
        self.show()
        self.raise_()
        self.activateWindow()

    def bind(self, calls: Mapping[str, Callable[[], object]]) -> None:
        """Call what belongs to a key, also in a text field that is there already."""
        for key, call in calls.items():
            self._keys.add(QKeySequence(key))
            QShortcut(QKeySequence(key), self).activated.connect(call)
        for kind in (QLineEdit, QAbstractSpinBox):
            for field in self.findChildren(kind):
                field.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # On Linux a text field takes Ctrl+E: to the end of the line.
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            return QKeySequence(event.keyCombination()) in self._keys
        return super().eventFilter(watched, event)
