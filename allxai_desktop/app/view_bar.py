"""The bar under the canvas: brightness, contrast, fit."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt, QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from allxai_desktop.i18n import _
from allxai_desktop.keys import KEYS


class ViewBar(QWidget):
    """Emits `adjusted(brightness, contrast)`, each −1…1, while a slider moves, and `fit_asked`."""

    adjusted = Signal(float, float)
    fit_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.brightness_label, self.contrast_label = QLabel(), QLabel()
        self.brightness, self.contrast = (
            QSlider(Qt.Orientation.Horizontal, minimum=-100, maximum=100, minimumWidth=36, maximumWidth=160)
            for _side in range(2)
        )
        self.reset = QToolButton(autoRaise=True)
        self.fit = QToolButton(autoRaise=True)
        # A large image takes longer than a slider's step: only the latest value is drawn.
        self._timer = QTimer(self, singleShot=True, interval=15)
        self._timer.timeout.connect(self._emit)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 2)
        for widget in (
            self.brightness_label,
            self.brightness,
            self.contrast_label,
            self.contrast,
            self.reset,
        ):
            layout.addWidget(widget)
        layout.addStretch()
        layout.addWidget(self.fit)
        for slider in (self.brightness, self.contrast):
            slider.valueChanged.connect(self._emit_soon)
        self.reset.clicked.connect(self.clear)
        self.fit.clicked.connect(self.fit_asked)
        self.retranslate()

    def clear(self) -> None:
        """Show the image as it is again."""
        with QSignalBlocker(self.brightness), QSignalBlocker(self.contrast):
            self.brightness.setValue(0)
            self.contrast.setValue(0)
        self._emit()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.brightness_label.setText(_("Brightness"))
        self.contrast_label.setText(_("Contrast"))
        for slider, name in ((self.brightness, _("Brightness")), (self.contrast, _("Contrast"))):
            slider.setAccessibleName(name)
            slider.setToolTip(_("Changes how the image is shown; the file and the numbers stay as they are"))
        self.reset.setText(_("Reset"))
        self.reset.setToolTip(_("Show the image as it is"))
        self.fit.setText(_("Fit"))
        self.fit.setToolTip(_("Show the whole image") + f" ({KEYS['fit'].shown})")

    def _emit_soon(self, _value: int) -> None:
        self._timer.start()

    def _emit(self) -> None:
        self.adjusted.emit(self.brightness.value() / 100, self.contrast.value() / 100)
