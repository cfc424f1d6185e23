"""The two dialogs over the masks of a whole study; both work in the background and can be cancelled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.agreement.adjudication import unfinished_note, with_finals
from allxai_desktop.agreement.plan import FINAL_FOLDER
from allxai_desktop.app.settings import WindowSettings
from allxai_desktop.cellclasses import CLASSES, UNLABELLED
from allxai_desktop.i18n import _
from allxai_desktop.masks.formats import EXPORTS, IMPORTS
from allxai_desktop.study.exchange_reports import ExportReport, ImportReport
from allxai_desktop.study.folder import Study
from allxai_desktop.study.import_model import ImportModel
from allxai_desktop.study.mask_export import export_study, free_folder
from allxai_desktop.study.people import Person
from allxai_desktop.tasks import Dispatch, Progress, TaskRunner
from napari_allxai_widgets.choosing import choose_file, choose_folder
from napari_allxai_widgets.scrolling import WheelGuard


class _Dialog(QDialog):
    """A form, a sentence on what is wrong, progress, and two buttons."""

    def __init__(self, parent: QWidget, title: str, action: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.settings = WindowSettings()
        self.form = QVBoxLayout()
        self.message = QLabel(objectName="warning", wordWrap=True)
        self.message.hide()
        self.progress = QProgressBar(textVisible=False, maximum=1000)
        self.progress.setAccessibleName(_("Progress"))
        self.progress.setMaximumHeight(8)
        # Its place is kept, so that the dialog does not jump under the mouse.
        room = self.progress.sizePolicy()
        room.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(room)
        self.progress.hide()
        buttons = QDialogButtonBox()
        self.go = buttons.addButton(action, QDialogButtonBox.ButtonRole.AcceptRole)
        self.stop = buttons.addButton(_("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        layout = QVBoxLayout(self)
        layout.addLayout(self.form)
        layout.addWidget(self.message)
        layout.addWidget(self.progress)
        layout.addWidget(buttons)
        buttons.rejected.connect(self.reject)
        self.setMinimumWidth(460)

    def show_message(self, text: str) -> None:
        """Say what is wrong; "" for nothing."""
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def show_share(self, share: float) -> None:
        """Show how much is done, 0…1."""
        self.progress.show()
        self.progress.setValue(round(1000 * share))


class ReportDialog(QDialog):
    """All that there is to say about masks that went out or came in, to read and to copy."""

    def __init__(self, report: ExportReport | ImportReport, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(report.summary)
        self.text = QPlainTextEdit("\n".join(report.sentences), readOnly=True)
        self.text.setAccessibleName(report.summary)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
        self.resize(640, 320)


class ExportDialog(_Dialog):
    """Asks for format, names and images; the window can be used while it works."""

    def __init__(
        self, study: Study, flush: Callable[[], object], dispatch: Dispatch, parent: QWidget
    ) -> None:
        super().__init__(parent, _("Export study"), _("Choose the folder…"))
        self.study = study
        self.out = study.folder
        self._flush = flush
        self.tasks = TaskRunner(dispatch)
        self.format = QComboBox()
        for name, form in EXPORTS.items():
            self.format.addItem(_(form.title), name)
        self.format.setAccessibleName(_("Format"))
        self.format.setToolTip(_("The program that the masks are for"))
        self.rename = QCheckBox(_("Call the images image_0001, image_0002, …"))
        self.rename.setToolTip(
            _("For file names that tell who a patient is; the study's folder gets a table of their names")
        )
        self.images = QCheckBox(_("Images too, without anything but their pixels"))
        self.images.setToolTip(_("As PNG: no name, place or date of the camera goes out"))
        self.final = QCheckBox(_("Final masks where images were adjudicated"))
        self.final.setToolTip(
            _("The final mask of each image that was adjudicated to the end, the first mask of the others")
        )
        self.final.setVisible((study.folder / FINAL_FOLDER).is_dir())
        row = QFormLayout()
        row.addRow(_("Format"), self.format)
        self.form.addLayout(row)
        self.form.addWidget(self.rename)
        self.form.addWidget(self.images)
        self.form.addWidget(self.final)
        self.go.clicked.connect(self._ask)
        self.tasks.progressed.connect(self.show_share)
        self.tasks.failed.connect(self.show_message)
        self.tasks.finished.connect(self._on_finished)
        self.tasks.running_changed.connect(self._on_running)

    def start(self, parent: Path) -> None:
        """Export into a new folder in `parent`."""
        form = EXPORTS[self.format.currentData()]
        rename, images = self.rename.isChecked(), self.images.isChecked()
        study, flush = self.study, self._flush
        folder = self.out = free_folder(parent, form)
        final = self.final.isChecked()

        def work(progress: Progress) -> ExportReport:
            # What was painted a moment ago goes out too.
            flush()
            masks = with_finals(study) if final else study
            report = export_study(masks, form, folder, rename=rename, images=images, progress=progress)
            report.notes += unfinished_note(study, masks) if final else ()
            return report

        self.show_message("")
        self.tasks.start(work)

    def done(self, code: int) -> None:
        """Stop what runs; nothing is left of an export that is not finished."""
        self.tasks.close()
        super().done(code)

    def _ask(self) -> None:
        name = QFileDialog.getExistingDirectory(
            self, _("Where the folder of the masks is to be"), self.settings.last_folder
        )
        if name:
            self.start(Path(name))

    def _on_running(self, running: bool) -> None:
        for widget in (self.format, self.rename, self.images, self.final, self.go):
            widget.setEnabled(not running)

    def _on_finished(self, _report: ExportReport) -> None:
        self.accept()


class ImportDialog(_Dialog):
    """Asks for a file or folder and for the meaning of its labels; nobody paints meanwhile."""

    def __init__(self, study: Study, person: Person | None, dispatch: Dispatch, parent: QWidget) -> None:
        super().__init__(parent, _("Import masks"), _("Import"))
        self.setModal(True)
        self.model = ImportModel(study, dispatch, person)
        self.path = QLabel(_("Each mask must be called as its image."), wordWrap=True)
        self.file = QPushButton(_("File…"))
        self.folder = QPushButton(_("Folder…"))
        kinds = ", ".join(_(form.title) for form in IMPORTS.values())
        for button in (self.file, self.folder):
            button.setToolTip(_("Masks of one of these kinds: {kinds}").format(kinds=kinds))
        row = QHBoxLayout()
        row.addWidget(self.path, 1)
        row.addWidget(self.file)
        row.addWidget(self.folder)
        self.question = QLabel(_("Which class is each of these labels?"))
        self.meanings: dict[str, QComboBox] = {}
        self.labels = QScrollArea(widgetResizable=True)
        self.labels.setMinimumHeight(200)
        self.replace = QCheckBox(_("Replace the masks that images have already"))
        self.replace.setToolTip(_("Otherwise such images keep their mask"))
        self.form.addLayout(row)
        self.form.addWidget(self.question)
        self.form.addWidget(self.labels)
        self.form.addWidget(self.replace)
        self.file.clicked.connect(self._ask_file)
        self.folder.clicked.connect(self._ask_folder)
        self.replace.toggled.connect(self._on_replace)
        self.go.clicked.connect(self.model.start)
        self.model.changed.connect(self._show)
        self.model.progressed.connect(self.show_share)
        self.model.failed.connect(self.show_message)
        self.model.imported.connect(self._on_imported)
        self._show()

    def choose(self, path: Path) -> None:
        """Look through a file or folder."""
        self.path.setText(path.name)
        self.show_message("")
        self.model.choose(path)

    def done(self, code: int) -> None:
        """Stop what runs; masks that are in stay."""
        self.model.close()
        super().done(code)

    def _ask_file(self) -> None:
        endings = " ".join(f"*{ending}" for form in IMPORTS.values() for ending in form.endings)
        name = choose_file(self, _("Import masks"), self.settings.last_folder, _("Masks") + f" ({endings})")
        if name:
            self.choose(Path(name))

    def _ask_folder(self) -> None:
        name = choose_folder(self, _("Import masks"), self.settings.last_folder)
        if name:
            self.choose(Path(name))

    def _on_replace(self, checked: bool) -> None:
        self.model.replace_existing = checked

    def _on_imported(self, _report: object) -> None:
        self.accept()

    def _show(self) -> None:
        model = self.model
        if list(self.meanings) != list(model.meanings):
            self._ask_meanings()
        self.question.setVisible(bool(model.meanings))
        self.labels.setVisible(bool(model.meanings))
        for widget in (self.file, self.folder, self.replace, self.labels):
            widget.setEnabled(not model.running)
        self.go.setEnabled(model.ready)
        if not model.running:
            self.progress.hide()

    def _ask_meanings(self) -> None:
        content = QWidget()
        rows = QFormLayout(content)
        self.meanings = {}
        for label in self.model.meanings:
            box = QComboBox()
            box.setAccessibleName(label)
            box.addItem(_("choose…"), None)
            for cls in CLASSES:
                box.addItem(_swatch(QColor(*cls.color)), cls.title, cls.code)
            box.addItem(_("Unlabelled"), UNLABELLED)
            box.setCurrentIndex(box.findData(self.model.meanings[label]))
            box.currentIndexChanged.connect(self._meaning_setter(label, box))
            self.meanings[label] = box
            rows.addRow(_label(label), box)
        WheelGuard(content)
        self.labels.setWidget(content)

    def _meaning_setter(self, label: str, box: QComboBox) -> Callable[[int], None]:
        return lambda _index: self.model.set_meaning(label, box.currentData())


def _label(text: str) -> QWidget:
    """Return the label's text, with the colour that it is."""
    shown = QLabel(text, textFormat=Qt.TextFormat.PlainText)
    color = QColor(text) if text.startswith("#") else QColor()
    if not color.isValid():
        return shown
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    patch = QLabel()
    patch.setPixmap(_swatch(color).pixmap(14, 14))
    layout.addWidget(patch)
    layout.addWidget(shown)
    return row


def _swatch(color: QColor) -> QIcon:
    pixmap = QPixmap(14, 14)
    pixmap.fill(color)
    return QIcon(pixmap)
