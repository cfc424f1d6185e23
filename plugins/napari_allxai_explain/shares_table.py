"""Area and relevance of each class, as a table with bars."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QGuiApplication, QKeyEvent, QKeySequence, QPainter
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.i18n import _
from allxai_desktop.relevance import ClassShare, percent
from napari_allxai_widgets.drawing import draw_letter

NAME, BARS, AREA, SQUARE_UM, RELEVANCE, ENRICHMENT = range(6)
Index = QModelIndex | QPersistentModelIndex
NONE = "–"


class SharesModel(QAbstractTableModel):
    """Qt's view of the class shares; the shares themselves are the session's."""

    def __init__(self) -> None:
        super().__init__()
        self._shares: dict[str, ClassShare] = {}
        self._pixel_size_um: float | None = None

    def set_shares(self, shares: dict[str, ClassShare]) -> None:
        """Show other numbers in the same five rows."""
        self._shares = shares
        self.dataChanged.emit(self.index(0, 0), self.index(len(CLASSES) - 1, ENRICHMENT))

    def set_pixel_size(self, pixel_size_um: float | None) -> None:
        """Set the side of a pixel in µm, or None where it is not known."""
        self._pixel_size_um = pixel_size_um

    def share(self, row: int) -> ClassShare | None:
        """Return the share of the class in `row`; None without an image."""
        return self._shares.get(CLASSES[row].key)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, ENRICHMENT)
        self.set_shares(self._shares)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(CLASSES)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else ENRICHMENT + 1

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (_("Class"), "", _("Area"), "µm²", _("Relevance"), "×")[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return (
                _("Class"),
                _("Upper bar: share of the area. Lower bar: share of the relevance."),
                _("Share of the labelled area"),
                _("Area in square micrometres"),
                _("Share of the relevant pixels, or of the positive relevance"),
                _(
                    "Enrichment: relevance share ÷ area share. "
                    "Above 1, the class holds more than its area explains."
                ),
            )[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        share = self.share(index.row())
        column = index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole and column >= AREA:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole and share is not None:
            return self._details(index.row(), share)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if column == NAME:
            return CLASSES[index.row()].title
        if share is None:
            return NONE if column >= AREA else None
        if column == AREA:
            return percent(share.area_share)
        if column == SQUARE_UM:
            return NONE if self._pixel_size_um is None else f"{share.pixels * self._pixel_size_um**2:.1f}"
        if column == RELEVANCE:
            return percent(share.relevant_share)
        if column == ENRICHMENT:
            return NONE if share.enrichment is None else f"×{share.enrichment:.2f}"
        return None

    def as_text(self) -> str:
        """Return the table with tabs between columns, for a spreadsheet."""
        columns = [column for column in range(ENRICHMENT + 1) if column != BARS]
        lines = [[str(self.headerData(column, Qt.Orientation.Horizontal)) for column in columns]]
        lines += [
            [str(self.data(self.index(row, column))) for column in columns] for row in range(len(CLASSES))
        ]
        return "\n".join("\t".join(line) for line in lines)

    def _details(self, row: int, share: ClassShare) -> str:
        text = _("{name}: {pixels} pixels").format(name=CLASSES[row].title, pixels=share.pixels)
        if share.relevant is not None:
            text += ", " + _("{relevant} of them relevant").format(relevant=share.relevant)
        return text


class _Delegate(QStyledItemDelegate):
    """Draws the class letter in its colour, and the bar of the area above that of the relevance."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        if index.column() not in (NAME, BARS):
            super().paint(painter, option, index)
            return
        cls = CLASSES[index.row()]
        model = index.model()
        assert isinstance(model, SharesModel)
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(*cls.color)
        if index.column() == NAME:
            chip = QRectF(rect.left() + 2, rect.center().y() - 8, 16, 16)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawRoundedRect(chip, 3, 3)
            draw_letter(painter, chip, cls)
            painter.setPen(option.palette.text().color())
            painter.drawText(rect.adjusted(23, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), cls.title)
        else:
            self._bars(painter, rect, color, model.share(index.row()))
        painter.restore()

    @staticmethod
    def _bars(painter: QPainter, rect: QRectF, color: QColor, share: ClassShare | None) -> None:
        room = rect.width() - 8
        painter.setPen(Qt.PenStyle.NoPen)
        for top, value, alpha in (
            (rect.center().y() - 7, share.area_share if share else None, 110),
            (rect.center().y() + 1, share.relevant_share if share else None, 255),
        ):
            painter.setBrush(QColor(128, 128, 128, 60))
            painter.drawRect(QRectF(rect.left() + 4, top, room, 6))
            if value:
                painter.setBrush(QColor(color.red(), color.green(), color.blue(), alpha))
                painter.drawRect(QRectF(rect.left() + 4, top, max(room * value, 1), 6))

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        hint = super().sizeHint(option, index)
        if index.column() == NAME:
            hint.setWidth(option.fontMetrics.horizontalAdvance(CLASSES[index.row()].title) + 32)
        return QSize(hint.width(), 20)


class SharesTable(QTableView):
    """The five classes with their shares; Ctrl+C copies them for a spreadsheet."""

    def __init__(self) -> None:
        super().__init__()
        self.shares = SharesModel()
        self.setModel(self.shares)
        self.setItemDelegate(_Delegate(self))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        # Tab goes on to the next control, not through each cell.
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(20)
        self.verticalHeader().setMinimumSectionSize(18)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(24)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(BARS, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.set_pixel_size(None)
        self.retranslate()

    def set_pixel_size(self, pixel_size_um: float | None) -> None:
        """Show the column of square micrometres where the side of a pixel is known."""
        self.shares.set_pixel_size(pixel_size_um)
        self.setColumnHidden(SQUARE_UM, pixel_size_um is None)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.setAccessibleName(_("Area and relevance of each class"))
        self.shares.retranslate()

    def sizeHint(self) -> QSize:
        return QSize(320, self.horizontalHeader().sizeHint().height() + 20 * len(CLASSES) + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(330, self.sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.shares.as_text())
        else:
            super().keyPressEvent(event)
