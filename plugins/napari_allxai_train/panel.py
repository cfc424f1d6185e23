"""The training panel: what is learnt and how on the left, what comes of it in the tabs on the right."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.i18n import _
from allxai_desktop.tasks import Dispatch
from allxai_desktop.training.cost import CostModel
from allxai_desktop.training.datasets.data_model import missing_data
from allxai_desktop.training.measuring.report import JSON_FILE
from allxai_desktop.training.preparing.preview import PreviewModel
from allxai_desktop.training.train_model import TrainModel
from napari_allxai_train.data_box import DataBox
from napari_allxai_train.data_page import DataPage
from napari_allxai_train.mistakes import MistakesPage
from napari_allxai_train.preset_box import PresetBox
from napari_allxai_train.preview_page import PreviewPage
from napari_allxai_train.result_page import ResultPage
from napari_allxai_train.run_page import RunPage
from napari_allxai_widgets import drops
from napari_allxai_widgets.choosing import choose_file
from napari_allxai_widgets.scrolling import WheelGuard

CONTROLS_WIDTH = 400


class TrainPanel(QWidget):
    """Shows and drives a `TrainModel`; `dispatch` runs a callable on the thread of the widgets."""

    def __init__(
        self,
        model: TrainModel,
        dispatch: Dispatch,
        orientation: Qt.Orientation = Qt.Orientation.Horizontal,
    ) -> None:
        super().__init__()
        self.model = model
        self.preview, self.cost = PreviewModel(model, dispatch), CostModel(model, dispatch)
        self.data_box, self.preset_box = DataBox(model.data), PresetBox(model, self.cost)
        self.data_page, self.preview_page = DataPage(model.data), PreviewPage(self.preview)
        self.run_page, self.result_page = RunPage(model), ResultPage(model)
        self.mistakes_page = MistakesPage(model, dispatch)
        self.missing = QLabel(wordWrap=True)
        self.start, self.resume, self.cancel = QPushButton(), QPushButton(), QPushButton()
        self.former = QPushButton()
        self.notice = QLabel(objectName="warning", wordWrap=True)
        self.notice.hide()
        self.tabs = QTabWidget(documentMode=True)
        self.parts = (
            self.data_box,
            self.preset_box,
            self.data_page,
            self.preview_page,
            self.run_page,
            self.result_page,
            self.mistakes_page,
        )
        self._build(orientation)
        self._connect()
        self.setAcceptDrops(True)
        self.retranslate()

    def _build(self, orientation: Qt.Orientation) -> None:
        choices = QWidget()
        column = QVBoxLayout(choices)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(14)
        column.addWidget(self.data_box)
        column.addWidget(self.preset_box)
        column.addStretch()
        area = QScrollArea(
            widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        # What is in it takes the keyboard, and scrolls it into sight.
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(choices)
        WheelGuard(choices)
        bold = self.start.font()
        bold.setBold(True)
        self.start.setFont(bold)
        self.start.setMinimumWidth(96)
        self.cancel.setMinimumWidth(96)
        buttons = QHBoxLayout()
        for button in (self.start, self.resume, self.cancel):
            buttons.addWidget(button)
        buttons.addStretch()
        buttons.addWidget(self.former)
        controls = QWidget()
        left = QVBoxLayout(controls)
        left.setContentsMargins(0, 0, 0, 0)
        left.addWidget(area, 1)
        left.addWidget(self.missing)
        left.addLayout(buttons)
        for page in (self.data_page, self.preview_page, self.run_page, self.result_page, self.mistakes_page):
            self.tabs.addTab(page, "")
        both = QSplitter(orientation, childrenCollapsible=False)
        both.addWidget(controls)
        shown = QWidget()
        right = QVBoxLayout(shown)
        right.setContentsMargins(0, 0, 0, 0)
        right.addWidget(self.notice)
        right.addWidget(self.tabs, 1)
        both.addWidget(shown)
        both.setStretchFactor(1, 1)
        both.setSizes([CONTROLS_WIDTH, 800])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(both)

    def _connect(self) -> None:
        model = self.model
        self.start.clicked.connect(model.start)
        self.resume.clicked.connect(model.resume)
        self.cancel.clicked.connect(model.cancel)
        self.former.clicked.connect(self.ask_former)
        self.result_page.mistakes_asked.connect(self._show_mistakes)
        model.choices_changed.connect(self._show)
        model.run_changed.connect(self._show)
        model.report_changed.connect(self._show_report)
        model.offered.connect(self._hide_notice)
        model.failed.connect(self._show_failure)
        self._was_running = model.running

    def release(self) -> None:
        """Stop following; called before the panel goes away."""
        self.model.choices_changed.disconnect(self._show)
        self.model.run_changed.disconnect(self._show)
        self.model.report_changed.disconnect(self._show_report)
        self.model.offered.disconnect(self._hide_notice)
        self.model.failed.disconnect(self._show_failure)
        for part in self.parts:
            part.disconnect_model()
        self.preview.close()
        self.cost.close()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        for button, name, tip in (
            (self.start, _("Start"), ""),
            (self.resume, _("Resume"), ""),
            (self.cancel, _("Stop"), _("Stop the run; it can go on later after its last finished epoch")),
            (
                self.former,
                _("Earlier run…"),
                _("Show the figures and mistakes of a run that was made before"),
            ),
        ):
            button.setText(name)
            button.setToolTip(tip)
        titles = (_("Images"), _("Preview"), _("Training"), _("Result"), _("Mistakes"))
        for number, text in enumerate(titles):
            self.tabs.setTabText(number, text)
        for part in self.parts:
            part.retranslate()
        # The fields of both boxes stand below each other.
        labels = [*self.data_box.labels, *self.preset_box.labels]
        width = max(label.sizeHint().width() for label in labels)
        for label in labels:
            label.setMinimumWidth(width)
        self._show()

    def ask_former(self) -> None:
        """Let the user choose a run to look at."""
        name = choose_file(
            self, _("The evaluation of a run"), str(self.model.runs), f"{JSON_FILE} ({JSON_FILE})"
        )
        if name:
            self.model.open_report(Path(name))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        drops.offer(event)

    def dropEvent(self, event: QDropEvent) -> None:
        drops.take(event, self.model.data.open)

    def _show(self, *_change: object) -> None:
        model = self.model
        self.start.setVisible(not model.running)
        self.start.setEnabled(not model.missing and not model.data.looking)
        self.resume.setVisible(not model.running and model.unfinished is not None)
        if model.unfinished is not None:
            self.resume.setToolTip(
                _("Go on with the run in {folder} after its last finished epoch").format(
                    folder=model.unfinished.name
                )
            )
        self.cancel.setVisible(model.running)
        self.start.setToolTip(
            model.missing or _("Train the network; everything goes into a folder of its own")
        )
        # What is wrong with the data or the preset is said beside them.
        elsewhere = model.data.path is not None and (
            missing_data(model.data) or model.unsuitable(model.choices.preset)
        )
        self.missing.setVisible(bool(model.missing) and not elsewhere and not model.running)
        self.missing.setText(model.missing)
        for box in (self.data_box, self.preset_box):
            box.setEnabled(not model.running)
        if model.running and not self._was_running:
            self._hide_notice()
            self.tabs.setCurrentWidget(self.run_page)
        self._was_running = model.running

    def _show_failure(self, message: str) -> None:
        self.notice.setText(message)
        self.notice.show()

    def _hide_notice(self, *_name: object) -> None:
        self.notice.hide()

    def _show_report(self) -> None:
        self._hide_notice()
        self.tabs.setCurrentWidget(self.result_page)

    def _show_mistakes(self, true: int, predicted: int) -> None:
        self.mistakes_page.show_only(true, predicted)
        self.tabs.setCurrentWidget(self.mistakes_page)
