"""The what-if tab, and the banner that says that part of the image is out. All state is in the `WhatIf`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPaintEvent
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.cellclasses import CLASSES, CellClass
from allxai_desktop.i18n import N_, _
from allxai_desktop.keys import KEYS
from allxai_desktop.removal import FILLS
from napari_allxai_explain.panel import Page
from napari_allxai_explain.prediction import BAR_COLOR
from napari_allxai_widgets.choice_box import ChoiceBox
from napari_allxai_widgets.drawing import draw_letter

if TYPE_CHECKING:
    from allxai_desktop.analyses.what_if import Change, Comparison, Variant, WhatIf
    from allxai_desktop.networks.card import Card
    from allxai_desktop.relevance import ClassShare

VERDICTS = {
    "other": N_("Without this part the network sees {after} instead of {before}."),
    "less": N_("Without this part the network still sees {before}, but less surely."),
    "more": N_("Without this part the network still sees {before}, and more surely."),
    "alike": N_("Without this part the network still sees {before}, about as surely."),
}
SHORTEST_BAR = 60
BANNER_STYLE = """
QFrame#whatIf { background: #E69F00; border-radius: 3px; }
QFrame#whatIf QLabel { color: black; background: transparent; }
QFrame#whatIf QPushButton {
    color: black; background: rgba(255, 255, 255, 110); border: none; border-radius: 3px; padding: 3px 10px;
}
QFrame#whatIf QPushButton:hover { background: rgba(255, 255, 255, 190); }
"""


class WhatIfPanel(Page):
    """Shows and changes a `WhatIf`; `cards` give the classes of the networks their titles."""

    def __init__(self, what_if: WhatIf, cards: Mapping[str, Card]) -> None:
        super().__init__()
        self.what_if = what_if
        self.cards = cards
        self._build()
        self._connect()
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.toggle.setText(_("What if"))
        self.clear.setText(_("Clear"))
        self.out_label.setText(_("Take out"))
        for control, name, tip in (
            (self.toggle, _("What if"), f"{_(KEYS['what-if'].title)} ({KEYS['what-if'].shown})"),
            (
                self.fill,
                _("Filling"),
                _(
                    "What stands in place of the part. "
                    "What both fillings show does not come from the filling itself."
                ),
            ),
            (self.clear, _("Clear"), _("Put everything back")),
        ):
            control.setAccessibleName(name)
            control.setToolTip(tip)
        self._show_fill(self.what_if.fill)
        self._show_active()
        self._show_variant(self.what_if.variant)
        self._show_classes(self.what_if.session.shares)

    def disconnect_model(self) -> None:
        """Stop following; called before the panel goes away."""
        model, session = self.what_if, self.what_if.session
        model.active_changed.disconnect(self._show_active)
        model.fill_changed.disconnect(self._show_fill)
        model.variant_changed.disconnect(self._show_variant)
        model.comparison_changed.disconnect(self._show_comparison)
        session.shares_changed.disconnect(self._show_classes)
        session.image_changed.disconnect(self._show_active)

    def _build(self) -> None:
        self.toggle = QPushButton(checkable=True)
        self.fill = ChoiceBox()
        self.clear = QPushButton()
        self.out_label = QLabel()
        self.classes = [ClassButton(cls) for cls in CLASSES]
        self.bars = ChangeBars()
        self.sentence = QLabel(wordWrap=True)
        head = QHBoxLayout()
        head.addWidget(self.toggle)
        head.addWidget(self.fill, 1)
        head.addWidget(self.clear)
        out = QHBoxLayout()
        out.setSpacing(4)
        out.addWidget(self.out_label)
        for button in self.classes:
            out.addWidget(button)
        out.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addLayout(out)
        layout.addWidget(self.bars)
        layout.addWidget(self.sentence)
        layout.addStretch()

    def _connect(self) -> None:
        model, session = self.what_if, self.what_if.session
        self.toggle.clicked.connect(lambda: model.toggle())
        self.fill.activated.connect(lambda _row: setattr(model, "fill", self.fill.value))
        self.clear.clicked.connect(lambda: model.clear())
        for button in self.classes:
            button.clicked.connect(lambda _checked=False, key=button.cls.key: model.remove_class(key))
        model.active_changed.connect(self._show_active)
        model.fill_changed.connect(self._show_fill)
        model.variant_changed.connect(self._show_variant)
        model.comparison_changed.connect(self._show_comparison)
        session.shares_changed.connect(self._show_classes)
        session.image_changed.connect(self._show_active)

    def _show_active(self, *_changed: object) -> None:
        self.toggle.setChecked(self.what_if.active)
        self.toggle.setEnabled(self.what_if.session.image is not None)
        self._show_comparison(self.what_if.comparison)

    def _show_fill(self, fill: str) -> None:
        self.fill.fill(
            ((name, _("Fill: {name}").format(name=_(title)), "") for name, title in FILLS.items()), fill
        )

    def _show_variant(self, variant: Variant | None) -> None:
        self.clear.setEnabled(variant is not None)
        for button in self.classes:
            button.show_removed(0 if variant is None else variant.removed.get(button.cls.key, 0))
        self._show_comparison(self.what_if.comparison)

    def _show_classes(self, shares: Mapping[str, ClassShare]) -> None:
        for button in self.classes:
            share = shares.get(button.cls.key)
            button.setEnabled(share is not None and share.pixels > 0)

    def _show_comparison(self, comparison: Comparison | None) -> None:
        card = self.cards.get(self.what_if.session.choices.network or "")
        titles = {key: card.class_title(key) for key in card.classes} if card else {}
        changes = comparison.changes if comparison else ()
        self.bars.show_changes([(titles.get(change.key, change.key), change) for change in changes])
        self.sentence.setText(self._sentence(comparison, titles))

    def _sentence(self, comparison: Comparison | None, titles: Mapping[str, str]) -> str:
        session = self.what_if.session
        if not self.what_if.active or self.what_if.variant is None:
            return _(
                "Paint over part of the image, or take a class out, to see what the network makes of the rest. "
                "The right button puts back."
            )
        if not session.live:
            return _("Switch Live on to see what the network makes of the rest.")
        if comparison is None or session.result is None or session.result.before is None:
            return ""
        before, after = comparison.predicted_before, comparison.predicted_after
        return _(VERDICTS[comparison.verdict]).format(
            before=titles.get(before, before), after=titles.get(after, after)
        )


class ClassButton(QToolButton):
    """The letter of a class in its colour; a line under it grows with the share of the class that is out."""

    def __init__(self, cls: CellClass) -> None:
        super().__init__()
        self.cls = cls
        self._removed = 0.0
        self.setText(cls.letter)
        self.setFixedSize(30, 26)

    def show_removed(self, share: float) -> None:
        """Show how much of the class, 0…1, is out."""
        self._removed = share
        name = _("Take out: {name}").format(name=self.cls.title)
        self.setAccessibleName(name)
        out = _("{share} of it is out").format(share=f"{100 * share:.0f} %")
        self.setToolTip(f"{name} ({out})" if share else name)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self.isEnabled() else 0.3)
        color = QColor(*self.cls.color)
        chip = QRectF(2, 1, self.width() - 4, self.height() - 8)
        painter.setPen(self.palette().text().color() if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(color.lighter(120) if self.underMouse() and self.isEnabled() else color)
        painter.drawRoundedRect(chip, 3, 3)
        draw_letter(painter, chip, self.cls)
        painter.setPen(Qt.PenStyle.NoPen)
        track = QRectF(2, self.height() - 5, self.width() - 4, 4)
        painter.setBrush(QColor(128, 128, 128, 70))
        painter.drawRect(track)
        painter.setBrush(color)
        painter.drawRect(QRectF(track.left(), track.top(), track.width() * self._removed, 4))
        painter.end()


class ChangeBars(QWidget):
    """A row for each class: its probability before (pale) above that after, and both as numbers, with the logits."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[str, Change]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_changes(self, rows: list[tuple[str, Change]]) -> None:
        """Show (title of the class, change) in this order; none hides the widget."""
        if [title for title, _change in rows] != [title for title, _change in self._rows]:
            self._rows = rows
            self.updateGeometry()
        self._rows = rows
        self.setVisible(bool(rows))
        self.setAccessibleName(_("Probability before and after"))
        self.setAccessibleDescription("; ".join(f"{title} {_numbers(change)}" for title, change in rows))
        self.setToolTip(_("Upper bar: probability for the image itself. Lower bar: for what is left of it."))
        self.update()

    def texts(self) -> list[str]:
        """Return the numbers of each row as they are shown."""
        return [_numbers(change) for _title, change in self._rows]

    def sizeHint(self) -> QSize:
        return QSize(200, self._row_height() * len(self._rows))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        small = QFont(self.font())
        small.setPointSizeF(self.font().pointSizeF() * 0.9)
        metrics, line = self.fontMetrics(), self.fontMetrics().height()
        numbers = metrics.horizontalAdvance("100.0 % → 100.0 %") + 4
        widest = max((metrics.horizontalAdvance(title) for title, _change in self._rows), default=0) + 8
        names = min(widest, self.width() - numbers - 8 - SHORTEST_BAR)
        room = self.width() - names - numbers - 8
        text = self.palette().text().color()
        for row, (title, change) in enumerate(self._rows):
            top = row * self._row_height()
            painter.setFont(self.font())
            painter.setPen(text)
            name = metrics.elidedText(title, Qt.TextElideMode.ElideRight, names - 2)
            middle = QRectF(0, top, names, 2 * line)
            painter.drawText(middle, int(Qt.AlignmentFlag.AlignVCenter), name)
            place = QRectF(names + room + 8, top, numbers, line)
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(place, right, _numbers(change))
            painter.setFont(small)
            painter.setOpacity(0.75)
            painter.drawText(place.translated(0, line), right, _logits(change))
            painter.setOpacity(1)
            painter.setPen(Qt.PenStyle.NoPen)
            for shift, share, alpha in (
                (-9, change.probability_before, 110),
                (1, change.probability_after, 255),
            ):
                bar = QRectF(names, top + line + shift, room, 8)
                painter.setBrush(QColor(128, 128, 128, 70))
                painter.drawRoundedRect(bar, 2, 2)
                painter.setBrush(QColor(BAR_COLOR.red(), BAR_COLOR.green(), BAR_COLOR.blue(), alpha))
                painter.drawRoundedRect(QRectF(bar.left(), bar.top(), max(room * share, 1), 8), 2, 2)
        painter.end()

    def _row_height(self) -> int:
        return 2 * self.fontMetrics().height() + 4


