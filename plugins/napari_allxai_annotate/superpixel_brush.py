"""The brush that paints whole superpixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.painting import shapes
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.painting.superpixels import Superpixels
from napari_allxai_widgets.dispatch import Dispatcher

if TYPE_CHECKING:
    from napari_allxai_annotate.brush import Point
    from napari_allxai_annotate.gestures import Gestures


class SuperpixelBrush:
    """Paints the superpixels under the brush of `gestures` and outlines those that it would paint.

    What is painted before its superpixels are known is painted when they are.
    """

    def __init__(self, gestures: Gestures) -> None:
        self.gestures = gestures
        self.superpixels = Superpixels(Dispatcher())
        self._late: list[tuple[PaintModel, shapes.Indices, int]] = []
        self._point: Point | None = None
        self._showing = False
        self.superpixels.ready.connect(self._on_ready)

    def close(self) -> None:
        """Stop computing."""
        self.superpixels.close()

    def new_image(self, pixels: NDArray[np.uint8] | None) -> None:
        """Take up `pixels` uint8 (H, W, 3), or none."""
        self._late.clear()
        self.superpixels.new_image(pixels)

    def show(self, point: Point | None) -> None:
        """Outline what the brush at `point` would paint; None takes the outline away."""
        self._point = point
        if point is None:
            if self._showing:
                self.gestures.show_region(None)
        else:
            model = self.gestures.model
            under = shapes.disc(point, model.brush_size, model.shape)
            self.gestures.show_region(self.superpixels.touched(under)[0])
        self._showing = point is not None

    def stroke(self, event: Any, code: int) -> Iterator[None]:
        """Paint from the press `event` of the mouse to its release."""
        gestures = self.gestures
        target = gestures.target
        missed = np.empty(0, np.int64)
        target.begin_stroke()
        last = gestures.data_point(event)
        while target.in_stroke:
            now = gestures.data_point(event)
            gestures.point_at(now, code)
            under = shapes.stroke(last, now, gestures.model.brush_size, target.shape)
            found, missed = self.superpixels.touched(np.concatenate([missed, under]))
            target.apply(found, code)
            last = now
            if event.type == "mouse_release":
                target.end_stroke()
                if len(missed):
                    self._late.append((target, missed, code))
            else:
                yield
        gestures.point_at(last)

    def _on_ready(self) -> None:
        late, self._late = self._late, []
        for target, missed, code in late:
            found, missed = self.superpixels.touched(missed)
            target.apply(found, code)
            if len(missed):
                self._late.append((target, missed, code))
        self.show(self._point)
