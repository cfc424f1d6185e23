"""Loss and accuracy by epoch, drawn while a run goes on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from allxai_desktop.i18n import _
from allxai_desktop.training.run_types import EpochRecord
from allxai_desktop.training.words import percent

# Okabe and Ito.
TRAINING, VALIDATION = QColor(86, 180, 233), QColor(230, 159, 0)
GRID = QColor(128, 128, 128, 90)
GAP = 24
Series = list[tuple[int, float]]
Plot = tuple[str, tuple[Series, Series], float, Callable[[float], str]]


class CurvesPlot(QWidget):
    """Two plots side by side; the accuracy's is there once one was measured."""

    def __init__(self) -> None:
        super().__init__()
        self._records: Sequence[EpochRecord] = ()
        self._epochs = 1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(150)
        self.retranslate()

    def show_records(self, records: Sequence[EpochRecord], epochs: int) -> None:
        """Show these records of a run of so many `epochs`."""
        self._records, self._epochs = tuple(records), max(epochs, 1)
        self.update()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.setAccessibleName(_("Loss and accuracy by epoch"))
        self.setToolTip(
            _(
                "Blue: on the images that the network learns from. Orange: on those of the validation part, which it"
                " does not learn from. Where only the blue curve still improves, the network learns by heart."
            )
        )
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(560, 240)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        losses = self._series("loss"), self._series("validation_loss")
        accuracies = self._series("accuracy"), self._series("validation_accuracy")
        plots: list[Plot] = [(_("Loss"), losses, _loss_top(losses), _number)]
        dice = self._series("validation_dice")
        if dice:
            plots.append((_("Dice"), ([], dice), 1.0, percent))
        elif any(accuracies):
            plots.append((_("Accuracy"), accuracies, 1.0, percent))
        width = (self.width() - GAP * (len(plots) - 1)) / len(plots)
        for number, (title, series, top, text) in enumerate(plots):
            rect = QRectF(number * (width + GAP), 0, width, self.height())
            self._plot(painter, rect, title, series, top, text)
        painter.end()

    def _series(self, name: str) -> Series:
        values = ((record.number, getattr(record, name)) for record in self._records)
        return [(number, value) for number, value in values if value is not None and math.isfinite(value)]

    def _plot(
        self,
        painter: QPainter,
        rect: QRectF,
        title: str,
        series: tuple[Series, Series],
        top: float,
        text: Callable[[float], str],
    ) -> None:
        metrics = painter.fontMetrics()
        line = metrics.height()
        left = max(metrics.horizontalAdvance(text(top * share)) for share in (0.25, 0.5, 0.75, 1)) + 6
        # The number of the last epoch stands half beyond the frame.
        beyond = metrics.horizontalAdvance(str(self._epochs)) / 2 + 2
        frame = rect.adjusted(left, 2 * line + 4, -beyond, -2 * line)
        painter.setPen(self.palette().text().color())
        painter.drawText(QRectF(frame.left(), 0, frame.width(), line), Qt.AlignmentFlag.AlignLeft, title)
        self._legend(painter, QPointF(frame.left(), line + 1), frame.width(), series, text)
        self._axes(painter, frame, left, top, text)
        for values, color in zip(series, (TRAINING, VALIDATION), strict=True):
            points = [self._place(frame, number, value / top) for number, value in values]
            painter.setPen(QPen(color, 2))
            painter.drawPolyline(QPolygonF(points))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            # A run of one epoch has no line.
            for point in points if len(points) < 30 else points[-1:]:
                painter.drawEllipse(point, 2.5, 2.5)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _place(self, frame: QRectF, number: float, height: float) -> QPointF:
        across = 0.5 if self._epochs == 1 else (number - 1) / (self._epochs - 1)
        return QPointF(frame.left() + across * frame.width(), frame.bottom() - height * frame.height())

    def _axes(
        self, painter: QPainter, frame: QRectF, left: float, top: float, text: Callable[[float], str]
    ) -> None:
        line = painter.fontMetrics().height()
        ink = self.palette().text().color()
        for quarter in range(5):
            y = frame.bottom() - quarter / 4 * frame.height()
            painter.setPen(QPen(GRID, 1))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(ink)
            place = QRectF(frame.left() - left, y - line / 2, left - 5, line)
            painter.drawText(
                place,
                int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter),
                text(top * quarter / 4).replace(".0", "") if quarter else "0",
            )
        for number in _ticks(self._epochs):
            x = self._place(frame, number, 0).x()
            painter.drawText(
                QRectF(x - 30, frame.bottom() + 2, 60, line), Qt.AlignmentFlag.AlignHCenter, str(number)
            )
        painter.drawText(
            QRectF(frame.left(), frame.bottom() + line, frame.width(), line),
            Qt.AlignmentFlag.AlignHCenter,
            _("Epoch"),
        )

    def _legend(
        self,
        painter: QPainter,
        corner: QPointF,
        room: float,
        series: tuple[Series, Series],
        text: Callable[[float], str],
    ) -> None:
        metrics = painter.fontMetrics()
        x = corner.x()
        names = zip((_("Training"), _("Validation")), series, (TRAINING, VALIDATION), strict=True)
        for name, values, color in names:
            if not values:
                continue
            shown = f"{name} {text(values[-1][1])}"
            painter.fillRect(QRectF(x, corner.y() + metrics.height() / 2 - 1, 10, 3), color)
            place = QRectF(x + 14, corner.y(), corner.x() + room - x - 14, metrics.height())
            painter.setPen(self.palette().text().color())
            painter.drawText(
                place,
                Qt.AlignmentFlag.AlignLeft,
                metrics.elidedText(shown, Qt.TextElideMode.ElideRight, int(place.width())),
            )
            x += metrics.horizontalAdvance(shown) + 30


def _number(value: float) -> str:
    return f"{value:.3g}"


def _loss_top(series: tuple[Series, Series]) -> float:
    """Return the top of the axis: 1, 2, 4 or 8 times a power of ten, which four steps divide well."""
    largest = max((value for values in series for _number, value in values), default=1.0)
    if largest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    return next(factor * power for factor in (1, 2, 4, 8, 10) if factor * power >= largest)


def _ticks(epochs: int) -> list[int]:
    """Return at most seven numbers of epochs, the first and the last among them."""
    step = max(1, math.ceil((epochs - 1) / 6))
    ticks = list(range(1, epochs + 1, step))
    if ticks[-1] != epochs:
        # The last one, without a neighbour that it would touch.
        ticks = [number for number in ticks if epochs - number >= step * 0.6 or number == 1] + [epochs]
    return ticks
