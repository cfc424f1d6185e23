"""Brush events on screen, ours against bare napari's, and what the live share update adds to them.

Run: `python tests/benchmarks/bench_painting.py [ROUNDS]`. Goals: events a second at least 0.9 × bare napari's at
300² and at 5000²; the share update on 5000² at most 2 × that on 300², and at most 1/20 of bare napari's event.
With an installed network, the events are counted again while it explains without a pause.
Both windows live in one process and take turns, stroke by stroke, so that the machine's mood falls on both: a ratio is
the median of those of ROUNDS pairs of strokes (6).
"""

import statistics
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from napari.qt import QtViewer
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QMainWindow

from allxai_desktop.images import image_from_array
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.relevance import ShareCounter
from napari_allxai_annotate.canvas import PaintCanvas, mask_colormap

SIZES = (300, 5000)
MOVES = 20
BRUSH = 20
ZOOM = 1.6


class Window:
    """A window with an image of `size`² px; `turn` paints a stroke and returns its seconds for each event."""

    def __init__(self, app: QApplication, size: int, left: int) -> None:
        self.app = app
        self.viewer = ViewerModel()
        self.view = QtViewer(self.viewer)
        self.frame = QMainWindow()
        self.frame.setCentralWidget(self.view)
        self.frame.setGeometry(left, 0, 640, 640)
        self.frame.show()
        rng = np.random.default_rng(0)
        self.image = rng.integers(0, 255, (size, size, 3), np.uint8)
        self.painted = self.shown = False
        self.strokes = 0
        self.view.canvas._scene_canvas.events.draw.connect(self._on_draw, position="last")

    def _on_draw(self, _event: object) -> None:
        self.shown = self.painted

    def _on_labels(self, _event: object) -> None:
        self.painted = True

    def watch(self, labels: Labels) -> None:
        """Notice when `labels` get new pixels: napari draws its cursor before it paints."""
        labels.events.labels_update.connect(self._on_labels)

    def settle(self) -> None:
        """Look at the middle of the image, at one zoom for all sizes, and let all drawing end."""
        self.viewer.scene.camera.center = (self.image.shape[0] / 2,) * 2
        self.viewer.scene.camera.zoom = ZOOM
        for _ in range(30):
            self.app.processEvents()
            time.sleep(0.01)

    def send(self, kind: QEvent.Type, x: float, y: float) -> None:
        native = self.view.canvas.native
        at = QPointF(x, y)
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
        held = (
            Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else Qt.MouseButton.LeftButton
        )
        event = QMouseEvent(
            kind, at, QPointF(native.mapToGlobal(at.toPoint())), button, held, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(native, event)

    @property
    def code(self) -> int:
        """The class of the next stroke: another one than those before it."""
        return 1 + self.strokes % 5

    def turn(self) -> list[float]:
        """Paint a spiral over pixels of another class, and time each event until its pixels are drawn."""
        seconds = []
        phase, self.strokes = self.strokes, self.strokes + 1
        self.send(QEvent.Type.MouseButtonPress, 320, 320)
        for move in range(MOVES):
            angle, radius = phase + 0.5 * move, 40 + 10 * move
            self.painted = self.shown = False
            begin = time.perf_counter()
            self.send(QEvent.Type.MouseMove, 320 + radius * np.cos(angle), 320 + radius * np.sin(angle))
            while not self.shown and time.perf_counter() - begin < 2:
                self.app.processEvents()
            # Bare napari leaves one out now and then, which nobody waits for.
            if self.painted:
                seconds.append(time.perf_counter() - begin)
        self.send(QEvent.Type.MouseButtonRelease, 320, 320)
        self.app.processEvents()
        assert len(seconds) > MOVES / 2, "next to nothing was left to paint"
        return seconds


class Bare(Window):
    """napari with an image and a labels layer, its own brush in hand."""

    def __init__(self, app: QApplication, size: int) -> None:
        super().__init__(app, size, 0)
        self.viewer.add_image(self.image, rgb=True)
        self.labels = Labels(np.zeros((size, size), np.uint8), colormap=mask_colormap())
        self.viewer.add_layer(self.labels)
        self.labels.brush_size = BRUSH
        self.labels.mode = "paint"
        self.watch(self.labels)
        self.settle()

    def paint(self) -> list[float]:
        self.labels.selected_label = self.code
        return self.turn()


class Ours(Window):
    """Our canvas, with the shares following each event."""

    def __init__(self, app: QApplication, size: int) -> None:
        super().__init__(app, size, 660)
        self.model = PaintModel(np.zeros((size, size), np.uint8))
        self.canvas = PaintCanvas(self.viewer, self.model)
        self.canvas.show(image_from_array(self.image, "noise"))
        self.watch(self.canvas.mask_layer)
        self.model.brush_size = BRUSH
        self.weights = np.random.default_rng(1).random((size, size)) > 0.5
        self.counter = ShareCounter(self.model.codes, self.weights)
        self.updates: list[float] = []
        self.model.edited.connect(self._follow)
        self.settle()

    def _follow(self, indices: NDArray[np.int64], old: NDArray[np.uint8], new: NDArray[np.uint8]) -> None:
        begin = time.perf_counter()
        self.counter.update(old, new, self.weights.reshape(-1)[indices])
        self.counter.shares()
        self.updates.append(time.perf_counter() - begin)

    def paint(self) -> list[float]:
        self.model.active = self.code
        return self.turn()


def compare(bare: Bare, ours: Ours, rounds: int) -> tuple[float, float, float]:
    """Return the median seconds of a brush event, bare napari's and ours, and of their ratio in each round."""
    medians = []
    for _round in range(rounds):
        pair = []
        for window in (bare, ours):
            window.frame.raise_()
            pair.append(statistics.median(window.paint()))
        medians.append((*pair, pair[0] / pair[1]))
    theirs, own, ratio = (statistics.median(column) for column in zip(*medians, strict=True))
    return theirs, own, ratio


def explaining() -> Callable[[], None] | None:
    """Start to explain without a pause on a thread; return what stops it, or None without a network."""
    from allxai_desktop.explainers.explain import Explainer
    from allxai_desktop.networks.registry import list_networks, load_network

    cards = list_networks()
    if not cards:
        return None
    explainer = Explainer(load_network(cards[0].name))
    pixels = np.random.default_rng(2).integers(0, 255, (360, 360, 3), np.uint8)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            explainer.explain(pixels, "grad-cam")

    thread = threading.Thread(target=work)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()

    return end


def main() -> None:
    """Print one line for each comparison."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    app = QApplication([])
    updates, events = {}, {}
    for size in SIZES:
        bare, ours = Bare(app, size), Ours(app, size)
        compare(bare, ours, 1)
        ours.updates.clear()
        theirs, own, ratio = compare(bare, ours, rounds)
        events[size], updates[size] = theirs, statistics.median(ours.updates)
        print(
            f"{size}²: {1 / own:.1f} brush events a second, bare napari {1 / theirs:.1f}, "
            f"ratio {ratio:.2f} (goal: at least 0.9)",
            flush=True,
        )
        stop = explaining()
        if stop is not None:
            theirs, own, ratio = compare(bare, ours, max(1, rounds // 2))
            stop()
            print(
                f"{size}² while explaining: {1 / own:.1f} to {1 / theirs:.1f}, ratio {ratio:.2f}", flush=True
            )
        bare.frame.close()
        ours.canvas.close()
        ours.frame.close()
    small, large = (updates[size] for size in SIZES)
    print(f"share update: {1e6 * large:.0f} µs on 5000², {1e6 * small:.0f} µs on 300²", end=", ")
    print(f"ratio {large / small:.2f} (goal: at most 2)")
    for size in SIZES:
        share = updates[size] / events[size]
        print(f"share update ÷ bare event on {size}²: 1/{1 / share:.0f} (goal: at most 1/20)")


if __name__ == "__main__":
    main()
