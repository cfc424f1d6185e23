"""What several pictures of one image show in common: the same part of it, and the same cursor."""

from __future__ import annotations

from psygnal import Signal

MAX_ZOOM = 32.0


class LinkedView:
    """The part of the image that all pictures show. Places are fractions of its width and height, 0…1.

    `zoom` 1 shows the whole image; `center` is what lies in the middle; `cursor` None: over no picture.
    """

    changed = Signal()

    def __init__(self) -> None:
        self.zoom = 1.0
        self.center = (0.5, 0.5)
        self.cursor: tuple[float, float] | None = None

    def shown(self, place: tuple[float, float]) -> tuple[float, float]:
        """Return where in a picture, 0…1 across and down, a place of the image is seen."""
        x, y = ((at - middle) * self.zoom + 0.5 for at, middle in zip(place, self.center, strict=True))
        return x, y

    def place(self, shown: tuple[float, float]) -> tuple[float, float]:
        """Return the place of the image that is seen at `shown`, 0…1 across and down a picture."""
        x, y = ((at - 0.5) / self.zoom + middle for at, middle in zip(shown, self.center, strict=True))
        return x, y

    def zoom_by(self, factor: float, place: tuple[float, float] | None = None) -> None:
        """Zoom so that `place` stays where it is seen; the middle by default."""
        fixed = place or self.center
        shown = self.shown(fixed)
        self.zoom = min(max(self.zoom * factor, 1.0), MAX_ZOOM)
        moved = self.place(shown)
        self._move((fixed[0] - moved[0], fixed[1] - moved[1]))

    def pan(self, across: float, down: float) -> None:
        """Move the image by fractions of a picture."""
        self._move((-across / self.zoom, -down / self.zoom))

    def reset(self) -> None:
        """Show the whole image."""
        self.zoom = 1.0
        self._move((0.0, 0.0))

    def point(self, place: tuple[float, float] | None) -> None:
        """Put the cursor at a place, or away."""
        if place is not None and not all(0 <= at < 1 for at in place):
            place = None
        if place != self.cursor:
            self.cursor = place
            self.changed.emit()

    def _move(self, by: tuple[float, float]) -> None:
        # No picture shows what lies beside the image.
        edge = 0.5 / self.zoom
        x, y = (min(max(at + step, edge), 1 - edge) for at, step in zip(self.center, by, strict=True))
        self.center = x, y
        self.changed.emit()
