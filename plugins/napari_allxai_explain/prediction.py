"""Probability bars of a prediction."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from allxai_desktop.i18n import _

SHOWN, GIVEN = 4, 2
"""Rows of a prediction, and how many of them give their room to each part that comes and goes beside it."""
BAR_COLOR = QColor(86, 180, 233)


class PredictionBars(QWidget):
    """The most probable classes, one row each; a click shows all of them, another the first few."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[str, float]] = []
        self._shown = SHOWN
        self._all = False
        self._stale = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def give_room(self, parts: int) -> None:
        """Show fewer rows beside so many `parts` that come and go, but one at least."""
        shown = max(SHOWN - GIVEN * parts, 1)
        if shown != self._shown:
            self._shown = shown
            self.updateGeometry()
            self.update()

    def show_probabilities(self, probabilities: Mapping[str, float]) -> None:
        """Show class title → probability in 0…1; an empty mapping clears the bars."""
        rows = sorted(probabilities.items(), key=lambda row: -row[1])
        if rows == self._rows:
            # Another explainer predicts the same; a repaint would delay its map.
            return
        self._rows = rows
        self.setAccessibleDescription("; ".join(f"{name} {share:.1%}" for name, share in self._rows))
        self.updateGeometry()
        self.update()

    def set_stale(self, stale: bool) -> None:
        """Draw the bars pale while a newer result is being computed."""
        if stale != self._stale:
            self._stale = stale
            self.update()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.setAccessibleName(_("Prediction"))
        self.setToolTip(_("Probability of each class. Click to show all classes or the first few."))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, self._row_height() * max(len(self._visible()), 1) + 2)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._all = not self._all
        self.updateGeometry()
        self.update()
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint(painter)
        painter.end()

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        height = self._row_height()
        if not self._rows:
            painter.setOpacity(0.7)
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignVCenter), _("No prediction yet"))
            return
        painter.setOpacity(0.5 if self._stale else 1.0)
        metrics = self.fontMetrics()
        bold = QFont(self.font())
        bold.setBold(True)
        widest = max(QFontMetrics(bold).horizontalAdvance(name) for name, _share in self._rows) + 8
        names = min(widest, self.width() // 2)
        numbers = metrics.horizontalAdvance("100.0 %") + 6
        room = max(self.width() - names - numbers, 20)
        for row, (name, share) in enumerate(self._visible()):
            top = row * height + 1
            painter.setFont(bold if row == 0 else self.font())
            shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, names - 2)
            painter.drawText(QRectF(0, top, names, height), int(Qt.AlignmentFlag.AlignVCenter), shown)
            track = QRectF(names, top + height / 2 - 4, room, 8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(128, 128, 128, 70))
            painter.drawRoundedRect(track, 2, 2)
            painter.setBrush(BAR_COLOR)
            painter.drawRoundedRect(QRectF(track.left(), track.top(), max(room * share, 1), 8), 2, 2)
            painter.setPen(self.palette().text().color())
            painter.drawText(
                QRectF(names + room, top, numbers, height),
                int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter),
                f"{100 * share:.1f} %",
            )

    def _visible(self) -> list[tuple[str, float]]:
        return self._rows if self._all else self._rows[: self._shown]

    def _row_height(self) -> int:
        return self.fontMetrics().height() + 2
