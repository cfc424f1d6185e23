"""The list of the study's images with thumbnails and how far each mask is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
)
from qtpy.QtGui import QColor, QIcon, QImage, QPixmap
from qtpy.QtWidgets import QFrame, QLabel, QLineEdit, QListView, QProgressBar, QVBoxLayout, QWidget

from allxai_desktop.i18n import _
from allxai_desktop.study.preview import labelled_share, thumbnail

if TYPE_CHECKING:
    from collections.abc import Callable

    from allxai_desktop.study.folder import Study, StudyItem
    from allxai_desktop.workspace import Workspace

SIDE = 44
T = TypeVar("T")
Index = QModelIndex | QPersistentModelIndex


class StudyListModel(QAbstractListModel):
    """Qt's view of the items of a study; a thumbnail is read in the background when its row comes into sight."""

    def __init__(self, dispatch: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self._study: Study | None = None
        self._icons: dict[int, QIcon] = {}
        self._labelled: dict[int, float | None] = {}
        self._failed: set[int] = set()
        self._blank = _blank()
        self._dispatch = dispatch
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")

    def set_study(self, study: Study | None) -> None:
        """Show the items of another study, and read how far each mask is."""
        self.beginResetModel()
        self._study = study
        self._icons.clear()
        self._labelled.clear()
        self._failed.clear()
        self.endResetModel()
        for row in range(self.rowCount()):
            self.refresh(row)

    def refresh(self, row: int) -> None:
        """Read again how far the mask of one item is."""
        self._read(row, labelled_share, self._labelled.__setitem__)

    def mark_failed(self, row: int) -> None:
        """Show that an image could not be read."""
        self._failed.add(row)
        self._emit(row)

    def complete(self) -> int:
        """Return how many masks are known to be complete."""
        return sum(share == 1.0 for share in self._labelled.values())

    def close(self) -> None:
        """Stop reading."""
        self._study = None
        self._reader.shutdown(wait=True, cancel_futures=True)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() or self._study is None else len(self._study.items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self._study is None or not index.isValid():
            return None
        row = index.row()
        item = self._study.items[row]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{item.image_path.name}\n{self._state(row)}"
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            known = (item.image_path.name, item.true_class or "", self._state(row))
            return ", ".join(part for part in known if part)
        if role == Qt.ItemDataRole.DecorationRole:
            if row not in self._icons:
                self._icons[row] = self._blank
                self._read(row, lambda item: thumbnail(item, SIDE), self._set_icon)
            return self._icons[row]
        return None

    def _state(self, row: int) -> str:
        if row in self._failed:
            return "✖ " + _("cannot be read")
        share = self._labelled.get(row)
        if share is None:
            return "· " + _("to do")
        if share == 1.0:
            return "✔ " + _("complete")
        # 99.96 % must not read as complete.
        return "✎ " + _("{share} labelled").format(share=f"{min(int(100 * share), 99)} %")

    def _set_icon(self, row: int, pixels: NDArray[np.uint8] | None) -> None:
        if pixels is None:
            self._failed.add(row)
        else:
            self._icons[row] = _icon(pixels)

    def _read(self, row: int, read: Callable[[StudyItem], T], keep: Callable[[int, T], None]) -> None:
        study = self._study
        assert study is not None

        def receive(value: T) -> None:
            if study is self._study:
                keep(row, value)
                self._emit(row)

        def work() -> None:
            if study is self._study:
                value = read(study.items[row])
                self._dispatch(lambda: receive(value))

        self._reader.submit(work)

    def _emit(self, row: int) -> None:
        self.dataChanged.emit(self.index(row), self.index(row))


class StudyPanel(QWidget):
    """Search field, list and progress; a row that is chosen is shown by the workspace."""

    def __init__(self, workspace: Workspace, dispatch: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self.workspace = workspace
        self.model = StudyListModel(dispatch)
        self.shown = QSortFilterProxyModel()
        self.shown.setSourceModel(self.model)
        self.shown.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.title = QLabel(objectName="panelTitle")
        self.search = QLineEdit(clearButtonEnabled=True)
        self.list = QListView()
        self.list.setModel(self.shown)
        self.list.setIconSize(QSize(SIDE, SIDE))
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.progress_text = QLabel()
        self.progress = QProgressBar(textVisible=False, maximumHeight=6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 4, 6)
        layout.setSpacing(4)
        for widget in (self.title, self.search, self.list, self.progress_text, self.progress):
            layout.addWidget(widget)
        self.search.textChanged.connect(self.shown.setFilterFixedString)
        self.list.selectionModel().currentChanged.connect(self._choose)
        self.model.dataChanged.connect(self._show_progress)
        workspace.study_opened.connect(self._on_study)
        workspace.item_shown.connect(self._on_item)
        workspace.item_failed.connect(self._on_failed)
        workspace.saved_changed.connect(self._on_saved)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.title.setText(_("Study"))
        self.search.setPlaceholderText(_("Search…"))
        self.search.setAccessibleName(_("Search the study"))
        self.search.setToolTip(_("Show only the images whose name holds this text"))
        self.list.setAccessibleName(_("Images of the study"))
        if self.model.rowCount():
            self.model.dataChanged.emit(self.model.index(0), self.model.index(self.model.rowCount() - 1))
        self._show_progress()

    def close_reader(self) -> None:
        """Stop reading thumbnails."""
        self.model.close()

    def _on_study(self, study: Study) -> None:
        self.search.clear()
        self.model.set_study(study)
        self._show_progress()

    def _on_item(self, row: int) -> None:
        index = self.shown.mapFromSource(self.model.index(row))
        self.list.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.list.scrollTo(index)

    def _on_failed(self, row: int) -> None:
        self.model.mark_failed(row)
        if self.workspace.index is not None:
            self._on_item(self.workspace.index)

    def _on_saved(self, state: str) -> None:
        if state == "saved" and self.workspace.index is not None:
            self.model.refresh(self.workspace.index)

    def _choose(self, index: QModelIndex) -> None:
        row = self.shown.mapToSource(index).row()
        if row >= 0 and row != self.workspace.index:
            self.workspace.show(row)

    def _show_progress(self) -> None:
        total = self.model.rowCount()
        done = self.model.complete()
        self.progress.setMaximum(max(total, 1))
        self.progress.setValue(done)
        self.progress_text.setText(_("{done} of {total} complete").format(done=done, total=total))


def _icon(pixels: NDArray[np.uint8]) -> QIcon:
    height, width = pixels.shape[:2]
    # The copy owns its memory: QImage only borrows a buffer.
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    return QIcon(QPixmap.fromImage(image))


def _blank() -> QIcon:
    pixmap = QPixmap(SIDE, SIDE)
    pixmap.fill(QColor(128, 128, 128, 60))
    return QIcon(pixmap)
