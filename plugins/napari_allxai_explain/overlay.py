"""The relevance map and the outline of the relevant pixels as layers of a napari viewer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import Colormap, DirectLabelColormap
from psygnal import Signal

from allxai_desktop.explainers.registry import EXPLAINERS
from allxai_desktop.i18n import _
from allxai_desktop.overlay import EDGE, OUTSIDE, color_table, outline, value_range
from napari_allxai_annotate.shared import SHOWN_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from allxai_desktop.session import Result, Session
    from napari_allxai_explain.view import ExplainView

# The outline once more, faint. As other values, because napari takes longer for another opacity.
FAINT = 2
OUTLINE_COLORS = {
    None: "transparent",
    0: "transparent",
    EDGE: (1, 1, 1, 0.9),
    OUTSIDE: (0, 0, 0, 0.9),
    EDGE + FAINT: (1, 1, 1, 0.2),
    OUTSIDE + FAINT: (0, 0, 0, 0.2),
}

# Past this share of the pixels an outline is no line any more.
DENSE = 0.2


class RelevanceOverlay:
    """Follows a session and draws its result over the image layer that `reference` returns, under its mask.

    What napari's own eyes show and hide is taken over into `view`. `map_shown` tells whether the map is seen.
    """

    map_shown = Signal(bool)

    def __init__(
        self, viewer: Any, session: Session, view: ExplainView, reference: Callable[[], Layer | None]
    ) -> None:
        self.viewer = viewer
        self.session = session
        self.view = view
        self.reference = reference
        self.map_layer: Image | None = None
        self.outline_layer: Labels | None = None
        session.result_changed.connect(self._on_result)
        view.events.connect(self._apply_view)

    def release(self) -> None:
        """Stop following; the layers stay, as napari takes seconds to remove one where torch is loaded."""
        self.session.result_changed.disconnect(self._on_result)
        self.view.events.disconnect(self._apply_view)
        for layer in (self.map_layer, self.outline_layer):
            if layer is not None:
                layer.events.visible.disconnect(self._on_eye)

    def close(self) -> None:
        """Stop following and take the layers away."""
        self.release()
        self._remove()
        self.map_shown.emit(False)

    def _on_result(self, result: Result | None) -> None:
        relevance = result.explanation.relevance if result else None
        if result is None or relevance is None or result.relevant is None:
            self._hide()
            return
        edges = outline(result.relevant)
        # Around single pixels everywhere, a full outline would hide image, map and classes.
        if np.count_nonzero(edges) > DENSE * edges.size:
            edges[edges > 0] += FAINT
        if not self._present() or self.map_layer.data.shape != relevance.shape:  # type: ignore[union-attr]
            self._remove()
            self._add(relevance, edges)
        else:
            # Written in place: setting `data` would have napari measure all layers again.
            for layer, values in ((self.map_layer, relevance), (self.outline_layer, edges)):
                layer.data[:] = values  # type: ignore[union-attr]
                layer.refresh(extent=False, thumbnail=False, highlight=False)  # type: ignore[union-attr]
        self._apply_view()

    def _present(self) -> bool:
        return self.map_layer in self.viewer.layers and self.outline_layer in self.viewer.layers

    def _add(self, relevance: np.ndarray, edges: np.ndarray) -> None:
        place: dict[str, Any] = {}
        layer = self.reference()
        if layer is not None:
            place = {"scale": layer.scale[-2:], "translate": layer.translate[-2:], "units": layer.units[-2:]}
        with keeping_active_layer(self.viewer):
            self.map_layer = Image(
                relevance.copy(),
                name=_("Relevance"),
                blending="translucent",
                interpolation2d="nearest",
                metadata={SHOWN_KEY: True},
                **place,
            )
            self.outline_layer = Labels(
                edges,
                name=_("Relevant pixels"),
                opacity=1.0,
                colormap=DirectLabelColormap(color_dict=OUTLINE_COLORS),
                **place,
            )
            self.outline_layer.editable = False
            for drawn in (self.map_layer, self.outline_layer):
                drawn.events.visible.connect(self._on_eye)
            # Directly over the image: what is painted has to be seen through no map.
            above = self.viewer.layers.index(layer) + 1 if layer is not None else len(self.viewer.layers)
            self.viewer.layers.insert(above, self.map_layer)
            self.viewer.add_layer(self.outline_layer)

    def _hide(self) -> None:
        for layer in (self.map_layer, self.outline_layer):
            if layer is not None:
                _set(layer, "visible", False)
        self.map_shown.emit(False)

    def _remove(self) -> None:
        with keeping_active_layer(self.viewer):
            for layer in (self.map_layer, self.outline_layer):
                if layer is not None and layer in self.viewer.layers:
                    self.viewer.layers.remove(layer)
        self.map_layer = self.outline_layer = None

    def _on_eye(self, event: Any) -> None:
        layer, result = event.source, self.session.result
        if result is None or result.explanation.relevance is None:
            # It still has the map before, which is of something else.
            _set(layer, "visible", False)
        else:
            name = "map_visible" if layer is self.map_layer else "outline_visible"
            setattr(self.view, name, layer.visible)

    def _apply_view(self, *_event: object) -> None:
        result = self.session.result
        if result is None or result.explanation.relevance is None or self.map_layer is None:
            return
        signed = EXPLAINERS[result.explanation.explainer].signed
        _set(self.map_layer, "colormap", _colors(self.view.colormap, signed))
        assert self.outline_layer is not None
        _set(self.map_layer, "contrast_limits", list(value_range(result.explanation.relevance, signed)))
        _set(self.map_layer, "opacity", self.view.opacity)
        _set(self.map_layer, "visible", self.view.map_visible)
        _set(self.map_layer.colorbar, "visible", self.view.map_visible)
        _set(self.outline_layer, "visible", self.view.outline_visible)
        self.map_shown.emit(self.view.map_visible)


@contextmanager
def keeping_active_layer(viewer: Any) -> Iterator[None]:
    """Let layers come and go while the active one stays so: mouse and keys go to it."""
    active = viewer.layers.selection.active
    yield
    if active is not None and active in viewer.layers:
        viewer.layers.selection.active = active


@cache
def _colors(colormap: str, signed: bool) -> Colormap:
    return Colormap(color_table(colormap, signed), name=f"{colormap} {'signed' if signed else 'unsigned'}")


def _set(owner: Any, name: str, value: Any) -> None:
    # napari redraws on every assignment, also on one that changes nothing.
    if getattr(owner, name) != value:
        setattr(owner, name, value)
