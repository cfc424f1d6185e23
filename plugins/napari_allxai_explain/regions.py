"""What each region of the mask contributes to the score of the class, as bars to both sides of zero."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QRectF, QSignalBlocker, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.analyses.regions_model import RegionsModel
from allxai_desktop.analyses.regions_words import conclusion, conditions, signed, sum_line
from allxai_desktop.cellclasses import BY_KEY, CellClass
from allxai_desktop.i18n import N_, _
from allxai_desktop.removal import FILLS
from napari_allxai_explain.panel import Page
from napari_allxai_widgets.choice_box import ChoiceBox
from napari_allxai_widgets.drawing import draw_letter

MISSING = {
    "image": N_("Open an image to see what each region of its mask contributes to the score."),
    "network": N_("Choose a network to see what each region of the mask contributes to its score."),
    "labels": N_("Paint at least one class, such as the nucleus, to see what it contributes to the score."),
}
PARTS = {
    "image": N_("the image"),
    "mask": N_("the mask"),
    "network": N_("the network"),
    "target": N_("the target class"),
    "fill": N_("the fill"),
}


class RegionsPanel(Page):
    """Shows and drives a `RegionsModel`; holds no state of its own."""

    def __init__(self, model: RegionsModel) -> None:
        super().__init__()
        self.model = model
        self._build()
        self._connect()
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.automatic.setText(_("Auto"))
        for control, name, tip in (
            (
                self.fill,
                _("Fill"),
                _("What stands in place of regions that are taken out; the values depend on it"),
            ),
            (
                self.automatic,
                _("Automatic"),
                _("Compute again after every change of image, mask, network or class"),
            ),
            (self.progress, _("Progress"), _("Combinations of regions computed so far")),
            (
                self.bars,
                _("Contribution of each region"),
                _(
                    "Shapley values in logits: to the right, the region speaks for the class, to the left "
                    "against it. Each is the change of the score when the region is added, averaged over all orders."
                ),
            ),
        ):
            control.setAccessibleName(name)
            control.setToolTip(tip)
        self._show()

    def disconnect_model(self) -> None:
        """Stop following; called before the panel goes away."""
        self.model.changed.disconnect(self._show)
        self.model.progressed.disconnect(self._show_progress)

    def _build(self) -> None:
        self.fill = ChoiceBox()
        self.automatic = QCheckBox()
        self.button = QPushButton()
        self.progress = QProgressBar(maximum=100, textVisible=False)
        self.progress.setFixedHeight(6)
        kept = self.progress.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(kept)
        self.message = QLabel(objectName="message", wordWrap=True)
        self.warning = QLabel(objectName="warning", wordWrap=True)
        self.conclusion = QLabel(wordWrap=True)
        self.bars = RegionBars()
        self.sum = QLabel(wordWrap=True)
        self.conditions = QLabel(wordWrap=True)
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.fill, 1)
        head.addWidget(self.automatic)
        head.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(4)
        layout.addLayout(head)
        for part in (
            self.progress,
            self.message,
            self.warning,
            self.conclusion,
            self.bars,
            self.sum,
            self.conditions,
        ):
            layout.addWidget(part)
        layout.addStretch()

    def _connect(self) -> None:
        model = self.model
        self.fill.activated.connect(lambda: setattr(model, "fill", self.fill.value))
        self.automatic.toggled.connect(lambda on: setattr(model, "automatic", on))
        self.button.clicked.connect(self._on_clicked)
        model.changed.connect(self._show)
        model.progressed.connect(self._show_progress)

    def _on_clicked(self) -> None:
        if self.model.state == "computing":
            self.model.cancel()
        else:
            self.model.compute()

    def _show_progress(self, share: float) -> None:
        self.progress.setValue(round(100 * share))

    def _show(self) -> None:
        model, result = self.model, self.model.result
        computing = model.state == "computing"
        self.fill.fill(
            ((name, _("Fill: {name}").format(name=_(title)), "") for name, title in FILLS.items()), model.fill
        )
        with QSignalBlocker(self.automatic):
            self.automatic.setChecked(model.automatic)
        self.button.setText(_("Cancel") if computing else _("Compute"))
        self.button.setAccessibleName(
            _("Cancel") if computing else _("Compute the contribution of each region")
        )
        self.button.setToolTip(
            _("Stop; the values before stay")
            if computing
            else _("Ask the network about every combination of regions taken out (up to 32 images)")
        )
        self.button.setEnabled(computing or model.missing is None)
        self.progress.setVisible(computing)
        if not computing:
            self.progress.reset()
        self._show_messages()
        self.bars.show_values(result.values if result else {})
        self.bars.set_stale(model.state != "result")
        for part in (self.bars, self.sum, self.conditions):
            part.setVisible(result is not None)
        if result is not None:
            self.conclusion.setText(conclusion(result, model.target_title))
            self.sum.setText(sum_line(result, model.target_title))
            self.conditions.setText(conditions(result))

    def _show_messages(self) -> None:
        model = self.model
        text = model.message
        if not text and model.state == "empty":
            text = (
                _(MISSING[model.missing])
                if model.missing
                else _(
                    "Compute shows what each region of the mask contributes to the score of the class: "
                    "the network is asked about every combination of regions taken out."
                )
            )
        elif model.state == "computing":
            text = _("Asking the network about every combination of regions taken out…")
        self.message.setText(text)
        self.message.setVisible(bool(text))
        changed = ", ".join(_(PARTS[part]) for part in model.outdated)
        self.warning.setText(_("⚠ Out of date. Changed since then: {what}.").format(what=changed))
        self.warning.setVisible(model.state == "stale")
        self.conclusion.setVisible(model.state == "result")


class RegionBars(QWidget):
    """One bar for each region, from a common zero: to the right above it, to the left below it."""

    ROW = 20

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[CellClass, float]] = []
        self._stale = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_values(self, values: Mapping[str, float]) -> None:
        """Show class key → value, of any unit."""
        self._rows = [(BY_KEY[key], value) for key, value in values.items()]
        self.setAccessibleDescription("; ".join(f"{cls.title} {signed(value)}" for cls, value in self._rows))
        self.updateGeometry()
        self.update()

    def set_stale(self, stale: bool) -> None:
        """Draw the bars pale where they are not the answer to what is shown."""
        self._stale = stale
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, self.ROW * len(self._rows) + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(0.45 if self._stale else 1.0)
        self._paint(painter)
        painter.end()

    def _paint(self, painter: QPainter) -> None:
        if not self._rows:
            return
        metrics = self.fontMetrics()
        names = min(
            26 + max(metrics.horizontalAdvance(cls.title) for cls, _value in self._rows), self.width() // 2
        )
        numbers = max(metrics.horizontalAdvance(signed(value)) for _cls, value in self._rows) + 8
        room = max(self.width() - names - numbers - 8, 20)
        lowest = min(0.0, *(value for _cls, value in self._rows))
        highest = max(0.0, *(value for _cls, value in self._rows))
        scale = room / ((highest - lowest) or 1.0)
        zero = names + 4 - lowest * scale
        text = self.palette().text().color()
        for row, (cls, value) in enumerate(self._rows):
            rect = QRectF(0, row * self.ROW + 1, self.width(), self.ROW)
            color = QColor(*cls.color)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            chip = QRectF(2, rect.center().y() - 8, 16, 16)
            painter.drawRoundedRect(chip, 3, 3)
            # Yellow on the light theme is seen by its outline.
            painter.setPen(QPen(QColor(128, 128, 128), 1))
            painter.drawRect(QRectF(zero, rect.center().y() - 5, value * scale, 10).normalized())
            draw_letter(painter, chip, cls)
            painter.setPen(text)
            title = metrics.elidedText(cls.title, Qt.TextElideMode.ElideRight, names - 24)
            painter.drawText(rect.adjusted(23, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), title)
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(rect, right, signed(value))
        painter.setPen(QPen(text, 1))
        painter.drawLine(round(zero), 0, round(zero), self.height())
