"""A pyramidal TIFF of 20,000 × 20,000 px in the window: seconds to open it, to paint, save and read; peak memory.

Run: `xvfb-run -a python tests/benchmarks/bench_pyramid.py FOLDER [SIDE]`. FOLDER gets `slide.tif` where it has none:
SIDE × SIDE px (20,000) of drawn cells in tiles of 256 px with levels of 1/2 to 1/16, compressed, some 800 MB.
Peak memory is what the whole program takes more than after it has opened a small image. Strokes are CPU time of the
window's thread; "in the model" leaves the canvas out, and is compared with a mask of 1000 × 1000 px in memory.
"""

import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile
from bench_live import wait
from numpy.typing import NDArray
from PIL import Image

from allxai_desktop.app.main import start
from allxai_desktop.fields.source import find_in_field
from allxai_desktop.masks.npz_tiles import load_tiles
from allxai_desktop.painting import shapes
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.painting.tiles import Tiles
from allxai_desktop.slides.large import LargeImage
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

    def tiles(step: int) -> Iterator[NDArray[np.uint8]]:
        level = -(-side // step)
        for row in range(0, level, TILE):
            for column in range(0, level, TILE):
                rows = (np.arange(row, row + TILE) * step) % 2048
                columns = (np.arange(column, column + TILE) * step) % 2048
                yield whole[rows[:, None], columns]

    with tifffile.TiffWriter(path, bigtiff=True) as tif:
        for number, step in enumerate((1, 2, 4, 8, 16)):
            level = -(-side // step)
            tif.write(
                tiles(step),
                shape=(level, level, 3),
                dtype=np.uint8,
                photometric="rgb",
                tile=(TILE, TILE),
                compression="zlib",
                subifds=4 if number == 0 else None,
                subfiletype=1 if number else None,
            )


def memory() -> float:
    """Return the most memory so far, in MB."""
    if sys.platform == "win32":
        raise NotImplementedError("Windows tells it in another way")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def stroke_time(paint: PaintModel) -> float:
    """Return the CPU time in seconds of a stroke of 20 brush events and its undo, the median of 20."""
    found = []
    for number in range(20):
        begin = time.thread_time()
        paint.begin_stroke()
        for event in range(20):
            start, end = (300 + 8 * event, 400), (308 + 8 * event, 400)
            paint.apply(shapes.stroke(start, end, 20, paint.shape), 1 + number % 5)
        paint.end_stroke()
        paint.undo()
        found.append(time.thread_time() - begin)
    return float(np.median(found))


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
    # Whoever paints slides may have switched that off.
    window.fields.model.auto = True
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
        pause_until = time.monotonic() + 0.3
        wait(app, lambda: time.monotonic() > pause_until)  # noqa: B023
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
    height, width = window.paint.shape
    print(f"a stroke, on the canvas  {1000 * stroke_time(window.paint):8.2f} ms, of {width} × {height} px")
    slide, small = PaintModel(), PaintModel(np.zeros((1000, 1000), np.uint8))
    slide.new_image(Tiles((side, side)))
    here, there = stroke_time(slide), stroke_time(small)
    print(f"a stroke, in the model   {1000 * here:8.2f} ms, {here / there:.1f} × that on 1000 × 1000 px")
    window.paint.apply(shapes.disc((height / 2, width / 2), 400, window.paint.shape), 1)
    begin = time.perf_counter()
    assert not window.workspace.unsaved(120)
    print(f"mask saved               {time.perf_counter() - begin:8.2f} s")
    mask_path = window.workspace.mask_path
    assert mask_path is not None
    begin = time.perf_counter()
    found_mask = load_tiles(mask_path, (height, width))
    print(
        f"mask read                {time.perf_counter() - begin:8.2f} s, {found_mask.codes.nbytes >> 10} kB of tiles"
    )
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
