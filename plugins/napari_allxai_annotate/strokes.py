"""What a tool paints from the press of the mouse to its release; superpixels and outlines have modules of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from allxai_desktop.painting import shapes
from allxai_desktop.painting.wand import Wand

if TYPE_CHECKING:
    from napari_allxai_annotate.gestures import Gestures

TOLERANCE_STEP = 6
"""How many px of the screen a drag with the wand goes for one more of tolerance."""


def fill(gestures: Gestures, event: Any, code: int) -> None:
    """Paint the area of one class under the mouse with `code`."""
    try:
        area = shapes.flood(gestures.model.mask, gestures.data_point(event))
    except shapes.TooWideError as error:
        gestures.told.emit(str(error))
    else:
        gestures.target.apply_window(*area, code)


def brush(gestures: Gestures, event: Any, code: int | None) -> Iterator[None]:
    """Paint what is under the brush with `code`, or with None accept the proposal there."""
    target = gestures.target
    target.begin_stroke("human" if code is not None else "proposal")
    last = gestures.data_point(event)
    while target.in_stroke:
        now = gestures.data_point(event)
        gestures.point_at(now, code)
        under = shapes.stroke(last, now, gestures.model.brush_size, target.shape)
        if code is None:
            gestures.accept(under)
        else:
            target.apply(under, code)
        last = now
        if event.type == "mouse_release":
            target.end_stroke()
        else:
            yield
    gestures.show_brush()


def wand(gestures: Gestures, event: Any, code: int) -> Iterator[None]:
    """Paint what is like the pixel pressed on, and joined to it, with `code`; a drag to the right takes more."""
    assert gestures.pixels is not None
    target, model = gestures.target, gestures.model
    found = Wand(gestures.pixels, gestures.data_point(event))
    start, active, tolerance, shown = event.pos[0], model.active, model.tolerance, 0
    target.begin_stroke()
    while target.in_stroke:
        # A class that is chosen meanwhile has a tolerance of its own.
        if model.active == active:
            model.tolerance = tolerance + round((event.pos[0] - start) / TOLERANCE_STEP)
            if model.tolerance != shown:
                shown = model.tolerance
                target.replace_stroke(found.region(shown), code)
        if event.type == "mouse_release":
            target.end_stroke()
        else:
            yield
