"""From Enter to the next image on screen, ÷ opening it cold.

Run: `python tests/benchmarks/bench_next.py [RUNS]`. Goal: at most 0.3.
Columns, each the median of RUNS, in seconds, for images of two sizes:
  enter   from Enter, in the real window, until the canvas shows the next image with its mask: the check, saving,
          submitting and going on; the image was read ahead
  step    the same way without anything read ahead, by the key for the next image
  cold    from opening the file of that image, with the window up and nothing open, until the canvas shows it
  core    Enter and cold without the canvas: until the models have the image and its mask
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from bench_live import wait
from PIL import Image
from qtpy.QtWidgets import QApplication

from allxai_desktop.app.main import start
from allxai_desktop.app.window import MainWindow
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.study.folder import Study
from allxai_desktop.study.people import Person

SIZES = {"360×363": (360, 363), "2592×1944": (2592, 1944)}


def make_study(folder: Path, size: tuple[int, int], count: int) -> Study:
    """Write a study of photograph-like images, each with a complete mask, all to be submitted."""
    source = Path(__file__).parents[2] / "resources" / "sample_study" / "images" / "MO_321187.jpg"
    grain = np.random.default_rng(0)
    with Image.open(source) as opened:
        cell = np.asarray(opened.convert("RGB").resize(size), np.int16)
    (folder / "images").mkdir(parents=True)
    (folder / "study.toml").write_text('title = "Benchmark"\n')
    for number in range(count):
        pixels = np.clip(cell + grain.integers(-6, 7, cell.shape), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number}.jpg", quality=92)
    study = Study.open(folder)
    rows, columns = np.ogrid[: size[1], : size[0]]
    away = np.hypot(rows - size[1] / 2, columns - size[0] / 2) / min(size)
    codes = np.where(away < 0.15, 1, np.where(away < 0.3, 2, 5)).astype(np.uint8)
    for item in study.items:
        save_mask(item.mask_path, codes, image=read_image(item.image_path))
    return study


def shown(app: QApplication, window: MainWindow, act: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds from `act` until the models have another image, and until the canvas shows it."""
    quiet = time.monotonic() + 0.5
    lessons = window.proposals.lessons
    wait(app, lambda: time.monotonic() > quiet and not (lessons and lessons.busy))
    ready: list[float] = []
    drawn: list[float] = []
    canvas = window.qt_viewer.canvas._scene_canvas

    def on_shown() -> None:
        ready.append(time.perf_counter())

    def on_swap() -> None:
        if ready:
            drawn.append(time.perf_counter())

    # The canvas follows only after this.
    window.paint.image_replaced.connect(on_shown)
    canvas.native.frameSwapped.connect(on_swap)
    begin = time.perf_counter()
    act()
    wait(app, lambda: drawn)
    window.paint.image_replaced.disconnect(on_shown)
    canvas.native.frameSwapped.disconnect(on_swap)
    return ready[0] - begin, drawn[0] - begin


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    app, window = start()
    wait(app, lambda: window.workspace.index is not None)
    window.session.live = False
    window.desk.model.person = Person("A07")
    print(
        f"{'size':>10} {'enter':>7} {'step':>7} {'cold':>7} {'ratio':>6}   core: {'enter':>7} {'cold':>7} {'ratio':>6}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, size in SIZES.items():
            study = make_study(Path(folder) / name, size, 2 * runs + 2)
            cold, step, enter = [], [], []
            for item in study.items[:runs]:
                window.canvas.show(None)
                cold.append(shown(app, window, partial(window.open_path, item.image_path)))
            shown(app, window, partial(window.open_path, study.folder))
            for _run in range(runs):
                window.workspace._ahead.drop()
                step.append(shown(app, window, lambda: window.workspace.step(1)))
            for _run in range(runs):
                enter.append(shown(app, window, window.desk.model.enter))
            done = [window.desk.model.item(row).state for row in range(len(study.items))]
            assert done.count("submitted") >= runs - 1, done
            (enter_core, enter_all), (_step_core, step_all), (cold_core, cold_all) = (
                [statistics.median(column) for column in zip(*times, strict=True)]
                for times in (enter, step, cold)
            )
            print(
                f"{name:>10} {enter_all:7.3f} {step_all:7.3f} {cold_all:7.3f} {enter_all / cold_all:6.2f}"
                f"         {enter_core:7.3f} {cold_core:7.3f} {enter_core / cold_core:6.2f}",
                flush=True,
            )
    window.close()


if __name__ == "__main__":
    main()
