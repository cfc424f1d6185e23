"""What is asked before a window is closed whose mask could not be saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox

from allxai_desktop.i18n import _

if TYPE_CHECKING:
    from allxai_desktop.app.window import MainWindow

_NAMED = 10


def may_lose_work(window: MainWindow) -> bool:
    """Offer to export the mask shown if it could not be saved; True where the user closes the window without it."""
    kept, names, image = window.workspace.kept, window.workspace.unsaved_names, window.workspace.image
    listed, more = ", ".join(names[:_NAMED]), len(names) - _NAMED
    if more > 0:
        # With the names of fifty the buttons would lie below the screen.
        listed = _("{files} and {count} more").format(files=listed, count=more)
    text = _("Masks that could not be saved: {names}").format(names=listed)
    box = QMessageBox(QMessageBox.Icon.Warning, "AllXAI Desktop", text, parent=window)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(
        _("Your strokes are kept on this computer and come back when the image is opened again.")
        if kept
        else _("Close the window, and the labels that are not on disk are lost.")
    )
    export = None
    if image is not None and image.name in names:
        export = box.addButton(_("Export mask…"), QMessageBox.ButtonRole.AcceptRole)
    lose = box.addButton(
        _("Close") if kept else _("Close and lose them"), QMessageBox.ButtonRole.DestructiveRole
    )
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    if export is not None and box.clickedButton() is export:
        window.exchange.export_mask()
    return box.clickedButton() is lose
