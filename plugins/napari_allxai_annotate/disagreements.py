"""The regions in which two masks disagree, as a layer of a napari viewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from allxai_desktop.agreement.adjudication import Adjudication
from allxai_desktop.agreement.pictures import BLACK, EDGE, WHITE, hatched, rim_of, view_box
from allxai_desktop.i18n import _

COLORS = {
    None: "transparent",
    0: "transparent",
    # Stripes are seen over every stain.
    WHITE: (1, 1, 1, 0.6),
    BLACK: (0, 0, 0, 0.6),
    EDGE: (1, 0, 1, 1),
}


class DisagreementLayer:
    """Follows an `Adjudication` over the image layer that `reference` returns: what is open, and where to look."""

    def __init__(self, viewer: Any, model: Adjudication, reference: Callable[[], Layer | None]) -> None:
        self.viewer, self.model = viewer, model
        self._drawn = model.decided.copy()
        self._current = model.current
        self._rim = np.zeros(0, np.int64)
        codes = np.zeros(model.first.shape, np.uint8)
        differing = np.flatnonzero(model.regions.at >= 0)
        codes.reshape(-1)[differing] = hatched(model, differing)
        layer = reference()
        place: dict[str, Any] = {}
        if layer is not None:
            place = {"scale": layer.scale[-2:], "translate": layer.translate[-2:], "units": layer.units[-2:]}
        self.layer = Labels(
            codes,
            name=_("Disagreements"),
            opacity=1.0,
            colormap=DirectLabelColormap(color_dict=COLORS),
            **place,
        )
        self.layer.editable = False
        active = viewer.layers.selection.active
        viewer.add_layer(self.layer)
        # Mouse and keys go on to the mask.
        viewer.layers.selection.active = active
        self._draw(np.zeros(0, np.int64))
        model.changed.connect(self._on_changed)
        model.current_changed.connect(self._on_current)

    def close(self) -> None:
        """Stop following and take the layer away."""
        self.model.changed.disconnect(self._on_changed)
        self.model.current_changed.disconnect(self._on_current)
        if self.layer in self.viewer.layers:
            active = self.viewer.layers.selection.active
            self.viewer.layers.remove(self.layer)
            if active in self.viewer.layers:
                self.viewer.layers.selection.active = active

    def look(self) -> None:
        """Move the view to the region that is looked at."""
        region = self.model.region
        if region is None:
            return
        top, left, bottom, right = view_box(region, self.layer.data.shape)
        middle = self.layer.data_to_world([(top + bottom - 1) / 2, (left + right - 1) / 2])
        camera = self.viewer.scene.camera
        camera.center = tuple(middle)
        camera.zoom = min(self.viewer.canvas.size) / (
            max(bottom - top, right - left) * float(self.layer.scale[-1])
        )

    def _on_changed(self) -> None:
        now = self.model.decided
        self._draw(np.flatnonzero(now != self._drawn))
        self._drawn = now.copy()

    def _on_current(self, number: int) -> None:
        self._draw(np.array([number, *([self._current] if self._current >= 0 else [])]))
        self._current = number
        self.look()

    def _draw(self, numbers: NDArray[np.int64]) -> None:
        """Draw regions anew, and the rim around the one that is looked at."""
        model, flat = self.model, self.layer.data.reshape(-1)
        again = np.concatenate([self._rim, model.regions.pixels(numbers)])
        flat[again] = hatched(model, again)
        region = model.region
        self._rim = self._rim[:0] if region is None else rim_of(region, self.layer.data.shape)
        flat[self._rim] = EDGE
        self.layer.refresh(extent=False, thumbnail=False, highlight=False)
