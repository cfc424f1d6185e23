"""From the change of a control to the overlay on screen, ÷ the bare torch work that it needs.

Run: `python tests/benchmarks/bench_live.py [RUNS]`. Goal: at most 1.25 for each network and explainer.
The bare work for Grad-CAM is one forward pass and a backward pass down to the layer only, for the others
one forward and one backward pass to the input, on an input that is ready. All run in turn in one process. Where
OpenGL is software, drawing takes longer than the passes: what napari itself takes to draw a map that is ready is
printed beside them.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication

from allxai_desktop.app.main import start
from allxai_desktop.app.window import MainWindow
from allxai_desktop.networks.network import Network
from allxai_desktop.networks.registry import list_networks, load_network
from allxai_desktop.study.folder import Study
from allxai_desktop.study.sample import sample_study


def wait(app: QApplication, condition: Callable[[], object]) -> None:
    """Run the event loop until `condition()`, asleep between events as a window is."""
    deadline = time.monotonic() + 120
    alarm = QTimer(interval=20)
    alarm.start()
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("nothing happened for two minutes")
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


def until_drawn(app: QApplication, window: MainWindow, act: Callable[[], object]) -> float:
    """Return the seconds from `act` to the end of the first draw at which no result is awaited."""
    quiet = time.monotonic() + 0.2
    wait(app, lambda: time.monotonic() > quiet)
    drawn: list[float] = []
    canvas = window.qt_viewer.canvas._scene_canvas

    def on_draw(_event: object) -> None:
        if not window.session.busy:
            drawn.append(time.perf_counter())

    begin = time.perf_counter()
    act()
    canvas.events.draw.connect(on_draw, position="last")
    wait(app, lambda: drawn)
    canvas.events.draw.disconnect(on_draw)
    return drawn[0] - begin


def shown(app: QApplication, window: MainWindow, **changes: str) -> float:
    """Return the seconds from the change of a control to the drawn overlay, without help from the cache."""
    window.session._cache.clear()
    return until_drawn(app, window, lambda: window.session.choose(**changes))


def plain(app: QApplication, window: MainWindow) -> float:
    """Return the seconds that napari takes to draw a map which is ready, in the same layer."""
    layer = window.overlay.map_layer
    assert layer is not None
    values = layer.data * 0.5

    def act() -> None:
        layer.data = values

    return until_drawn(app, window, act)


def bare(network: Network, inputs: torch.Tensor, explainer: str) -> float:
    """Return the seconds of the passes alone."""
    layer = dict(network.module.named_modules())[network.card.cam_layer]
    begin = time.perf_counter()
    if explainer == "grad-cam":
        kept: list[torch.Tensor] = []

        def keep(_module: object, _args: object, output: torch.Tensor) -> torch.Tensor:
            kept.append(output.detach().requires_grad_())
            return kept[0]

        handle = layer.register_forward_hook(keep)
        logits = network.module(inputs)
        handle.remove()
        torch.autograd.grad(logits[0].max(), kept[0])
    else:
        leaf = inputs.clone().requires_grad_()
        torch.autograd.grad(network.module(leaf)[0].max(), leaf)
    return time.perf_counter() - begin


def main() -> None:
    """Print one line for each network and explainer."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    study = Study.open(sample_study())
    app, window = start(str(Path(study.items[0].image_path)))
    wait(app, lambda: window.session.result is not None)
    for card in list_networks():
        network = load_network(card.name)
        inputs = network.preprocess(window.workspace.image.pixels)  # type: ignore[union-attr]
        for explainer in ("grad-cam", "gradient"):
            other = "gradient" if explainer == "grad-cam" else "grad-cam"
            ours, theirs, drawing = [], [], []
            shown(app, window, network=card.name, explainer=other)
            for _run in range(runs):
                ours.append(shown(app, window, explainer=explainer))
                shown(app, window, explainer=other)
                drawing.append(plain(app, window))
                theirs.append(bare(network, inputs, explainer))
            on_screen, work, draw = (1000 * statistics.median(times) for times in (ours, theirs, drawing))
            print(
                f"{card.name} {explainer}: {on_screen:.0f} ms on screen, {work:.0f} ms bare passes, "
                f"{draw:.0f} ms napari's draw of a ready map; "
                f"ratio to the passes {on_screen / work:.2f}, to both {on_screen / (work + draw):.2f}",
                flush=True,
            )
    window.close()


if __name__ == "__main__":
    main()
