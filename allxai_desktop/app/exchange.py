"""Masks in and out of the window: the mask that is shown, or those of the whole study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog

from allxai_desktop.app.saving import saved_first
from allxai_desktop.files import free_path
from allxai_desktop.i18n import _
from allxai_desktop.notice import Notice

if TYPE_CHECKING:
    from allxai_desktop.app.exchange_dialogs import ExportDialog, ImportDialog
    from allxai_desktop.app.window import MainWindow
    from allxai_desktop.study.exchange_reports import ExportReport, ImportReport


class Exchange:
    """Asks what and where, and says in the window how it ended. The formats are imported when they are first needed."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.dialog: ExportDialog | ImportDialog | None = None

    def export_mask(self) -> None:
        """Let the user choose file and format of the mask that is shown."""
        from allxai_desktop.masks.formats import EXPORTS

        window, image = self.window, self.window.workspace.image
        if image is None:
            return
        forms = {f"{_(form.title)} (*{form.ending})": form for form in EXPORTS.values() if form.for_image}
        suggested = Path(window.settings.last_folder) / Path(image.name).stem
        name, chosen = QFileDialog.getSaveFileName(
            window, _("Export mask"), f"{suggested}.npz", ";;".join(forms)
        )
        if name:
            form = forms.get(chosen, EXPORTS["npz"])
            # The dialog leaves the ending of the format before when another is chosen.
            stem = next((name[: -len(e)] for e in _endings(forms) if name.lower().endswith(e)), name)
            window.workspace.export(free_path(stem, form.ending, name), form.name)

    def export_study(self) -> None:
        """Let the user choose how the masks of the study go out."""
        from allxai_desktop.app.exchange_dialogs import ExportDialog

        study = self.window.workspace.study
        if study is None or self._raise_running():
            return
        dialog = ExportDialog(study, self.window.workspace.unsaved, self.window.dispatch, self.window)
        dialog.tasks.finished.connect(lambda report: self._on_exported(report, dialog.out))
        self._open(dialog)

    def import_masks(self) -> None:
        """Let the user choose masks for the study."""
        from allxai_desktop.app.exchange_dialogs import ImportDialog

        study = self.window.workspace.study
        if study is None or self._raise_running():
            return
        # What was painted a moment ago is a mask that is there.
        if saved_first(self.window) is None:
            return
        dialog = ImportDialog(study, self.window.workspace.person, self.window.dispatch, self.window)
        dialog.model.imported.connect(self._on_imported)
        dialog.model.cancelled.connect(self._on_cancelled)
        self._open(dialog)

    def close(self) -> None:
        """Stop what runs."""
        if self.dialog is not None:
            self.dialog.close()

    def _open(self, dialog: ExportDialog | ImportDialog) -> None:
        self.dialog = dialog
        dialog.finished.connect(self._on_closed)
        if dialog.isModal():
            dialog.open()
        else:
            dialog.show()

    def _raise_running(self) -> bool:
        if self.dialog is None:
            return False
        self.dialog.raise_()
        self.dialog.activateWindow()
        return True

    def _on_closed(self, _code: int) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def _on_exported(self, report: ExportReport, folder: Path) -> None:
        notice = self._notice(report, bool(report.sentences or report.turned))
        text = _("{report} Folder: {folder}.").format(report=notice.text, folder=folder.name)
        self.window.notices.show_notice(replace(notice, text=text))

    def _on_imported(self, report: ImportReport) -> None:
        self._show_import(report, self._notice(report, bool(report.problems or report.kept or report.notes)))

    def _on_cancelled(self, report: ImportReport) -> None:
        self._show_import(report, Notice("warning", report.cancelled))

    def _show_import(self, report: ImportReport, notice: Notice) -> None:
        window = self.window
        for row in range(window.study_panel.model.rowCount()):
            window.study_panel.model.refresh(row)
        if not report.count or window.workspace.index is None:
            window.notices.show_notice(notice)
            return
        window.notices.show_with_image(notice)
        window.workspace.show(window.workspace.index)

    def _notice(self, report: ExportReport | ImportReport, doubtful: bool) -> Notice:
        def show_all() -> None:
            from allxai_desktop.app.exchange_dialogs import ReportDialog

            ReportDialog(report, self.window).open()

        action = (_("Show all"), show_all) if len(report.sentences) > 1 else None
        return Notice("warning" if doubtful else "info", str(report), action)


def _endings(forms: dict[str, Any]) -> list[str]:
    """Return the endings of formats, ".ome.tif" before those that are part of others."""
    return sorted({form.ending for form in forms.values()}, key=len, reverse=True)
