"""GeoJSON as QuPath reads it: an annotation for each connected part of a class, its name and colour with it.

Coordinates are edges of pixels, x to the right and y down, in pixels: filled by pixel middles they give the mask.
"""

from pathlib import Path

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.masks.exported import Exported, write_json
from allxai_desktop.masks.outlines import Ring, outlines


def write_geojson(path: Path, mask: Exported) -> None:
    """Write the outlines of all that is labelled. Raises `WriteError`."""
    features = [
        {
            "type": "Feature",
            "geometry": {
                "type": "Polygon",
                "coordinates": [_closed(ring) for ring in (outline.outer, *outline.holes)],
            },
            "properties": {
                "objectType": "annotation",
                "classification": {"name": cls.name, "color": list(cls.color)},
            },
        }
        for cls in CLASSES
        for outline in outlines(mask.codes == cls.code)
    ]
    write_json(path, {"type": "FeatureCollection", "features": features})


def _closed(ring: Ring) -> list[list[int]]:
    corners: list[list[int]] = ring.tolist()
    return [*corners, corners[0]]
