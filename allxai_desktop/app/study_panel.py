"""The list of the study's images: search, states, who works here, and how far all of it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import QItemSelectionModel, QModelIndex, QSignalBlocker, QSize, Qt, QTimer
from qtpy.QtWidgets import QComboBox, QFrame, QLabel, QLineEdit, QListView, QProgressBar, QVBoxLayout, QWidget

from allxai_desktop.app.study_list import SIDE, StudyFilter, StudyListModel
from allxai_desktop.app.who_row import WhoRow
from allxai_desktop.i18n import _
from allxai_desktop.study.people import Person
from allxai_desktop.study.states import SIGNS, STATES, TITLES, State
from allxai_desktop.tasks import Dispatch

if TYPE_CHECKING:
    from allxai_desktop.study.folder import Study
    from allxai_desktop.study.study_model import StudyModel

COUNT_MS = 200


class StudyPanel(QWidget):
    """Follows a `StudyModel`; a row that is chosen is shown by its workspace."""

    def __init__(
        self,
        study: StudyModel,
        dispatch: Dispatch,
        remember: Callable[[Person], None],
    ) -> None:
        super().__init__()
        self.study = study
        self.workspace = study.workspace
        self.model = StudyListModel(study, dispatch)
        self.shown = StudyFilter(self.model)
        self.title = QLabel(objectName="panelTitle")
        self.search = QLineEdit(clearButtonEnabled=True)
        self.states = QComboBox()
        self.states.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.list = QListView()
        self.list.setModel(self.shown)
        self.list.setIconSize(QSize(SIDE, SIDE))
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.who = WhoRow(study, remember)
        self._following = False
        # Many rows tell of their masks at once.
        self._counting = QTimer(self, singleShot=True, interval=COUNT_MS)
        self._counting.timeout.connect(self._show_progress)
        self.progress_text = QLabel(wordWrap=True)
        self.progress = QProgressBar(textVisible=False, maximumHeight=6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 4, 6)
        layout.setSpacing(4)
        for widget in (
            self.title,
            self.search,
            self.states,
            self.list,
            self.progress_text,
            self.progress,
            self.who,
        ):
            layout.addWidget(widget)
        self.search.textChanged.connect(self.shown.setFilterFixedString)
        self.states.activated.connect(lambda _row: self._filter())
        self.list.selectionModel().currentChanged.connect(self._choose)
        self.list.clicked.connect(self._try_again)
        self.model.dataChanged.connect(self._count_soon)
        workspace = self.workspace
        workspace.study_opened.connect(self._on_study)
        workspace.item_shown.connect(self._on_item)
        workspace.item_failed.connect(self._on_failed)
        workspace.mask_saved.connect(self.model.show_saved)
        study.item_changed.connect(self.model.show_recorded)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.title.setText(_("Study"))
        self.search.setPlaceholderText(_("Search…"))
        self.search.setAccessibleName(_("Search the study"))
        self.search.setToolTip(
            _("Show only the images whose name, class, annotator or comment holds this text")
        )
        self.states.setAccessibleName(_("States that are shown"))
        self.states.setToolTip(_("Show only the images in this state"))
        self.list.setAccessibleName(_("Images of the study"))
        self.progress.setAccessibleName(_("Progress"))
        self.progress_text.setToolTip(
            _("Painted: every pixel has a class. Submitted: also what is approved already.")
        )
        self.who.retranslate()
        if self.model.rowCount():
            self.model.dataChanged.emit(self.model.index(0), self.model.index(self.model.rowCount() - 1))
        self._show_progress()

    def close_reader(self) -> None:
        """Stop reading and following; called before the panel goes away."""
        self.study.item_changed.disconnect(self.model.show_recorded)
        self.who.disconnect_model()
        self.model.close()

    def _on_study(self, study: Study) -> None:
        # First: what is looked for is asked of each row, and the rows of the study before are not in this one.
        self.model.set_study(study)
        self.search.clear()
        self.shown.set_state(None)
        self.states.setCurrentIndex(0)
        self._show_progress()

    def _on_item(self, row: int) -> None:
        self.model.mark_shown(row)
        self._following = True
        # The row before may leave the list now, and the next one is no choice of anybody's.
        self.shown.keep(row)
        index = self.shown.mapFromSource(self.model.index(row))
        self.list.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.list.scrollTo(index)
        self._following = False

    def _filter(self) -> None:
        self._following = True
        self.shown.set_state(self.states.currentData())
        self._following = False

    def _on_failed(self, row: int) -> None:
        self.model.mark_failed(row)
        if self.workspace.index is not None:
            # The arrow keys go on from the row that failed: from the one shown they would only come to it again.
            index = self.shown.mapFromSource(self.model.index(self.workspace.index))
            self.list.selectionModel().select(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _choose(self, index: QModelIndex) -> None:
        row = self.shown.mapToSource(index).row()
        if row >= 0 and row != self.workspace.index and not self._following:
            self.workspace.show(row)

    def _try_again(self, index: QModelIndex) -> None:
        row = self.shown.mapToSource(index).row()
        if row in self.workspace.unreadable:
            self.workspace.show(row)

    # No lambda: Python does not see that the model, which has no parent, holds it, and would keep the whole window.
    def _count_soon(self, *_rows: object) -> None:
        if not self._counting.isActive():
            self._counting.start()

    def _show_progress(self) -> None:
        total = self.model.rowCount()
        painted = self.model.painted()
        counts = Counter(self.model.state(row) for row in range(total))
        self.progress.setMaximum(max(total, 1))
        self.progress.setValue(painted)
        text = _("{painted} of {total} painted, {submitted} submitted").format(
            painted=painted, total=total, submitted=counts["submitted"] + counts["approved"]
        )
        self.progress_text.setText(text if total else "")
        texts: list[tuple[str, State | None, int]] = [(_("All images"), None, total)]
        texts += [(f"{SIGNS[state]} {_(TITLES[state])}", state, counts[state]) for state in STATES]
        with QSignalBlocker(self.states):
            while self.states.count() < len(texts):
                self.states.addItem("")
            for at, (text, state, count) in enumerate(texts):
                self.states.setItemText(at, f"{text} ({count})")
                self.states.setItemData(at, state)
