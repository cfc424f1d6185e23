"""A list of Python values with a box to tick before each."""

from collections.abc import Collection, Sequence
from typing import Any

from qtpy.QtCore import QSignalBlocker, QSize, Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QListWidget, QListWidgetItem

MOST_ROWS = 8


class TickList(QListWidget):
    """Offers values by title. Filling it emits nothing; a person's tick emits `ticked` with all that are."""

    ticked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._values: list[Any] = []
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Titles are told apart by their ends, so they are never cut.
        self.setWordWrap(True)
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.itemChanged.connect(lambda _item: self.ticked.emit(self.values))

    @property
    def values(self) -> tuple[Any, ...]:
        """The values that are ticked, in the order of the list."""
        rows = range(self.count())
        return tuple(
            self._values[row] for row in rows if self.item(row).checkState() == Qt.CheckState.Checked
        )

    def sizeHint(self) -> QSize:
        rows = [self.visualItemRect(self.item(row)).height() for row in range(min(self.count(), MOST_ROWS))]
        return QSize(super().sizeHint().width(), sum(rows or [14]) + 6)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Another width breaks the titles at other places.
        self.updateGeometry()

    def fill(self, rows: Sequence[tuple[Any, str, str]], ticked: Collection[Any]) -> None:
        """Offer `rows` of value, title and tooltip; those in `ticked` are ticked."""
        with QSignalBlocker(self):
            if [value for value, _title, _tip in rows] != self._values:
                self._values = [value for value, _title, _tip in rows]
                self.clear()
                for _row in rows:
                    self.addItem(QListWidgetItem())
            for row, (value, title, tip) in enumerate(rows):
                item = self.item(row)
                item.setText(title)
                item.setToolTip(f"{title}\n{tip}" if tip else title)
                item.setCheckState(Qt.CheckState.Checked if value in ticked else Qt.CheckState.Unchecked)
            self.updateGeometry()
        # Blocked with the rest, the view would not hear of it.
        self.viewport().update()
