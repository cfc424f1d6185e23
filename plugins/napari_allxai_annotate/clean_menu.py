"""The menu of what cleans a mask up; pointing at an entry shows what it would change."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QHBoxLayout, QLabel, QMenu, QSpinBox, QWidget, QWidgetAction

from allxai_desktop.i18n import _
from allxai_desktop.keys import KEYS
from allxai_desktop.painting.cleaner import MAX_BELOW, MIN_BELOW, Cleaner
from allxai_desktop.painting.cleanup import ACTIONS
from napari_allxai_annotate.class_row import name_control


class CleanMenu(QMenu):
    """Runs the actions of a `Cleaner` and shows its settings."""

    def __init__(self, cleaner: Cleaner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cleaner = cleaner
        self.entries: dict[QAction, str] = {self.addAction(""): name for name in ACTIONS}
        self.addSeparator()
        self.every_class = self.addAction("")
        self.every_class.setCheckable(True)
        self.below_label, self.below = QLabel(), QSpinBox()
        self.below.setRange(MIN_BELOW, MAX_BELOW)
        size = QWidget()
        row = QHBoxLayout(size)
        row.setContentsMargins(10, 2, 10, 2)
        row.addWidget(self.below_label, 1)
        row.addWidget(self.below)
        holder = QWidgetAction(self)
        holder.setDefaultWidget(size)
        self.addAction(holder)
        self.triggered.connect(self._on_triggered)
        self.hovered.connect(self._on_hovered)
        self.aboutToShow.connect(self._show_settings)
        self.aboutToHide.connect(lambda: cleaner.preview(None))
        self.every_class.toggled.connect(lambda every: setattr(cleaner, "every_class", every))
        self.below.valueChanged.connect(lambda pixels: setattr(cleaner, "below", pixels))

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        for action, name in self.entries.items():
            action.setText(f"{_(KEYS[name].title)}\t{KEYS[name].sequence}")
        self.every_class.setText(_("In all classes, not only the one in hand"))
        self.below_label.setText(_("Holes and islands smaller than"))
        self.below.setSuffix(" px")
        name_control(self.below, _("Holes and islands smaller than this are cleaned up"))

    def _show_settings(self) -> None:
        with QSignalBlocker(self.every_class), QSignalBlocker(self.below):
            self.every_class.setChecked(self.cleaner.every_class)
            self.below.setValue(self.cleaner.below)

    def _on_triggered(self, action: QAction) -> None:
        if action in self.entries:
            self.cleaner.run(self.entries[action])

    def _on_hovered(self, action: QAction) -> None:
        self.cleaner.preview(self.entries.get(action))
