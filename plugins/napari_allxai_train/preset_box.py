"""What is trained and how: the preset with what there is to know about it, and what may differ from it."""

from __future__ import annotations

from html import escape
from os.path import expanduser
from pathlib import Path
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.i18n import N_, _
from allxai_desktop.training.cost import CostModel
from allxai_desktop.training.presets import FIRST, Preset
from allxai_desktop.training.run_types import TrainChoices
from allxai_desktop.training.train_model import TrainModel
from allxai_desktop.training.words import duration
from napari_allxai_widgets.choice_box import ChoiceBox
from napari_allxai_widgets.choosing import choose_file

FROM_FILE = object()
STARTS = {
    "none": N_("random numbers"),
    "imagenet": N_("ImageNet weights"),
    FIRST: N_("a former network"),
}
OPTIMISERS = {
    "adam": "Adam",
    "adamw": "AdamW",
    "adamax": "Adamax",
    "adadelta": "Adadelta",
    "rmsprop": "RMSprop",
    "sgd": "SGD",
}
MOST_EPOCHS = 10_000
MOST_IMAGES = 100_000
STYLE = "<style>p { margin: 2px 0 3px 0; } ul { margin: 0 0 0 12px; -qt-list-indent: 0; }</style>"


class PresetBox(QWidget):
    """Shows and changes the choices of a `TrainModel`, and what they cost; holds no state of its own."""

    def __init__(self, model: TrainModel, cost: CostModel) -> None:
        super().__init__()
        self.model, self.cost = model, cost
        self.title = QLabel(objectName="panelTitle")
        self.preset = ChoiceBox()
        self.reason = QLabel(objectName="warning", wordWrap=True)
        self.card = QLabel(wordWrap=True, textFormat=Qt.TextFormat.RichText)
        self.positive, self.weights = ChoiceBox(), ChoiceBox()
        self.epochs = QSpinBox(minimum=0, maximum=MOST_EPOCHS, keyboardTracking=False)
        self.batch = QSpinBox(minimum=0, maximum=MOST_IMAGES, keyboardTracking=False)
        self.rate = QDoubleSpinBox(minimum=0, maximum=10, decimals=6, keyboardTracking=False)
        self.rate.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.unseen = QSpinBox(minimum=-1, maximum=MOST_IMAGES, keyboardTracking=False)
        self.test_subjects = QLineEdit(clearButtonEnabled=True)
        self.patience = QSpinBox(minimum=0, maximum=MOST_EPOCHS, keyboardTracking=False)
        self.seed = QSpinBox(minimum=0, maximum=2**31 - 1, keyboardTracking=False)
        self.as_published = QCheckBox()
        self.out = QLineEdit(clearButtonEnabled=True)
        self.browse = QPushButton("…")
        self.browse.setFixedWidth(28)
        place = QHBoxLayout()
        place.setSpacing(4)
        place.addWidget(self.out, 1)
        place.addWidget(self.browse)
        self._named = (
            self.positive,
            self.weights,
            self.epochs,
            self.batch,
            self.rate,
            self.unseen,
            self.test_subjects,
            self.patience,
            self.seed,
            self.out,
        )
        self.labels = [QLabel() for _field in self._named]
        self._form = QFormLayout(horizontalSpacing=8, verticalSpacing=4)
        for label, field in zip(self.labels, (*self._named[:-1], place), strict=True):
            self._form.addRow(label, field)
        self._form.addRow(self.as_published)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (self.title, self.preset, self.reason, self.card):
            layout.addWidget(widget)
        layout.addLayout(self._form)
        self._connect()
        self.retranslate()

    def _connect(self) -> None:
        model = self.model
        self.preset.activated.connect(
            lambda: model.choose(
                preset=self.preset.value, weights=None, epochs=None, batch=None, rate=None, unseen=None
            )
        )
        self.positive.activated.connect(lambda: model.choose(positive=self.positive.value))
        self.weights.activated.connect(self._choose_weights)
        self.epochs.valueChanged.connect(lambda value: model.choose(epochs=value or None))
        self.batch.valueChanged.connect(lambda value: model.choose(batch=value or None))
        self.rate.valueChanged.connect(lambda value: model.choose(rate=value or None))
        self.unseen.valueChanged.connect(lambda value: model.choose(unseen=None if value < 0 else value))
        self.test_subjects.editingFinished.connect(self._choose_test_subjects)
        self.patience.valueChanged.connect(lambda value: model.choose(patience=value or None))
        self.seed.valueChanged.connect(lambda value: model.choose(seed=value))
        self.as_published.toggled.connect(lambda on: model.choose(as_published=on))
        self.out.editingFinished.connect(self._choose_out)
        self.browse.clicked.connect(self._ask_out)
        model.choices_changed.connect(self._show)
        self.cost.changed.connect(self._show_card)

    def disconnect_model(self) -> None:
        """Stop following; called before the box goes away."""
        self.model.choices_changed.disconnect(self._show)
        self.cost.changed.disconnect(self._show_card)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.title.setText(_("Network"))
        for control, name, tip in (
            (
                self.preset,
                _("Preset"),
                _("What is trained and how; each repeats a system of the papers, or beats them"),
            ),
            (
                self.positive,
                _("Positive class"),
                _("The class that must not be missed: sensitivity is about it"),
            ),
            (self.weights, _("Start from"), _("The weights that the network begins with")),
            (self.epochs, _("Epochs"), _("How often the network sees every image")),
            (self.batch, _("Batch"), _("How many images each step learns from")),
            (self.rate, _("Learning rate"), _("How far each step goes")),
            (
                self.unseen,
                _("Never seen"),
                _("How many images a class are put aside at first; the figures are then those on them"),
            ),
            (
                self.test_subjects,
                _("Test subjects"),
                _("The subjects whose images are only tested, with commas between, in place of a share"),
            ),
            (
                self.patience,
                _("Stop early"),
                _("End the run after so many epochs in which the validation loss does not fall"),
            ),
            (
                self.seed,
                _("Seed"),
                _("The same seed gives the same split, the same views and the same start"),
            ),
            (
                self.out,
                _("Save in"),
                _("The folder that gets the network, its card, the figures and the pictures"),
            ),
            (self.browse, _("Choose the folder"), _("Choose the folder")),
            (
                self.as_published,
                _("Make copies before the split, as published"),
                _(
                    "As the papers did: turned copies of one image then lie in training and in the test. The figures"
                    " flatter and are marked as leaking."
                ),
            ),
        ):
            control.setAccessibleName(name)
            control.setToolTip(tip)
        for label, named in zip(self.labels, self._named, strict=True):
            label.setText(named.accessibleName())
        self.positive.setPlaceholderText(_("Choose…"))
        self.test_subjects.setPlaceholderText(_("a share of them"))
        self.as_published.setText(self.as_published.accessibleName())
        self._show(self.model.choices)

    def _show(self, choices: TrainChoices) -> None:
        model = self.model
        preset = model.preset
        self.preset.fill([self._row(name) for name in model.presets], choices.preset)
        reason = model.unsuitable(choices.preset)
        self.reason.setVisible(bool(reason))
        self.reason.setText(reason)
        self._show_card()
        classes = [found.name for found in model.data.classes]
        two = len(classes) == 2 and preset.task == "classification"
        self._form.setRowVisible(self.positive, two)
        self.positive.fill([(name, name, "") for name in classes], choices.positive)
        downloaded = _("Downloaded the first time, but for MobileNet V1, which comes with the program")
        tips = {"imagenet": downloaded}
        first = _("As the preset: {start}").format(start=_(STARTS[preset.start]))
        starts: list[tuple[Any, str, str]] = [(None, first, tips.get(preset.start, ""))]
        others = [key for key in ("none", "imagenet") if key != preset.start]
        starts += [(key, _(STARTS[key]), tips.get(key, "")) for key in others]
        starts += [(name, title, name) for name, title in model.starts]
        if choices.weights and choices.weights not in [key for key, _title, _tip in starts]:
            starts.append((choices.weights, Path(choices.weights).name, choices.weights))
        self.weights.fill([*starts, (FROM_FILE, _("Weights from a file…"), "")], choices.weights)
        copied = bool(preset.enlarge) and preset.task == "classification"
        self.as_published.setVisible(copied)
        for field, number in (
            (self.epochs, str(preset.plan.epochs)),
            (self.batch, str(preset.plan.batch)),
            (self.rate, f"{preset.plan.optimiser.rate:g}"),
            (self.unseen, str(preset.unseen)),
        ):
            field.setSpecialValueText(_("As the preset: {count}").format(count=number))
        self._form.setRowVisible(self.test_subjects, bool(model.data.subjects))
        self._form.setRowVisible(self.patience, preset.val > 0)
        self.patience.setSpecialValueText(_("never"))
        self.patience.setSuffix(" " + _("epochs"))
        _set(self.epochs, choices.epochs or 0)
        _set(self.batch, choices.batch or 0)
        _set(self.unseen, -1 if choices.unseen is None else choices.unseen)
        _set(self.patience, choices.patience or 0)
        _set(self.seed, choices.seed)
        with QSignalBlocker(self.rate):
            self.rate.setValue(choices.rate or 0.0)
        with QSignalBlocker(self.as_published):
            self.as_published.setChecked(choices.as_published)
        if not self.test_subjects.hasFocus():
            self.test_subjects.setText(", ".join(choices.test_subjects))
        self.out.setPlaceholderText(_("A new folder in {folder}").format(folder=model.runs))
        if not self.out.hasFocus():
            self.out.setText("" if choices.out is None else str(choices.out))

    def _show_card(self) -> None:
        self.card.setText(card_text(self.model.preset, self.cost))

    def _row(self, name: str) -> tuple[str, str, str]:
        preset, reason = self.model.presets[name], self.model.unsuitable(name)
        title = _(preset.title)
        return name, f"{title} ✖" if reason else title, reason or _(preset.source)

    def _choose_weights(self) -> None:
        chosen = self.weights.value
        if chosen is FROM_FILE:
            chosen = choose_file(
                self, _("Weights to start from"), "", _("Weights") + " (*.safetensors *.pt *.pth *.npz)"
            )
            if not chosen:
                self._show(self.model.choices)
                return
        self.model.choose(weights=chosen)

    def _choose_test_subjects(self) -> None:
        names = (name.strip() for name in self.test_subjects.text().split(","))
        subjects = tuple(name for name in names if name)
        if subjects != self.model.choices.test_subjects:
            self.model.choose(test_subjects=subjects)

    def _choose_out(self) -> None:
        text = self.out.text().strip()
        out = Path(expanduser(text)) if text else None
        if out != self.model.choices.out:
            self.model.choose(out=out)

    def _ask_out(self) -> None:
        name = QFileDialog.getExistingDirectory(self, _("Choose the folder"), str(self.model.runs.parent))
        if name:
            self.model.choose(out=Path(name))
            self.out.setText(name)


