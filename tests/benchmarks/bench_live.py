"""From the change of a control to the overlay on screen, ÷ the bare torch work that it needs.

Run: `python tests/benchmarks/bench_live.py [RUNS]`. Goal: at most 1.25 for each network and explainer.
Columns, each the best of RUNS, all measured in turn in one process:
  passes   the bare work, on an input that is ready: for Grad-CAM one forward pass and a backward pass down to the
           layer only, for the others one forward and one backward pass to the input
  screen   from the change of the explainer until the window shows the overlay, with no pass of the image kept
  switch   the same where the forward pass of the image is kept, as it is in use
  napari   what napari needs to show a map that is ready, with other values in the same layer: no program that
           draws with it can do with less. Most of it is OpenGL's, and Qt's putting the window together
  ratios   screen ÷ passes, and screen ÷ (passes + napari)
The network in brackets has random weights: it shows how the ratio moves with the size of a network.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication

from allxai_desktop.app.main import start
from allxai_desktop.app.window import MainWindow
from allxai_desktop.explainers import explain
from allxai_desktop.networks.architectures import architecture, build
from allxai_desktop.networks.network import Network
from allxai_desktop.networks.registry import list_networks, load_network
from allxai_desktop.study.folder import Study
from allxai_desktop.study.sample import sample_study

LARGE = "vgg16"
OTHER = {"grad-cam": "gradient", "gradient": "grad-cam"}


def wait(app: QApplication, condition: Callable[[], object]) -> None:
    """Run the event loop until `condition()`, asleep between events as a window is."""
    deadline = time.monotonic() + 120
    alarm = QTimer(interval=20)
    alarm.start()
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("nothing happened for two minutes")
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


def until_shown(app: QApplication, window: MainWindow, act: Callable[[], object]) -> float:
    """Return the seconds from `act` until the window shows what was drawn when no result was awaited any more."""
    quiet = time.monotonic() + 0.2
    wait(app, lambda: time.monotonic() > quiet)
    drawn: list[None] = []
    shown: list[float] = []
    canvas = window.qt_viewer.canvas._scene_canvas

    def on_draw(_event: object) -> None:
        if not window.session.busy:
            drawn.append(None)

    def on_swap() -> None:
        if drawn:
            shown.append(time.perf_counter())

    canvas.events.draw.connect(on_draw)
    canvas.native.frameSwapped.connect(on_swap)
    begin = time.perf_counter()
    act()
    wait(app, lambda: shown)
    canvas.events.draw.disconnect(on_draw)
    canvas.native.frameSwapped.disconnect(on_swap)
    return shown[0] - begin


def explained(app: QApplication, window: MainWindow, *, kept: bool = False, **changes: str) -> float:
    """Return the seconds from the change of a control to the overlay; `kept` keeps the passes of the image."""
    window.session._cache.clear()
    if not kept:
        explain._latest = None
    return until_shown(app, window, lambda: window.session.choose(**changes))


def plain(app: QApplication, window: MainWindow, values: np.ndarray) -> float:
    """Return the seconds that napari needs to show other values in the layer of the map."""
    layer = window.overlay.map_layer
    assert layer is not None

    def act() -> None:
        layer.data[:] = values
        layer.refresh(extent=False, thumbnail=False, highlight=False)

    return until_shown(app, window, act)


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


def large_network(window: MainWindow) -> Network:
    """Make a network with random weights known to the window, past the registry."""
    torch.manual_seed(0)
    card = replace(
        list_networks()[0],
        name=LARGE,
        architecture=LARGE,
        cam_layer=architecture(LARGE).cam_layer,
        sha256=LARGE,
    )
    network = Network(card, build(LARGE, len(card.classes)))
    window.explain.cards[LARGE] = card
    window.session._engine._used = LARGE, explain.Explainer(network)  # type: ignore[attr-defined]
    return network


def measure(app: QApplication, window: MainWindow, network: Network, explainer: str, runs: int) -> None:
    """Print one line of the table."""
    inputs = network.preprocess(window.workspace.image.pixels)  # type: ignore[union-attr]
    name, other = network.card.name, OTHER[explainer]
    explained(app, window, network=name, explainer=other)
    rounds = []
    for _run in range(runs):
        screen = explained(app, window, explainer=explainer)
        explained(app, window, explainer=other)
        switch = explained(app, window, kept=True, explainer=explainer)
        ready = window.overlay.map_layer.data.copy()  # type: ignore[union-attr]
        explained(app, window, explainer=other)
        rounds.append((bare(network, inputs, explainer), screen, switch, plain(app, window, ready)))
    passes, screen, switch, drawing = (1000 * min(column) for column in zip(*rounds, strict=True))
    print(
        f"{f'({name})' if name == LARGE else name:20} {explainer:9}"
        f"{passes:8.0f}{screen:8.0f}{switch:8.0f}{drawing:8.0f}"
        f"{screen / passes:9.2f}{screen / (passes + drawing):9.2f}",
        flush=True,
    )


def main() -> None:
    """Print one line for each network and explainer."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    study = Study.open(sample_study())
    app, window = start(str(Path(study.items[0].image_path)))
    wait(app, lambda: window.session.result is not None)
    titles = "".join(f"{title:>8}" for title in ("passes", "screen", "switch", "napari"))
    print(f"{'ms, best of ' + str(runs):30}{titles}{'÷passes':>9}{'÷both':>9}")
    for name in (*(card.name for card in list_networks()), LARGE):
        network = large_network(window) if name == LARGE else load_network(name)
        for explainer in OTHER:
            measure(app, window, network, explainer, runs)
    window.close()


if __name__ == "__main__":
    main()
