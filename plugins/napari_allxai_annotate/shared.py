"""What the widgets of one stock napari viewer share: the image that is worked on, and its mask."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.utils.notifications import show_error, show_info
from psygnal import Signal
from qtpy.QtCore import QTimer

from allxai_desktop import keys
from allxai_desktop.cellclasses import MAX_CODE
from allxai_desktop.errors import AllxaiError
from allxai_desktop.images import CellImage, image_from_array
from allxai_desktop.painting.engine import PaintModel
from napari_allxai_annotate.canvas import PaintCanvas, mask_name
from napari_allxai_annotate.gl_context import OwnContext
from napari_allxai_annotate.held_button import HeldButton
from napari_allxai_annotate.pen import PenEraser

IMAGE_KEY = "allxai_image"
"""Key in the metadata of a mask layer under which its `CellImage` is."""
SHOWN_KEY = "allxai_shown"
"""Key in the metadata of image layers that only show something and are not to be worked on."""


class ViewerPainting:
    """A mask over one image layer of a viewer, which starts from a labels layer that fits, if there is one.

    Each widget calls `of` when it is made and `release` when it goes. The mouse paints the mask while somebody
    annotates.
    """

    image_changed = Signal(object)
    candidates_changed = Signal()
    annotating_changed = Signal(bool)
    _open: dict[int, ViewerPainting] = {}  # noqa: RUF012 - one list for all, by the id of the viewer

    def __init__(self, viewer: ViewerModel) -> None:
        keys.load()
        self.viewer = viewer
        self.model = PaintModel()
        self.canvas = PaintCanvas(viewer, self.model)
        self.canvas.gestures.enabled = False
        self.canvas.gestures.told.connect(show_info)
        self.image: CellImage | None = None
        self._users = 0
        self._waiting = self._closed = False
        self._own_mask: Labels | None = None
        # A viewer without a window draws nothing.
        window = getattr(viewer, "window", None)
        native = None if window is None else window._qt_viewer.canvas.native
        self._watching: list[OwnContext | HeldButton | PenEraser] = []
        if native is not None:
            self._watching = [
                OwnContext(native, viewer.layers),
                HeldButton(native),
                PenEraser(native, self.canvas.gestures),
            ]
        viewer.layers.events.inserted.connect(self._on_layers)
        viewer.layers.events.removed.connect(self._on_layers)
        self._settle()

    @classmethod
    def of(cls, viewer: ViewerModel) -> ViewerPainting:
        """Return the one of `viewer` for one more widget."""
        # napari gives plugins a proxy, another one to each; behind it is the one viewer.
        viewer = getattr(viewer, "__wrapped__", viewer)
        if id(viewer) not in cls._open:
            cls._open[id(viewer)] = cls(viewer)
        painting = cls._open[id(viewer)]
        painting._users += 1
        return painting

    def release(self) -> None:
        """Say that a widget is gone; after the last one napari has the mouse for itself and the layers stay."""
        self._users -= 1
        if self._users == 0:
            del self._open[id(self.viewer)]
            self.viewer.layers.events.inserted.disconnect(self._on_layers)
            self.viewer.layers.events.removed.disconnect(self._on_layers)
            self.canvas.close()
            for watching in self._watching:
                watching.close()
            self._closed = True

    @property
    def annotating(self) -> bool:
        """Whether the annotate widget is open: it has mouse and keys then."""
        return self.canvas.gestures.enabled

    @annotating.setter
    def annotating(self, annotating: bool) -> None:
        self.canvas.gestures.enabled = annotating
        self.annotating_changed.emit(annotating)

    def candidates(self) -> list[Image]:
        """Return the image layers that can be worked on, the topmost first; grey fractions, maybe a map, last."""
        found = [layer for layer in reversed(self.viewer.layers) if _is_candidate(layer)]
        return sorted(found, key=_is_grey_fraction)

    def choose(self, layer: Image | None) -> None:
        """Work on `layer`. What cannot be shown as an image is said in napari's own way and not chosen."""
        image = None
        if layer is not None:
            try:
                image = image_from_array(np.asarray(layer.data), layer.name)
            except AllxaiError as error:
                show_error(str(error))
                layer = None
            else:
                if str(layer.units[-1]) == "micrometer":
                    image = replace(image, pixel_size_um=float(layer.scale[-1]))
        # Before the mask of another image is put into the model, or it would be drawn into this layer.
        self.canvas.detach()
        self.image = image
        if layer is None or image is None:
            self.model.new_image(np.zeros((0, 0), np.uint8))
        else:
            mask = self._mask_of(layer)
            shape = image.pixels.shape[:2]
            self.model.new_image(np.zeros(shape, np.uint8) if mask is None else _codes(mask))
            self.canvas.attach(layer, image.pixels, mask)
            assert self.canvas.mask_layer is not None
            self.canvas.mask_layer.metadata[IMAGE_KEY] = image
            if mask is None:
                self._own_mask = self.canvas.mask_layer
        self.image_changed.emit(image)

    def _mask_of(self, layer: Image, besides: Labels | None = None) -> Labels | None:
        layers = [other for other in reversed(self.viewer.layers) if other is not besides]
        masks = [other for other in layers if _is_mask(other, layer.data.shape[:2])]
        taken = {mask_name(other.name) for other in self.candidates() if other is not layer}
        named = [mask for mask in masks if mask.name == mask_name(layer.name)]
        free = [mask for mask in masks if mask.name not in taken]
        return (named or free or [None])[0]

    def _on_layers(self) -> None:
        # Layers come and go in groups, such as an image with its mask: look when all of them are there.
        if not self._waiting:
            self._waiting = True
            QTimer.singleShot(0, self._settle)

    def _settle(self) -> None:
        self._waiting = False
        if self._closed:
            return
        candidates = self.candidates()
        image, mask = self.canvas.image_layer, self.canvas.mask_layer
        if image is None or mask is None or image not in candidates:
            active = self.viewer.layers.selection.active
            self.choose(active if active in candidates else next(iter(candidates), None))
        elif mask is self._own_mask and not self.model.codes.any() and self._mask_of(image, besides=mask):
            # A mask was opened for the image, and the one that was made for want of it is still empty.
            self.canvas.detach()
            self.viewer.layers.remove(mask)
            self.choose(image)
        self.candidates_changed.emit()


def _is_candidate(layer: Any) -> bool:
    if not isinstance(layer, Image) or SHOWN_KEY in layer.metadata or layer.multiscale or layer.ndim != 2:
        return False
    # Other fractions are a map, such as one with signs. napari knows the range without a look at each pixel.
    low, high = layer.contrast_limits_range or (0, 0)
    return not _is_grey_fraction(layer) or (low >= 0 and high <= 255)


def _is_grey_fraction(layer: Image) -> bool:
    return not layer.rgb and np.issubdtype(layer.dtype, np.floating)


def _is_mask(layer: Any, shape: tuple[int, ...]) -> bool:
    return (
        isinstance(layer, Labels)
        and not layer.multiscale
        and layer.editable
        and layer.data.shape == shape
        and np.min(layer.data) >= 0
        and np.max(layer.data) <= MAX_CODE
    )


def _codes(mask: Labels) -> np.ndarray[Any, Any]:
    return np.asarray(mask.data).astype(np.uint8)
