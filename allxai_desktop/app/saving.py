"""Waiting for masks to be saved, with progress, before a step that needs them on disk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtWidgets import QProgressDialog

from allxai_desktop.i18n import _

if TYPE_CHECKING:
    from allxai_desktop.app.window import MainWindow

AT_ONCE_S = 0.3
"""Masks that are saved sooner need no dialog."""
PATIENCE_S = 30.0
"""How long nothing may be heard of a mask that is being written."""


def saved_first(window: MainWindow) -> bool | None:
    """Wait until all masks are on disk. Returns whether they are; None where the user went back to the window."""
    workspace = window.workspace
    # A stroke in hand is saved when it ends.
    workspace.paint.end_stroke()
    if not workspace.unsaved(AT_ONCE_S, patient=False):
        return True
    if not workspace.saving:
        return False
    dialog = QProgressDialog(_("The mask is being saved…"), _("Back"), 0, 100, window)
    dialog.setWindowTitle("AllXAI Desktop")
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.setAutoReset(False)
    loop, heard = QEventLoop(), [time.monotonic()]

    def show(share: float) -> None:
        heard[0] = time.monotonic()
        dialog.setValue(round(100 * share))

    def look() -> None:
        if not workspace.saving or time.monotonic() - heard[0] > PATIENCE_S:
            loop.quit()

    clock = QTimer(dialog, interval=50)
    clock.timeout.connect(look)
    clock.start()
    dialog.canceled.connect(loop.quit)
    workspace.saving_progressed.connect(show)
    dialog.show()
    loop.exec()
    workspace.saving_progressed.disconnect(show)
    clock.stop()
    given_up = dialog.wasCanceled()
    dialog.close()
    dialog.deleteLater()
    return None if given_up else not workspace.unsaved(0)
