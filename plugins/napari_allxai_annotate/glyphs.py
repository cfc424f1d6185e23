"""Small icons drawn as lines in a box of 16 × 16, in the colour of the text around them."""

from collections.abc import Callable

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QIcon, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap, QPolygonF
from qtpy.QtWidgets import QToolButton

from allxai_desktop.cellclasses import CellClass
from napari_allxai_widgets.drawing import draw_letter

BOX = 16


def _polygon(*points: tuple[float, float]) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points])


def _brush(painter: QPainter, color: QColor) -> None:
    painter.drawLine(QPointF(14, 2), QPointF(8, 8))
    painter.setBrush(color)
    painter.drawPolygon(_polygon((8, 7), (9.5, 8.5), (7, 12.5), (2.5, 13.5), (4, 9)))


def _eraser(painter: QPainter, color: QColor) -> None:
    painter.drawPolygon(_polygon((9.5, 2.5), (13.5, 6.5), (6.5, 13.5), (2.5, 9.5)))
    painter.setBrush(color)
    painter.drawPolygon(_polygon((6, 6), (10, 10), (6.5, 13.5), (2.5, 9.5)))


def _fill(painter: QPainter, color: QColor) -> None:
    painter.drawPolygon(_polygon((7.5, 2.5), (13, 8), (7, 14), (1.5, 8.5)))
    painter.setBrush(color)
    painter.drawPolygon(_polygon((2, 8.5), (12.5, 8.5), (7, 14)))
    painter.drawEllipse(QPointF(14, 12.5), 1.2, 1.8)


def _polygon_tool(painter: QPainter, color: QColor) -> None:
    corners = ((8, 2.5), (13.5, 7), (11, 13.5), (4, 12.5), (2.5, 6))
    painter.drawPolygon(_polygon(*corners))
    painter.setBrush(color)
    for x, y in corners:
        painter.drawRect(QRectF(x - 1, y - 1, 2, 2))


def _freehand(painter: QPainter, _color: QColor) -> None:
    pen = painter.pen()
    pen.setDashPattern([2.2, 1.6])
    painter.setPen(pen)
    painter.drawEllipse(QRectF(2, 3.5, 12, 9))


def _wand(painter: QPainter, _color: QColor) -> None:
    painter.drawLine(QPointF(2, 14), QPointF(9, 7))
    for start, end in (((11, 1), (11, 3.5)), ((11, 6.5), (11, 9)), ((7, 5), (9.5, 5)), ((12.5, 5), (15, 5))):
        painter.drawLine(QPointF(*start), QPointF(*end))


def _wire(painter: QPainter, color: QColor) -> None:
    line = QPainterPath(QPointF(2.5, 12.5))
    line.cubicTo(QPointF(3, 3), QPointF(9, 13), QPointF(13.5, 3.5))
    painter.drawPath(line)
    painter.setBrush(color)
    for x, y in ((2.5, 12.5), (7.6, 8.6), (13.5, 3.5)):
        painter.drawRect(QRectF(x - 1.5, y - 1.5, 3, 3))


def _superpixel(painter: QPainter, color: QColor) -> None:
    cell = ((5.5, 1.5), (9, 3.5), (9, 7.5), (5.5, 9.5), (2, 7.5), (2, 3.5))
    painter.drawPolygon(_polygon(*((x + 3.5, y + 6) for x, y in cell)))
    painter.drawPolygon(_polygon(*((x + 5.5, y) for x, y in cell[:4])))
    painter.setBrush(color)
    painter.drawPolygon(_polygon(*cell))


def _tick(painter: QPainter, left: float, top: float, size: float) -> None:
    painter.drawPolyline(
        _polygon((left, top + size * 0.5), (left + size * 0.4, top + size * 0.9), (left + size, top))
    )


def _accept(painter: QPainter, _color: QColor) -> None:
    painter.drawLine(QPointF(14, 2), QPointF(8, 8))
    painter.drawPolygon(_polygon((8, 7), (9.5, 8.5), (7, 12.5), (2.5, 13.5), (4, 9)))
    _tick(painter, 9.5, 10, 5)


def _accept_all(painter: QPainter, _color: QColor) -> None:
    _tick(painter, 1.5, 4, 8.5)
    _tick(painter, 6, 4, 8.5)


def _accept_class(painter: QPainter, _color: QColor) -> None:
    _tick(painter, 3, 4, 9.5)


def _ghost(painter: QPainter, _color: QColor) -> None:
    pen = painter.pen()
    painter.setClipRect(QRectF(2, 2, 12, 12))
    for start in (-8, -4, 0, 4, 8):
        painter.drawLine(QPointF(2 + start, 14), QPointF(14 + start, 2))
    painter.setClipping(False)
    pen.setDashPattern([2.2, 1.6])
    painter.setPen(pen)
    painter.drawRect(QRectF(2, 2, 12, 12))


def _ghost_off(painter: QPainter, _color: QColor) -> None:
    pen = painter.pen()
    pen.setDashPattern([2.2, 1.6])
    painter.setPen(pen)
    painter.drawRect(QRectF(2, 2, 12, 12))


def _uncertain(painter: QPainter, color: QColor) -> None:
    painter.drawEllipse(QRectF(2, 2, 12, 12))
    painter.drawArc(QRectF(5.8, 4.5, 4.4, 4.2), -80 * 16, 250 * 16)
    painter.drawLine(QPointF(8, 8.6), QPointF(8, 9.6))
    painter.setBrush(color)
    painter.drawEllipse(QPointF(8, 11.7), 0.4, 0.4)


