"""The marks of a field on the canvas, and the clicks that take crops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from napari.layers import Labels, Points
from numpy.typing import NDArray

from allxai_desktop.fields.labels import text_places
from allxai_desktop.fields.model import FieldModel
from allxai_desktop.fields.predicting import Seen
from allxai_desktop.i18n import _
from napari_allxai_annotate.canvas import PaintCanvas

# Seen on pale smears and on red cells, and neither a colour of a class nor of a stain.
FREE, TAKEN = "#0072b2", "#008a5c"
BORDER, TEXT_SIZE = 0.05, 9
LEFT = 1
CANVAS_PX = (600, 700)
"""Height and width of a field on a small screen; where it is larger, the texts take less of it."""
LETTER_PX, LINE_PX = 9, 21
CLICK_PX = 4
"""How far the mouse may move between press and release of a click."""


class FieldMarks:
    """Draws what a `FieldModel` marks: a circle for each cell to take, a square where a crop was taken.

    While the model is active, a click takes a crop and a drag moves the image. `title_of` gives the class that a
    network sees its name.
    """

    def __init__(self, canvas: PaintCanvas, fields: FieldModel, title_of: Callable[[Seen], str]) -> None:
        self.canvas = canvas
        self.fields = fields
        self.title_of = title_of
        self.rings: Points | None = None
        self.texts: Points | None = None
        fields.active_changed.connect(self._on_active)
        fields.marks_changed.connect(self.show)
        canvas.viewer.layers.events.removed.connect(self._on_layer_removed)
        canvas.viewer.mouse_drag_callbacks.insert(0, self._on_press)

    def release(self) -> None:
        """Stop following; the layers stay."""
        self.fields.active_changed.disconnect(self._on_active)
        self.fields.marks_changed.disconnect(self.show)
        self.canvas.viewer.mouse_drag_callbacks.remove(self._on_press)
        self.canvas.viewer.layers.events.removed.disconnect(self._on_layer_removed)

    def show(self) -> None:
        """Draw the marks as they are now."""
        marks, mask_layer = self.fields.marks, self.canvas.mask_layer
        if mask_layer is None or (not marks and self.rings is None):
            return
        if self.rings is None:
            self.rings = self._add(_("White cells"))
        if self.texts is None:
            self.texts = self._add(_("Predictions"))
        # The camera takes a hidden layer into view too, so without marks the layers are empty instead.
        places = np.array([mark.centre for mark in marks]).reshape(-1, 2)
        sizes = np.array([2 * mark.radius for mark in marks])
        _place(self.rings, places, mask_layer, sizes)
        if marks:
            self.rings.border_color = [FREE if mark.taken is None else TAKEN for mark in marks]
            self.rings.symbol = ["disc" if mark.taken is None else "square" for mark in marks]
        # napari puts every text at the same distance from its point: these points are where the texts belong.
        texts = [(mark, self._text(mark.seen)) for mark in marks if mark.seen]
        shape = self.fields.workspace.paint.shape
        pixel = max(shape[0] / CANVAS_PX[0], shape[1] / CANVAS_PX[1])
        sized = ((mark.centre, mark.radius, _half_size(text, pixel)) for mark, text in texts)
        _place(self.texts, np.array(text_places(sized, shape)).reshape(-1, 2), mask_layer, 1)
        self.texts.features = {"seen": [text for _mark, text in texts]}
        self.texts.text = {"string": "{seen}", "size": TEXT_SIZE, "color": "black", "anchor": "center"}

    def _add(self, name: str) -> Points:
        viewer = self.canvas.viewer
        active = viewer.layers.selection.active
        layer = Points(np.empty((0, 2)), name=name, face_color="transparent", border_color="transparent")
        layer.current_face_color = "transparent"
        layer.current_border_width = BORDER
        viewer.add_layer(layer)
        # What is painted on stays what is painted on.
        viewer.layers.selection.active = active
        return layer

    def _text(self, seen: Seen) -> str:
        doubt = "⚠ " if seen.warning else ""
        return f"{doubt}{self.title_of(seen)}\n{100 * seen.probability:.0f} %"

    def _on_active(self, active: bool) -> None:
        self.canvas.gestures.enabled = not active

    def _on_layer_removed(self, event: Any) -> None:
        if event.value is self.rings:
            self.rings = None
        elif event.value is self.texts:
            self.texts = None

    def _on_press(self, _viewer: Any, event: Any) -> Iterator[None]:
        if not self.fields.active or event.button != LEFT:
            return
        start = np.array(event.pos)
        anywhere = "Shift" in event.modifiers
        yield
        while event.type == "mouse_move":
            yield
        if np.abs(np.array(event.pos) - start).max() <= CLICK_PX:
            self.fields.click(self.canvas.gestures.data_point(event), anywhere=anywhere)


def _half_size(text: str, pixel: float) -> tuple[float, float]:
    """Return half the height and width of a text where a pixel of the screen is `pixel` pixels of the field."""
    lines = text.split("\n")
    return pixel * LINE_PX * len(lines) / 2, pixel * LETTER_PX * max(map(len, lines)) / 2


def _place(layer: Points, places: NDArray[Any], mask_layer: Labels, size: Any) -> None:
    layer.selected_data = set()
    layer.scale, layer.units = mask_layer.scale[-2:], mask_layer.units[-2:]
    layer.translate = mask_layer.translate[-2:]
    layer.data = places
    if len(places):
        layer.size, layer.face_color, layer.border_width = size, "transparent", BORDER
