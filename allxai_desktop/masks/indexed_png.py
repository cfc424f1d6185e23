"""PNG with a palette: the number of a pixel is its class code, its colour the class's."""

import io
from pathlib import Path

from PIL import Image

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.files import write_whole
from allxai_desktop.masks.exported import Exported

PALETTE = [0, 0, 0, *(channel for cls in CLASSES for channel in cls.color)]


def write_indexed_png(path: Path, mask: Exported) -> None:
    """Write the codes, unlabelled in black. Raises `WriteError`."""
    picture = Image.fromarray(mask.codes)
    picture.putpalette(PALETTE)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    write_whole(path, buffer.getbuffer())
