"""The proposal on the canvas: stripes or dashes under the mask, and outlines where it is unsure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.cellclasses import BY_KEY
from allxai_desktop.i18n import _
from allxai_desktop.keys import KEYS
from allxai_desktop.painting import shapes
from allxai_desktop.proposing import places
from allxai_desktop.proposing.model import ProposalModel
from napari_allxai_annotate.brush import ABOVE_ALL, BrushView, Color, add_brush, remove_brush
from napari_allxai_annotate.canvas import PaintCanvas, mask_colormap, write
from napari_allxai_annotate.private import forget_history

OVERLAY = "allxai_unsure"
BACKGROUND = BY_KEY["background"].code
STRIPED, DASHED = 0.6, 0.9
"""Opacities."""
STRIPES = 60
"""Stripes or dashes across the longer side of the image."""
UNSURE_COLOR: Color = (1, 0.25, 0.75)
FOUND_PX, CLOSEST = 40, 8.0
"""How large on the screen what was jumped to is shown at least, in px; and how large one of its pixels at most."""


class Ghost:
    """Draws what `proposals` would change so that nobody takes it for painted, and moves the camera.

    It is in stripes or, where a map is to be seen as well, in dashed outlines. The layer stays the same from image to
    image, because napari takes half a second to replace one. `told` has a sentence for the user.
    """

    told = Signal(str)

    def __init__(self, canvas: PaintCanvas, proposals: ProposalModel) -> None:
        self.canvas = canvas
        self.proposals = proposals
        self.layer: Labels | None = None
        self.view = BrushView()
        self._drawn = np.zeros(0, bool)
        # Under what is outlined to be found.
        add_brush(canvas.viewer, self.view, OVERLAY, order=ABOVE_ALL - 1)
        canvas.gestures.accept = proposals.accept_at
        proposals.proposal_changed.connect(self._show)
        proposals.visible_changed.connect(self._show)
        canvas.map_shown_changed.connect(self._show)
        proposals.paint.edited.connect(self._on_edited)
        proposals.paint.stroke_ended.connect(self._leave_found)
        proposals.paint.image_replaced.connect(self._leave_found)
        canvas.viewer.layers.events.removed.connect(self._on_layer_removed)

    def close(self) -> None:
        """Stop following; the layer stays, as napari takes seconds to remove one where torch is loaded."""
        self.proposals.proposal_changed.disconnect(self._show)
        self.proposals.visible_changed.disconnect(self._show)
        self.canvas.map_shown_changed.disconnect(self._show)
        self.proposals.paint.edited.disconnect(self._on_edited)
        self.proposals.paint.stroke_ended.disconnect(self._leave_found)
        self.proposals.paint.image_replaced.disconnect(self._leave_found)
        remove_brush(self.canvas.viewer, OVERLAY)
        self.canvas.viewer.layers.events.removed.disconnect(self._on_layer_removed)

    def actions(self) -> dict[str, Callable[[], object]]:
        """Return what the keys of the registry do here, by their names."""
        proposals = self.proposals
        return {
            "proposal": lambda: setattr(proposals, "visible", not proposals.visible),
            "accept-all": partial(self._with_proposal, proposals.accept_all),
            "accept-class": partial(
                self._with_proposal, lambda: proposals.accept_class(proposals.paint.active)
            ),
            "next-uncertain": partial(self._with_proposal, self.go_to_unsure),
            "next-unlabelled": self.go_to_unlabelled,
        }

    def _with_proposal(self, call: Callable[[], object]) -> None:
        """Do what needs the proposal to be seen, or say why it is not."""
        proposals = self.proposals
        if self.canvas.gestures.region is not None:
            text = _("The proposal is for the mask: leave What if first ({key}).")
            self.told.emit(text.format(key=KEYS["escape"].shown))
        elif not proposals.visible:
            text = _("The proposal is switched off: {key} shows it.")
            self.told.emit(text.format(key=KEYS["proposal"].shown))
        elif proposals.proposal is None:
            self.told.emit(
                _("The proposal is not ready yet.")
                if proposals.busy
                else _("There is no proposal for this mask.")
            )
        else:
            call()

    def go_to_unsure(self) -> None:
        """Outline the next region where the proposal is unsure, moving the camera where it is not seen well."""
        self._go_to(self.proposals.next_unsure(), _("The proposal is sure everywhere."))

    def go_to_unlabelled(self) -> None:
        """Outline the next unlabelled region, moving the camera where it is not seen well."""
        self._go_to(self.proposals.next_unlabelled(), _("Every pixel has a class."))

    def _go_to(self, region: shapes.Indices | None, otherwise: str) -> None:
        layer, camera = self.canvas.mask_layer, self.canvas.viewer.scene.camera
        if layer is None:
            return
        self.canvas.gestures.show_region(region)
        if region is None:
            self.told.emit(otherwise)
            return
        shape = self.proposals.paint.shape
        rows, columns = np.divmod(region, shape[1])
        size = max(int(np.ptp(rows)), int(np.ptp(columns))) + 1
        zoom = min(FOUND_PX / size, CLOSEST) / float(layer.scale[-1])
        middle = places.middle(region, shape)
        first, last = layer.corner_pixels
        # What is seen well already stays where it is.
        if zoom > camera.zoom or (middle < first).any() or (middle > last).any():
            camera.zoom = max(camera.zoom, zoom)
            camera.center = self.canvas.gestures.to_world([middle])[0]

    def _leave_found(self) -> None:
        self.canvas.gestures.show_region(None)

    # From the model to the canvas

    def _show(self, *_change: object) -> None:
        proposals, layer = self.proposals, self.layer
        proposal = proposals.proposal if proposals.visible else None
        if proposal is None or self.canvas.mask_layer is None:
            if layer is not None:
                layer.visible = False
            self.view.set_sides(np.empty((0, 2)), UNSURE_COLOR)
            return
        pattern = _dashes if self.canvas.map_shown else _stripes
        self._drawn = pattern(proposal.codes).reshape(-1)
        values = np.where(self._drawn, proposals.ghost(), np.uint8(0)).reshape(proposal.codes.shape)
        if layer is None:
            self._add(values)
        else:
            self._fill(layer, values)
        shape = proposals.paint.shape
        sides = [shapes.outline(region, shape).reshape(-1, 2) for region in proposals.unsure]
        points = self.canvas.gestures.to_world(np.concatenate([np.empty((0, 2)), *sides]))
        self.view.set_sides(points, UNSURE_COLOR)

    def _add(self, values: NDArray[np.uint8]) -> None:
        mask, layers = self.canvas.mask_layer, self.canvas.viewer.layers
        assert mask is not None
        active = layers.selection.active
        layer = Labels(values, name=_("Proposal"), colormap=mask_colormap(), **self._look())
        # It is no mask to paint on.
        layer.editable = False
        layers.insert(layers.index(mask), layer)
        layers.selection.active = active
        self.layer = layer

    def _fill(self, layer: Labels, values: NDArray[np.uint8]) -> None:
        layers = self.canvas.viewer.layers
        above = layers.index(self.canvas.mask_layer)
        if layers.index(layer) != above - 1:
            # Another image of the viewer, which lies over the one before.
            layers.move(layers.index(layer), above)
        for name, value in self._look().items():
            if not np.array_equal(getattr(layer, name), value):
                setattr(layer, name, value)
        if layer.data.shape != values.shape:
            layer.data = values
        else:
            # Setting `data` would have napari measure all layers again.
            layer.data[:] = values
            layer.refresh(extent=False, thumbnail=False, highlight=False)
        forget_history(layer)
        if not layer.visible:
            layer.visible = True

    def _look(self) -> dict[str, Any]:
        """Return what the layer has of the mask's, and how clear it is."""
        mask = self.canvas.mask_layer
        assert mask is not None
        place = {"scale": mask.scale, "translate": mask.translate, "units": mask.units}
        return place | {"opacity": DASHED if self.canvas.map_shown else STRIPED}

    def _on_edited(self, indices: NDArray[np.int64], _old: object, _new: object) -> None:
        layer = self.layer
        if layer is None or not layer.visible or layer.data.shape != self.proposals.paint.shape:
            return
        values = np.where(self._drawn[indices], self.proposals.ghost(indices), np.uint8(0))
        # Between the stripes, and where a stroke crosses itself, there is nothing to draw anew.
        differ = layer.data.reshape(-1)[indices] != values
        if differ.any():
            write(layer, indices[differ], values[differ])

    def _on_layer_removed(self, event: Any) -> None:
        if event.value is self.layer:
            self.layer = None


