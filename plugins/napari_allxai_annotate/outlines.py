"""The outline that is being drawn: a polygon, a free line, or a live wire along the edges of the image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from allxai_desktop.cellclasses import UNLABELLED
from allxai_desktop.i18n import _
from allxai_desktop.painting import shapes
from allxai_desktop.painting.live_wire import LiveWire

if TYPE_CHECKING:
    from napari_allxai_annotate.brush import Point
    from napari_allxai_annotate.gestures import Gestures

LARGEST = 4096 * 4096
"""Of a slide, outlines that span more pixels are not filled."""
CLICKED = ("polygon", "wire")
"""Tools whose outline is drawn click by click."""


class Outline:
    """Collects points of the mask, part by part, shows them through `gestures`, and fills what they enclose."""

    def __init__(self, gestures: Gestures) -> None:
        self.gestures = gestures
        self._parts: list[list[Point]] = []
        self._code = UNLABELLED
        self._wire: LiveWire | None = None

    @property
    def drawing(self) -> bool:
        """Whether an outline is begun."""
        return bool(self._parts)

    @property
    def _points(self) -> list[Point]:
        return [point for part in self._parts for point in part]

    def add(self, point: Point, code: int) -> None:
        """Go on to `point`, or begin there an outline that is filled with `code`."""
        if not self._parts:
            self._code = code
            self._parts.append([point])
            self.gestures.drawing_changed.emit(True)
        elif point != self._parts[-1][-1]:
            self._parts.append(self._way(point) or [point])
        self._anchor()
        self._show()

    def freehand(self, event: Any, code: int) -> Iterator[None]:
        """Draw from the press `event` of the mouse to its release, and fill that with `code`."""
        self.cancel()
        while event.type != "mouse_release":
            self.add(self.gestures.data_point(event), code)
            yield
            if not self.drawing:
                return
        self.close()

    def move(self, point: Point) -> None:
        """Show the outline as it would be with a click at `point`."""
        if self._parts and self.gestures.model.tool in CLICKED:
            self._show(self._way(point))

    def close(self) -> None:
        """Fill the outline; fewer than three points are nothing to fill."""
        points, code = self._points, self._code
        closed = [*points, *self._way(points[0])] if len(points) > 2 else []
        self.cancel()
        if closed:
            target = self.gestures.target
            if not target.whole and shapes.extent(closed) > LARGEST:
                self.gestures.told.emit(
                    _("This outline is too large to be filled at once: fill it in parts.")
                )
            else:
                target.apply(shapes.polygon(closed, target.shape), code)

    def cancel(self) -> None:
        """Forget the outline."""
        self._wire = None
        if self._parts:
            self._parts = []
            self._show()
            self.gestures.drawing_changed.emit(False)

    def remove_point(self) -> None:
        """Take the last click back."""
        if len(self._parts) > 1:
            self._parts.pop()
            self._anchor()
            self._show()
        else:
            self.cancel()

    def _anchor(self) -> None:
        pixels = self.gestures.pixels
        if self.gestures.model.tool == "wire" and pixels is not None:
            self._wire = LiveWire(pixels, self._parts[-1][-1])

    def _way(self, point: Point) -> list[Point]:
        return [point] if self._wire is None else self._wire.way(point)

    def _show(self, ahead: list[Point] | None = None) -> None:
        clicked = self.gestures.model.tool in CLICKED
        marks = [part[-1] for part in self._parts] if clicked else []
        self.gestures.show_path(self._points + (ahead or []), marks, self._code)
