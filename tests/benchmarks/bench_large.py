"""How long the window stands still on a 5000 × 5000 image: opening it, a fill of the whole, undo, redo, a brush event.

Run: `python tests/benchmarks/bench_large.py [SIZE]`. Each figure is the CPU time that the window's thread took for it
without a pause, in ms, so that other programs do not count. Settings are those of a new user, in a folder of its own.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_home = tempfile.TemporaryDirectory()
os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_DATA_HOME"] = _home.name

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from qtpy.QtCore import QEventLoop, QTimer  # noqa: E402
from qtpy.QtWidgets import QApplication  # noqa: E402

from allxai_desktop.app.main import start  # noqa: E402
from allxai_desktop.painting import shapes  # noqa: E402


def longest(app: QApplication, act: Callable[[], object], done: Callable[[], bool]) -> float:
    """Return the longest time in ms that the thread worked without coming back to its events, from `act` on."""
    quiet = time.monotonic() + 1.0
    begin = time.thread_time()
    act()
    found = time.thread_time() - begin
    alarm = QTimer(interval=10)
    alarm.start()
    while not done() or time.monotonic() < quiet:
        begin = time.thread_time()
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        found = max(found, time.thread_time() - begin)
        if not done():
            quiet = time.monotonic() + 1.0
    return 1000 * found


def main() -> None:
    """Print one line for each action."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with tempfile.TemporaryDirectory() as name:
        rng = np.random.default_rng(0)
        for number in range(2):
            pixels = np.repeat(
                np.repeat(rng.integers(0, 255, (size // 10, size // 10, 3), np.uint8), 10, 0), 10, 1
            )
            Image.fromarray(pixels).save(Path(name) / f"field_{number}.png", compress_level=1)
        small = Path(name) / "small"
        small.mkdir()
        Image.fromarray(pixels[:300, :300]).save(small / "small.png")
        app, window = start(str(small))
        window.resize(1300, 760)
        longest(app, lambda: None, lambda: window.workspace.image is not None)
        paint, workspace = window.paint, window.workspace

        def show(line: str, act: Callable[[], object], done: Callable[[], bool] = lambda: True) -> None:
            print(f"{line}: {longest(app, act, done):.0f} ms", flush=True)

        show(
            "opening",
            lambda: workspace.open(Path(name)),
            lambda: workspace.image is not None and workspace.image.name == "field_0.png",
        )
        saved = lambda: workspace.saved == "saved"  # noqa: E731
        show("fill", lambda: paint.apply_window(*shapes.flood(paint.codes, (9.0, 9.0)), 4), saved)
        show("undo", paint.undo, saved)
        show("redo", paint.redo, saved)
        at = (size / 2, size / 2)
        paint.begin_stroke()
        paint.apply(shapes.disc(at, 20, paint.shape), 1)
        show("brush event", lambda: paint.apply(shapes.stroke(at, (at[0], at[1] + 9), 20, paint.shape), 1))
        show("end of the stroke", paint.end_stroke, saved)
        show("next image", lambda: workspace.step(1), lambda: workspace.index == 1)
        window.close()


if __name__ == "__main__":
    main()
