"""The window of second annotations: who annotates what again, how far the masks agree, and which to adjudicate."""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal as Told
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.agreement import words
from allxai_desktop.agreement.gathering import Disagreement
from allxai_desktop.agreement.model import AgreementModel
from allxai_desktop.app.agreement_tables import ClassTable, ImageTable
from allxai_desktop.i18n import _
from allxai_desktop.keys import shown
from napari_allxai_widgets.choice_box import ChoiceBox
from napari_allxai_widgets.side_window import SideWindow

LEFT_WIDTH = 250


class AgreementWindow(SideWindow):
    """Shows and changes an `AgreementModel`.

    `annotate_asked` carries the pseudonym whose second annotation is to be opened.
    """

    annotate_asked = Told(str)

    def __init__(self, model: AgreementModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self._build()
        self._connect()
        self.retranslate()
        self.resize(1180, 700)

    def open(self) -> None:
        """Come to the front, with what is known now."""
        super().open()
        self.model.refresh()
        if self.model.result is None and any(second.done for second in self.model.seconds):
            self.measure()

    def set_person(self, name: str | None) -> None:
        """Say who works here; None where that was not said: the adjudicator can be typed then."""
        if name is not None and name != self.adjudicator.text():
            self.adjudicator.setText(name)
            # What was refused was refused to somebody else.
            self.message.setText("")
            self._show_running()
        self.adjudicator.setReadOnly(name is not None)

    def measure(self) -> None:
        """Compare the masks as they are now."""
        self.message.setText("")
        self.written.setText("")
        self.model.measure(proposal=self.proposal.isChecked())

    def adjudicate(self) -> None:
        """Open the chosen image for its adjudication."""
        chosen = self._chosen()
        if chosen is not None:
            self.message.setText("")
            self.model.adjudicate(chosen, self.adjudicator.text().strip())

    def _chosen(self) -> Disagreement | None:
        rows, row = self.model.rows, self.images.currentRow()
        return rows[row][1] if 0 <= row < len(rows) else None

    def release(self) -> None:
        """Stop following; called before the window goes away."""
        model = self.model
        model.plan_changed.disconnect(self._show_plan)
        model.result_changed.disconnect(self._show_result)
        model.failed.disconnect(self._show_failure)
        model.exported.disconnect(self._show_exported)
        model.runner.progressed.disconnect(self._show_progress)
        model.runner.running_changed.disconnect(self._show_running)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.setWindowTitle(_("Agreement – AllXAI Desktop"))
        for control, name, tip in (
            (self.person, _("By"), _("The pseudonym of whoever annotates a second time, such as A02")),
            (
                self.share,
                _("Share"),
                _("How many of the images that somebody else has annotated are drawn"),
            ),
            (self.seed, _("Seed"), _("The same number draws the same images again")),
            (self.draw, _("Draw images"), _("Draw images for a second annotation, and keep it in the study")),
            (self.seconds, _("Second annotations"), ""),
            (
                self.annotate,
                _("Annotate"),
                _(
                    "Open the drawn images without their first masks: nothing of the first annotation is shown"
                ),
            ),
            (
                self.take_back,
                _("Take back"),
                _("Forget the images that were drawn for this person and are not begun"),
            ),
            (self.which, _("Comparison"), _("Which masks are compared below")),
            (
                self.proposal,
                _("And with the proposal"),
                _("Compare the masks with what the program proposes for an untouched image, too"),
            ),
            (self.compare, _("Compare"), _("Compare the masks as they are now (F5)")),
            (self.cancel, _("Cancel"), _("Stop comparing (Esc)")),
            (self.progress, _("Progress"), _("How much is compared")),
            (self.classes, _("Agreement by class"), ""),
            (self.images, _("Images, those that agree least first"), ""),
            (
                self.adjudicator,
                _("Adjudicator"),
                _("The pseudonym of whoever decides; the final mask keeps it"),
            ),
            (
                self.adjudicate_now,
                _("Adjudicate"),
                _("Walk through the differences of the chosen image and decide them (double click)"),
            ),
            (
                self.export,
                _("Export…"),
                _("Write a table, JSON and a page to read into a folder ({key})").format(key=shown("Ctrl+E")),
            ),
        ):
            control.setAccessibleName(name)
            control.setToolTip(tip)
        for button in (
            self.draw,
            self.annotate,
            self.take_back,
            self.proposal,
            self.compare,
            self.cancel,
            self.adjudicate_now,
        ):
            button.setText(button.accessibleName())
        self.export.setText(self.export.accessibleName())
        self.person.setPlaceholderText(_("Pseudonym, such as A07"))
        self.second_title.setText(_("Second annotation"))
        self.agreement_title.setText(_("Agreement"))
        self.images_title.setText(_("Image by image"))
        for label, text in zip(self._labels, (_("By"), _("Share"), _("Seed")), strict=True):
            label.setText(text)
        self.adjudicator_label.setText(_("Adjudicator"))
        self.hint.setText(
            _(
                "The second annotator sees the images alone. Agreement shows how far the labels can be trusted."
            )
        )
        self.research.setText(_("Research use only, not a medical device"))
        self._show_plan()
        self._show_result()
        self._show_running()

    def _build(self) -> None:
        self.second_title, self.agreement_title, self.images_title = (
            QLabel(objectName="panelTitle") for _title in range(3)
        )
        self.hint = QLabel(wordWrap=True, objectName="research")
        self.person = QLineEdit(maxLength=32)
        self.share = QSpinBox(minimum=1, maximum=100, value=20, suffix=" %")
        self.seed = QSpinBox(minimum=0, maximum=999_999, value=1)
        self.draw, self.annotate, self.take_back = (QPushButton() for _button in range(3))
        self.seconds = QListWidget()
        self.which = ChoiceBox()
        self.proposal = QCheckBox()
        self.compare, self.cancel = QPushButton(), QPushButton()
        self.progress = QProgressBar(maximum=1000, textVisible=False, maximumWidth=160)
        self.extent, self.brackets = QLabel(wordWrap=True), QLabel(objectName="research", wordWrap=True)
        self.classes, self.images = ClassTable(), ImageTable()
        self.adjudicator_label, self.adjudicator = QLabel(), QLineEdit(maxLength=32)
        self.adjudicator.setMaximumWidth(110)
        self.adjudicate_now, self.export = QPushButton(), QPushButton()
        self.message = QLabel(wordWrap=True, objectName="warning")
        self.research, self.written = QLabel(objectName="research"), QLabel()
        self._labels = [QLabel() for _row in range(3)]

        form = QFormLayout(horizontalSpacing=6, verticalSpacing=4)
        for label, control in zip(self._labels, (self.person, self.share, self.seed), strict=True):
            form.addRow(label, control)
        controls = QWidget()
        controls.setFixedWidth(LEFT_WIDTH)
        left = QVBoxLayout(controls)
        left.setContentsMargins(0, 0, 0, 0)
        left.addWidget(self.second_title)
        left.addWidget(self.hint)
        left.addLayout(form)
        left.addWidget(self.draw)
        left.addWidget(self.seconds, 1)
        with_chosen = QHBoxLayout()
        with_chosen.addWidget(self.annotate, 1)
        with_chosen.addWidget(self.take_back)
        left.addLayout(with_chosen)

        head = QHBoxLayout()
        head.addWidget(self.agreement_title)
        head.addWidget(self.which, 1)
        for widget in (self.proposal, self.progress, self.cancel, self.compare):
            head.addWidget(widget)
        below = QHBoxLayout()
        below.addWidget(self.images_title)
        below.addStretch()
        for last in (self.adjudicator_label, self.adjudicator, self.adjudicate_now):
            below.addWidget(last)
        foot = QHBoxLayout()
        foot.addWidget(self.research)
        foot.addWidget(self.written, 1)
        foot.addWidget(self.export)
        right = QVBoxLayout()
        right.setSpacing(6)
        right.addLayout(head)
        right.addWidget(self.message)
        right.addWidget(self.extent)
        right.addWidget(self.classes)
        right.addWidget(self.brackets)
        right.addLayout(below)
        right.addWidget(self.images, 1)
        right.addLayout(foot)
        content = QWidget()
        layout = QHBoxLayout(content)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(14)
        layout.addWidget(controls)
        layout.addLayout(right, 1)
        self.setCentralWidget(content)

    def _connect(self) -> None:
        model = self.model
        self.draw.clicked.connect(self._draw)
        self.person.returnPressed.connect(self._draw)
        self.annotate.clicked.connect(self._annotate)
        self.take_back.clicked.connect(self._take_back)
        self.seconds.itemActivated.connect(lambda _item: self._annotate())
        self.seconds.currentRowChanged.connect(lambda _row: self._show_running())
        self.which.activated.connect(lambda _row: model.show(self.which.value))
        self.compare.clicked.connect(self.measure)
        self.cancel.clicked.connect(model.cancel)
        self.images.itemSelectionChanged.connect(self._show_running)
        self.images.activated.connect(lambda _index: self.adjudicate())
        self.adjudicate_now.clicked.connect(self.adjudicate)
        self.export.clicked.connect(self._ask_export)
        self.bind({"F5": self.measure, "Esc": model.cancel, "Ctrl+E": self._ask_export})
        model.plan_changed.connect(self._show_plan)
        model.result_changed.connect(self._show_result)
        model.failed.connect(self._show_failure)
        model.exported.connect(self._show_exported)
        model.runner.progressed.connect(self._show_progress)
        model.runner.running_changed.connect(self._show_running)

    # What a person does

    def _draw(self) -> None:
        self.message.setText("")
        self.model.start(self.person.text().strip(), self.share.value() / 100, self.seed.value())
        self._show_running()

    def _annotate(self) -> None:
        row = self.seconds.currentRow()
        if 0 <= row < len(self.model.seconds):
            self.annotate_asked.emit(self.model.seconds[row].person)

    def _take_back(self) -> None:
        self.message.setText("")
        self.model.take_back(self.model.seconds[self.seconds.currentRow()].person)

    def _ask_export(self) -> None:
        if self.export.isEnabled():
            name = QFileDialog.getExistingDirectory(self, _("The folder for the report"))
            if name:
                self.model.export(Path(name))

    # What the model tells

    def _show_plan(self) -> None:
        chosen = max(self.seconds.currentRow(), 0)
        with QSignalBlocker(self.seconds):
            self.seconds.clear()
            for second in self.model.seconds:
                text = _("{person}: {done} of {drawn} annotated").format(
                    person=second.person, done=second.done, drawn=second.drawn
                )
                self.seconds.addItem(QListWidgetItem(text))
            if self.model.seconds:
                self.seconds.setCurrentRow(min(chosen, len(self.model.seconds) - 1))
        self._show_running()

    def _show_result(self) -> None:
        model, comparison = self.model, self.model.comparison
        found = model.result.comparisons if model.result else ()
        self.which.fill([(place, words.title(one), "") for place, one in enumerate(found)], model.shown)
        if comparison is None:
            self.extent.setText(_("Annotate images a second time, then compare."))
            self.brackets.setText("")
        else:
            agreement = comparison.agreement
            self.extent.setText(f"{words.extent(agreement)}.\n{words.overall(agreement)}.")
            self.brackets.setText(words.brackets(agreement))
        self.classes.show_comparison(comparison)
        self.images.show_images(model.rows)
        if model.result is not None and model.result.problems:
            self.message.setText("\n".join(model.result.problems))
        self._show_running()

    def _show_running(self, *_change: object) -> None:
        model, running = self.model, self.model.runner.running
        for widget in (self.progress, self.cancel):
            widget.setVisible(running)
        self.compare.setVisible(not running)
        self.compare.setEnabled(model.study is not None)
        self.draw.setEnabled(model.study is not None)
        row = self.seconds.currentRow()
        chosen = model.seconds[row] if 0 <= row < len(model.seconds) else None
        self.annotate.setEnabled(chosen is not None)
        self.take_back.setEnabled(chosen is not None and chosen.unpainted > 0)
        self.which.setEnabled(model.result is not None)
        self.export.setEnabled(model.result is not None and not running)
        self.adjudicate_now.setEnabled(self._chosen() is not None and not running)
        self.message.setVisible(bool(self.message.text()))

    def _show_progress(self, share: float) -> None:
        self.progress.setValue(round(1000 * share))

    def _show_failure(self, message: str) -> None:
        self.message.setText(message)
        self._show_running()

    def _show_exported(self, names: list[str]) -> None:
        self.written.setText(_("Written: {names}.").format(names=", ".join(names)))
