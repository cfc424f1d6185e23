"""The row of an explainer on demand: compute, how far it is, cancel, and the explainer's settings."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QPoint, QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QWidget,
)

from allxai_desktop.explainers.registry import EXPLAINERS, Setting, complete_settings
from allxai_desktop.i18n import N_, _
from allxai_desktop.session import Demand, Session
from allxai_desktop.tasks import time_estimate
from napari_allxai_widgets.choice_box import ChoiceBox

CHOICE_TITLES = {"zero": N_("Zero at the input"), "blurred": N_("Blurred image")}


class DemandRow(QWidget):
    """Shows the demand of a `Session`; there only for explainers on demand; holds no state of its own."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.compute = QPushButton()
        self.info = QLabel()
        self.progress = QProgressBar(maximum=100)
        self.cancel = QPushButton()
        self.settings = QPushButton()
        self.form = SettingsForm(session, self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.compute)
        layout.addWidget(self.info, 1)
        layout.addWidget(self.progress, 1)
        layout.addWidget(self.cancel)
        layout.addWidget(self.settings)
        self.compute.clicked.connect(session.compute)
        self.settings.clicked.connect(self._open_settings)
        self.cancel.clicked.connect(session.cancel)
        session.choices_changed.connect(self._show)
        session.demand_changed.connect(self._show)
        session.result_changed.connect(self._show)
        session.progress_changed.connect(self._show_progress)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.compute.setText(_("Compute"))
        self.compute.setToolTip(
            _("Compute the map of this explainer: it takes many passes through the network")
        )
        self.cancel.setText(_("Cancel"))
        self.cancel.setToolTip(_("Stop computing this map"))
        self.progress.setAccessibleName(_("Progress of the map"))
        self.settings.setText(_("Settings…"))
        self.settings.setToolTip(_("Settings of this explainer"))
        self.form.retranslate()
        self._show()

    def disconnect_session(self) -> None:
        """Stop following; called before the row goes away."""
        session = self.session
        session.choices_changed.disconnect(self._show)
        session.demand_changed.disconnect(self._show)
        session.result_changed.disconnect(self._show)
        session.progress_changed.disconnect(self._show_progress)

    def _open_settings(self) -> None:
        self.form.resize(self.form.sizeHint())
        corner = self.settings.mapToGlobal(self.settings.rect().bottomRight())
        self.form.move(corner - QPoint(self.form.width(), 0))
        self.form.show()

    def _show(self, *_event: object) -> None:
        session = self.session
        demand = session.demand
        self.setVisible(EXPLAINERS[session.choices.explainer].on_demand)
        self.compute.setVisible(demand is Demand.PENDING)
        self.info.setVisible(demand is not Demand.COMPUTING)
        self.progress.setVisible(demand is Demand.COMPUTING)
        self.cancel.setVisible(demand is Demand.COMPUTING)
        if demand is not Demand.COMPUTING:
            self.progress.setValue(0)
        self.info.setText(self._time())
        self.form.show_choices()

    def _time(self) -> str:
        session = self.session
        if session.demand is Demand.PENDING:
            seconds = session.expected_seconds
            return "" if seconds is None else _("takes {time}").format(time=time_estimate(seconds))
        if session.demand is Demand.NONE and session.result is not None:
            seconds = session.result.explanation.seconds
            return _("computed in {seconds} s").format(seconds=f"{seconds:.1f}")
        return ""

    def _show_progress(self, share: float) -> None:
        self.progress.setValue(round(100 * share))


class SettingsForm(QFrame):
    """The settings of the explainer that a `Session` has chosen, each with its title; pops up and goes by a click."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("popup")
        self.session = session
        self.fields: dict[str, QSpinBox | QDoubleSpinBox | ChoiceBox] = {}
        self._explainer = ""
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(10, 8, 10, 8)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self._explainer = ""
        self.show_choices()

    def show_choices(self) -> None:
        """Show the values that are chosen, of the explainer that is chosen."""
        choices = self.session.choices
        info = EXPLAINERS[choices.explainer]
        if not info.on_demand:
            return
        if choices.explainer != self._explainer:
            self._explainer = choices.explainer
            self._rebuild()
        for key, value in complete_settings(info, dict(choices.settings)).items():
            field = self.fields[key]
            if isinstance(field, ChoiceBox):
                titles = ((one, _(CHOICE_TITLES[one]), "") for one in info.settings[key].choices)
                field.fill(titles, value)
            else:
                with QSignalBlocker(field):
                    field.setValue(value)

    def _rebuild(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.fields = {}
        for row, (key, setting) in enumerate(EXPLAINERS[self._explainer].settings.items()):
            field = self.fields[key] = self._field(setting)
            field.setAccessibleName(_(setting.title))
            field.setToolTip(_(setting.title))
            self._grid.addWidget(QLabel(_(setting.title)), row, 0)
            self._grid.addWidget(field, row, 1)
            if isinstance(field, ChoiceBox):
                field.activated.connect(lambda _row, k=key, f=field: self._choose(k, f.value))
            else:
                field.valueChanged.connect(lambda value, k=key: self._choose(k, value))

    def _field(self, setting: Setting) -> QSpinBox | QDoubleSpinBox | ChoiceBox:
        if setting.choices:
            box = ChoiceBox()
            box.setMinimumContentsLength(18)
            return box
        low, high = setting.low, setting.high
        if isinstance(setting.default, int):
            return QSpinBox(minimum=int(low), maximum=int(high), keyboardTracking=False)
        return QDoubleSpinBox(minimum=low, maximum=high, decimals=3, singleStep=0.05, keyboardTracking=False)

    def _choose(self, key: str, value: Any) -> None:
        choices = self.session.choices
        info = EXPLAINERS[choices.explainer]
        given = complete_settings(info, dict(choices.settings)) | {key: value}
        # Without those at their default, so that the map that was computed first is found again.
        changed = tuple(
            (name, given[name]) for name, one in info.settings.items() if given[name] != one.default
        )
        self.session.choose(settings=changed)
