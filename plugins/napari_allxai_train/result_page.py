"""The figures of a run with their intervals, its confusion matrix, and what to do with the network."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import Qt, QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.i18n import _
from allxai_desktop.networks.card import CARD_FILE
from allxai_desktop.training.measuring.intervals import Estimate
from allxai_desktop.training.measuring.read_report import Report
from allxai_desktop.training.measuring.report import PAGE_FILE
from allxai_desktop.training.train_model import TrainModel
from allxai_desktop.training.words import (
    cautions,
    interval_text,
    leaking_text,
    part_title,
    positive_text,
    reason_text,
    title,
    value_text,
)
from napari_allxai_train.confusion_view import ConfusionView

OF_POSITIVE = {"sensitivity": "recall", "specificity": "specificity", "fn_of_all": "fn_of_all"}
OF_CLASS = (
    *("recall", "precision", "specificity", "auc"),
    *("dice_pooled", "dice_mean", "iou_pooled", "iou_mean"),
)


class ResultPage(QWidget):
    """Shows the report of a `TrainModel`; emits `mistakes_asked(true, predicted)`, classes by number."""

    mistakes_asked = Signal(int, int)

    def __init__(self, model: TrainModel) -> None:
        super().__init__()
        self.model = model
        self.empty = QLabel(objectName="emptyText", wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.warning = QLabel(objectName="warning", wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.figures = QTextBrowser()
        self.figures.setFrameShape(QFrame.Shape.NoFrame)
        self.figures.setStyleSheet("background: transparent;")
        self.matrix = ConfusionView()
        self.matrix_note = QLabel(wordWrap=True)
        self.page, self.folder, self.offer = QPushButton(), QPushButton(), QPushButton()
        self.message = QLabel(wordWrap=True)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.matrix, 1)
        column.addWidget(self.matrix_note)
        self.both = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False)
        self.both.addWidget(self.figures)
        self.both.addWidget(right)
        self.both.setSizes([460, 340])
        self.both.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        foot = QHBoxLayout()
        foot.addWidget(self.page)
        foot.addWidget(self.folder)
        foot.addWidget(self.message, 1)
        foot.addWidget(self.offer)
        layout = QVBoxLayout(self)
        layout.addWidget(self.empty, 1)
        layout.addWidget(self.warning)
        layout.addWidget(self.both, 1)
        layout.addLayout(foot)
        self.page.clicked.connect(self._open_page)
        self.folder.clicked.connect(self._open_folder)
        self.offer.clicked.connect(model.offer)
        self.matrix.chosen.connect(self.mistakes_asked)
        model.report_changed.connect(self._show)
        model.offered.connect(self._show_offered)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        for button, name, tip in (
            (self.page, _("Open the report"), _("Open the page with every figure")),
            (
                self.folder,
                _("Open the folder"),
                _("Show the files of the run: card, weights, report, pictures"),
            ),
            (
                self.offer,
                _("Add to the networks"),
                _(
                    "Keep the network in the program, which then offers it for explaining and for starting from"
                ),
            ),
        ):
            button.setText(name)
            button.setToolTip(tip)
        self.empty.setText(
            _("At the end of a run its figures stand here, measured on images that the network has not seen.")
        )
        self.figures.setAccessibleName(_("Figures of the network"))
        self.matrix.retranslate()
        self._show()

    def disconnect_model(self) -> None:
        """Stop following; called before the page goes away."""
        self.model.report_changed.disconnect(self._show)
        self.model.offered.disconnect(self._show_offered)

    def _show(self) -> None:
        report = self.model.report
        shown = report is not None
        self.empty.setVisible(not shown)
        for widget in (self.both, self.page, self.folder, self.offer, self.message):
            widget.setVisible(shown)
        self.warning.setVisible(shown and bool(_cautions(report)))
        if report is None:
            return
        self.warning.setText(_cautions(report))
        folder = self.model.folder
        # Of a run over several splits there is no one network.
        self.offer.setVisible(folder is not None and (folder / CARD_FILE).is_file())
        self.figures.setHtml(_html(report))
        self.matrix.show_counts(report.counts, tuple(map(report.class_title, report.classes)))
        unit = _("Counts of images. ") if report.unit == "images" else _("Counts of pixels. ")
        hint = _("Click a cell beside the diagonal to see its images.") if report.mistakes else ""
        self.matrix_note.setText(unit + hint)
        self._show_offered()

    def _show_offered(self, *_name: object) -> None:
        model, report = self.model, self.model.report
        assert report is not None
        self.offer.setEnabled(model.network is None)
        text = (
            _("The explain panel now offers {name}.")
            if report.unit == "images"
            else _("{name} is among the networks; a second stage can start from it.")
        )
        self.message.setText("" if model.network is None else text.format(name=model.network))

    def _open_page(self) -> None:
        self._open(PAGE_FILE)

    def _open_folder(self) -> None:
        self._open("")

    def _open(self, name: str) -> None:
        if self.model.folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.model.folder / name)))


def _cautions(report: Report | None) -> str:
    if report is None:
        return ""
    titles = [report.class_title(name) for name in report.classes]
    said = cautions(report.caution, report.part, titles, report.counts)
    return "\n".join([leaking_text(), *said] if report.leaking else said)


def _html(report: Report) -> str:
    heading = f"{report.network} · {part_title(report.part)}"
    overall = dict(report.overall)
    texts = []
    if report.positive is not None:
        its = report.of_class[report.positive]
        overall |= {name: its[key] for name, key in OF_POSITIVE.items() if key in its}
        texts.append(f"<b>{escape(positive_text(report.class_title(report.positive)))}</b>")
    texts.append(escape(interval_text(report.images, report.groups)))
    first = next(iter(report.of_class.values()))
    columns = [name for name in OF_CLASS if name in first]
    shown = [*overall.values(), *(figures[name] for figures in report.of_class.values() for name in columns)]
    reasons = list(dict.fromkeys(found.reason for found in shown if found.reason))

    def text(figure: str, found: Estimate) -> str:
        mark = "¹²³⁴"[reasons.index(found.reason)] if found.reason else ""
        return escape(value_text(figure, found)) + mark

    rows = "".join(
        f"<tr><td>{escape(title(name))}</td><td><b>{text(name, found)}</b></td></tr>"
        for name, found in overall.items()
    )

    def two_lines(figure: str, found: Estimate) -> str:
        # Side by side, value and interval of every figure would be wider than the page.
        return text(figure, found).replace(" (", "<br><small>(").replace(")", ")</small>")

    head = "".join(f"<th align='left'>{escape(title(name))}</th>" for name in columns)
    by_class = "".join(
        f"<tr><td>{escape(report.class_title(name))}</td>"
        + "".join(f"<td>{two_lines(column, figures[column])}</td>" for column in columns)
        + "</tr>"
        for name, figures in report.of_class.items()
    )
    notes = "".join(
        f"<p>{'¹²³⁴'[number]} {escape(reason_text(reason))}</p>" for number, reason in enumerate(reasons)
    )
    class_head = escape(_("Class"))
    return (
        f"<h3>{escape(heading)}</h3>"
        + "".join(f"<p>{one}</p>" for one in texts)
        + f"<table cellpadding='3'>{rows}</table>"
        + f"<p></p><table cellpadding='3'><tr><th align='left'>{class_head}</th>{head}</tr>{by_class}</table>"
        + notes
    )
