"""The misclassified images of a run, to look at one by one and to open in the explain panel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from qtpy.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.images import read_image
from allxai_desktop.tasks import Dispatch
from allxai_desktop.training.measuring.evaluation import Mistake
from allxai_desktop.training.preparing.mask_pictures import MASKS_FILE
from allxai_desktop.training.train_model import TrainModel
from allxai_desktop.training.words import percent
from napari_allxai_widgets.choice_box import ChoiceBox
from napari_allxai_widgets.drawing import pixmap, sharp

SIDE = 112
Index = QModelIndex | QPersistentModelIndex


class MistakeList(QAbstractListModel):
    """Qt's view of misclassified images; a picture is read in the background when it comes into sight."""

    def __init__(self, dispatch: Dispatch) -> None:
        super().__init__()
        self.mistakes: list[Mistake] = []
        self.root: Path | None = None
        self._icons: dict[str, QIcon] = {}
        self._blank = _icon(None)
        self._dispatch = dispatch
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="mistakes")

    def show_mistakes(self, root: Path | None, mistakes: list[Mistake]) -> None:
        """Show other images, their files relative to `root`; only their names where that is None."""
        self.beginResetModel()
        if root != self.root:
            self._icons.clear()
        self.root, self.mistakes = root, mistakes
        self.endResetModel()

    def close(self) -> None:
        """Stop reading."""
        self.mistakes = []
        self._reader.shutdown(wait=True, cancel_futures=True)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.mistakes)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.mistakes):
            return None
        mistake = self.mistakes[index.row()]
        sure = percent(mistake.probability)
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{mistake.true}\n→ {mistake.predicted}\n{sure}"
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return _("{file}: {true}, taken for {predicted} ({probability})").format(
                file=mistake.file, true=mistake.true, predicted=mistake.predicted, probability=sure
            )
        if role == Qt.ItemDataRole.DecorationRole:
            if mistake.file not in self._icons:
                self._icons[mistake.file] = self._blank
                self._read(mistake.file)
            return self._icons[mistake.file]
        return None

    def _read(self, file: str) -> None:
        root = self.root
        if root is None:
            return

        def receive(pixels: NDArray[np.uint8] | None) -> None:
            if root != self.root:
                return
            self._icons[file] = _icon(pixels)
            # Others may be shown meanwhile, and this one in another row.
            for row, mistake in enumerate(self.mistakes):
                if mistake.file == file:
                    self.dataChanged.emit(self.index(row), self.index(row))

        def work() -> None:
            if root != self.root:
                return
            pixels = _thumbnail(root / file)
            self._dispatch(lambda: receive(pixels))

        self._reader.submit(work)


