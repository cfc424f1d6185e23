"""A `PaintModel` on the canvas of a napari viewer, in our window and in stock napari alike."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.cellclasses import CLASSES, CODES, MAX_CODE, UNLABELLED
from allxai_desktop.i18n import _
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.painting.history import Place
from allxai_desktop.painting.tiles import Tiles
from allxai_desktop.slides.large import LargeImage
from napari_allxai_annotate import contours
from napari_allxai_annotate.brush import BrushView, add_brush, remove_brush
from napari_allxai_annotate.gestures import Gestures
from napari_allxai_annotate.private import forget_history, gathers_history, measure_again, without_refresh
from napari_allxai_annotate.slide import slide_layer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from allxai_desktop.images import CellImage

# Past this many changed pixels one redraw of the layer is quicker than its parts.
REDRAW_PIXELS = 500_000
# The cost of an outline grows with its thickness; over a large image it is drawn anew at every fill.
THICKEST = 3
Camera = tuple[tuple[float, ...], float]


def mask_colormap() -> DirectLabelColormap:
    """Return the colours of the classes; unlabelled pixels and unknown codes are clear."""
    colors: dict[int | None, Any] = {None: "transparent", UNLABELLED: "transparent"}
    colors |= {cls.code: np.array([*cls.color, 255]) / 255 for cls in CLASSES}
    return DirectLabelColormap(color_dict=colors)


def write(layer: Labels, indices: Place, values: NDArray[np.uint8]) -> None:
    """Put `values` (n,) at flat `indices` (n,) of a layer, at a cost of their number; napari keeps no undo of it."""
    if layer.multiscale:
        layer.refresh(extent=False, thumbnail=False, highlight=False)
    elif isinstance(indices, slice):
        width = layer.data.shape[1]
        layer.data[indices.start // width : indices.stop // width] = values.reshape(-1, width)
        layer.refresh(extent=False)
    elif len(indices) > REDRAW_PIXELS:
        np.put(layer.data, indices, values)
        layer.refresh(extent=False)
    else:
        place = np.divmod(indices, layer.data.shape[1])
        with layer.block_history():
            layer.data_setitem(place, values.astype(layer.data.dtype, copy=False))
        forget_history(layer)


def mask_name(image_name: str) -> str:
    """Return the name of the mask layer of an image."""
    return _("Mask of {name}").format(name=image_name)


class PaintCanvas:
    """Shows an image and its mask as layers, follows the model, and takes the mouse for its tools.

    What napari's own Labels tools change on the mask layer is taken over into the model, as one undo step.
    `left` asks who had a region painted in place of the mask to end that. `map_shown_changed` tells whether a map is
    seen over the image.
    """

    left = Signal()
    map_shown_changed = Signal(bool)

    def __init__(self, viewer: ViewerModel, model: PaintModel) -> None:
        self.viewer = viewer
        self.model = model
        self.image_layer: Image | None = None
        self.mask_layer: Labels | None = None
        self.gestures = Gestures(viewer, model, BrushView())
        self._busy = False
        self._whole: Camera | None = None
        self._map_shown = False
        add_brush(viewer, self.gestures.view)
        model.edited.connect(self._on_edited)
        for signal in (
            model.active_changed,
            model.mask_visible_changed,
            model.mask_opacity_changed,
            model.mask_outline_changed,
        ):
            signal.connect(self._show_settings)
        viewer.layers.events.removed.connect(self._on_layer_removed)
        viewer.canvas.events.size.connect(self._on_size)

    def close(self) -> None:
        """Stop following; the layers stay."""
        self.detach()
        self.gestures.close()
        remove_brush(self.viewer)
        self.viewer.layers.events.removed.disconnect(self._on_layer_removed)
        self.viewer.canvas.events.size.disconnect(self._on_size)
        model = self.model
        model.edited.disconnect(self._on_edited)
        for signal in (
            model.active_changed,
            model.mask_visible_changed,
            model.mask_opacity_changed,
            model.mask_outline_changed,
        ):
            signal.disconnect(self._show_settings)

    def undo(self) -> None:
        """Take the last corner of a polygon back while one is drawn, else the last step."""
        if self.gestures.drawing:
            self.gestures.remove_point()
        else:
            self.gestures.target.undo()

    def redo(self) -> None:
        """Make the step undone last again."""
        self.gestures.target.redo()

    def escape(self) -> None:
        """Give up the outline that is drawn, else the region that is painted in place of the mask."""
        if self.gestures.drawing:
            self.gestures.cancel_outline()
        else:
            self.left.emit()

    # Layers

    @property
    def map_shown(self) -> bool:
        """Whether a map is seen over the image, under what is drawn here; who draws the map says so."""
        return self._map_shown

    @map_shown.setter
    def map_shown(self, shown: bool) -> None:
        if shown != self._map_shown:
            self._map_shown = shown
            self.map_shown_changed.emit(shown)

    def show(self, image: CellImage | None) -> None:
        """Show `image` and the model's mask in place of those shown before; None takes them away.

        Called after `model.new_image`, which changes no layer, with a mask of the size of the image. The layers
        stay the same from image to image, because napari takes half a second to replace two. New data in a layer
        would leave undo steps of the old in it, so its history is forgotten.
        """
        self.gestures.cancel_outline()
        self.gestures.pixels = image.pixels if image is not None and image.whole else None
        if image is None:
            self._remove()
            return
        size = image.pixel_size_um
        # The unit is a pixel of the file, of which an overview has one for several.
        own = image.scale * (size or 1) if isinstance(image, LargeImage) else size or 1
        place = {
            "scale": (own, own),
            "units": ("pixel", "pixel") if size is None else ("micrometer", "micrometer"),
        }
        if self.mask_layer is not None and (self.mask_layer.multiscale or not image.whole):
            # napari cannot make a layer of one level one of several.
            self._remove()
        if self.image_layer is None or self.mask_layer is None:
            self.image_layer = Image(image.pixels, rgb=True, name=image.name, **place)
            self.viewer.layers.insert(0, self.image_layer)
            self._add_mask(1)
        else:
            self._swap(image, place)
        self.fit()

    def fit(self) -> None:
        """Bring the whole image into sight, also in a canvas of another size until the camera is moved.

        A map or a proposal of the image before may still be larger.
        """
        image, layers = self.image_layer, self.viewer.layers
        # napari measures some of its layers by a list that it makes for them, which takes as long as drawing them.
        some = image is not None and not np.array_equal(image.extent.world, layers.extent.world)
        self.viewer.reset_view(layers=[image] if some else None)
        self._whole = self._camera

    @property
    def _camera(self) -> Camera:
        camera = self.viewer.scene.camera
        return tuple(camera.center), camera.zoom

    def _on_size(self) -> None:
        if self.image_layer is not None and self._camera == self._whole:
            self.fit()

    def _swap(self, image: CellImage, place: dict[str, Any]) -> None:
        """Put `image` and the mask of the model into the layers that are there."""
        assert self.image_layer is not None
        assert self.mask_layer is not None
        new = (
            (self.image_layer, image.pixels, image.name),
            (self.mask_layer, self.model.codes.copy(), mask_name(image.name)),
        )
        moved = False
        with self._writing():
            with ExitStack() as quiet:
                # Each step would slice, measure and draw anew what is drawn once, at the end.
                for layer, _values, _name in new:
                    quiet.enter_context(without_refresh(layer))
                    quiet.enter_context(layer.events.data.blocker())
                for layer, values, name in new:
                    moved |= layer.data.shape != values.shape
                    # Setting what is set already costs as much as the new pixels do.
                    if place != {"scale": tuple(layer.scale), "units": tuple(map(str, layer.units))}:
                        layer.scale, layer.units = place["scale"], place["units"]
                        moved = True
                    layer.data, layer.name = values, name
                forget_history(self.mask_layer)
                self._prepare()
            for layer, _values, _name in new:
                if moved:
                    measure_again(layer)
                layer.refresh(extent=False)
            if moved:
                self.mask_layer.events.data(value=self.mask_layer.data)

    def attach(self, image_layer: Image, pixels: NDArray[np.uint8], mask_layer: Labels | None = None) -> None:
        """Paint over an image layer that is there already and shows `pixels`, on `mask_layer` or on a new one."""
        self.detach()
        self.gestures.pixels = pixels
        self.image_layer = image_layer
        if mask_layer is None:
            self._add_mask(self.viewer.layers.index(image_layer) + 1)
        else:
            self._take(mask_layer)

    @property
    def own_layers(self) -> list[Layer]:
        """The layers of the image and its mask, as far as they are there."""
        return [layer for layer in (self.image_layer, self.mask_layer) if layer is not None]

    def _remove(self) -> None:
        before = self.own_layers
        self.detach()
        for layer in before:
            self.viewer.layers.remove(layer)

    def _add_mask(self, position: int) -> None:
        assert self.image_layer is not None
        mask, image = self.model.mask, self.image_layer
        # How many pixels of a slide lie in one of its overview.
        zoom = mask.shape[0] / image.data.shape[0]
        options = {
            "name": mask_name(image.name),
            "scale": image.scale[-2:] / zoom,
            "translate": image.translate[-2:] + (1 / zoom - 1) / 2 * image.scale[-2:],
            "units": image.units[-2:],
        }
        layer = slide_layer(mask, **options) if isinstance(mask, Tiles) else Labels(mask.copy(), **options)
        self.viewer.layers.insert(position, layer)
        self._take(layer)

    def _take(self, layer: Labels) -> None:
        self.mask_layer = self.gestures.layer = layer
        layer.colormap = mask_colormap()
        contours.quicken(layer)
        self._prepare()
        layer.events.paint.connect(self._adopt)
        layer.events.set_data.connect(self._adopt)
        layer.events.labels_update.connect(self._on_labels_update)
        layer.events.visible.connect(self._on_layer_visible)
        layer.events.opacity.connect(self._on_layer_opacity)
        layer.events.selected_label.connect(self._on_layer_label)
        layer.events.colormap.connect(self._on_layer_colormap)

    def _prepare(self) -> None:
        assert self.mask_layer is not None
        self.mask_layer.mode = "pan_zoom"
        self.viewer.layers.selection.active = self.mask_layer
        self._show_settings()

    def detach(self) -> None:
        """Let the layers go; they stay in the viewer as they are."""
        layer = self.mask_layer
        self.image_layer = self.mask_layer = self.gestures.layer = self.gestures.pixels = None
        self.gestures.cancel_outline()
        if layer is not None:
            contours.leave(layer)
            layer.events.paint.disconnect(self._adopt)
            layer.events.set_data.disconnect(self._adopt)
            layer.events.labels_update.disconnect(self._on_labels_update)
            layer.events.visible.disconnect(self._on_layer_visible)
            layer.events.opacity.disconnect(self._on_layer_opacity)
            layer.events.selected_label.disconnect(self._on_layer_label)
            layer.events.colormap.disconnect(self._on_layer_colormap)

    def _on_layer_removed(self, event: Any) -> None:
        if event.value in (self.image_layer, self.mask_layer):
            self.detach()

    # From the model to the layer

    def _on_edited(self, indices: Place, _old: object, new: NDArray[np.uint8]) -> None:
        layer = self.mask_layer
        if layer is None:
            return
        with self._writing():
            write(layer, indices, new)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Change the layers without taking that over into the model."""
        before, self._busy = self._busy, True
        try:
            yield
        finally:
            self._busy = before

    def _show_settings(self) -> None:
        layer, model = self.mask_layer, self.model
        if layer is None:
            return
        settings = {
            "visible": model.mask_visible,
            # Thin lines vanish at an opacity that suits areas, and where many pixels share one of the screen.
            "opacity": min(1.0, 2 * model.mask_opacity) if model.mask_outline else model.mask_opacity,
            "contour": self._thickness if model.mask_outline else 0,
            "selected_label": model.active,
        }
        with self._writing():
            for name, value in settings.items():
                # Setting what is set already costs a redraw and, for `visible`, napari's tool in hand.
                if getattr(layer, name) != value:
                    setattr(layer, name, value)

    @property
    def _thickness(self) -> int:
        """How thick outlines are: wider where many pixels share one of the screen; of a slide these are at most two."""
        return min(max(1, round(max(self.model.shape) / 300)), THICKEST) if self.model.whole else 2

    # From the layer to the model

    def _on_layer_visible(self) -> None:
        if not self._busy and self.mask_layer is not None:
            self.model.mask_visible = self.mask_layer.visible

    def _on_layer_opacity(self) -> None:
        if not self._busy and self.mask_layer is not None and not self.model.mask_outline:
            self.model.mask_opacity = self.mask_layer.opacity

    def _on_layer_label(self) -> None:
        if not self._busy and self.mask_layer is not None and self.mask_layer.selected_label in CODES:
            # napari's picker sets a number of numpy's, of which Qt takes no comparison for true or false.
            self.model.active = int(self.mask_layer.selected_label)

    def _on_layer_colormap(self) -> None:
        # In other colours nobody could tell the classes.
        if not self._busy and self.mask_layer is not None:
            with self._writing():
                self.mask_layer.colormap = mask_colormap()

    def _on_labels_update(self) -> None:
        # A script's single edit tells of its history before it writes; a drag is taken over whole, at its end.
        if self.mask_layer is not None and not gathers_history(self.mask_layer):
            self._adopt()

    def _adopt(self) -> None:
        """Take over what napari's tools, or a script, did to the layer."""
        layer = self.mask_layer
        if self._busy or layer is None or layer.multiscale or layer.data.shape != self.model.shape:
            return
        changed = np.flatnonzero(np.asarray(layer.data) != self.model.codes)
        if not len(changed):
            return
        place = np.divmod(changed, self.model.shape[1])
        values = np.asarray(layer.data)[place]
        known = (values >= 0) & (values <= MAX_CODE)
        self.model.apply(changed[known], values[known].astype(np.uint8))
        # What locks, "only over" or an unknown code forbid goes back to what it was.
        self._on_edited(changed, None, self.model.codes[place])
        forget_history(layer)
