"""What a data set holds: images by class, what is worth knowing, what was left out."""

from __future__ import annotations

from qtpy.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QListWidget,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.i18n import _
from allxai_desktop.training.datasets.data_model import ClassCount, DataModel

BAR = QColor(86, 180, 233)
MOST_SKIPPED = 8
SHARE = Qt.ItemDataRole.UserRole


class BarDelegate(QStyledItemDelegate):
    """Draws the share 0…1 under `SHARE` as a bar."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        rect = QRectF(option.rect).adjusted(4, 5, -8, -5)
        rect.setWidth(max(rect.width() * index.data(SHARE), 2))
        painter.fillRect(rect, BAR)


class DataPage(QWidget):
    """Shows a `DataModel`; holds no state of its own."""

    def __init__(self, model: DataModel) -> None:
        super().__init__()
        self.model = model
        self.empty = QLabel(objectName="emptyText", wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.table = QTableWidget(0, 4, showGrid=False)
        # Tab goes on to the next control, not through each cell.
        self.table.setTabKeyNavigation(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setItemDelegateForColumn(2, BarDelegate(self.table))
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(24)
        self.table.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        for column, mode in enumerate(
            ("ResizeToContents", "ResizeToContents", "Stretch", "ResizeToContents")
        ):
            self.table.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode[mode])
        self.notes = QLabel(wordWrap=True, textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self.skipped_title = QLabel(objectName="panelTitle")
        self.skipped = QListWidget(wordWrap=True)
        self.skipped.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.skipped.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addWidget(self.empty, 1)
        # No taller than its rows, with what is said of them right below.
        self.table.setSizeAdjustPolicy(QAbstractItemView.SizeAdjustPolicy.AdjustToContents)
        self.table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        layout.addWidget(self.table)
        layout.addWidget(self.notes)
        layout.addWidget(self.skipped_title)
        layout.addWidget(self.skipped)
        layout.addStretch()
        model.changed.connect(self._show)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.table.setHorizontalHeaderLabels([_("Class"), _("Images"), "", _("Subjects")])
        self.table.setAccessibleName(_("Images of each class"))
        self.skipped.setAccessibleName(_("Images that are left out"))
        self._show()

    def disconnect_model(self) -> None:
        """Stop following; called before the page goes away."""
        self.model.changed.disconnect(self._show)

    def _show(self) -> None:
        model, listed = self.model, bool(self.model.usable)
        classes = model.classes
        if model.segmentation and listed:
            classes = [ClassCount(_("with masks"), len(model.usable), model.subjects)]
        self.empty.setVisible(not listed)
        self.empty.setText(self._empty_text())
        self.table.setVisible(bool(classes))
        self.table.setColumnHidden(3, model.subjects is None)
        self.table.setRowCount(len(classes))
        most = max((found.images for found in classes), default=1)
        for row, found in enumerate(classes):
            bar = QTableWidgetItem()
            bar.setData(SHARE, found.images / most)
            self._put(row, 0, found.name)
            self._put(row, 1, str(found.images), right=True)
            self.table.setItem(row, 2, bar)
            self._put(row, 3, "–" if found.subjects is None else str(found.subjects), right=True)
        self.notes.setVisible(bool(model.notes))
        self.notes.setText("\n".join(model.notes))
        self.skipped.clear()
        self.skipped.addItems([f"{found.file}: {found.reason}" for found in model.skipped])
        rows = min(max(len(model.skipped), 1), MOST_SKIPPED)
        self.skipped.setFixedHeight(rows * max(self.skipped.sizeHintForRow(0), 16) + 10)
        self.skipped_title.setText(_("Left out: {count}").format(count=len(model.skipped)))
        for widget in (self.skipped_title, self.skipped):
            widget.setVisible(bool(model.skipped))

    def _empty_text(self) -> str:
        if self.model.looking:
            return _("Reading the folder…")
        if self.model.error:
            return self.model.error
        return _(
            "Choose the images to learn from, or drop them here: a folder with a folder of images for each class, a"
            " table (CSV) with the columns “file” and “class”, a study, or a folder with “images” and “masks”."
        )

    def _put(self, row: int, column: int, text: str, *, right: bool = False) -> None:
        item = QTableWidgetItem(text)
        if right:
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.table.setItem(row, column, item)