class MistakesPage(QWidget):
    """Shows the misclassified images of a `TrainModel`, and asks it to explain one."""

    def __init__(self, model: TrainModel, dispatch: Dispatch) -> None:
        super().__init__()
        self.model = model
        self.images = MistakeList(dispatch)
        self.count = QLabel(wordWrap=True)
        self.filter = ChoiceBox()
        self.filter.setMinimumContentsLength(24)
        self.explain = QPushButton()
        self.list = QListView()
        self.list.setModel(self.images)
        self.list.setViewMode(QListView.ViewMode.IconMode)
        self.list.setMovement(QListView.Movement.Static)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setUniformItemSizes(True)
        self.list.setIconSize(QSize(SIDE, SIDE))
        self.list.setGridSize(QSize(SIDE + 40, SIDE + 60))
        self.list.setWordWrap(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.empty = QLabel(objectName="emptyText", wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.masks = QLabel()
        self.masks_area = QScrollArea()
        self.masks_area.setFrameShape(QFrame.Shape.NoFrame)
        self.masks_area.setWidget(self.masks)
        head = QHBoxLayout()
        head.addWidget(self.count, 1)
        head.addWidget(self.filter)
        head.addWidget(self.explain)
        layout = QVBoxLayout(self)
        layout.addLayout(head)
        layout.addWidget(self.empty, 1)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.masks_area, 1)
        self.filter.activated.connect(self._show_list)
        self.explain.clicked.connect(self._ask)
        self.list.activated.connect(self._ask)
        self.list.selectionModel().currentChanged.connect(self._show_current)
        model.report_changed.connect(self._show)
        model.choices_changed.connect(self._follow_data)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.filter.setAccessibleName(_("Which mistakes"))
        self.filter.setToolTip(_("Show the mistakes of one kind"))
        self.explain.setText(_("Explain this image"))
        self.explain.setToolTip(
            _("Open the image in the main window with this network; its folder is not changed (Enter)")
        )
        self.list.setAccessibleName(_("Misclassified images"))
        self.masks.setAccessibleName(_("Masks drawn by hand and by the network"))
        self.masks.setToolTip(_("The image, its mask, and what the network draws over it"))
        self._show()

    def disconnect_model(self) -> None:
        """Stop following and reading; called before the page goes away."""
        self.model.report_changed.disconnect(self._show)
        self.model.choices_changed.disconnect(self._follow_data)
        self.images.close()

    def show_only(self, true: int, predicted: int) -> None:
        """Show the images of one cell of the confusion matrix, classes by number."""
        report = self.model.report
        assert report is not None
        wanted = report.classes[true], report.classes[predicted]
        self.filter.fill(self._kinds(), wanted)
        self._show_list()

    def _kinds(self) -> list[tuple[Any, str, str]]:
        report = self.model.report
        mistakes = [] if report is None else report.mistakes
        kinds = sorted({(mistake.true, mistake.predicted) for mistake in mistakes})
        rows: list[tuple[Any, str, str]] = [((), _("All mistakes"), "")]
        return rows + [((true, predicted), f"{true} → {predicted}", "") for true, predicted in kinds]

    def _show(self) -> None:
        report = self.model.report
        mistakes = [] if report is None else report.mistakes
        kinds = self._kinds()
        kept = self.filter.value
        self.filter.fill(kinds, kept if kept in [value for value, _title, _tip in kinds] else ())
        for widget in (self.filter, self.explain, self.list, self.count):
            widget.setVisible(bool(mistakes))
        masks = self._masks_picture()
        self.masks_area.setVisible(not masks.isNull())
        self.masks.setPixmap(masks)
        self.masks.resize(masks.size())
        self.empty.setVisible(not mistakes and masks.isNull())
        if report is None:
            text = _("At the end of a run the images that the network took for another class are here.")
        elif report.unit == "pixels":
            text = _(
                "A network that draws masks has no misclassified images, and the pictures of its masks are gone."
            )
        else:
            text = _("No image of this part was misclassified.")
        self.empty.setText(text)
        self._show_list()

    def _follow_data(self, *_choices: object) -> None:
        if self.model.root != self.images.root:
            self._show_list()

    def _masks_picture(self) -> QPixmap:
        """Return images of the test with the masks drawn by hand and by the network; null where there are none."""
        report, folder = self.model.report, self.model.folder
        if report is None or folder is None or report.unit != "pixels":
            return QPixmap()
        return QPixmap(str(folder / MASKS_FILE))

    def _show_list(self, *_row: object) -> None:
        report, kind = self.model.report, self.filter.value
        mistakes = [] if report is None else report.mistakes
        shown = [one for one in mistakes if not kind or (one.true, one.predicted) == kind]
        self.images.show_mistakes(self.model.root, shown)
        text = _("{count} of {images} images, the surest first").format(
            count=len(shown), images=0 if report is None else report.images
        )
        if self.model.root is None:
            text += "\n" + _("Choose the images of this run on the left to see them.")
        self.count.setText(text)
        self._show_current()

    def _show_current(self, *_index: object) -> None:
        self.explain.setEnabled(self.list.currentIndex().isValid() and self.model.root is not None)

    def _ask(self, *_index: object) -> None:
        index = self.list.currentIndex()
        if index.isValid():
            self.model.explain(self.images.mistakes[index.row()].file)


def _thumbnail(path: Path) -> NDArray[np.uint8] | None:
    try:
        image = Image.fromarray(read_image(path).pixels)
    except AllxaiError:
        return None
    image.thumbnail((sharp(SIDE), sharp(SIDE)))
    return np.asarray(image)


def _icon(pixels: NDArray[np.uint8] | None) -> QIcon:
    if pixels is not None:
        return QIcon(pixmap(pixels))
    blank = QPixmap(SIDE, SIDE)
    blank.fill(QColor(128, 128, 128, 60))
    return QIcon(blank)
