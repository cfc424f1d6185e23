"""The menu of what cleans a mask up; pointing at an entry shows what it would change."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker
from qtpy.QtGui import QAction, QMouseEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QMenu, QSpinBox, QToolButton, QWidget, QWidgetAction

from allxai_desktop.i18n import _
from allxai_desktop.keys import KEYS, in_menu
from allxai_desktop.painting.cleaner import MAX_BELOW, MIN_BELOW, Cleaner
from allxai_desktop.painting.cleanup import NAMES
from napari_allxai_annotate.class_row import name_control
from napari_allxai_annotate.glyphs import GlyphButton


class CleanButton(GlyphButton):
    """Opens a `CleanMenu`, and shows while an action is being done."""

    def __init__(self, cleaner: Cleaner) -> None:
        super().__init__("clean")
        self.cleaner = cleaner
        self.entries = CleanMenu(cleaner, self)
        self.setMenu(self.entries)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        cleaner.running_changed.connect(self._show_running)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        name_control(self, _("Clean up the mask"))
        self.entries.retranslate()

    def disconnect_model(self) -> None:
        """Stop following; called before the button goes away."""
        self.cleaner.running_changed.disconnect(self._show_running)

    def _show_running(self, running: bool) -> None:
        self.glyph = self.checked_glyph = "busy" if running else "clean"
        self.update()


class CleanMenu(QMenu):
    """Runs the actions of a `Cleaner` and shows its settings."""

    def __init__(self, cleaner: Cleaner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cleaner = cleaner
        self.refusal = self.addAction("")
        self.refusal.setEnabled(False)
        self.entries: dict[QAction, str] = {self.addAction(""): name for name in NAMES}
        self.stop = self.addAction("")
        self.stop.triggered.connect(lambda: cleaner.cancel())
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
            action.setText(in_menu(_(KEYS[name].title), KEYS[name].shown))
        self.stop.setText(_("Stop"))
        self.every_class.setText(_("In all classes, not only the one in hand"))
        self.below_label.setText(_("Holes and islands smaller than"))
        self.below.setSuffix(" px")
        name_control(self.below, _("Holes and islands smaller than this are cleaned up"))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on the setting leaves the menu open, for the entry that it is set for."""
        if self.actionAt(event.position().toPoint()) is self.every_class:
            self.every_class.trigger()
        else:
            super().mouseReleaseEvent(event)

    def _show_settings(self) -> None:
        refusal = self.cleaner.refusal
        self.refusal.setText(refusal)
        self.refusal.setVisible(bool(refusal))
        self.stop.setVisible(self.cleaner.running)
        for action in self.entries:
            action.setEnabled(not refusal)
        with QSignalBlocker(self.every_class), QSignalBlocker(self.below):
            self.every_class.setChecked(self.cleaner.every_class)
            self.below.setValue(self.cleaner.below)

    def _on_triggered(self, action: QAction) -> None:
        if action in self.entries:
            self.cleaner.run(self.entries[action])

    def _on_hovered(self, action: QAction) -> None:
        self.cleaner.preview(self.entries.get(action))
