"""Time from the start of the process to a usable window, ours ÷ bare napari's, one after the other.

Run: `python tests/benchmarks/bench_start.py [RUNS]`. Goal: median ratio at most 1.3.
Usable: shown, drawn once, and the event loop answers.
"""

import statistics
import subprocess
import sys
import time

READY = """
import time
from qtpy.QtCore import QTimer
state = {"drawn": False}
qt_viewer.canvas._scene_canvas.events.draw.connect(lambda event: state.update(drawn=True))
deadline = time.monotonic() + 60
while not (window.isVisible() and state["drawn"]) and time.monotonic() < deadline:
    app.processEvents()
QTimer.singleShot(0, lambda: print("usable", flush=True))
for _ in range(5):
    app.processEvents()
import os
os._exit(0)
"""
OURS = (
    """
from allxai_desktop.app.main import start
app, window = start()
qt_viewer = window.qt_viewer
"""
    + READY
)
BARE = (
    """
import napari
from qtpy.QtWidgets import QApplication
viewer = napari.Viewer()
app, window, qt_viewer = QApplication.instance(), viewer.window._qt_window, viewer.window._qt_viewer
"""
    + READY
)


def seconds(code: str) -> float:
    """Return how long a process with `code` takes until it says that its window is usable."""
    begin = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while "usable" not in (line := process.stdout.readline()):
            if not line:
                raise SystemExit("the window did not come up")
        return time.perf_counter() - begin


def main() -> None:
    """Print both times and their ratio."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds(BARE), seconds(OURS)
    pairs = [(seconds(OURS), seconds(BARE)) for _run in range(runs)]
    ratios = [ours / bare for ours, bare in pairs]
    print(
        f"ours {statistics.median(p[0] for p in pairs):.2f} s, napari {statistics.median(p[1] for p in pairs):.2f} s"
    )
    print(f"ratio: median {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
