"""A pyramidal TIFF of 20,000 × 20,000 px in the window: seconds to open it, a crop and a stroke; peak memory.

Run: `xvfb-run -a python tests/benchmarks/bench_pyramid.py FOLDER [SIDE]`. FOLDER gets `slide.tif` where it has none:
SIDE × SIDE px (20,000) of drawn cells in tiles of 256 px with levels of 1/2 to 1/16, compressed, some 800 MB.
Peak memory is what the whole program takes more than after it has opened a small image.
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np
import tifffile
from bench_live import wait
from PIL import Image

from allxai_desktop.app.main import start
from allxai_desktop.fields.large import LargeImage
from allxai_desktop.fields.source import find_in_field
from allxai_desktop.tasks import unwatched

TILE = 256


def block(side: int, seed: int) -> np.ndarray:
    """Return a drawn field of cells uint8 (side, side, 3)."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal((238, 228, 216), 3, (side, side, 3))
    rows, columns = np.ogrid[:side, :side]
    for number in range(side * side // 4000):
        row, column = rng.integers(0, side, 2)
        white = number % 60 == 0
        radius = 26 if white else rng.integers(17, 21)
        part = (
            slice(max(row - radius, 0), row + radius + 1),
            slice(max(column - radius, 0), column + radius + 1),
        )
        inside = (rows[part[0]] - row) ** 2 + (columns[:, part[1]] - column) ** 2 <= radius**2
        pixels[part][inside] = (100, 60, 150) if white else (222, 165, 155)
    return pixels.clip(0, 255).astype(np.uint8)


def make(path: Path, side: int) -> None:
    """Write the pyramid, of one block again and again; nothing of it is ever whole in memory."""
    whole = block(2048, 0)

    def tiles(step: int):
        level = -(-side // step)
        for row in range(0, level, TILE):
            for column in range(0, level, TILE):
                rows = (np.arange(row, row + TILE) * step) % 2048
                columns = (np.arange(column, column + TILE) * step) % 2048
                yield whole[rows[:, None], columns]

    options = {"photometric": "rgb", "tile": (TILE, TILE), "compression": "zlib", "dtype": np.uint8}
    with tifffile.TiffWriter(path, bigtiff=True) as tif:
        for number, step in enumerate((1, 2, 4, 8, 16)):
            level = -(-side // step)
            kind = {"subifds": 4} if number == 0 else {"subfiletype": 1}
            tif.write(tiles(step), shape=(level, level, 3), **kind, **options)


def memory() -> float:
    """Return the most memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print what was measured, one figure a line."""
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    folder, side = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "slide.tif"
    if not path.exists():
        make(path, side)
    print(f"file                     {path.stat().st_size / 2**20:8.0f} MB")
    Image.fromarray(block(300, 1)).save(folder / "small.png")
    app, window = start(str(folder / "small.png"))
    wait(app, lambda: window.session.result is not None)
    before = memory()

    begin = time.perf_counter()
    window.open_path(path)
    wait(app, lambda: window.workspace.image is not None and window.workspace.image.name == path.name)
    window.qt_viewer.canvas._scene_canvas.app.process_events()
    print(f"open, until it is drawn  {time.perf_counter() - begin:8.2f} s")
    fields = window.fields.model
    assert fields.active
    camera, layer = window.viewer.scene.camera, window.fields.detail.layer
    assert layer is not None
    waits = []
    for number in range(20):
        camera.zoom = 3
        camera.center = (200 + 90 * number, 300 + 70 * number)
        begin = time.perf_counter()
        app.processEvents()
        waits.append(time.perf_counter() - begin)
        pause = time.monotonic() + 0.3
        wait(app, lambda until=pause: time.monotonic() > until)
    print(f"wait at a step of camera {np.median(waits):8.3f} s, at most {max(waits):.3f} s")
    print(f"level at that zoom       {layer.data_level:8d}")
    fields.cancel()
    begin = time.perf_counter()
    fields.click((side // 2, side // 2), anywhere=True)
    wait(app, lambda: fields.home is not None)
    print(f"crop taken and shown     {time.perf_counter() - begin:8.2f} s")
    fields.back()
    wait(app, lambda: fields.active)
    fields.toggle()
    strokes = []
    shape = window.paint.shape
    for number in range(20):
        begin = time.perf_counter()
        rows = np.arange(100 + number, 112 + number)
        window.paint.apply((rows[:, None] * shape[1] + rows[None]).reshape(-1), 1 + number % 5)
        strokes.append(time.perf_counter() - begin)
    print(f"a stroke, in the overview{np.median(strokes):8.4f} s, of {shape[1]} × {shape[0]} px")
    print(f"memory more than before  {memory() - before:8.0f} MB", flush=True)
    image = window.workspace.image
    assert isinstance(image, LargeImage)
    assert image.pyramid is not None
    begin = time.perf_counter()
    found = find_in_field(image.pyramid, unwatched)
    print(f"all cells found          {time.perf_counter() - begin:8.1f} s, {len(found.candidates)} marked")
    print(f"memory more than before  {memory() - before:8.0f} MB")
    window.close()


if __name__ == "__main__":
    main()
