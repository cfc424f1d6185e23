"""The study in the window: its model, its keys, its bar over the canvas, and the pins on the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

from allxai_desktop import keys
from allxai_desktop.app.image_import import ImageImport
from allxai_desktop.app.review_pin import ReviewPin
from allxai_desktop.app.study_bar import Place, StudyBar
from allxai_desktop.study.people import Person
from allxai_desktop.study.study_model import StudyModel
from napari_allxai_annotate.brush import BrushView, add_brush, remove_brush
from napari_allxai_annotate.shortcuts import Shortcuts, application

if TYPE_CHECKING:
    from allxai_desktop.app.trail_window import TrailWindow
    from allxai_desktop.app.window import MainWindow

PINS = "allxai_pins"
PIN_COLOR = (1.0, 1.0, 1.0)
RING_PX = 9
CLOSE_ZOOM = 4.0
"""Screen pixels a pixel of the image gets when a place is shown, at least."""
FIELDS = (QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit)


class StudyDesk:
    """Made once the canvas of the window is there; closed before it."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.model = StudyModel(window.workspace, window.dispatch)
        self.model.person = window.settings.person
        self.pin = ReviewPin(window.canvas)
        self.pins = BrushView()
        self.bar = StudyBar(self.model, self.pin, self.show_place)
        self.images = ImageImport(window)
        self.trail: TrailWindow | None = None
        self._shortcuts: Shortcuts | None = None
        add_brush(window.viewer, self.pins, PINS)
        self.model.item_changed.connect(self._on_item)
        window.workspace.item_shown.connect(self._on_shown)
        window.paint.stroke_ended.connect(self._on_stroke)
        window.viewer.cursor.events.position.connect(self._on_mouse)
        window.canvas.gestures.drawing_changed.connect(self._allow_keys)
        self.pin.changed.connect(self._allow_keys)
        application().focusChanged.connect(self._on_focus)  # type: ignore[attr-defined]
        keys.events.changed.connect(self._bind)
        self._bind()

    def remember(self, person: Person) -> None:
        """Keep who works here for the next time."""
        self.window.settings.person = person

    def show_place(self, place: Place | None) -> None:
        """Ring a (row, column) of the image and bring it into sight; with None take the ring away."""
        layer, camera = self.window.canvas.mask_layer, self.window.viewer.scene.camera
        if layer is None or place is None:
            self.pins.set_brush(None, (0, 0), PIN_COLOR)
            return
        scale = float(layer.scale[-1])
        row, column = (float(value) for value in layer.data_to_world(place)[-2:])
        self.pins.set_brush((row, column), (RING_PX * scale, RING_PX * scale), PIN_COLOR)
        first, last = layer.corner_pixels
        if self.pin.active and self.pin.place == place:
            return
        if camera.zoom < CLOSE_ZOOM / scale or (np.array(place) < first).any() or (place > last).any():
            camera.zoom = max(camera.zoom, CLOSE_ZOOM / scale)
            camera.center = (row, column)

    def start_return(self) -> None:
        """Ask for the place that a returned image is about; asked again, give it up."""
        if self.pin.active:
            self.pin.cancel()
        elif self.model.may_return():
            self.window.what_if.active = False
            self.pin.start()

    def show_trail(self) -> None:
        """Open the table of the audit trail, or read it again."""
        from allxai_desktop.app.trail_window import TrailWindow

        if self.trail is None:
            self.trail = TrailWindow(self.window)
        self.model.read_trail(self.trail.show_trail)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.bar.retranslate()
        if self.trail is not None:
            self.trail.retranslate()

    def close(self) -> None:
        """Finish what is to be recorded, and stop following; the workspace is closed already."""
        window = self.window
        self.pin.cancel()
        self.model.item_changed.disconnect(self._on_item)
        window.workspace.item_shown.disconnect(self._on_shown)
        window.paint.stroke_ended.disconnect(self._on_stroke)
        window.viewer.cursor.events.position.disconnect(self._on_mouse)
        window.canvas.gestures.drawing_changed.disconnect(self._allow_keys)
        self.pin.changed.disconnect(self._allow_keys)
        application().focusChanged.disconnect(self._on_focus)  # type: ignore[attr-defined]
        keys.events.changed.disconnect(self._bind)
        self.bar.disconnect_model()
        self.images.close()
        if self.trail is not None:
            self.trail.close()
        self.model.close()
        remove_brush(window.viewer, PINS)

    # Keys

    def _bind(self) -> None:
        if self._shortcuts is not None:
            self._shortcuts.release()
        self._shortcuts = Shortcuts(
            self.window,
            {"submit": self.model.enter, "approve": self.model.approve, "return": self.start_return},
        )
        self._allow_keys()
        self.bar.retranslate()

    def _allow_keys(self, *_change: object) -> None:
        # Enter closes an outline that is drawn, and ends what is typed into a field. With a pin in hand it would
        # leave the image, and the click that was to put the pin would paint on the next.
        focus = QApplication.focusWidget()
        typing = isinstance(focus, FIELDS) or self._says_who(focus)
        assert self._shortcuts is not None
        free = not (typing or self.window.canvas.gestures.drawing or self.pin.active)
        self._shortcuts.set_enabled(("submit",), free)
        self._shortcuts.set_enabled(("approve", "return"), not typing)

    def _says_who(self, focus: QWidget | None) -> bool:
        # Until something of this window has the keyboard, its panels are not there.
        if focus is None or focus.window() is not self.window:
            return False
        return self.window.study_panel.who.form.isAncestorOf(focus)

    def _on_focus(self, _old: QWidget | None, _new: QWidget | None) -> None:
        self._allow_keys()

    # Pins

    def _on_shown(self, _row: int) -> None:
        self.pin.cancel()
        self.show_place(None)
        self._show_pins()

    def _on_item(self, row: int) -> None:
        if row == self.window.workspace.index:
            self._show_pins()

    def _on_stroke(self) -> None:
        self.show_place(None)

    def _on_mouse(self, _event: object) -> None:
        self.model.touch()

    def _show_pins(self) -> None:
        layer = self.window.canvas.mask_layer
        if layer is None:
            return
        comments = self.model.current.comments
        marks = [layer.data_to_world((comment.row, comment.col))[-2:] for comment in comments]
        self.pins.set_path(np.empty((0, 2)), np.array(marks, float).reshape(-1, 2), PIN_COLOR)
