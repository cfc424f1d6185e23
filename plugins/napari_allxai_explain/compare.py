"""The window that compares explainers and networks on the image of the session."""

from __future__ import annotations

from os.path import splitext
from pathlib import Path

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.analyses.comparison import Comparison
from allxai_desktop.analyses.figure import FORMATS
from allxai_desktop.analyses.grid import ComparisonChoices, Grid, Method, methods
from allxai_desktop.files import free_path
from allxai_desktop.i18n import _
from allxai_desktop.keys import shown
from allxai_desktop.overlay import COLORMAP_TITLES
from allxai_desktop.relevance import RULE_TITLES
from napari_allxai_explain.compare_cell import STEP
from napari_allxai_explain.compare_grid import ComparisonGrid
from napari_allxai_explain.tick_list import TickList
from napari_allxai_widgets.choice_box import ChoiceBox
from napari_allxai_widgets.side_window import SideWindow

CONTROLS_WIDTH = 236
SUGGESTED = "png"


class CompareWindow(SideWindow):
    """Shows and changes a `Comparison`. Closed, it lets go of the maps; opened again, it compares anew."""

    def __init__(self, model: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self._build()
        self._connect()
        self.retranslate()
        self.resize(1340, 740)

    def open(self) -> None:
        """Come to the front, on the image and the mask as they are now."""
        super().open()
        if self.model.grid is None or self.model.outdated:
            self.model.update()
        self._show_state()

    def release(self) -> None:
        """Stop following; called before the window goes away."""
        model = self.model
        model.choices_changed.disconnect(self._show_choices)
        model.grid_changed.disconnect(self._show_grid)
        model.cell_ready.disconnect(self.grid.show_cell)
        model.outdated_changed.disconnect(self._show_state)
        model.session.image_changed.disconnect(self._on_image)
        model.runner.progressed.disconnect(self._show_progress)
        model.runner.running_changed.disconnect(self._on_running)
        model.exporter.running_changed.disconnect(self._show_state)
        model.exported.disconnect(self._show_exported)
        model.failed.disconnect(self._show_failure)
        self.grid.release()
        model.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.model.clear()
        super().closeEvent(event)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.setWindowTitle(_("Compare – AllXAI Desktop"))
        for control, name, tip in (
            (self.networks, _("Networks"), _("The networks side by side: tick those to compare")),
            (
                self.explainers,
                _("Explainers"),
                _("The explainers below each other; those marked “slow” take many passes of the network"),
            ),
            (self.target, _("Target class"), _("The class whose relevance is shown")),
            (self.rule, _("Rule"), _("Which pixels count as relevant")),
            (
                self.fraction,
                _("Fraction of the pixels"),
                _("How many of the strongest pixels count as relevant"),
            ),
            (
                self.colormap,
                _("Colours"),
                _("Colours of the maps; those of the papers are also what their rule counts"),
            ),
            (
                self.shared_scale,
                _("One colour scale per explainer"),
                _(
                    "On: the maps of a row compare. Off: each has a scale of its own, so that weak ones are seen"
                ),
            ),
            (self.update_now, _("Update"), _("Compare on the image and the mask as they are now (F5)")),
            (self.progress, _("Progress"), _("How much is computed")),
            (self.cancel, _("Cancel"), _("Stop computing; what is ready stays (Esc)")),
            (
                self.name,
                _("Name in the figure"),
                _("What stands under the figure in place of the name of the file"),
            ),
            (
                self.export,
                _("Export…"),
                _(
                    "Write the comparison as one figure, PNG or PDF, without any data of the file ({key})"
                ).format(key=shown("Ctrl+E")),
            ),
        ):
            control.setAccessibleName(name)
            control.setToolTip(tip)
        for button in (self.shared_scale, self.update_now, self.cancel, self.export):
            button.setText(button.accessibleName())
        self.networks_title.setText(_("Networks"))
        self.explainers_title.setText(_("Explainers"))
        for label, text in zip(self._form_labels, (_("Target"), _("Rule"), "", _("Colours")), strict=True):
            label.setText(text)
        self.name_label.setText(_("Name in the figure"))
        self.outdated.setText(_("The image or the mask has changed since this was computed."))
        self.research.setText(_("Research use only, not a medical device"))
        self.grid.retranslate()
        self._show_choices(self.model.choices)
        self._show_state()

    def _build(self) -> None:
        self.networks_title, self.explainers_title = (QLabel(objectName="panelTitle") for _title in range(2))
        self.networks, self.explainers = TickList(), TickList()
        self.networks.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.target, self.rule, self.colormap = ChoiceBox(), ChoiceBox(), ChoiceBox()
        self.fraction = QDoubleSpinBox(minimum=0.1, maximum=99.9, decimals=1, singleStep=1.0, suffix=" %")
        self.shared_scale = QCheckBox()
        self.outdated = QLabel(objectName="warning", wordWrap=True)
        self.update_now = QPushButton()
        self.empty = QLabel(objectName="emptyText", wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.grid = ComparisonGrid()
        self.message = QLabel(wordWrap=True)
        self.progress = QProgressBar(maximum=1000, textVisible=False, maximumWidth=180)
        self.cancel = QPushButton()
        self.name_label, self.name = QLabel(), QLineEdit()
        self.name.setMaximumWidth(200)
        self.export = QPushButton()
        self.research = QLabel(objectName="research", wordWrap=True)
        self._form_labels = [QLabel() for _row in range(4)]

        form = QFormLayout(horizontalSpacing=6, verticalSpacing=4)
        for label, control in zip(
            self._form_labels, (self.target, self.rule, self.fraction, self.colormap), strict=True
        ):
            form.addRow(label, control)
        self._form = form
        controls = QWidget()
        controls.setFixedWidth(CONTROLS_WIDTH)
        left = QVBoxLayout(controls)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(4)
        left.addWidget(self.networks_title)
        left.addWidget(self.networks)
        left.addWidget(self.explainers_title)
        left.addWidget(self.explainers, 1)
        left.addLayout(form)
        left.addWidget(self.shared_scale)
        left.addWidget(self.research)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self.grid)
        banner = QHBoxLayout()
        banner.addWidget(self.outdated, 1)
        banner.addWidget(self.update_now)
        foot = QHBoxLayout()
        for widget in (self.progress, self.cancel):
            foot.addWidget(widget)
        foot.addWidget(self.message, 1)
        for last in (self.name_label, self.name, self.export):
            foot.addWidget(last)
        right = QVBoxLayout()
        right.setSpacing(6)
        right.addLayout(banner)
        right.addWidget(self.pages, 1)
        right.addLayout(foot)
        content = QWidget()
        layout = QHBoxLayout(content)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(10)
        layout.addWidget(controls)
        layout.addLayout(right, 1)
        self.setCentralWidget(content)

    def _connect(self) -> None:
        model = self.model
        self.networks.ticked.connect(lambda names: model.choose(networks=names))
        self.explainers.ticked.connect(lambda chosen: model.choose(methods=chosen))
        for box, name in ((self.target, "target"), (self.rule, "rule"), (self.colormap, "colormap")):
            box.activated.connect(lambda _row, b=box, n=name: model.choose(**{n: b.value}))
        self.fraction.valueChanged.connect(lambda value: model.choose(q=value / 100))
        self.shared_scale.toggled.connect(lambda on: model.choose(shared_scale=on))
        self.update_now.clicked.connect(model.update)
        self.cancel.clicked.connect(model.cancel)
        self.export.clicked.connect(self.ask_export)
        self.bind(
            {
                "F5": model.update,
                "Esc": model.cancel,
                "Ctrl+E": self.ask_export,
                "Ctrl++": lambda: self.grid.link.zoom_by(STEP),
                "Ctrl+-": lambda: self.grid.link.zoom_by(1 / STEP),
                "Ctrl+0": self.grid.link.reset,
            }
        )
        model.choices_changed.connect(self._show_choices)
        model.grid_changed.connect(self._show_grid)
        model.cell_ready.connect(self.grid.show_cell)
        model.outdated_changed.connect(self._show_state)
        model.session.image_changed.connect(self._on_image)
        model.runner.progressed.connect(self._show_progress)
        model.runner.running_changed.connect(self._on_running)
        model.exporter.running_changed.connect(self._show_state)
        model.exported.connect(self._show_exported)
        model.failed.connect(self._show_failure)

    def ask_export(self) -> None:
        """Let the user choose where the figure is written."""
        grid = self.model.grid
        if grid is None or not self.export.isEnabled():
            return
        name = self.name.text().strip() or grid.image.name
        suggested = f"{Path(name).stem}-comparison.{SUGGESTED}"
        path, chosen = QFileDialog.getSaveFileName(
            self, _("Export the comparison"), suggested, "PNG (*.png);;PDF (*.pdf)"
        )
        if path:
            self.message.setText(_("Writing the figure…"))
            wanted = _with_ending(path, "pdf" if chosen.startswith("PDF") else "png")
            self.model.export(str(free_path(*splitext(wanted), path)), name)

    # What the model tells

    def _show_choices(self, choices: ComparisonChoices) -> None:
        cards = self.model.cards
        self.networks.fill(
            [(name, card.title, card.domain_description) for name, card in cards.items()],
            choices.networks,
        )
        self.explainers.fill([_explainer_row(method) for method in methods()], choices.methods)
        common = self.model.common_classes
        first = next((card for name, card in cards.items() if name in choices.networks), None)
        classes = [(key, first.class_title(key), "") for key in common] if first else []
        predicted = (None, _("Predicted class"), _("The class that each network predicts"))
        self.target.fill([predicted, *classes], choices.target)
        self.rule.fill(((name, _(title), "") for name, title in RULE_TITLES.items()), choices.rule)
        self.colormap.fill(
            ((name, _(title), "") for name, title in COLORMAP_TITLES.items()), choices.colormap
        )
        self._form.setRowVisible(self.fraction, choices.rule == "top-q")
        with QSignalBlocker(self.fraction), QSignalBlocker(self.shared_scale):
            self.fraction.setValue(100 * choices.q)
            self.shared_scale.setChecked(choices.shared_scale)

    def _show_grid(self, grid: Grid | None) -> None:
        self.grid.show_grid(grid)
        self.message.setText("")
        self.name.setPlaceholderText(grid.image.name if grid is not None else "")
        self._show_state()

    def _show_state(self, *_change: object) -> None:
        model = self.model
        running = model.runner.running
        for widget in (self.progress, self.cancel):
            widget.setVisible(running)
        for widget in (self.outdated, self.update_now):
            widget.setVisible(model.outdated)
        ready = model.grid is not None and bool(model.grid.cards and model.grid.choices.methods)
        if model.session.image is None and model.grid is None:
            self.empty.setText(_("Open an image in the main window: it is compared here."))
        else:
            self.empty.setText(_("Tick at least one network and one explainer on the left."))
        self.pages.setCurrentWidget(self.grid if ready else self.empty)
        self.export.setEnabled(ready and not running and not model.exporter.running)

    def _on_image(self, *_image: object) -> None:
        # Nothing that is shown would change under somebody's eyes.
        if self.isVisible() and self.model.grid is None:
            self.model.update()
        self._show_state()

    def _on_running(self, running: bool) -> None:
        if not running:
            self.grid.stop_waiting()
        self._show_state()

    def _show_progress(self, share: float) -> None:
        self.progress.setValue(round(1000 * share))

    def _show_exported(self, path: str) -> None:
        self.message.setText(_("{name} was written.").format(name=Path(path).name))

    def _show_failure(self, message: str) -> None:
        self.message.setText(message)


def _with_ending(path: str, chosen: str) -> str:
    """Return the path with the ending of one of `FORMATS`: the one that was typed, or else the one `chosen`."""
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        return f"{path}.{chosen}"
    # The dialog leaves the ending that it suggested when another format is chosen.
    return str(Path(path).with_suffix(f".{chosen}")) if ending == SUGGESTED else path


def _explainer_row(method: Method) -> tuple[Method, str, str]:
    slow = _("slow")
    title = f"{method.title} · {slow}" if method.info.on_demand else method.title
    return method, title, _(method.info.summary)
