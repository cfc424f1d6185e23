"""Small plots of a deletion and an insertion curve with the band of random orders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from allxai_desktop.analyses.faithfulness import Faithfulness
from allxai_desktop.i18n import _

MAP_COLOR = QColor(86, 180, 233)
RANDOM_COLOR = QColor(140, 140, 140)
BAND_COLOR = QColor(140, 140, 140, 110)
HEIGHT = 104
GAP = 14


class CurvePlot(QWidget):
    """Two plots side by side: the score (0…1) against the part of the image taken away, and against the part shown."""

    def __init__(self) -> None:
        super().__init__()
        self._found: Faithfulness | None = None
        small = QFont(self.font())
        small.setPointSizeF(max(self.font().pointSizeF() - 1, 7))
        self.setFont(small)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.retranslate()

    def show_curves(self, found: Faithfulness | None) -> None:
        """Show other curves, or none."""
        self._found = found
        self.update()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.setAccessibleName(_("Deletion and insertion curves"))
        self.setToolTip(
            _(
                "The score of the class while the parts that the map marks are blurred (left) or shown (right)."
                " Blue: in the map's order, strongest first. Grey: between the least and the greatest of the"
                " random orders."
            )
        )
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._found is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setOpacity(1.0 if self.isEnabled() else 0.5)
            found, width = self._found, (self.width() - GAP) / 2
            left, right = QRectF(0, 0, width, HEIGHT), QRectF(width + GAP, 0, width, HEIGHT)
            self._plot(painter, left, _("Score, parts taken away"), found.deletion, found.random)
            # A random order shown is the reverse one taken away.
            self._plot(painter, right, _("Score, parts shown"), found.insertion, found.random[:, ::-1])
            self._legend(painter, left, _("this map"), MAP_COLOR)
            self._legend(painter, right, _("random"), RANDOM_COLOR)
        painter.end()

    def _legend(self, painter: QPainter, plot: QRectF, text: str, color: QColor) -> None:
        """Say below a plot what is drawn in `color` in both."""
        line = painter.fontMetrics().height()
        mark = QRectF(plot.center().x() - painter.fontMetrics().horizontalAdvance(text) / 2 - 8, 0, 10, 3)
        mark.moveTop(plot.bottom() - line / 2 - 1)
        painter.fillRect(mark, color)
        painter.setPen(self.palette().text().color())
        painter.drawText(
            QRectF(mark.right() + 4, plot.bottom() - line, plot.width(), line),
            int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter),
            text,
        )

    def _plot(
        self,
        painter: QPainter,
        rect: QRectF,
        title: str,
        curve: NDArray[np.float64],
        randoms: NDArray[np.float64],
    ) -> None:
        metrics = painter.fontMetrics()
        line = metrics.height()
        labels = metrics.horizontalAdvance("0") + 4
        frame = rect.adjusted(labels, line + 2, -1, -line - 2)
        text = self.palette().text().color()
        painter.setPen(text)
        shown = metrics.elidedText(title, Qt.TextElideMode.ElideRight, int(rect.width()))
        painter.drawText(
            QRectF(rect.left(), 0, rect.width(), line), int(Qt.AlignmentFlag.AlignHCenter), shown
        )
        for value, height in (("1", frame.top()), ("0", frame.bottom())):
            place = QRectF(rect.left(), height - line / 2, labels - 4, line)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), value)
        below = QRectF(frame.left(), frame.bottom() + 1, frame.width(), line)
        for value, side in (("0", Qt.AlignmentFlag.AlignLeft), ("100 %", Qt.AlignmentFlag.AlignRight)):
            painter.drawText(below, int(side | Qt.AlignmentFlag.AlignVCenter), value)
        painter.setPen(QPen(QColor(128, 128, 128, 120), 1))
        painter.drawRect(frame)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(BAND_COLOR)
        band = [*_points(frame, randoms.max(0)), *reversed(_points(frame, randoms.min(0)))]
        painter.drawPolygon(QPolygonF(band))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(MAP_COLOR, 2))
        painter.drawPolyline(QPolygonF(_points(frame, curve)))


def _points(frame: QRectF, curve: NDArray[np.float64]) -> list[QPointF]:
    """Return the points of a curve of scores 0…1 in the frame."""
    across = np.linspace(frame.left(), frame.right(), curve.size)
    up = frame.bottom() - frame.height() * curve.clip(0, 1)
    return [QPointF(float(x), float(y)) for x, y in zip(across, up, strict=True)]
