"""Images become a study: asks for the folders, shows how far it is, and opens what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QProgressDialog

from allxai_desktop.i18n import N_, _
from allxai_desktop.notice import Notice
from allxai_desktop.study.image_import import Imported, import_images
from allxai_desktop.tasks import TaskRunner
from napari_allxai_widgets.choosing import choose_folder

if TYPE_CHECKING:
    from allxai_desktop.app.window import MainWindow

STEPS = 1000
SHOWN_AFTER_MS = 800


class ImageImport:
    """Takes a folder of images into the study of a window, or into a new one."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.tasks = TaskRunner(
            window.dispatch, N_("The images could not be taken in: see the log, and try another folder.")
        )
        self._folder = Path()
        self._dialog: QProgressDialog | None = None
        self.tasks.progressed.connect(self._on_progress)
        self.tasks.finished.connect(self._on_finished)
        self.tasks.failed.connect(self._on_failed)

    def into_this(self) -> None:
        """Let the user choose the images for the study that is open."""
        study = self.window.workspace.study
        source = self._ask_source()
        if source and study is not None:
            self.start(study.folder, source)

    def into_new(self) -> None:
        """Let the user choose images, and where the study of them goes."""
        source = self._ask_source()
        if source is None:
            return
        suggested = source.parent / _("{name} study").format(name=source.name)
        name, _filter = QFileDialog.getSaveFileName(self.window, _("Folder of the new study"), str(suggested))
        if name:
            self.start(Path(name), source)

    def start(self, folder: Path, source: Path) -> None:
        """Take the images of `source` into the study at `folder`; what is being taken in ends."""
        self._end()
        self._folder = folder
        self._dialog = QProgressDialog(_("Taking the images in…"), _("Cancel"), 0, STEPS, self.window)
        self._dialog.setWindowTitle("AllXAI Desktop")
        self._dialog.setMinimumDuration(SHOWN_AFTER_MS)
        self._dialog.canceled.connect(self._on_cancelled)
        self.tasks.start(lambda progress: import_images(folder, source, progress=progress))

    def close(self) -> None:
        """Stop."""
        self.tasks.close()

    def _ask_source(self) -> Path | None:
        settings = self.window.settings
        name = choose_folder(self.window, _("Folder of the images"), settings.last_folder)
        if not name:
            return None
        settings.last_folder = str(Path(name).parent)
        return Path(name)

    def _on_cancelled(self) -> None:
        self.tasks.cancel()
        self._end()

    def _on_progress(self, share: float) -> None:
        if self._dialog is not None:
            self._dialog.setValue(min(round(STEPS * share), STEPS - 1))

    def _on_finished(self, found: Imported) -> None:
        self._end()
        text = found.summary
        if found.renamed:
            text += " " + _("With another name here, for theirs was taken: {count}.").format(
                count=len(found.renamed)
            )
        self.window.notices.show_with_image(Notice("info", text))
        self.window.open_path(self._folder)

    def _on_failed(self, message: str) -> None:
        self._end()
        self.window.notices.show_notice(Notice("error", message))

    def _end(self) -> None:
        if self._dialog is not None:
            self._dialog.reset()
            self._dialog.deleteLater()
            self._dialog = None