def _unlabelled(painter: QPainter, color: QColor) -> None:
    painter.drawLine(QPointF(2, 8), QPointF(9, 8))
    painter.drawPolyline(_polygon((6, 5), (9, 8), (6, 11)))
    painter.setBrush(color)
    painter.drawRect(QRectF(12, 6.5, 3, 3))


def _clean(painter: QPainter, color: QColor) -> None:
    painter.drawLine(QPointF(13.5, 1.5), QPointF(8.5, 7.5))
    painter.setBrush(color)
    painter.drawPolygon(_polygon((6.5, 6), (10, 9), (8, 14), (1.5, 12.5)))


def _busy(painter: QPainter, color: QColor) -> None:
    painter.drawPolygon(_polygon((4, 2), (12, 2), (4, 14), (12, 14)))
    painter.setBrush(color)
    painter.drawPolygon(_polygon((8, 8), (12, 14), (4, 14)))


def _undo(painter: QPainter, _color: QColor) -> None:
    painter.drawArc(QRectF(3, 5, 10, 8), -90 * 16, 200 * 16)
    painter.drawLine(QPointF(4, 13), QPointF(8, 13))
    painter.drawPolyline(_polygon((7, 2), (3.5, 5.8), (8, 8.5)))
    painter.drawLine(QPointF(3.5, 5.5), QPointF(8, 5))


def _redo(painter: QPainter, color: QColor) -> None:
    painter.translate(BOX, 0)
    painter.scale(-1, 1)
    _undo(painter, color)


def _eye(painter: QPainter, color: QColor) -> None:
    lids = QPainterPath(QPointF(1.5, 8))
    lids.quadTo(QPointF(8, -0.5), QPointF(14.5, 8))
    lids.quadTo(QPointF(8, 16.5), QPointF(1.5, 8))
    painter.drawPath(lids)
    painter.setBrush(color)
    painter.drawEllipse(QPointF(8, 8), 2, 2)


def _eye_shut(painter: QPainter, color: QColor) -> None:
    _eye(painter, color)
    painter.drawLine(QPointF(3, 14), QPointF(13, 2))


def _lock(painter: QPainter, color: QColor) -> None:
    painter.drawArc(QRectF(5, 2, 6, 9), 0, 180 * 16)
    painter.setBrush(color)
    painter.drawRoundedRect(QRectF(3.5, 7, 9, 6.5), 1, 1)


def _lock_open(painter: QPainter, _color: QColor) -> None:
    painter.drawArc(QRectF(5, 1, 6, 9), 30 * 16, 150 * 16)
    painter.drawRoundedRect(QRectF(3.5, 7, 9, 6.5), 1, 1)


def _outline(painter: QPainter, _color: QColor) -> None:
    painter.drawEllipse(QRectF(3, 3, 10, 10))


def _filled(painter: QPainter, color: QColor) -> None:
    inside = QColor(color)
    inside.setAlphaF(0.5)
    painter.setBrush(inside)
    painter.drawEllipse(QRectF(3, 3, 10, 10))


GLYPHS: dict[str, Callable[[QPainter, QColor], None]] = {
    "brush": _brush,
    "eraser": _eraser,
    "fill": _fill,
    "superpixel": _superpixel,
    "wand": _wand,
    "polygon": _polygon_tool,
    "freehand": _freehand,
    "wire": _wire,
    "accept": _accept,
    "accept-all": _accept_all,
    "accept-class": _accept_class,
    "ghost": _ghost,
    "ghost-off": _ghost_off,
    "uncertain": _uncertain,
    "unlabelled": _unlabelled,
    "clean": _clean,
    "busy": _busy,
    "undo": _undo,
    "redo": _redo,
    "eye": _eye,
    "eye-shut": _eye_shut,
    "lock": _lock,
    "lock-open": _lock_open,
    "outline": _outline,
    "filled": _filled,
}


class GlyphButton(QToolButton):
    """A button with a glyph; a checkable one may show another while it is checked."""

    def __init__(self, glyph: str, checked_glyph: str = "") -> None:
        super().__init__()
        self.glyph = glyph
        self.checked_glyph = checked_glyph or glyph
        self.setCheckable(bool(checked_glyph))
        # A click leaves the keyboard where it is: on the canvas.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedSize(26, 23)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the button as the style has it, and the glyph in the colour of its text."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = self.palette().buttonText().color()
        if not self.isEnabled():
            color.setAlphaF(0.35)
        painter.setPen(QPen(color, 1.3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.translate((self.width() - BOX) / 2, (self.height() - BOX) / 2)
        GLYPHS[self.checked_glyph if self.isChecked() else self.glyph](painter, color)


def swatch(cls: CellClass, size: int = 18) -> QIcon:
    """Return the colour of a class with its letter."""
    ratio = 3
    pixmap = QPixmap(size * ratio, size * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.scale(ratio, ratio)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(*cls.color))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(QRectF(0, 0, size, size), 3, 3)
    font = QFont()
    font.setBold(True)
    font.setPixelSize(round(size * 0.72))
    painter.setFont(font)
    draw_letter(painter, QRectF(0, 0, size, size), cls)
    painter.end()
    return QIcon(pixmap)
