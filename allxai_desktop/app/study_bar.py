"""The bar over the foot of the canvas: what a check found, a reviewer's verdict, what a reviewer said."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QToolButton, QWidget

from allxai_desktop.i18n import _
from allxai_desktop.keys import KEYS

if TYPE_CHECKING:
    from allxai_desktop.app.review_pin import ReviewPin
    from allxai_desktop.study.study_model import StudyModel

Place = tuple[int, int]
STYLE = """
QFrame#studyBar { background: rgba(20, 20, 24, 235); border: 1px solid #E69F00; border-radius: 4px; }
QFrame#studyBar QLabel { color: white; background: transparent; }
QFrame#studyBar QLabel#hint { color: #C8C8C8; }
QFrame#studyBar QPushButton, QFrame#studyBar QToolButton {
    color: white; background: rgba(255, 255, 255, 45); border: none; border-radius: 3px; padding: 4px 10px;
}
QFrame#studyBar QToolButton { padding: 4px 7px; }
QFrame#studyBar QPushButton:hover, QFrame#studyBar QToolButton:hover { background: rgba(255, 255, 255, 90); }
QFrame#studyBar QPushButton:disabled { color: #808080; }
QFrame#studyBar QLineEdit { color: white; background: rgba(255, 255, 255, 30); padding: 4px; min-width: 380px; }
"""
TEXT_PX = 520
"""Longer texts are wrapped: on a small screen the canvas is not much wider."""


class StudyBar(QFrame):
    """Follows a `StudyModel` and the pin of a reviewer; hidden while there is nothing to say.

    `show_place` brings a (row, column) of the image to the eye, or with None forgets the last one.
    """

    def __init__(self, study: StudyModel, pin: ReviewPin, show_place: Callable[[Place | None], None]) -> None:
        super().__init__(objectName="studyBar")
        self.study = study
        self.pin = pin
        self._show_place = show_place
        self._at = 0
        self.setStyleSheet(STYLE)
        # What a reviewer wrote is shown as it is, and never as HTML.
        self.text = QLabel(textFormat=Qt.TextFormat.PlainText, maximumWidth=TEXT_PX)
        self.hint = QLabel(objectName="hint")
        self.before, self.after = QToolButton(text="◀"), QToolButton(text="▶")
        self.approve, self.send_back, self.cancel = QPushButton(), QPushButton(), QPushButton()
        self.comment = QLineEdit(maxLength=500)
        self.dismiss = QToolButton(text="✕")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 5, 6, 5)
        layout.setSpacing(6)
        for widget in (
            self.before,
            self.after,
            self.text,
            self.comment,
            self.approve,
            self.send_back,
            self.cancel,
            self.hint,
            self.dismiss,
        ):
            layout.addWidget(widget)
            if widget is not self.comment:
                # Enter and Space belong to the canvas.
                widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.before.clicked.connect(lambda: self._step(-1))
        self.after.clicked.connect(lambda: self._step(1))
        self.approve.clicked.connect(lambda: study.approve())
        self.send_back.clicked.connect(lambda: self._on_send_back())
        self.cancel.clicked.connect(lambda: pin.cancel())
        self.dismiss.clicked.connect(lambda: study.dismiss())
        self.comment.returnPressed.connect(self._on_send_back)
        self.comment.textChanged.connect(self._show)
        leave = QShortcut(QKeySequence("Esc"), self.comment)
        leave.setContext(Qt.ShortcutContext.WidgetShortcut)
        leave.activated.connect(pin.cancel)
        study.findings_changed.connect(self._on_findings)
        study.item_changed.connect(self._on_item)
        study.person_changed.connect(self._show)
        study.workspace.item_shown.connect(self._on_item)
        pin.changed.connect(self._on_pin)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.comment.setPlaceholderText(_("What is to be done here?"))
        self.comment.setAccessibleName(_("Comment"))
        self.cancel.setText(_("Cancel"))
        for button, name in ((self.before, _("The one before")), (self.after, _("The next one"))):
            button.setToolTip(name)
            button.setAccessibleName(name)
        self.dismiss.setToolTip(_("Close"))
        self.dismiss.setAccessibleName(_("Close"))
        self.approve.setText(_("Approve ({key})").format(key=KEYS["approve"].shown))
        self._show()

    def minimumSizeHint(self) -> QSize:
        """Ask for no room: the canvas under the bar keeps its size, whatever is said."""
        return QSize(0, 0)

    def disconnect_model(self) -> None:
        """Stop following; called before the bar goes away."""
        self.study.findings_changed.disconnect(self._on_findings)
        self.study.item_changed.disconnect(self._on_item)
        self.study.person_changed.disconnect(self._show)
        self.study.workspace.item_shown.disconnect(self._on_item)
        self.pin.changed.disconnect(self._on_pin)

    # What the models tell

    def _on_findings(self) -> None:
        self._at = 0
        self._show_place(self.study.findings[0].place if self.study.findings else None)
        self._show()

    def _on_item(self, row: int) -> None:
        if row == self.study.workspace.index:
            self._at = 0
            self._show()

    def _on_pin(self) -> None:
        if self.pin.place is not None:
            self.comment.setFocus()
        else:
            self.comment.clear()
            # Hidden with the keyboard in it, Qt would hand that to the brightness of the view.
            self.comment.clearFocus()
        self._show_place(self.pin.place)
        self._show()

    def _on_send_back(self) -> None:
        place, text = self.pin.place, self.comment.text().strip()
        if not self.pin.active:
            self.pin.start()
        elif place is not None and text:
            self.pin.cancel()
            self.study.send_back(place, text)

    def _step(self, by: int) -> None:
        places = self._places()
        if places:
            self._at = (self._at + by) % len(places)
            self._show_place(places[self._at])
            self._show()

    def _places(self) -> list[Place]:
        if self.study.findings:
            return [finding.place for finding in self.study.findings]
        return [(comment.row, comment.col) for comment in self.study.current.comments]

    # What is seen

    def _show(self, *_changed: object) -> None:
        study, pin = self.study, self.pin
        findings = study.findings if not pin.active else ()
        reviewing = study.reviewing and not findings and not pin.active
        comments = study.current.comments if not (pin.active or findings or reviewing) else ()
        said = max(len(findings), len(comments))
        seen: dict[QWidget, bool] = {
            self.before: said > 1,
            self.after: said > 0,
            self.comment: pin.place is not None,
            self.approve: reviewing and study.current.state == "submitted",
            self.send_back: reviewing or pin.place is not None,
            self.cancel: pin.active,
            self.hint: bool(findings),
            self.dismiss: bool(findings),
        }
        for widget, visible in seen.items():
            widget.setVisible(visible)
        number = f"{self._at + 1}/{said}  " if said > 1 else ""
        if pin.place is not None:
            self.text.setText("")
        elif pin.active:
            self.text.setText(_("Click the place in the image that you mean."))
        elif findings:
            self.text.setText(number + findings[self._at].text)
            self.hint.setText(_("{key} again: submit as it is").format(key=KEYS["submit"].shown))
        elif reviewing:
            approved = study.current.state == "approved"
            text = _("Approved; painted by {name}") if approved else _("Submitted by {name}")
            self.text.setText(text.format(name=study.current.annotator or "?"))
        elif comments:
            comment = comments[self._at % len(comments)]
            self.text.setText(f"{number}{comment.person}: {comment.text}")
        self._wrap()
        self.text.setVisible(bool(self.text.text()) and pin.place is None)
        self.send_back.setEnabled(pin.place is None or bool(self.comment.text().strip()))
        self.send_back.setText(
            _("Return") if pin.place is not None else _("Return… ({key})").format(key=KEYS["return"].shown)
        )
        self.setVisible(pin.active or bool(findings or reviewing or comments))
        self.updateGeometry()

    def _wrap(self) -> None:
        text = self.text
        text.ensurePolished()
        long = text.fontMetrics().horizontalAdvance(text.text()) > TEXT_PX
        text.setWordWrap(long)
        text.setMinimumSize(TEXT_PX if long else 0, text.heightForWidth(TEXT_PX) if long else 0)
