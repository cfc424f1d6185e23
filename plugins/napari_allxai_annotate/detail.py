"""What an overview leaves out: the levels of a large image, drawn over it where the camera is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image

from allxai_desktop.i18n import _
from allxai_desktop.slides.large import LargeImage
from allxai_desktop.tasks import Dispatch
from napari_allxai_annotate.canvas import PaintCanvas

if TYPE_CHECKING:
    from allxai_desktop.images import CellImage
    from allxai_desktop.slides.viewing import Shown


class Detail:
    """A layer between the overview and the mask, there as long as a `LargeImage` is shown."""

    def __init__(self, canvas: PaintCanvas, dispatch: Dispatch) -> None:
        self.canvas = canvas
        self.layer: Image | None = None
        self._dispatch = dispatch
        self._shown: Shown | None = None
        canvas.viewer.layers.events.removed.connect(self._on_layer_removed)

    def show(self, image: CellImage) -> None:
        """Draw the levels of `image`, whose overview the canvas shows; of one in memory there are none."""
        viewer, below = self.canvas.viewer, self.canvas.image_layer
        self._stop()
        if self.layer is not None:
            viewer.layers.remove(self.layer)
        if not isinstance(image, LargeImage) or image.pyramid is None or below is None:
            return
        # Only where it is wanted, for it reads with tifffile, which is slow to import.
        from allxai_desktop.slides.viewing import Shown

        self._shown = Shown(image.pyramid, self._dispatch)
        self._shown.arrived.connect(self._on_arrived)
        active = viewer.layers.selection.active
        layer = Image(
            self._shown.levels,
            rgb=True,
            multiscale=True,
            name=_("Detail of {name}").format(name=image.name),
            scale=[size / image.scale for size in below.scale[-2:]],
            translate=[(1 / image.scale - 1) / 2 * size for size in below.scale[-2:]],
            units=below.units[-2:],
        )
        viewer.layers.insert(viewer.layers.index(below) + 1, layer)
        viewer.layers.selection.active = active
        self.layer = layer

    def release(self) -> None:
        """Stop reading; the layer stays."""
        self._stop()
        self.canvas.viewer.layers.events.removed.disconnect(self._on_layer_removed)

    def _stop(self) -> None:
        if self._shown is not None:
            self._shown.arrived.disconnect(self._on_arrived)
            self._shown.close()
            self._shown = None

    def _on_arrived(self) -> None:
        if self.layer is not None:
            self.layer.refresh(extent=False, thumbnail=False)

    def _on_layer_removed(self, event: Any) -> None:
        if event.value is self.layer:
            self.layer = None
