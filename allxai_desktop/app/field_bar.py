"""The bar over the canvas: what is marked in a field, and the way back to it from a crop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
)

from allxai_desktop.fields.crops import MAX_SIDE, MIN_SIDE
from allxai_desktop.i18n import N_, _, counted
from allxai_desktop.keys import KEYS

if TYPE_CHECKING:
    from allxai_desktop.fields.model import FieldModel

STYLE = """
QFrame#fieldBar { background: rgba(20, 40, 60, 225); border-radius: 3px; }
QFrame#fieldBar QLabel { color: white; background: transparent; }
QFrame#fieldBar QPushButton {
    color: white; background: rgba(255, 255, 255, 40); border: none; border-radius: 3px; padding: 3px 10px;
}
QFrame#fieldBar QPushButton:hover { background: rgba(255, 255, 255, 80); }
QFrame#fieldBar QPushButton:focus { border: 1px solid white; padding: 2px 9px; }
QFrame#fieldBar QPushButton:checked { background: #0072b2; }
QFrame#fieldBar QPushButton:disabled { color: rgba(255, 255, 255, 110); }
"""
# A longer name would widen the window.
NAME_PX = 400


class FieldBar(QFrame):
    """Shows and changes a `FieldModel`."""

    def __init__(self, fields: FieldModel) -> None:
        super().__init__(objectName="fieldBar")
        self.fields = fields
        self.setStyleSheet(STYLE)
        self.text = QLabel()
        self.take_all, self.predict, self.cancel, self.leave = (QPushButton() for _button in range(4))
        self.predict.setCheckable(True)
        self.side_label = QLabel()
        self.side = QSpinBox(minimum=MIN_SIDE - 1, maximum=MAX_SIDE, keyboardTracking=False)
        self.progress = QProgressBar(textVisible=False, maximum=100, maximumHeight=3)
        kept = self.progress.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(kept)
        # Beside the text it would not leave room for the rest at 1366 px.
        told = QVBoxLayout()
        told.setSpacing(0)
        told.addWidget(self.text)
        told.addWidget(self.progress)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 3, 6, 3)
        layout.setSpacing(6)
        layout.addLayout(told)
        for widget in (
            self.cancel,
            self.take_all,
            self.predict,
            self.side_label,
            self.side,
            self.leave,
        ):
            layout.addWidget(widget)
        for button in (self.take_all, self.predict, self.cancel, self.leave):
            # Reached by Tab; after a click Enter and Space still belong to the canvas.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.side.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.take_all.clicked.connect(lambda: fields.take_all())
        self.predict.clicked.connect(lambda: fields.predict(self.predict.isChecked()))
        self.cancel.clicked.connect(lambda: fields.cancel())
        self.leave.clicked.connect(lambda: fields.toggle())
        self.side.valueChanged.connect(self._choose_side)
        self.side.lineEdit().returnPressed.connect(self.side.clearFocus)
        fields.active_changed.connect(self._show)
        fields.marks_changed.connect(self._show)
        fields.busy_changed.connect(self._show)
        fields.predicting_changed.connect(self._show)
        fields.progressed.connect(self._show_progress)
        fields.workspace.item_shown.connect(self._show)
        fields.workspace.session.choices_changed.connect(self._show)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        key = KEYS["field"].shown
        self.take_all.setText(_("Take all"))
        self.take_all.setToolTip(_("Take every marked cell into the study"))
        self.predict.setText(_("Predict"))
        self.predict.setToolTip(_("Show beside each cell what the chosen network sees in it"))
        self.cancel.setText(_("Cancel"))
        self.side_label.setText(_("Crop"))
        self.progress.setAccessibleName(_("Progress"))
        self.side.setSuffix(" px")
        self.side.setAccessibleName(_("Side of a crop"))
        self.side.setToolTip(
            _("Side of the crops in px; at the lowest value it follows the size of the red cells")
        )
        self.leave.setToolTip(f"{_(KEYS['field'].title)} ({key})")
        self._show()

    def disconnect_model(self) -> None:
        """Stop following; called before the bar goes away."""
        fields = self.fields
        fields.active_changed.disconnect(self._show)
        fields.marks_changed.disconnect(self._show)
        fields.busy_changed.disconnect(self._show)
        fields.predicting_changed.disconnect(self._show)
        fields.progressed.disconnect(self._show_progress)
        fields.workspace.item_shown.disconnect(self._show)
        fields.workspace.session.choices_changed.disconnect(self._show)

    def _show(self, *_change: object) -> None:
        fields, key = self.fields, KEYS["field"].shown
        active = fields.active
        # First: what is shown makes the window wide enough at once, also for a long name that is about to go.
        if active:
            self.text.setText(self._words())
            self.leave.setText(_("Paint instead ({key})").format(key=key))
        elif fields.home is not None:
            name = self.text.fontMetrics().elidedText(fields.home, Qt.TextElideMode.ElideMiddle, NAME_PX)
            self.text.setText(_("Cut from {name}").format(name=name))
            self.leave.setText(_("Back to the field ({key})").format(key=key))
        self.setVisible(active or fields.home is not None)
        self.progress.setVisible(active and fields.busy)
        self.cancel.setVisible(active and fields.busy)
        for widget in (self.take_all, self.predict, self.side_label, self.side):
            widget.setVisible(active and not fields.finding)
        self.take_all.setEnabled(any(mark.taken is None for mark in fields.marks))
        self.predict.setChecked(fields.predicting)
        self.predict.setEnabled(bool(fields.marks) and fields.workspace.session.choices.network is not None)
        with QSignalBlocker(self.side):
            # Qt's word for "none chosen" is the lowest value with a text of its own.
            self.side.setSpecialValueText(_("auto: {side} px").format(side=fields.crop_side))
            self.side.setValue(fields.side or self.side.minimum())
        # napari's style takes 70 px for enough, which cut the text off.
        self.side.setMinimumWidth(self.side.sizeHint().width())

    def _words(self) -> str:
        fields = self.fields
        if fields.finding:
            return _("Looking for white cells…")
        if fields.found is None:
            return _("Field")
        count = len(fields.found.candidates)
        cells = counted(count, N_("{count} white cell"), N_("{count} white cells"))
        return cells + " · " + _("{count} taken").format(count=fields.taken)

    def _show_progress(self, share: float) -> None:
        self.progress.setValue(round(100 * share))

    def _choose_side(self, side: int) -> None:
        self.fields.side = None if side == self.side.minimum() else side
