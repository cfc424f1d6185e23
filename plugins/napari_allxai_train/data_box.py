"""Where the images to learn from are chosen, and how their names and classes are read."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.i18n import N_, _, counted
from allxai_desktop.training.datasets.data_model import DataModel
from napari_allxai_widgets.choice_box import ChoiceBox
from napari_allxai_widgets.choosing import choose_file, choose_folder

OWN_MAP = object()


class DataBox(QWidget):
    """Shows and drives a `DataModel`. Until something is chosen, its dialogs begin in the folder `beside`."""

    def __init__(self, model: DataModel) -> None:
        super().__init__()
        self.model = model
        self.beside = ""
        self.title = QLabel(objectName="panelTitle")
        self.folder, self.table = QPushButton(), QPushButton()
        self.path = QLabel()
        self.summary = QLabel(wordWrap=True)
        self.progress = QProgressBar(maximum=1000, textVisible=False)
        self.progress.setFixedHeight(6)
        kept = self.progress.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(kept)
        self.error = QLabel(objectName="warning", wordWrap=True)
        self.labels = self.maps_label, self.pattern_label = QLabel(), QLabel()
        self.propose = QPushButton()
        self.maps = ChoiceBox()
        self.pattern = QLineEdit(clearButtonEnabled=True)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.folder)
        head.addWidget(self.table)
        self._form = QFormLayout(horizontalSpacing=8, verticalSpacing=4)
        self._form.addRow(self.maps_label, self.maps)
        self._form.addRow(self.pattern_label, self.pattern)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        for widget in (self.path, self.summary, self.progress, self.error, self.propose):
            layout.addWidget(widget)
        layout.addLayout(self._form)
        self.folder.clicked.connect(self.ask_folder)
        self.table.clicked.connect(self.ask_table)
        self.propose.clicked.connect(self.ask_proposals)
        self.maps.activated.connect(self._choose_map)
        self.pattern.editingFinished.connect(self._choose_pattern)
        model.changed.connect(self._show)
        model.progressed.connect(self._show_progress)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.title.setText(_("Images"))
        for control, name, tip in (
            (
                self.folder,
                _("Folder…"),
                _("Choose a folder with a folder of images for each class, a study, or images with masks"),
            ),
            (
                self.table,
                _("Table…"),
                _("Choose a CSV file with the columns “file”, “class” and, if known, “subject”"),
            ),
            (
                self.maps,
                _("Classes"),
                _("What the network learns to tell apart: the classes of the images, or fewer"),
            ),
            (
                self.pattern,
                _("Subject in the name"),
                _(
                    "Where a file’s name says whom the image is of, as a regular expression: “UID_(H?\\d+)_” finds 10"
                    " in UID_10_3.png. Images of one subject then stay in one part."
                ),
            ),
            (
                self.propose,
                _("Propose nucleus masks…"),
                _("Draw a nucleus mask for each image, to look through and correct, and learn from them"),
            ),
            (self.progress, _("Progress"), _("How many images were read")),
        ):
            control.setAccessibleName(name)
            control.setToolTip(tip)
        for button in (self.folder, self.table, self.propose):
            button.setText(button.accessibleName())
        self.maps_label.setText(_("Classes"))
        self.pattern_label.setText(_("Subject in the name"))
        self.pattern.setPlaceholderText(_("not in the name"))
        self._show()

    def disconnect_model(self) -> None:
        """Stop following; called before the box goes away."""
        self.model.changed.disconnect(self._show)
        self.model.progressed.disconnect(self._show_progress)

    def ask_folder(self) -> None:
        """Let the user choose a folder."""
        name = choose_folder(self, _("Images to learn from"), self._start())
        if name:
            self.model.open(Path(name))

    def ask_table(self) -> None:
        """Let the user choose a table."""
        name = choose_file(self, _("Table of images"), self._start(), _("Tables") + " (*.csv)")
        if name:
            self.model.open(Path(name))

    def ask_proposals(self) -> None:
        """Let the user choose the folder that proposed masks go to."""
        name = QFileDialog.getExistingDirectory(
            self, _("An empty folder for images and masks"), self._start()
        )
        if name:
            self.model.propose(Path(name))

    def _start(self) -> str:
        return self.beside if self.model.path is None else str(self.model.path.parent)

    def _choose_map(self) -> None:
        chosen = self.maps.value
        if chosen is OWN_MAP:
            chosen = choose_file(self, _("Class map"), self._start(), _("Class maps") + " (*.toml)")
            if not chosen:
                self._show()
                return
        self.model.choose(class_map=chosen)

    def _choose_pattern(self) -> None:
        if self.pattern.text().strip() != self.model.pattern:
            self.model.choose(pattern=self.pattern.text().strip())

    def _show_progress(self, share: float) -> None:
        self.progress.setValue(round(1000 * share))

    def _show(self) -> None:
        model = self.model
        self.path.setVisible(model.path is not None)
        if model.path is not None:
            name = self.fontMetrics().elidedText(str(model.path), Qt.TextElideMode.ElideLeft, 330)
            self.path.setText(f"<b>{_escaped(name)}</b>")
            self.path.setToolTip(str(model.path))
        self.summary.setText(self._summary())
        self.progress.setVisible(model.looking)
        if not model.looking:
            self.progress.reset()
        errors = [text for text in (model.error, model.map_error, model.pattern_error) if text]
        self.error.setVisible(bool(errors))
        self.error.setText("\n".join(errors))
        self.propose.setVisible(model.plain and not model.looking)
        self._form.setRowVisible(self.maps, model.has_classes and not model.segmentation)
        self._form.setRowVisible(self.pattern, model.path is not None)
        rows = [("", _("As they are"), ""), *((name, title, "") for name, title in model.maps.items())]
        if model.class_map and model.class_map not in model.maps:
            rows.append((model.class_map, Path(model.class_map).name, model.class_map))
        self.maps.fill([*rows, (OWN_MAP, _("Class map from a file…"), "")], model.class_map)
        with QSignalBlocker(self.pattern):
            if not self.pattern.hasFocus():
                self.pattern.setText(model.pattern)

    def _summary(self) -> str:
        model = self.model
        if model.path is None:
            return _("Choose a folder or a table, or drop it here.")
        if model.plain:
            return _("Drawing masks…") if model.looking else ""
        if not model.usable:
            return _("Reading the folder…") if model.looking else ""
        images = len(model.usable)
        parts = [counted(images, N_("{count} image"), N_("{count} images"))]
        if model.segmentation:
            parts.append(_("with masks"))
        else:
            parts.append(counted(len(model.classes), N_("{count} class"), N_("{count} classes")))
        parts.append(
            _("subjects not known")
            if model.subjects is None
            else counted(model.subjects, N_("{count} subject"), N_("{count} subjects"))
        )
        if model.skipped:
            parts.append(_("{count} left out").format(count=len(model.skipped)))
        return " · ".join(parts)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
