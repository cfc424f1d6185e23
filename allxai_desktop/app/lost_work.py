"""What is asked before a window is closed whose mask could not be saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMessageBox

from allxai_desktop.i18n import _

if TYPE_CHECKING:
    from allxai_desktop.app.window import MainWindow


def may_lose_work(window: MainWindow) -> bool:
    """Offer to export the mask that could not be saved; True where the user closes the window without it."""
    kept = window.workspace.kept
    box = QMessageBox(
        QMessageBox.Icon.Warning, "AllXAI Desktop", _("The mask could not be saved."), parent=window
    )
    box.setInformativeText(
        _("Your strokes are kept on this computer and come back when the image is opened again.")
        if kept
        else _("Close the window, and the labels that are not on disk are lost.")
    )
    export = box.addButton(_("Export mask…"), QMessageBox.ButtonRole.AcceptRole)
    lose = box.addButton(
        _("Close") if kept else _("Close and lose them"), QMessageBox.ButtonRole.DestructiveRole
    )
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    if box.clickedButton() is export:
        window.exchange.export_mask()
    return box.clickedButton() is lose
