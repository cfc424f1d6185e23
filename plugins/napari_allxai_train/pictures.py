"""A row of pictures with titles that breaks where the window ends."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QRect, QSize, Qt
from qtpy.QtGui import QPainter, QPaintEvent, QPixmap
from qtpy.QtWidgets import QSizePolicy, QWidget

from allxai_desktop.training.preparing.preview import Strip
from napari_allxai_widgets.drawing import pixmap

SIDE = 132
GAP = 10


class StripView(QWidget):
    """Shows the pictures of a `Strip`, each fitted into a square; small ones are enlarged pixel by pixel."""

    def __init__(self, strip: Strip) -> None:
        super().__init__()
        self._pictures = [(picture.title, _fitted(pixmap(picture.pixels))) for picture in strip.pictures]
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(", ".join(title for title, _picture in self._pictures if title) or strip.title)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return -(-len(self._pictures) // self._columns(width)) * self._row()

    def minimumSizeHint(self) -> QSize:
        return QSize(SIDE, self._row())

    def sizeHint(self) -> QSize:
        return QSize(3 * (SIDE + GAP), self.heightForWidth(3 * (SIDE + GAP)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        columns = self._columns(self.width())
        for number, (title, picture) in enumerate(self._pictures):
            row, column = divmod(number, columns)
            place = QRect(column * (SIDE + GAP), row * self._row(), SIDE, SIDE)
            drawn = QRect(place.topLeft(), picture.size())
            drawn.moveCenter(place.center())
            painter.drawPixmap(drawn, picture)
            words = QRect(
                place.left() - GAP // 2, place.bottom() + 2, SIDE + GAP, self.fontMetrics().height()
            )
            text = self.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, words.width())
            painter.drawText(words, Qt.AlignmentFlag.AlignHCenter, text)
        painter.end()

    def _columns(self, width: int) -> int:
        return max(1, (width + GAP) // (SIDE + GAP))

    def _row(self) -> int:
        titled = any(title for title, _picture in self._pictures)
        return SIDE + GAP + (self.fontMetrics().height() if titled else 0)


def _fitted(picture: QPixmap) -> QPixmap:
    small = max(picture.width(), picture.height()) < SIDE
    mode: Any = (
        Qt.TransformationMode.FastTransformation if small else Qt.TransformationMode.SmoothTransformation
    )
    return picture.scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio, mode)
