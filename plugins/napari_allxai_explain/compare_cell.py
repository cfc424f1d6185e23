"""One picture of the comparison, the shares under it, and the colour scale of a row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import (
    QColor,
    QEnterEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QTransform,
    QWheelEvent,
    qRgba,
)
from qtpy.QtWidgets import QSizePolicy, QWidget

from allxai_desktop.cellclasses import BY_KEY, CLASSES
from allxai_desktop.i18n import _
from allxai_desktop.overlay import class_outlines, color_table
from allxai_desktop.relevance import ClassShare, percent
from napari_allxai_explain.linked_view import LinkedView
from napari_allxai_widgets.tips import wrapped

STEP = 1.25
OPACITY = 0.75
Limits = tuple[float, float]


def map_picture(relevance: NDArray[np.float32], limits: Limits, colormap: str, signed: bool) -> QPixmap:
    """Return a map (h, w) drawn from `limits`, to be laid over the image."""
    low, high = limits
    levels = (255 * np.clip((relevance - low) / (high - low), 0, 1)).astype(np.uint8, order="C")
    height, width = levels.shape
    image = QImage(levels.data, width, height, width, QImage.Format.Format_Indexed8)
    table = (255 * color_table(colormap, signed) * (1, 1, 1, OPACITY)).astype(int)
    image.setColorTable([qRgba(*row) for row in table.tolist()])
    return QPixmap.fromImage(image.copy())


def outline_paths(codes: NDArray[np.uint8]) -> list[tuple[QColor, QPainterPath]]:
    """Return the outline of each class of a mask (h, w) in its colour, in pixels of the image."""
    found = []
    for key, lines in class_outlines(codes):
        path = QPainterPath()
        for line in lines:
            points = [QPointF(x, y) for x, y in line.tolist()]
            path.moveTo(points[0])
            for point in points[1:]:
                path.lineTo(point)
        found.append((QColor(*BY_KEY[key].color), path))
    return found


class CellView(QWidget):
    """Shows what its `LinkedView` says of one picture: wheel and drag move all that share it."""

    def __init__(self, link: LinkedView) -> None:
        super().__init__()
        self.link = link
        self.layers: list[QPixmap] = []
        self.outlines: list[tuple[QColor, QPainterPath]] = []
        self.values: NDArray[np.float32] | None = None
        self.message = ""
        self._dragged: QPointF | None = None
        self._size = (1, 1)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        link.changed.connect(self._on_link)

    def release(self) -> None:
        """Stop following; called before the widget goes away."""
        self.link.changed.disconnect(self._on_link)

    def set_image_size(self, height: int, width: int) -> None:
        """Set the size of the image in pixels."""
        self._size = (height, width)

    def show_layers(self, layers: list[QPixmap], values: NDArray[np.float32] | None = None) -> None:
        """Draw pictures over each other; `values` (h, w) are read out at the cursor."""
        self.layers, self.values, self.message = layers, values, ""
        self.setToolTip("")
        self.update()

    def show_message(self, text: str) -> None:
        """Say something in place of a picture."""
        self.layers, self.values, self.message = [], None, text
        self.setToolTip(wrapped(text))
        self.update()

    def value(self) -> float | None:
        """The value at the cursor."""
        if self.values is None or self.link.cursor is None:
            return None
        x, y = self.link.cursor
        height, width = self.values.shape
        return float(self.values[int(y * height), int(x * width)])

    def frame(self) -> QRectF:
        """Where the picture lies in the widget: as large as fits, in the middle."""
        height, width = self._size
        scale = min(self.width() / width, self.height() / height)
        w, h = width * scale, height * scale
        return QRectF((self.width() - w) / 2, (self.height() - h) / 2, w, h)

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120
        if not self.layers or not steps:
            # Two fingers that go sideways scroll the pictures.
            event.ignore()
            return
        self.link.zoom_by(STEP**steps, self._place(event.position()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragged = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not event.buttons():
            # Another window took the release.
            self._let_go()
        if self._dragged is not None:
            step, frame = event.position() - self._dragged, self.frame()
            self._dragged = event.position()
            self.link.pan(step.x() / frame.width(), step.y() / frame.height())
        self.link.point(self._place(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._let_go()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.link.reset()

    def enterEvent(self, event: QEnterEvent) -> None:
        self.link.point(self._place(event.position()))

    def leaveEvent(self, event: object) -> None:
        self.link.point(None)

    def _let_go(self) -> None:
        self._dragged = None
        self.unsetCursor()

    def _place(self, position: QPointF) -> tuple[float, float] | None:
        frame = self.frame()
        if not frame.contains(position):
            return None
        across = (position.x() - frame.left()) / frame.width()
        down = (position.y() - frame.top()) / frame.height()
        return self.link.place((across, down))

    def _on_link(self) -> None:
        if self.layers:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint(painter)
        painter.end()

    def _paint(self, painter: QPainter) -> None:
        if not self.layers:
            painter.fillRect(self.rect(), QColor(128, 128, 128, 40))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(6, 4, -6, -4), int(flags), self.message)
            return
        frame = self.frame()
        painter.save()
        painter.setClipRect(frame)
        painter.setTransform(self._transform(frame), True)
        # Close up, pixels are seen as what they are.
        height, width = self._size
        painter.setRenderHint(
            QPainter.RenderHint.SmoothPixmapTransform, self.link.zoom * frame.width() < 4 * width
        )
        for layer in self.layers:
            painter.drawPixmap(QRectF(0, 0, width, height), layer, QRectF(layer.rect()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for back in (True, False):
            for color, path in self.outlines:
                pen = QPen(QColor(0, 0, 0, 130) if back else color, 3.0 if back else 1.6)
                pen.setCosmetic(True)
                painter.strokePath(path, pen)
        painter.restore()
        self._paint_cursor(painter, frame)

    def _transform(self, frame: QRectF) -> QTransform:
        """From pixels of the image to the widget."""
        height, width = self._size
        left, top = self.link.shown((0, 0))
        zoom = self.link.zoom
        return QTransform(
            zoom * frame.width() / width,
            0,
            0,
            zoom * frame.height() / height,
            frame.left() + left * frame.width(),
            frame.top() + top * frame.height(),
        )

    def _paint_cursor(self, painter: QPainter, frame: QRectF) -> None:
        if self.link.cursor is None:
            return
        x, y = self.link.shown(self.link.cursor)
        at = QPointF(frame.left() + x * frame.width(), frame.top() + y * frame.height())
        for color, thick in ((QColor(0, 0, 0, 160), 3), (QColor(255, 255, 255), 1)):
            painter.setPen(QPen(color, thick))
            painter.drawLine(at - QPointF(6, 0), at + QPointF(6, 0))
            painter.drawLine(at - QPointF(0, 6), at + QPointF(0, 6))
        value = self.value()
        if value is not None:
            text = f"{value:+.2g}".replace("-", "−") if value else "0"
            box = QRectF(painter.fontMetrics().boundingRect(text)).adjusted(-4, -1, 4, 1)
            box.moveBottomLeft(frame.bottomLeft())
            painter.fillRect(box, QColor(0, 0, 0, 170))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)


class SharesStrip(QWidget):
    """The share of the relevance of each class, with a tick at its share of the area."""

    HEIGHT = 28

    def __init__(self) -> None:
        super().__init__()
        self.shares: dict[str, ClassShare] = {}
        self.relevance = True
        self.setFixedHeight(self.HEIGHT)

    def set_shares(self, shares: dict[str, ClassShare], *, relevance: bool = True) -> None:
        """Show shares; without `relevance`, those of the area."""
        self.shares, self.relevance = shares, relevance
        lines = []
        for cls in CLASSES:
            share = shares.get(cls.key)
            if share is not None:
                line = _("{name}: {area} of the area").format(name=cls.title, area=percent(share.area_share))
                if relevance:
                    line += ", " + _("{share} of the relevance").format(share=percent(share.relevant_share))
                lines.append(line)
        self.setToolTip("\n".join(lines))
        self.setAccessibleDescription("; ".join(lines))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint(painter)
        painter.end()

    def _paint(self, painter: QPainter) -> None:
        slot = self.width() / len(CLASSES)
        font = self.font()
        font.setPointSizeF(0.88 * font.pointSizeF())
        painter.setFont(font)
        texts = self._texts(painter, slot - 2)
        for number, cls in enumerate(CLASSES):
            share = self.shares.get(cls.key)
            if share is None:
                continue
            value = self._value(share)
            track = QRectF(number * slot + 2, 5, slot - 4, 6)
            painter.fillRect(track, QColor(128, 128, 128, 70))
            if value:
                filled = QRectF(track.left(), track.top(), track.width() * value, track.height())
                painter.fillRect(filled, QColor(*cls.color))
            if self.relevance and share.area_share:
                tick = track.left() + track.width() * share.area_share
                painter.fillRect(QRectF(tick - 1, track.top() - 3, 2, 12), self.palette().text().color())
            words = QRectF(number * slot, 12, slot, self.HEIGHT - 12)
            painter.drawText(words, int(Qt.AlignmentFlag.AlignCenter), texts[cls.key])

    def _value(self, share: ClassShare) -> float | None:
        return share.relevant_share if self.relevance else share.area_share

    def _texts(self, painter: QPainter, room: float) -> dict[str, str]:
        """Letter and number of each class, in the longest form that fits for all of them."""
        numbers = {
            cls: "–" if (value := self._value(self.shares[cls.key])) is None else f"{100 * value:.0f}"
            for cls in CLASSES
            if cls.key in self.shares
        }
        widest = painter.fontMetrics().horizontalAdvance
        for form in ("{letter} {number} %", "{letter} {number}", "{number}"):
            texts = {
                cls.key: form.format(letter=cls.letter, number=number) for cls, number in numbers.items()
            }
            if all(widest(text) <= room for text in texts.values()):
                break
        return texts


class RowScale(QWidget):
    """The colours of a row and the values at their ends."""

    WIDTH = 82

    def __init__(self) -> None:
        super().__init__()
        self._bar: QImage | None = None
        self.labels: tuple[str, str, str] = ("", "", "")
        self.setFixedWidth(self.WIDTH)

    def show_scale(self, labels: tuple[str, str, str] | None, colormap: str, signed: bool) -> None:
        """Show the colours with what stands at top, middle and bottom; nothing without labels."""
        self._bar, self.labels = None, labels or ("", "", "")
        if labels is not None:
            # Over the pale grey that the maps lie on.
            rgba = color_table(colormap, signed)[::-1]
            alpha = OPACITY * rgba[:, 3:]
            mixed = (235 * (1 - alpha) + 255 * rgba[:, :3] * alpha).astype(np.uint8)
            self._bar = QImage(mixed.tobytes(), 1, 256, 3, QImage.Format.Format_RGB888).copy()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self.WIDTH, 60)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint(painter)
        painter.end()

    def _paint(self, painter: QPainter) -> None:
        if self._bar is None:
            return
        painter.drawImage(QRectF(4, 0, 9, self.height()), self._bar)
        words = QRectF(17, 0, self.width() - 17, self.height())
        for text, place in zip(
            self.labels,
            (Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignBottom),
            strict=True,
        ):
            painter.drawText(words, int(place | Qt.AlignmentFlag.AlignLeft), text)