class WhatIfBanner(QFrame):
    """Says, as long as a `WhatIf` is active, that the image is not what it seems; a button leaves."""

    def __init__(self, what_if: WhatIf) -> None:
        super().__init__(objectName="whatIf")
        self.what_if = what_if
        self.setStyleSheet(BANNER_STYLE)
        # On a small screen a part of the text goes first, and neither the button nor the edge of the window.
        self.text = QLabel(minimumWidth=1)
        self.leave = QPushButton()
        # Enter and Space belong to the canvas.
        self.leave.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 3, 6, 3)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.leave)
        self.leave.clicked.connect(lambda: setattr(what_if, "active", False))
        what_if.active_changed.connect(self._show)
        what_if.variant_changed.connect(self._show)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.leave.setText(_("Leave ({key})").format(key=KEYS["escape"].shown))
        self._show()

    def disconnect_model(self) -> None:
        """Stop following; called before the banner goes away."""
        self.what_if.active_changed.disconnect(self._show)
        self.what_if.variant_changed.disconnect(self._show)

    def _show(self, *_changed: object) -> None:
        variant = self.what_if.variant
        if variant is None:
            self.text.setText(_("What if: paint over what to take out. The image itself stays as it is."))
        else:
            self.text.setText(
                _("What if: {share} of the image is taken out. The image itself is unchanged.").format(
                    share=f"{100 * variant.share:.1f} %"
                )
            )
        self.text.setToolTip(self.text.text())
        self.setVisible(self.what_if.active)


def _numbers(change: Change) -> str:
    return f"{100 * change.probability_before:.1f} % → {100 * change.probability_after:.1f} %"


def _logits(change: Change) -> str:
    before, after = (f"{logit:.1f}".replace("-", "−") for logit in (change.logit_before, change.logit_after))
    return _("logit {before} → {after}").format(before=before, after=after)
