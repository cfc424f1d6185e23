"""Images that may be too large for memory, opened at once by their overview."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from allxai_desktop.i18n import _
from allxai_desktop.images import CellImage, pixel_sha256, read_image

if TYPE_CHECKING:
    from allxai_desktop.slides.pyramid import Pyramid


@dataclass(frozen=True, eq=False)
class LargeImage(CellImage):
    """An image too large for memory, whose overview are its `pixels`, with that one's hash.

    `pyramid` is all of it, `scale` times as high as the overview.
    """

    pyramid: Pyramid | None = None
    scale: float = 1.0

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of all of it."""
        return super().shape if self.pyramid is None else self.pyramid.shape


def slide_shape(path: Path) -> tuple[int, int] | None:
    """Return height and width of an image that `open_image` would open as a `LargeImage`, None for any other."""
    if path.suffix.lower() not in (".tif", ".tiff"):
        return None
    # Slow to import.
    from allxai_desktop.slides.pyramid import large_shape

    return large_shape(path)


def open_image(path: str | Path) -> CellImage:
    """Read an image as `read_image` does, or, of a TIFF that is too large for it, the overview.

    Raises `ImageError`: also for a large TIFF that holds no smaller levels of itself.
    """
    path = Path(path)
    if slide_shape(path) is None:
        return read_image(path)
    # Slow to import.
    from allxai_desktop.slides.pyramid import Pyramid

    pyramid = Pyramid(path)
    overview = pyramid.overview
    overview.flags.writeable = False
    scale = pyramid.shape[0] / overview.shape[0]
    height, width = pyramid.shape
    note = _(
        "A slide of {width} × {height} px: what you paint has that size, at any zoom. Proposals and explanations "
        "are of its crops."
    )
    notes = (note.format(width=width, height=height),)
    return LargeImage(
        overview,
        path.name,
        pixel_sha256(overview),
        notes,
        pyramid.pixel_size_um,
        pyramid=pyramid,
        scale=scale,
    )
