"""What several widgets draw: pixels, and the letter of a class on its colour."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QGuiApplication, QImage, QPainter, QPixmap

from allxai_desktop.cellclasses import CellClass


def pixmap(pixels: NDArray[np.uint8]) -> QPixmap:
    """Return RGB pixels (h, w, 3) as Qt draws them."""
    height, width = pixels.shape[:2]
    # The copy owns its memory: QImage only borrows a buffer.
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    return QPixmap.fromImage(image)


def sharp(side: int) -> int:
    """Return how many pixels a picture needs that is `side` px long on any of the screens."""
    ratio = max((screen.devicePixelRatio() for screen in QGuiApplication.screens()), default=1)
    return math.ceil(side * ratio)


def draw_letter(painter: QPainter, chip: QRectF, cls: CellClass) -> None:
    """Draw the letter of a class in the middle of `chip`."""
    painter.setPen(QColor(cls.ink))
    painter.drawText(chip, int(Qt.AlignmentFlag.AlignCenter), cls.letter)
