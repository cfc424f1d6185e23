"""The confusion matrix, whose cells are buttons: a cell shows the images that it counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from allxai_desktop.i18n import _
from allxai_desktop.training.words import percent

# Blue and vermilion of Okabe and Ito.
RIGHT, WRONG = QColor(0, 114, 178), QColor(213, 94, 0)
LARGEST_CELL = 90.0
STEPS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class ConfusionView(QWidget):
    """Shows counts (true class, predicted class); emits `chosen(true, predicted)` for a cell off the diagonal."""

    chosen = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self._counts: NDArray[np.int64] = np.zeros((0, 0), np.int64)
        self._names: tuple[str, ...] = ()
        self._current = (0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(220, 200)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.retranslate()

    def show_counts(self, counts: NDArray[np.int64], names: tuple[str, ...]) -> None:
        """Show other counts (N, N) of the classes `names`."""
        self._counts, self._names, self._current = counts, names, (0, 0)
        self.update()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.setAccessibleName(_("Confusion matrix"))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(420, 360)

    def cell(self, true: int, predicted: int) -> QRectF:
        """Return where a cell is drawn."""
        corner, side = self._layout()
        return QRectF(corner.x() + predicted * side, corner.y() + true * side, side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._names:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_names(painter)
            rows = self._counts.sum(axis=1)
            for true, predicted in np.ndindex(self._counts.shape):
                self._paint_cell(painter, true, predicted, int(rows[true]))
            if self.hasFocus():
                painter.setPen(QPen(self.palette().text().color(), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(self.cell(*self._current))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._at(event.position())
        if cell is not None:
            self._current = cell
            self.update()
            self._choose()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = STEPS.get(Qt.Key(event.key()))
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._choose()
        elif step is not None and self._names:
            last = len(self._names) - 1
            row, column = (min(max(now + by, 0), last) for now, by in zip(self._current, step, strict=True))
            self._current = row, column
            self.update()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Say in words what the cell under the pointer counts."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            cell = self._at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), "" if cell is None else self._words(*cell), self)
            return True
        return super().event(event)

    def _words(self, true: int, predicted: int) -> str:
        count = int(self._counts[true, predicted])
        text = _("{true} taken for {predicted}: {count} ({share} of the class)").format(
            true=self._names[true],
            predicted=self._names[predicted],
            count=count,
            share=percent(count / max(int(self._counts[true].sum()), 1)),
        )
        if true == predicted or not count:
            return text
        return text + "\n" + _("Click to see these images.")

    def _choose(self) -> None:
        true, predicted = self._current
        if self._names and true != predicted and self._counts[true, predicted]:
            self.chosen.emit(true, predicted)

    def _at(self, point: QPointF) -> tuple[int, int] | None:
        corner, side = self._layout()
        row, column = int((point.y() - corner.y()) // side), int((point.x() - corner.x()) // side)
        count = len(self._names)
        return (row, column) if 0 <= row < count and 0 <= column < count else None

    def _layout(self) -> tuple[QPointF, float]:
        """Return the top left corner of the cells and the side of one."""
        metrics = self.fontMetrics()
        line = metrics.height()
        widest = max((metrics.horizontalAdvance(name) for name in self._names), default=0) + 10
        left = min(widest, self.width() * 0.34) + line + 4
        # Names above the columns stand upright where they are wider than the cells.
        above = line + 4 + min(widest, self.height() * 0.3)
        count = max(len(self._names), 1)
        side = min((self.width() - left - 2) / count, (self.height() - above - 2) / count, LARGEST_CELL)
        return QPointF(left, above), max(side, 1.0)

    def _paint_cell(self, painter: QPainter, true: int, predicted: int, row: int) -> None:
        count = int(self._counts[true, predicted])
        share = count / row if row else 0.0
        color = QColor(RIGHT if true == predicted else WRONG)
        color.setAlphaF(0.08 + 0.84 * share if count else 0.0)
        rect = self.cell(true, predicted)
        painter.setPen(QPen(QColor(128, 128, 128, 120), 1))
        painter.setBrush(color)
        painter.drawRect(rect)
        if not count:
            return
        painter.setPen(Qt.GlobalColor.white if share > 0.5 else self.palette().text().color())
        shown = f"{count:,}".replace(",", "\u202f")
        metrics = painter.fontMetrics()
        if metrics.horizontalAdvance(shown) <= rect.width() - 2:
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, shown)

    def _paint_names(self, painter: QPainter) -> None:
        corner, side = self._layout()
        metrics = painter.fontMetrics()
        line, count = metrics.height(), len(self._names)
        painter.setPen(self.palette().text().color())
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        room = corner.x() - line - 8
        for number, name in enumerate(self._names):
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(room))
            painter.drawText(QRectF(line + 2, corner.y() + number * side, room, side), int(right), shown)
            self._upright(painter, QPointF(corner.x() + (number + 0.5) * side, corner.y() - 4), name)
        across = QRectF(corner.x() - 60, 0, count * side + 120, line)
        painter.drawText(across, Qt.AlignmentFlag.AlignHCenter, _("Predicted class"))
        painter.save()
        painter.translate(0, corner.y() + count * side / 2)
        painter.rotate(-90)
        painter.drawText(QRectF(-150, 0, 300, line), Qt.AlignmentFlag.AlignHCenter, _("True class"))
        painter.restore()

    def _upright(self, painter: QPainter, foot: QPointF, name: str) -> None:
        corner, side = self._layout()
        metrics = painter.fontMetrics()
        line = metrics.height()
        if all(metrics.horizontalAdvance(one) <= side - 4 for one in self._names):
            place = QRectF(foot.x() - side / 2, foot.y() - line, side, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, name)
            return
        room = corner.y() - line - 8
        painter.save()
        painter.translate(foot)
        painter.rotate(-90)
        shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(
            QRectF(0, -line / 2, room, line),
            int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter),
            shown,
        )
        painter.restore()