def _set(field: QSpinBox, number: int) -> None:
    with QSignalBlocker(field):
        field.setValue(number)


def card_text(preset: Preset, cost: CostModel) -> str:
    """Return what there is to know about a preset, as rich text."""
    plan = preset.plan
    facts = [
        _("{side} × {side} pixels, {optimiser} at {rate:g}, batch {batch}, {epochs} epochs").format(
            side=preset.side,
            optimiser=OPTIMISERS[plan.optimiser.kind],
            rate=plan.optimiser.rate,
            batch=plan.batch,
            epochs=plan.epochs,
        )
    ]
    if cost.parameters is not None:
        facts.append(_("{count} parameters").format(count=f"{cost.parameters:,}".replace(",", "\u00a0")))
    if cost.seconds is not None:
        facts.append(
            "<b>" + _("takes about {time} here").format(time=escape(duration(cost.seconds))) + "</b>"
        )
    text = f"<p>{escape(_(preset.source))}</p><p>{'; '.join(facts)}.</p>"
    if preset.departures:
        heading = _("Where it departs from its document, or the document is silent:")
        rows = "".join(f"<li>{escape(_(one))}</li>" for one in preset.departures)
        text += f"<p>{escape(heading)}</p><ul>{rows}</ul>"
    return STYLE + text