def _stripes(codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which pixels of `codes` (H, W) are drawn: slanting stripes, and the edges of the regions.

    The background, which is most of an image as a rule, has a third of the stripes.
    """
    step, (rows, columns) = _step(codes), np.ogrid[: codes.shape[0], : codes.shape[1]]
    drawn: NDArray[np.bool_] = (rows + columns) % np.where(codes == BACKGROUND, 3 * step, step) < step // 3
    drawn[:-1] |= codes[:-1] != codes[1:]
    drawn[:, :-1] |= codes[:, :-1] != codes[:, 1:]
    return drawn


def _dashes(codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which pixels of `codes` (H, W) are drawn: the edges of the regions, dashed, but for the background's."""
    step, (rows, columns) = _step(codes), np.ogrid[: codes.shape[0], : codes.shape[1]]
    edges = np.zeros(codes.shape, bool)
    for away in range(1, 1 + max(1, round(max(codes.shape) / (3 * STRIPES)))):
        down, across = codes[away:] != codes[:-away], codes[:, away:] != codes[:, :-away]
        edges[away:] |= down
        edges[:-away] |= down
        edges[:, away:] |= across
        edges[:, :-away] |= across
    drawn: NDArray[np.bool_] = edges & (codes != BACKGROUND) & ((rows // step + columns // step) % 2 == 0)
    return drawn


def _step(codes: NDArray[np.uint8]) -> int:
    """Return how far apart stripes, or dashes, of an image of this size are, in px."""
    step: int = max(6, round(max(codes.shape) / STRIPES))
    return step
