"""What mouse events over the canvas do to the mask."""

from collections.abc import Callable, Iterator
from importlib import import_module
from threading import Thread
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from napari.utils.interactions import mouse_press_callbacks
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal, SignalInstance

from allxai_desktop.cellclasses import BY_CODE, UNLABELLED
from allxai_desktop.i18n import _
from allxai_desktop.painting import shapes
from allxai_desktop.painting.engine import PaintModel
from napari_allxai_annotate import strokes
from napari_allxai_annotate.brush import BrushView, Color, Point
from napari_allxai_annotate.outlines import CLICKED, Outline
from napari_allxai_annotate.superpixel_brush import SuperpixelBrush

LEFT, RIGHT = 1, 2
BRUSHES = ("brush", "superpixel", "eraser", "accept")
BY_IMAGE = ("superpixel", "accept", "wand", "wire")
"""Tools that go by the pixels of the image, all of them."""
OUTLINED_PIXELS = 1_000_000
LIBRARIES = {
    "fill": ("skimage.measure",),
    "wand": ("skimage.color", "scipy.ndimage"),
    "wire": ("skimage.graph", "scipy.ndimage"),
}
"""What some tools import when they are first used, which takes up to a second."""
ERASER_COLOR: Color = (1, 1, 1)
ACCEPT_COLOR: Color = (0.5, 1, 0.5)
REGION_COLOR: Color = (1, 0.75, 0)


