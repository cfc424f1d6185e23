"""Brush events of what-if, with the network following each, against those that paint the mask.

Run: `python tests/benchmarks/bench_what_if.py [ROUNDS]`. Goal: as many events a second as painting has, at least
0.9 ×, at 300² and at 5000². Also how many predictions a second follow a moving brush. Needs an installed network.
"""

import statistics
import sys
import time

from bench_painting import BRUSH, SIZES, Ours
from qtpy.QtWidgets import QApplication

from allxai_desktop.analyses.what_if import WhatIf
from allxai_desktop.images import image_from_array
from allxai_desktop.networks.registry import list_networks
from allxai_desktop.session import Session
from napari_allxai_explain.overlay import RelevanceOverlay
from napari_allxai_explain.view import ExplainView
from napari_allxai_explain.what_if_view import WhatIfView
from napari_allxai_widgets.dispatch import Dispatcher


class Both(Ours):
    """A window that paints the mask or takes parts out; the map of a network lies over the image."""

    def __init__(self, app: QApplication, size: int) -> None:
        super().__init__(app, size)
        dispatch = Dispatcher()
        self.session = Session(self.model, None, dispatch)
        self.what_if = WhatIf(self.session, dispatch)
        self.what_if_view = WhatIfView(self.canvas, self.what_if)
        self.overlay = RelevanceOverlay(
            self.viewer, self.session, ExplainView(), lambda: self.canvas.image_layer
        )
        self.answers = 0
        self.session.result_changed.connect(self._count)
        self.session.choose(network=list_networks()[0].name)
        self.session.set_image(image_from_array(self.image, "noise"))
        self.what_if.active = True
        self.watch(self.what_if_view.hatch_layer)
        self.wait()
        self.what_if.active = False

    def _count(self, _result: object) -> None:
        self.answers += 1

    def wait(self) -> None:
        """Let the network answer."""
        while self.session.busy or self.session.result is None:
            self.app.processEvents()
            time.sleep(0.01)

    def take_out(self, turn: int) -> list[float]:
        """Take a spiral out with the brush (and put it back with the next), and time its events."""
        self.what_if.active = True
        self.model.tool = "eraser" if turn % 2 else "brush"
        # What is put back is the spiral that was taken out.
        strokes, self.strokes = self.strokes, turn // 2
        seconds = self.turn()
        self.strokes = strokes
        self.what_if.active = False
        self.model.tool = "brush"
        return seconds


def main() -> None:
    """Print one line for each size."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    app = QApplication([])
    for size in SIZES:
        window = Both(app, size)
        window.model.brush_size = BRUSH
        painting, taking, answers, lasted = [], [], 0, 0.0
        for turn in range(rounds + 2):
            seconds = window.paint()
            window.answers, begin = 0, time.perf_counter()
            out = window.take_out(turn)
            # The first two turns warm up.
            if turn > 1:
                painting += seconds
                taking += out
                answers += window.answers
                lasted += time.perf_counter() - begin
            window.wait()
        mask, part = statistics.median(painting), statistics.median(taking)
        print(
            f"{size}²: {1 / part:.1f} brush events a second, painting {1 / mask:.1f}, "
            f"ratio {mask / part:.2f} (goal: at least 0.9); slowest {1e3 * max(taking):.0f} ms, "
            f"painting {1e3 * max(painting):.0f} ms; {answers / lasted:.1f} predictions a second",
            flush=True,
        )
        window.overlay.close()
        window.what_if_view.close()
        window.what_if.close()
        window.session.close()
        window.canvas.close()
        window.frame.close()


if __name__ == "__main__":
    main()
