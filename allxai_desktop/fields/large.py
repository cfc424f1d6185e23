"""Images that may be too large for memory, opened at once by their overview."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from allxai_desktop.i18n import _
from allxai_desktop.images import CellImage, pixel_sha256, read_image

if TYPE_CHECKING:
    from allxai_desktop.fields.pyramid import Pyramid


@dataclass(frozen=True, eq=False)
class LargeImage(CellImage):
    """An image too large for memory, whose overview are its `pixels`, with that one's hash and size of a pixel.

    `pyramid` is all of it, `scale` times as high as the overview.
    """

    pyramid: Pyramid | None = None
    scale: float = 1.0


def open_image(path: str | Path) -> CellImage:
    """Read an image as `read_image` does, or, of a TIFF that is too large for it, the overview.

    Raises `ImageError`: also for a large TIFF that holds no smaller levels of itself.
    """
    path = Path(path)
    if path.suffix.lower() not in (".tif", ".tiff"):
        return read_image(path)
    # Slow to import.
    from allxai_desktop.fields.pyramid import Pyramid, is_large

    if not is_large(path):
        return read_image(path)
    pyramid = Pyramid(path)
    overview = pyramid.overview
    overview.flags.writeable = False
    scale = pyramid.shape[0] / overview.shape[0]
    height, width = overview.shape[:2]
    note = _(
        "What you paint here has the size of the overview, {width} × {height} px; take crops to paint finer."
    )
    notes = (note.format(width=width, height=height),)
    size = None if pyramid.pixel_size_um is None else pyramid.pixel_size_um * scale
    return LargeImage(overview, path.name, pixel_sha256(overview), notes, size, pyramid, scale)


def with_pixel_size(image: CellImage, size_um: float) -> CellImage:
    """Return `image` with `size_um` as the side of a pixel of its file in µm."""
    scale = image.scale if isinstance(image, LargeImage) else 1.0
    return replace(image, pixel_size_um=size_um * scale)
