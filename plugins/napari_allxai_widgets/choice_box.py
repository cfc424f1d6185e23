"""A combo box over Python values."""

from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import QEvent, QSignalBlocker, Qt
from qtpy.QtGui import QHelpEvent, QPaintEvent, QStandardItemModel
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter, QToolTip

MARGIN = 4
"""What is kept free beside a title, in px."""
HEADING = object()
"""The value of a row that is no choice but the heading of those below it."""


class ChoiceBox(QComboBox):
    """Offers values by title. Filling it emits nothing; only a person's choice emits `activated`.

    The values stay on this side of Qt, which would turn a tuple into a list.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[Any, str, str]] = []
        # Long titles are elided in the closed box and whole in its tooltip and in the list, so that they never widen
        # the panel.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)

    @property
    def value(self) -> Any:
        """The value chosen, None where nothing is."""
        return self._rows[self.currentIndex()][0] if self.currentIndex() >= 0 else None

    def width_for(self, title: str) -> int:
        """Return how wide the closed box is that shows `title` whole, in px."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        return self.fontMetrics().horizontalAdvance(title) + self.width() - self._room(option)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            title = self.currentText()
            if self.width_for(title) > self.width():
                QToolTip.showText(event.globalPos(), "\n".join(filter(None, (title, self.toolTip()))), self)
                return True
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        # Qt itself cuts a long title at the arrow.
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        text = option.currentText or self.placeholderText()
        option.currentText = self.fontMetrics().elidedText(
            text, Qt.TextElideMode.ElideRight, self._room(option)
        )
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()

    def _room(self, option: QStyleOptionComboBox) -> int:
        """Return how wide a title may be, in px."""
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        return field.width() - MARGIN

    def fill(self, rows: Iterable[tuple[Any, str, str]], current: Any) -> None:
        """Offer `rows` of value, title and tooltip, with `current` chosen."""
        rows = list(rows)
        with QSignalBlocker(self):
            if rows != self._rows:
                self._rows = rows
                self.clear()
                for row, (value, title, tip) in enumerate(rows):
                    self.addItem(title)
                    self.setItemData(row, tip or title, Qt.ItemDataRole.ToolTipRole)
                    if value is HEADING:
                        model = self.model()
                        assert isinstance(model, QStandardItemModel)
                        model.item(row).setEnabled(False)
                        font = self.font()
                        font.setBold(True)
                        self.setItemData(row, font, Qt.ItemDataRole.FontRole)
            self.setCurrentIndex(next((i for i, row in enumerate(rows) if row[0] == current), -1))
