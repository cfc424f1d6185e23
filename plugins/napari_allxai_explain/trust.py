"""How far to trust the map: two figures that are always there, and three checks to run."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.analyses.checks import CHECKS
from allxai_desktop.analyses.trust import TrustModel, verdicts
from allxai_desktop.analyses.verdicts import Level, Verdict
from allxai_desktop.i18n import N_, _
from napari_allxai_explain.curve_plot import CurvePlot
from napari_allxai_explain.panel import Page

# Told apart by shape, and by colours that every common colour blindness tells apart.
MARKS: dict[Level, tuple[str, str]] = {
    "good": ("✔", "#009E73"),
    "fair": ("●", "#E69F00"),
    "poor": ("✖", "#D55E00"),
    "none": ("–", "#808080"),
}
CHECK_TIPS = {
    "faithfulness": N_("Blurs the marked parts one after another and watches the score: about 10 seconds"),
    "stability": N_("Explains copies of the image with a little noise"),
    "randomisation": N_("Explains the image with networks of random weights"),
}


class TrustPanel(Page):
    """Shows a `TrustModel` and starts its checks; holds no state of its own."""

    def __init__(self, model: TrustModel) -> None:
        super().__init__()
        self.model = model
        self._build()
        self._connect()
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.run_all.setText(_("Run all"))
        self.run_all.setToolTip(_("Run the three checks, one after another"))
        self.cancel.setText(_("Cancel"))
        self.progress.setAccessibleName(_("Progress of the checks"))
        self.checks_title.setText(_("Checks of this map"))
        for section in self.sections.values():
            section.retranslate()
        self._show_figures()
        self._show_checks()

    def disconnect_model(self) -> None:
        """Stop following; called before the panel goes away."""
        self.model.figures_changed.disconnect(self._show_figures)
        self.model.checks_changed.disconnect(self._show_checks)
        self.model.progressed.disconnect(self._show_progress)

    def _build(self) -> None:
        self.empty = QLabel(wordWrap=True)
        self.conservation = _sentence()
        self.outside = _sentence()
        self.twin = _sentence()
        self.checks_title = QLabel()
        self.progress = QProgressBar(maximum=100, textVisible=False)
        self.progress.setFixedHeight(8)
        self.run_all = QPushButton()
        self.cancel = QPushButton()
        self.sections = {check: CheckSection(check) for check in CHECKS}
        head = QHBoxLayout()
        head.addWidget(self.checks_title)
        head.addWidget(self.progress, 1)
        head.addStretch()
        head.addWidget(self.run_all)
        head.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 4, 2, 2)
        layout.setSpacing(4)
        for part in (self.empty, self.conservation, self.outside, self.twin):
            layout.addWidget(part)
        layout.addLayout(head)
        for section in self.sections.values():
            layout.addWidget(section)
        layout.addStretch()

    def _connect(self) -> None:
        model = self.model
        self.run_all.clicked.connect(lambda: model.run())
        self.cancel.clicked.connect(model.cancel)
        for check, section in self.sections.items():
            section.run.clicked.connect(lambda _checked=False, c=check: model.run(c))
        model.figures_changed.connect(self._show_figures)
        model.checks_changed.connect(self._show_checks)
        model.progressed.connect(self._show_progress)

    def _show_figures(self) -> None:
        model = self.model
        self.empty.setVisible(model.subject is None)
        self.empty.setText(model.missing or "")
        _show_verdict(self.conservation, model.conservation)
        _show_verdict(self.outside, model.outside)
        if model.outside is None and model.subject is not None:
            self.outside.setText(
                _("Paint the cell and what surrounds it to see how much relevance lies outside.")
            )
            self.outside.show()
        self.twin.setVisible(model.twin is not None)
        self.twin.setText(escape(f"ℹ {model.twin or ''}"))

    def _show_checks(self) -> None:
        model = self.model
        running = model.running is not None
        self.run_all.setEnabled(model.subject is not None and bool(model.missing_checks))
        self.run_all.setVisible(not running)
        self.cancel.setVisible(running)
        self.progress.setVisible(running)
        for section in self.sections.values():
            section.show_state(model)

    def _show_progress(self, share: float) -> None:
        self.progress.setValue(round(100 * share))


class CheckSection(QWidget):
    """One check: its title, a button, and below them what came out."""

    def __init__(self, check: str) -> None:
        super().__init__()
        self.check = check
        self.title = QLabel()
        self.state = QLabel()
        self.run = QPushButton()
        self.plot = CurvePlot()
        self.sentences = [_sentence(), _sentence()]
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addWidget(self.state, 1, Qt.AlignmentFlag.AlignRight)
        head.addWidget(self.run)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.plot)
        for sentence in self.sentences:
            layout.addWidget(sentence)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.title.setText(f"<b>{escape(_(CHECKS[self.check]))}</b>")
        self.run.setText(_("Run"))
        self.run.setAccessibleName(_("Run: {check}").format(check=_(CHECKS[self.check])))
        self.run.setToolTip(_(CHECK_TIPS[self.check]))
        self.plot.retranslate()

    def show_state(self, model: TrustModel) -> None:
        """Show where the model stands with this check."""
        state = model.checks[self.check]
        awaited = self.check == model.running or self.check in model.waiting
        missing = self.check in model.missing_checks
        self.run.setEnabled(model.subject is not None and missing and not awaited)
        self.state.setText(
            _("running…")
            if self.check == model.running
            else _("waiting…")
            if awaited
            else _("of an earlier map")
            if state.outdated
            else ""
        )
        curves = state.result if self.check == "faithfulness" else None
        self.plot.setVisible(curves is not None)
        self.plot.setEnabled(not state.outdated)
        self.plot.show_curves(curves)
        found = [] if state.result is None else verdicts(self.check, state.result)
        for number, sentence in enumerate(self.sentences):
            _show_verdict(sentence, found[number] if number < len(found) else None)
            sentence.setEnabled(not state.outdated)
        if state.error is not None:
            self.sentences[0].setText(escape(state.error))
            self.sentences[0].show()


def _sentence() -> QLabel:
    label = QLabel(wordWrap=True, textFormat=Qt.TextFormat.RichText)
    label.hide()
    return label


def _show_verdict(label: QLabel, verdict: Verdict | None) -> None:
    label.setVisible(verdict is not None)
    if verdict is None:
        return
    mark, color = MARKS[verdict.level]
    text = f"{verdict.sentence} ({verdict.figure})"
    label.setText(f'<span style="color:{color}">{mark}</span> {escape(text)}')