class Gestures:
    """Turns presses, drags, clicks and the wheel into edits of `model`, and moves the drawn brush.

    The left button paints with the tool in hand; the right button and, while `pen_erases`, the left one erase with
    it. napari's own tools stay usable: nothing is taken while the active layer has one of them in hand, or while
    `panning` is set. `accept` takes the pixels of a proposal under the brush, where there are proposals.
    `told` are sentences for the user on what cannot be done. `target_changed` tells that the strokes go to another
    model, or that the history of the `region` changed.
    """

    drawing_changed = Signal(bool)
    told = Signal(str)
    target_changed = Signal()

    def __init__(self, viewer: ViewerModel, model: PaintModel, view: BrushView) -> None:
        self.viewer = viewer
        self.model = model
        self.view = view
        self.layer: Labels | None = None
        self.accept: Callable[[shapes.Indices], object] = lambda indices: None
        self._pixels: NDArray[np.uint8] | None = None
        self._superpixels = SuperpixelBrush(self)
        self.enabled = True
        self.pen_erases = False
        self._region: PaintModel | None = None
        self._panning = False
        self._tool_held: tuple[Layer, str] | None = None
        self._outline = Outline(self)
        self._mouse: Point | None = None
        # Of the mouse, in pixels of the canvas.
        self._from_middle = np.zeros(2)
        self._wheel = 0.0
        # The lists hold napari's own reactions, which step back while ours apply.
        self._replaced: list[tuple[list[Any], Any, list[Any]]] = []
        self._replace(viewer.mouse_double_click_callbacks, self._on_double_click)
        self._replace(viewer.mouse_wheel_callbacks, self._on_wheel)
        viewer.mouse_drag_callbacks.append(self._on_press)
        viewer.mouse_move_callbacks.append(self._on_move)
        viewer.events.mouse_over_canvas.connect(self._on_over_canvas)
        viewer.scene.camera.events.center.connect(self._on_camera)
        viewer.scene.camera.events.zoom.connect(self._on_camera)
        for signal in self._settings():
            signal.connect(self._on_settings)
        model.tool_changed.connect(self._on_tool)
        model.image_replaced.connect(self.cancel_outline)
        model.held_back.connect(self._on_held_back)

    def close(self) -> None:
        """Give the mouse back to napari."""
        self.region = None
        self._superpixels.close()
        self.viewer.mouse_drag_callbacks.remove(self._on_press)
        self.viewer.mouse_move_callbacks.remove(self._on_move)
        self.viewer.events.mouse_over_canvas.disconnect(self._on_over_canvas)
        self.viewer.scene.camera.events.center.disconnect(self._on_camera)
        self.viewer.scene.camera.events.zoom.disconnect(self._on_camera)
        for callbacks, ours, theirs in self._replaced:
            at = callbacks.index(ours)
            callbacks[at : at + 1] = theirs
        for signal in self._settings():
            signal.disconnect(self._on_settings)
        self.model.tool_changed.disconnect(self._on_tool)
        self.model.image_replaced.disconnect(self.cancel_outline)
        self.model.held_back.disconnect(self._on_held_back)
        self.viewer.cursor.style = "standard"

    @property
    def pixels(self) -> NDArray[np.uint8] | None:
        """What the tools see that go by colour: uint8 (H, W, 3) of the size of the mask."""
        return self._pixels

    @pixels.setter
    def pixels(self, pixels: NDArray[np.uint8] | None) -> None:
        self._pixels = pixels
        self._superpixels.new_image(pixels)

    @property
    def ready(self) -> bool:
        """Whether the mouse paints now."""
        active = self.viewer.layers.selection.active
        return (
            (self.enabled or self._region is not None)
            and self.layer is not None
            and self.viewer.dims.ndisplay == 2
            and (active is None or active.mode == "pan_zoom")
        )

    @property
    def region(self) -> PaintModel | None:
        """What is painted in place of the mask, if anything: 1 with the tool in hand, 0 by erasing."""
        return self._region

    @region.setter
    def region(self, region: PaintModel | None) -> None:
        if region is self._region:
            return
        self.target.end_stroke()
        self.cancel_outline()
        if self._region is not None:
            self._region.history_changed.disconnect(self._on_region_history)
        self._region = region
        if region is not None:
            region.history_changed.connect(self._on_region_history)
        self.show_brush()
        self.target_changed.emit()

    @property
    def _accepting(self) -> bool:
        return self.model.tool == "accept" and self._region is None

    @property
    def target(self) -> PaintModel:
        """The model that strokes change and that undo steps through."""
        return self.model if self._region is None else self._region

    def _on_region_history(self) -> None:
        self.target_changed.emit()

    @property
    def panning(self) -> bool:
        """Whether the left button moves the image instead of painting."""
        return self._panning

    @panning.setter
    def panning(self, panning: bool) -> None:
        if panning == self._panning:
            return
        self._panning = panning
        active = self.viewer.layers.selection.active
        if panning and active is not None and active.mode != "pan_zoom":
            # One of napari's own tools is in hand: it waits meanwhile.
            self._tool_held = active, active.mode
            active.mode = "pan_zoom"
        elif self._tool_held is not None:
            layer, mode = self._tool_held
            layer.mode = mode
            self._tool_held = None
        self.show_brush()

    # Outlines

    @property
    def drawing(self) -> bool:
        """Whether a polygon or another outline is begun."""
        return self._outline.drawing

    def close_outline(self) -> None:
        """Fill the outline that is being drawn."""
        self._outline.close()

    def cancel_outline(self) -> None:
        """Forget the outline that is being drawn."""
        self._outline.cancel()

    def remove_point(self) -> None:
        """Take the last click of the outline back."""
        self._outline.remove_point()

    # Mouse

    def _replace(self, callbacks: list[Any], ours: Callable[[Any, Any], bool]) -> None:
        theirs = list(callbacks)

        def react(viewer: Any, event: Any) -> None:
            if not ours(viewer, event):
                for callback in theirs:
                    callback(viewer, event)

        callbacks[:] = [react]
        self._replaced.append((callbacks, react, theirs))

    def _takes(self, event: Any) -> bool:
        # Alt and drag is napari's zoom box; a second button during a stroke is an accident.
        return (
            self.ready
            and not self._panning
            and event.button in (LEFT, RIGHT)
            and len(event.buttons) < 2
            and "Alt" not in event.modifiers
        )

    def point_at(self, point: Point | None, code: int | None = None) -> None:
        """Draw the brush at `point` of the mask, or nowhere, in the colour of `code` or of what it would paint."""
        self._mouse = point
        if point is not None and self.layer is not None:
            camera = self.viewer.scene.camera
            self._from_middle = (self.to_world([point])[0] - camera.center[-2:]) * camera.zoom
        self.show_brush(code)

    def _on_press(self, _viewer: Any, event: Any) -> Iterator[None]:
        if not self._takes(event):
            return
        # Handled, so that the camera neither pans nor zooms with this drag.
        event.handled = True
        model = self.model
        if self._region is None:
            model.mask_visible = True
        erasing = event.button == RIGHT or model.tool == "eraser" or self.pen_erases
        code = self._code(erasing)
        if self.pixels is None and model.tool in BY_IMAGE:
            self.told.emit(
                _("This tool needs the whole image in memory: take a crop of the slide, and use it there.")
            )
        elif model.tool == "fill":
            strokes.fill(self, event, code)
        elif model.tool == "wand":
            yield from strokes.wand(self, event, code)
        elif model.tool == "superpixel":
            yield from self._superpixels.stroke(event, code)
        elif model.tool in CLICKED:
            self._outline.add(self.data_point(event), code)
        elif model.tool == "freehand":
            yield from self._outline.freehand(event, code)
        else:
            yield from strokes.brush(self, event, None if self._accepting and not erasing else code)

    def _on_double_click(self, viewer: Any, event: Any) -> bool:
        if not self._takes(event):
            return False
        if self.model.tool in CLICKED and self.drawing:
            # Its first click has set the last corner.
            self._outline.close()
        else:
            # Two quick dabs are two dabs: Qt calls the second press a double click.
            mouse_press_callbacks(viewer, event)
        event.handled = True
        return True

    def _on_wheel(self, _viewer: Any, event: Any) -> bool:
        if not self.ready or "Control" not in event.modifiers:
            return False
        # A touch pad sends many small parts of a step.
        self._wheel += float(np.clip(event.delta[1], -1, 1))
        steps = int(self._wheel)
        self._wheel -= steps
        self.model.step_size(steps)
        event.handled = True
        return True

    def _on_move(self, _viewer: Any, event: Any) -> None:
        if self.layer is None:
            return
        self.point_at(self.data_point(event))
        self._outline.move(self.data_point(event))

    def _on_over_canvas(self) -> None:
        if not self.viewer.mouse_over_canvas:
            self.point_at(None)

    def _on_camera(self) -> None:
        """Leave the brush under the mouse, which stays on the canvas where it is."""
        if self._mouse is None or self.layer is None:
            return
        camera = self.viewer.scene.camera
        row, column = self.layer.world_to_data(camera.center[-2:] + self._from_middle / camera.zoom)[-2:]
        self._mouse = float(row), float(column)
        self.show_brush()

    def _on_held_back(self) -> None:
        code = self.model.only_over
        if code is None or code in self.model.locked:
            self.told.emit(_("Nothing was painted: all that could change there is locked."))
        else:
            name = BY_CODE[code].title if code else _("Unlabelled")
            self.told.emit(_("Nothing was painted: “Only over” is set to {name}.").format(name=name))

    def _on_tool(self, tool: str) -> None:
        if self.drawing:
            self.cancel_outline()
            self.told.emit(_("The unfinished outline was dropped: another tool is in hand."))
        # So that the first click need not wait for them.
        for module in LIBRARIES.get(tool, ()):
            Thread(target=import_module, args=(module,), daemon=True).start()

    def _settings(self) -> tuple[SignalInstance, ...]:
        model = self.model
        return (
            model.active_changed,
            model.tool_changed,
            model.brush_size_changed,
            model.erase_to_changed,
        )

    def _on_settings(self) -> None:
        self.show_brush()

    # Drawing

    def data_point(self, event: Any) -> Point:
        """Return where in the mask a mouse event is."""
        assert self.layer is not None
        row, column = self.layer.world_to_data(event.position)[-2:]
        return float(row), float(column)

    def _code(self, erasing: bool) -> int:
        if self._region is not None:
            return int(not erasing)
        return self.model.erase_to if erasing else self.model.active

    def _color(self, code: int) -> Color:
        if code == UNLABELLED:
            return ERASER_COLOR
        if self._region is not None:
            return REGION_COLOR
        red, green, blue = BY_CODE[code].color
        return red / 255, green / 255, blue / 255

    def show_brush(self, code: int | None = None) -> None:
        """Draw the brush where the mouse is, in the colour of `code` or of what it would paint."""
        painting = self.ready and not self._panning
        style = "cross" if painting else "standard"
        if self.viewer.cursor.style != style:
            self.viewer.cursor.style = style
        center = None
        radius = (0.0, 0.0)
        mouse = self._mouse if painting else None
        self._superpixels.show(mouse if self.model.tool == "superpixel" and self.pixels is not None else None)
        if mouse is not None and self.model.tool in BRUSHES:
            assert self.layer is not None
            size = self.model.brush_size
            row, column = self.layer.data_to_world(shapes.snap(mouse, size))[-2:]
            center = float(row), float(column)
            radius = float(self.layer.scale[-2] * size / 2), float(self.layer.scale[-1] * size / 2)
        shown = self._code(self.model.tool == "eraser") if code is None else code
        color = ACCEPT_COLOR if self._accepting and code is None else self._color(shown)
        self.view.set_brush(center, radius, color)

    def show_region(self, indices: NDArray[np.int64] | None) -> None:
        """Outline the pixels at flat `indices` (n,) on the canvas; None takes the outline away.

        Very many are not outlined: it would take longer than doing what they show.
        """
        if indices is None or self.layer is None or len(indices) > OUTLINED_PIXELS:
            self.view.set_sides(np.empty((0, 2)), ERASER_COLOR)
            return
        sides = shapes.outline(indices, self.model.shape).reshape(-1, 2)
        self.view.set_sides(self.to_world(sides), ERASER_COLOR)

    def show_path(self, points: list[Point], marks: list[Point], code: int) -> None:
        """Draw the line through `points` of the mask, closed in thought, in the colour of `code`, and the `marks`."""
        self.view.set_path(self.to_world(points), self.to_world(marks), self._color(code))

    def to_world(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return where on the canvas points (n, 2) of the mask are."""
        places = np.asarray(points, float).reshape(-1, 2)
        if self.layer is None or not len(places):
            return np.empty((0, 2))
        origin, down, right = (
            np.array(self.layer.data_to_world(point)[-2:]) for point in ((0, 0), (1, 0), (0, 1))
        )
        world: NDArray[np.float64] = (
            origin + places[:, :1] * (down - origin) + places[:, 1:] * (right - origin)
        )
        return world
