"""What is drawn under the mouse: the brush in its true size and colour, and the outline being drawn.

napari has no public way to draw on the canvas without a layer in the layer list, so this is the one module
that uses its private overlay classes.
"""

from typing import Any

import numpy as np
from napari._vispy.overlays.base import VispySceneOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components import ViewerModel
from napari.components.overlays import SceneOverlay
from numpy.typing import NDArray
from psygnal import Signal
from vispy.scene import Node
from vispy.scene.visuals import Line, Markers
from vispy.visuals.transforms import STTransform

OVERLAY = "allxai_brush"
ABOVE_ALL = 10**6
HALO = (0, 0, 0, 0.8)

Color = tuple[float, float, float]
Point = tuple[float, float]


class BrushView:
    """Where and how the brush and the outline are drawn; points are (row, column) in world coordinates."""

    brush_changed = Signal()
    path_changed = Signal()
    sides_changed = Signal()

    def __init__(self) -> None:
        self.center: Point | None = None
        self.radius: Point = (0, 0)
        self.color: Color = (1, 1, 1)
        self.path: NDArray[np.float64] = np.empty((0, 2))
        self.marks: NDArray[np.float64] = np.empty((0, 2))
        self.sides: NDArray[np.float64] = np.empty((0, 2))
        self.sides_color: Color = (1, 1, 1)

    def set_brush(self, center: Point | None, radius: Point, color: Color) -> None:
        """Show a brush with `radius` (rows, columns) at `center`, or none where that is None."""
        if (center, radius, color) != (self.center, self.radius, self.color):
            self.center, self.radius, self.color = center, radius, color
            self.brush_changed.emit()

    def set_path(self, path: NDArray[np.float64], marks: NDArray[np.float64], color: Color) -> None:
        """Show the line `path` (n, 2), closed in thought, and `marks` (m, 2) on it."""
        self.path, self.marks, self.color = path, marks, color
        self.path_changed.emit()

    def set_sides(self, sides: NDArray[np.float64], color: Color) -> None:
        """Show separate lines, `sides` (2n, 2) from each even point to the next; none where that is empty."""
        if len(sides) or len(self.sides):
            self.sides, self.sides_color = sides, color
            self.sides_changed.emit()


class BrushOverlay(SceneOverlay):
    """The model that napari keeps; what is drawn is in `view`."""

    view: Any = None


class VispyBrushOverlay(VispySceneOverlay):
    """Draws a `BrushView`: coloured lines with a dark halo, seen on light and dark alike."""

    overlay: BrushOverlay

    def __init__(self, **kwargs: Any) -> None:
        angle = np.linspace(0, 2 * np.pi, 97)
        circle = np.column_stack([np.cos(angle), np.sin(angle)])
        node = Node()
        self._ring = [Line(circle, width=width, parent=node) for width in (4, 2)]
        self._line = [Line(np.zeros((2, 2)), width=width, parent=node) for width in (4, 2)]
        self._sides = [
            Line(np.zeros((2, 2)), width=width, connect="segments", parent=node) for width in (4, 2)
        ]
        self._marks = Markers(parent=node)
        self._parts = [*self._sides, *self._ring, *self._line, self._marks]
        for order, part in enumerate(self._parts):
            part.order = order
            part.set_gl_state("translucent", depth_test=False)
            part.visible = False
        for part in self._ring:
            part.transform = STTransform()
        for part in (self._ring[0], self._line[0], self._sides[0]):
            part.set_data(color=HALO)
        super().__init__(node=node, **kwargs)
        self.view: BrushView = self.overlay.view
        self.view.brush_changed.connect(self._on_brush)
        self.view.path_changed.connect(self._on_path)
        self.view.sides_changed.connect(self._on_sides)
        self.reset()
        self._on_brush()
        self._on_path()
        self._on_sides()

    def _on_blending_change(self) -> None:
        """Keep the blending set at the start: a group of nodes has none of its own."""

    def _on_brush(self) -> None:
        center = self.view.center
        for part in self._ring:
            part.visible = center is not None
            if center is not None:
                # vispy has x before y.
                part.transform.translate = center[::-1]
                part.transform.scale = self.view.radius[::-1]
        if center is not None:
            self._ring[1].set_data(color=self.view.color)

    def _on_path(self) -> None:
        path = self.view.path[:, ::-1]
        for part in self._line:
            part.visible = len(path) > 1
        marks = self.view.marks[:, ::-1]
        self._marks.visible = len(marks) > 0
        if len(path) > 1:
            closed = np.vstack([path, path[:1]])
            self._line[0].set_data(closed)
            self._line[1].set_data(closed, color=self.view.color)
        if len(marks):
            self._marks.set_data(
                marks, size=8, face_color=self.view.color, edge_color="black", edge_width=1, symbol="square"
            )

    def _on_sides(self) -> None:
        sides = self.view.sides[:, ::-1]
        for part in self._sides:
            part.visible = len(sides) > 0
        if len(sides):
            self._sides[0].set_data(sides)
            self._sides[1].set_data(sides, color=self.view.sides_color)

    def close(self) -> None:
        """Stop following the view."""
        self.view.sides_changed.disconnect(self._on_sides)
        self.view.brush_changed.disconnect(self._on_brush)
        self.view.path_changed.disconnect(self._on_path)
        super().close()


overlay_to_visual[BrushOverlay] = VispyBrushOverlay


def add_brush(viewer: ViewerModel, view: BrushView, name: str = OVERLAY, *, order: int = ABOVE_ALL) -> None:
    """Draw `view` on the canvas of `viewer` from now on, under a name of its own; a lower `order` lies below."""
    viewer.scene.overlays[name] = BrushOverlay(view=view, visible=True, order=order)


def remove_brush(viewer: ViewerModel, name: str = OVERLAY) -> None:
    """Stop drawing; nothing happens where `add_brush` was not called."""
    viewer.scene.overlays.pop(name, None)
