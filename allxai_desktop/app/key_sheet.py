"""All keys on one sheet over the window."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QMouseEvent
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from allxai_desktop.i18n import _
from allxai_desktop.keys import Key, by_group

COLUMNS = 3
# Three of them and the margins fit a screen of 1366 px; what is longer in some language goes on in the next line.
COLUMN_WIDTH = 400


class KeySheet(QFrame):
    """Lists the registry of keys in the middle of `window`; Escape, a click or another place to type hide it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, objectName="keySheet")
        self._over = window
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAutoFillBackground(True)
        self.title = QLabel(objectName="emptyTitle")
        self.columns = [QLabel(textFormat=Qt.TextFormat.RichText) for _column in range(COLUMNS)]
        lists = QHBoxLayout()
        lists.setSpacing(28)
        for column in self.columns:
            column.setWordWrap(True)
            column.setAlignment(Qt.AlignmentFlag.AlignTop)
            column.setFixedWidth(COLUMN_WIDTH)
            lists.addWidget(column, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 14, 24, 18)
        layout.addWidget(self.title)
        layout.addLayout(lists)
        window.installEventFilter(self)
        self.hide()

    def toggle(self) -> None:
        """Show the sheet, or hide it."""
        self.setVisible(not self.isVisible())
        if self.isVisible():
            self._place()
            self.raise_()
            self.setFocus()

    def retranslate(self) -> None:
        """Write the sheet in the current language."""
        self.title.setText(_("Keys"))
        parts: list[list[str]] = [[] for _column in self.columns]
        heights = [0] * COLUMNS
        for group, keys in by_group().items():
            shortest = heights.index(min(heights))
            heights[shortest] += len(keys) + 2
            parts[shortest].append(_table(_(group), keys))
        for column, part in zip(self.columns, parts, strict=True):
            column.setText("".join(part))
        self._place()

    def _place(self) -> None:
        self.adjustSize()
        room = self._over.size() - self.size()
        self.move(max(room.width() // 2, 0), max(room.height() // 2, 0))

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Stay in the middle of a window that changes its size."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave on Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        """Leave on a click."""
        self.hide()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Leave when something else is worked with."""
        super().focusOutEvent(event)
        self.hide()


def _table(title: str, keys: list[Key]) -> str:
    rows = "".join(
        f"<tr><td style='padding-right:10px'><b>{escape(_shown(key))}</b></td><td>{escape(_(key.title))}</td></tr>"
        for key in keys
    )
    return f"<p style='margin:8px 0 2px 0'><b>{escape(title)}</b></p><table>{rows}</table>"


def _shown(key: Key) -> str:
    """Return the sequence as this system writes it."""
    return QKeySequence(key.sequence).toString(QKeySequence.SequenceFormat.NativeText)
