"""Latency of each tool's computation against the size of the image, in ms: the worst event of several.

Run: `python tests/benchmarks/bench_tools.py [SIZE…]`. The image is a field of cells on a light ground, with noise.
What is clicked is a cell, so that a tool whose cost grows with the image, not with the cell, stands out. Clean-up
runs on a thread of its own and may grow with the image; superpixels are computed in tiles, of which one is timed.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.painting import shapes
from allxai_desktop.painting.cleanup import ACTIONS
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.painting.live_wire import LiveWire
from allxai_desktop.painting.superpixels import TILE, Superpixels, segment
from allxai_desktop.painting.wand import Wand

SIZES = (300, 1000, 5000)
SPACING, RADIUS = 100, 30
REPEATS = 5
BELOW = 64


def field(size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return an image (size, size, 3) of round cells and its mask: 4 in the cells, 5 outside."""
    place = (np.arange(size) % SPACING - SPACING / 2) ** 2
    cell = place[:, None] + place <= RADIUS**2
    image = np.where(cell[..., None], np.array([200, 150, 160]), np.array([240, 230, 220])).astype(np.int16)
    image += np.random.default_rng(0).integers(-8, 9, (size, size, 1), np.int16)
    return np.clip(image, 0, 255).astype(np.uint8), np.where(cell, 4, 5).astype(np.uint8)


def slowest(call: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the longest of some calls in ms; the first, which imports, is left out."""
    call()
    seconds = []
    for _repeat in range(repeats):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return 1000 * max(seconds)


def measure(size: int) -> dict[str, float]:
    """Return the latency of each tool on an image of `size`² px."""
    image, mask = field(size)
    model = PaintModel(mask)
    middle = size // 2 // SPACING * SPACING + SPACING // 2
    center = (float(middle), float(middle))
    edge = (float(middle - RADIUS), float(middle))
    superpixels = Superpixels()
    superpixels.new_image(image)
    under = shapes.disc(center, 20, model.shape)
    superpixels.touched(under)
    while superpixels._tasks.running:
        time.sleep(0.01)
    wand, wire = Wand(image, center), LiveWire(image, edge)

    def undone(indices: NDArray[np.int64]) -> None:
        model.apply(indices, 1)
        model.undo()

    def filled() -> None:
        model.apply_window(*shapes.flood(model.codes, center), 1)
        model.undo()

    found = {
        "brush": slowest(lambda: undone(shapes.stroke(center, edge, 20, model.shape))),
        "fill": slowest(filled),
        "superpixel": slowest(lambda: undone(superpixels.touched(under)[0])),
        "superpixels, a tile": slowest(lambda: segment(image[:TILE, :TILE])),
        "wand, press": slowest(lambda: Wand(image, center).region(10)),
        "wand, drag": slowest(lambda: undone(wand.region(12))),
        "live wire, click": slowest(lambda: LiveWire(image, edge)),
        "live wire, move": slowest(lambda: wire.way((middle + 20.0, middle + 25.0))),
    }
    superpixels.close()
    for name, action in ACTIONS.items():
        found[f"clean up, {name}"] = slowest(lambda action=action: action(mask, 4, BELOW), 1)  # type: ignore[misc]
    return found


def main() -> None:
    """Print a table, a row a tool and a column a size."""
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    tables = [measure(size) for size in sizes]
    print(f"{'ms':24}" + "".join(f"{size:>8}²" for size in sizes))
    for name in tables[0]:
        print(f"{name:24}" + "".join(f"{table[name]:>9.1f}" for table in tables))


if __name__ == "__main__":
    main()
