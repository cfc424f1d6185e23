"""The place in the image that a reviewer's comment is about, chosen by a click on the canvas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

if TYPE_CHECKING:
    from napari_allxai_annotate.canvas import PaintCanvas


class ReviewPin:
    """While `active`, a click on the canvas sets `place` (row, column) instead of painting."""

    changed = Signal()

    def __init__(self, canvas: PaintCanvas) -> None:
        self.canvas = canvas
        self.active = False
        self.place: tuple[int, int] | None = None

    def start(self) -> None:
        """Wait for a click."""
        if not self.active:
            self.active = True
            self.canvas.gestures.enabled = False
            self.canvas.viewer.mouse_drag_callbacks.insert(0, self._on_press)
            self.changed.emit()

    def cancel(self) -> None:
        """Let the canvas paint again."""
        if self.active:
            self.active, self.place = False, None
            self.canvas.gestures.enabled = True
            self.canvas.viewer.mouse_drag_callbacks.remove(self._on_press)
            self.changed.emit()

    def _on_press(self, _viewer: Any, event: Any) -> Iterator[None]:
        event.handled = True
        row, column = (int(np.floor(value + 0.5)) for value in self.canvas.gestures.data_point(event))
        height, width = self.canvas.model.shape
        yield
        # The button is up by now, so that the field that opens keeps the keyboard.
        while event.type == "mouse_move":
            yield
        if 0 <= row < height and 0 <= column < width:
            self.place = row, column
            self.changed.emit()
