"""The line at the foot of the window: saving, what is at the cursor, the last explanation, the purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QStatusBar

from allxai_desktop.cellclasses import BY_CODE
from allxai_desktop.i18n import N_, _
from napari_allxai_explain.panel import PATIENCE_MS

if TYPE_CHECKING:
    from allxai_desktop.app.window import MainWindow

SAVED_TEXTS = {"saved": N_("Saved"), "saving": N_("Saving…"), "failed": N_("Not saved")}


class StatusLine(QStatusBar):
    """Follows the models of the window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(sizeGripEnabled=False)
        self.window_ = window
        self.saved, self.cursor_text, self.training, self.computed = (QLabel() for _label in range(4))
        self.purpose = QLabel(objectName="research")
        self.addWidget(self.saved)
        self.addWidget(self.cursor_text, 1)
        self.addPermanentWidget(self.training)
        self.addPermanentWidget(self.computed)
        self.addPermanentWidget(self.purpose)
        window.workspace.saved_changed.connect(self._show_saved)
        window.workspace.saving_progressed.connect(self._show_saving)
        window.session.result_changed.connect(self._show_computed)
        self._computing = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._computing.timeout.connect(self._show_computed)
        window.session.busy_changed.connect(self._on_busy)
        window.viewer.cursor.events.position.connect(self._show_cursor)
        window.viewer.events.mouse_over_canvas.connect(self._on_over_canvas)
        # Where in another image the mouse is, napari does not know before it moves.
        window.workspace.item_shown.connect(self._leave_cursor)
        window.paint.edited.connect(self._refresh_cursor)
        window.session.result_changed.connect(self._refresh_cursor)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.purpose.setText(_("Research use only, not a medical device"))
        self._show_saved()
        self._show_computed()
        self._refresh_cursor()

    def _show_saved(self, *_state: object) -> None:
        self.saved.setText(
            _(SAVED_TEXTS[self.window_.workspace.saved]) if self.window_.workspace.image else ""
        )

    def _show_saving(self, share: float) -> None:
        if self.window_.workspace.saved == "saving":
            self.saved.setText(_("Saving… {percent:.0f} %").format(percent=100 * share))

    def _on_busy(self, busy: bool) -> None:
        if busy:
            self._computing.start()
        else:
            self._computing.stop()
            self._show_computed()

    def _show_computed(self, *_result: object) -> None:
        session = self.window_.session
        if session.busy:
            self.computed.setText(_("Computing…"))
        elif session.result is None:
            self.computed.setText("")
        else:
            seconds = session.result.explanation.seconds
            self.computed.setText(
                _("{network}: {seconds} s on CPU").format(
                    network=session.result.choices.network, seconds=f"{seconds:.2f}"
                )
            )

    def _refresh_cursor(self, *_change: object) -> None:
        if self.cursor_text.text():
            self._show_cursor()

    def _on_over_canvas(self, _event: object) -> None:
        if not self.window_.viewer.mouse_over_canvas:
            self._leave_cursor()

    def _leave_cursor(self, *_row: int) -> None:
        self.cursor_text.setText("")

    def _show_cursor(self, *_event: object) -> None:
        window = self.window_
        layer = window.canvas.mask_layer
        if layer is None or window.workspace.image is None:
            self.cursor_text.setText("")
            return
        row, column = (
            int(np.floor(value + 0.5)) for value in layer.world_to_data(window.viewer.cursor.position)[:2]
        )
        height, width = window.paint.shape
        if not (0 <= row < height and 0 <= column < width):
            self.cursor_text.setText("")
            return
        code = int(window.paint.mask[row, column])
        parts = [f"{column}, {row}", BY_CODE[code].title if code else _("Unlabelled")]
        result = window.session.result
        if result is not None and result.explanation.relevance is not None:
            parts.append(
                _("relevance {value}").format(value=f"{result.explanation.relevance[row, column]:.3g}")
            )
        self.cursor_text.setText(" · ".join(parts))
