"""Candidate white cells against the masks of bccd_masks: recall, false marks and seconds an image.

Run: `python tests/benchmarks/bench_fields.py FOLDER`, where FOLDER holds NAME.jpg and NAME_mask.png (0 the rest, 1
nucleus, 2 cytoplasm), 640×480. A cell is a connected component of the mask with more than 400 px; it is found where
the centre of a mark lies in it. Marks in no cell are false, further ones in the same cell are doubles. The settings
were chosen on the images at even places of the sorted list; the second line, of the others, is what counts.
"""

import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from allxai_desktop.fields.candidates import find_candidates

MIN_CELL = 400


def measure(masks: list[Path], title: str) -> None:
    """Print one line of the table."""
    cells = found = false = doubles = 0
    radii, diameters = [], []
    begin = time.perf_counter()
    for path in masks:
        mask = np.asarray(Image.open(path)) > 0
        labels, _count = ndimage.label(mask)
        sizes = np.bincount(labels.ravel())
        wanted = {int(one) for one in np.flatnonzero(sizes > MIN_CELL) if one}
        name = path.name.replace("_mask.png", ".jpg")
        result = find_candidates(np.asarray(Image.open(path.with_name(name)).convert("RGB")))
        diameters.append(result.red_cell_diameter)
        seen: set[int] = set()
        for mark in result.candidates:
            cell = int(labels[round(mark.row), round(mark.column)])
            false += cell not in wanted
            doubles += cell in seen
            if cell in wanted and cell not in seen:
                seen.add(cell)
                radii.append(mark.radius / np.sqrt(sizes[cell] / np.pi))
        cells, found = cells + len(wanted), found + len(seen)
    seconds = (time.perf_counter() - begin) / len(masks)
    print(
        f"{title:10}{len(masks):7}{cells:7}{found:7}{100 * found / cells:8.1f} %"
        f"{false / len(masks):8.3f}{doubles / len(masks):9.3f}{seconds:8.2f}"
        f"{np.median(radii):9.2f}{np.median(diameters):10.0f}"
    )


def main() -> None:
    """Print a line for the images of the choice and one for the others."""
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    masks = sorted(Path(sys.argv[1]).glob("*_mask.png"))
    print("images       number  cells  found    recall   false  doubles       s   radius  red cell")
    print("                                            an image an image          ÷ true    px")
    measure(masks[::2], "chosen on")
    measure(masks[1::2], "others")


if __name__ == "__main__":
    main()
