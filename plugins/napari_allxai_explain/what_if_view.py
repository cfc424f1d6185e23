"""What-if on the canvas: its brush, and what is taken out. The layer of the image itself is not touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray
from qtpy.QtCore import QTimer

from allxai_desktop.analyses.what_if import REMOVED
from allxai_desktop.i18n import _
from allxai_desktop.painting.history import Place, pixels
from napari_allxai_annotate.canvas import write
from napari_allxai_annotate.private import forget_history
from napari_allxai_annotate.shared import SHOWN_KEY
from napari_allxai_explain.overlay import keeping_active_layer

if TYPE_CHECKING:
    from allxai_desktop.analyses.what_if import Variant, WhatIf
    from napari_allxai_annotate.canvas import PaintCanvas

Pixels = NDArray[np.uint8]

STRIPE, SHADOW, BETWEEN = 1, 2, 3
HATCH_COLORS = {
    None: "transparent",
    0: "transparent",
    STRIPE: (1, 1, 1, 0.9),
    SHADOW: (0, 0, 0, 0.9),
    BETWEEN: (1, 1, 1, 0.2),
}
# From one stripe to the next, in widths of a stripe; and how many of those the longer side of an image holds.
SPACING, STRIPES = 9, 250
# The filling is drawn with at most this many pixels a side: a larger picture would hold the brush up.
MAX_SIDE = 2048
# In a stroke the filling waits this long for the next event of the brush, to be drawn with it.
LATE_MS = 80


def hatch(indices: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return which part of the hatching (n,) lies on the pixels at flat `indices` (n,) of an image of `shape`."""
    rows, columns = np.divmod(indices, shape[1])
    width = max(1, round(max(shape) / STRIPES))
    parts = np.full(SPACING, BETWEEN, np.uint8)
    parts[:2] = STRIPE, SHADOW
    found: NDArray[np.uint8] = parts[(rows + columns) // width % SPACING]
    return found


class WhatIfView:
    """Follows a `WhatIf`: hatches its region, draws what stands there, and hands it the brush of the canvas.

    `look` changes the colours of pixels as those of the image are changed on screen; `refresh` uses it anew.
    """

    def __init__(
        self, canvas: PaintCanvas, what_if: WhatIf, look: Callable[[Pixels], Pixels] = lambda pixels: pixels
    ) -> None:
        self.canvas = canvas
        self.viewer = canvas.viewer
        self.what_if = what_if
        self.look = look
        self.fill_layer: Image | None = None
        self.hatch_layer: Labels | None = None
        self._late = QTimer(singleShot=True, interval=LATE_MS)
        self._late.timeout.connect(self._draw_filling)
        what_if.active_changed.connect(self._on_active)
        what_if.variant_changed.connect(self._on_variant)
        what_if.region.edited.connect(self._on_edited)
        what_if.region.image_replaced.connect(self._remove)
        canvas.left.connect(self._leave)
        canvas.viewer.layers.events.inserted.connect(self._on_inserted)

    def close(self) -> None:
        """Give the brush back, take the layers away and stop following."""
        self._leave()
        self._remove()
        self.what_if.active_changed.disconnect(self._on_active)
        self.what_if.variant_changed.disconnect(self._on_variant)
        self.what_if.region.edited.disconnect(self._on_edited)
        self.what_if.region.image_replaced.disconnect(self._remove)
        self.canvas.left.disconnect(self._leave)
        self.viewer.layers.events.inserted.disconnect(self._on_inserted)

    def refresh(self) -> None:
        """Draw what stands in place of the region again."""
        self._on_variant(self.what_if.variant)

    def _leave(self) -> None:
        self.what_if.active = False

    def _on_active(self, active: bool) -> None:
        self.canvas.gestures.region = self.what_if.region if active else None
        if not active:
            self._hide()
            return
        if not self._present():
            self._remove()
            self._add()
        assert self.hatch_layer is not None
        codes = self.what_if.region.codes
        out = np.flatnonzero(codes == REMOVED)
        self.hatch_layer.data[:] = 0
        np.put(self.hatch_layer.data, out, hatch(out, self.what_if.region.shape))
        self.hatch_layer.visible = True
        self.hatch_layer.refresh(extent=False, thumbnail=False, highlight=False)

    def _on_edited(self, indices: Place, _old: object, new: NDArray[np.uint8]) -> None:
        if self.hatch_layer is not None and self.what_if.active:
            values = np.where(new == REMOVED, hatch(pixels(indices), self.what_if.region.shape), 0)
            write(self.hatch_layer, indices, values.astype(np.uint8))
        if self._late.isActive():
            self._draw_filling()

    def _on_variant(self, variant: Variant | None) -> None:
        layer = self.fill_layer
        if layer is None:
            return
        if variant is not None:
            step = _step(variant.region.shape)
            layer.data[..., :3] = self.look(variant.image.pixels[::step, ::step])
            layer.data[..., 3] = np.where(variant.region[::step, ::step], 255, 0)
            if layer.visible and self.what_if.region.in_stroke:
                # A picture of its own for each filling would halve the rate of the brush.
                self._late.start()
            else:
                self._draw_filling()
        # napari redraws on every assignment, also on one that changes nothing.
        if layer.visible != (variant is not None):
            layer.visible = variant is not None

    def _draw_filling(self) -> None:
        self._late.stop()
        if self.fill_layer is not None:
            self.fill_layer.refresh(extent=False, thumbnail=False, highlight=False)

    # Layers

    def _present(self) -> bool:
        return self.fill_layer in self.viewer.layers and self.hatch_layer in self.viewer.layers

    def _add(self) -> None:
        below = self.canvas.image_layer
        if below is None:
            return
        shape = self.what_if.region.shape
        step = _step(shape)
        scale, shift, units = below.scale[-2:], below.translate[-2:], below.units[-2:]
        with keeping_active_layer(self.viewer):
            self.fill_layer = Image(
                np.zeros((-(-shape[0] // step), -(-shape[1] // step), 4), np.uint8),
                rgb=True,
                name=_("What if: filled"),
                # The first pixel is drawn over `step` pixels of the image, so its centre is theirs.
                scale=scale * step,
                translate=shift + scale * (step - 1) / 2,
                units=units,
                metadata={SHOWN_KEY: True},
                visible=False,
            )
            self.hatch_layer = Labels(
                np.zeros(shape, np.uint8),
                name=_("What if: taken out"),
                colormap=DirectLabelColormap(color_dict=HATCH_COLORS),
                opacity=1,
                scale=scale,
                translate=shift,
                units=units,
            )
            self.hatch_layer.editable = False
            self.viewer.layers.insert(self.viewer.layers.index(below) + 1, self.fill_layer)
            self.viewer.layers.append(self.hatch_layer)
        forget_history(self.hatch_layer)

    def _on_inserted(self, _event: Any) -> None:
        # A map that comes later must not be hidden by what stands in place of the region.
        layers, image = self.viewer.layers, self.canvas.image_layer
        if self.fill_layer in layers and image in layers:
            at, wanted = layers.index(self.fill_layer), layers.index(image) + 1
            if at > wanted:
                layers.move(at, wanted)

    def _hide(self) -> None:
        for layer in (self.fill_layer, self.hatch_layer):
            if layer is not None:
                layer.visible = False

    def _remove(self) -> None:
        with keeping_active_layer(self.viewer):
            for layer in (self.fill_layer, self.hatch_layer):
                if layer is not None and layer in self.viewer.layers:
                    self.viewer.layers.remove(layer)
        self.fill_layer = self.hatch_layer = None


def _step(shape: tuple[int, ...]) -> int:
    return -(-max(shape) // MAX_SIDE)
