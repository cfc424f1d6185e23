"""OME-TIFF: the class codes as a label image, with the size of a pixel where it is known."""

import io
import uuid
from pathlib import Path
from typing import Any

import tifffile

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.files import as_text, write_whole
from allxai_desktop.masks.exported import Exported

DESCRIPTION = ", ".join(f"{cls.code} {cls.key}" for cls in CLASSES)


def write_ome_tiff(path: Path, mask: Exported) -> None:
    """Write the codes as one plane uint8, the names of the classes in the description. Raises `WriteError`."""
    facts: dict[str, Any] = {
        "axes": "YX",
        # Tifffile's own would hold the number of this machine's network card.
        "UUID": str(uuid.uuid4()),
        # XML has no place for control characters.
        "Name": as_text(mask.stem),
        "Description": DESCRIPTION,
    }
    side = mask.image.pixel_size_um
    if side is not None:
        facts |= {"PhysicalSizeX": side, "PhysicalSizeY": side}
        facts |= {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, mask.codes, ome=True, photometric="minisblack", compression="zlib", metadata=facts
    )
    write_whole(path, buffer.getbuffer())
