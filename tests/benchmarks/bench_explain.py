"""Time of `attribute` ÷ the bare torch work that the method needs, at (1, 3, 224, 224), best of several.

Run: `python tests/benchmarks/bench_explain.py [RUNS] [NETWORK ...]`. Goal: at most 1.1.
Bare work: for Grad-CAM a forward pass recorded above the layer only and the backward pass down to the layer;
otherwise one forward and one backward pass to the input. Parameters take no gradients. The last column is
the method ÷ forward and backward. Weights are random: the time does not depend on them. Both sides run in
turn in one process.
"""

import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from allxai_desktop.explainers.api import attribute
from allxai_desktop.explainers.registry import EXPLAINERS
from allxai_desktop.networks.architectures import ARCHITECTURES, build

NETWORKS = ("googlenet", "mobilenet-v1", "resnet18")


def bare_gradient(module: nn.Module, x: Tensor) -> None:
    """One forward pass and one backward pass to the input."""
    leaf = x.detach().requires_grad_()
    torch.autograd.grad(module(leaf)[0, 1], leaf)


def bare_cam(module: nn.Module, x: Tensor, layer: str) -> None:
    """One forward pass and the backward pass down to `layer`, by a hook that cuts the graph there."""
    features: list[Tensor] = []

    def cut(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        features.append(output.detach().requires_grad_())
        return features[0]

    handle = module.get_submodule(layer).register_forward_hook(cut)
    logits = module(x)
    handle.remove()
    torch.autograd.grad(logits[0, 1], features[0])


def best(calls: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Return the best of `runs` times of each call, in seconds, the calls taking turns."""
    times = dict.fromkeys(calls, float("inf"))
    for _ in range(runs):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name] = min(times[name], time.perf_counter() - start)
    return times


def measure(name: str, runs: int) -> None:
    """Print the rows of one network."""
    torch.manual_seed(0)
    module = build(name, 8).eval().requires_grad_(False)
    layer = ARCHITECTURES[name].cam_layer
    x = torch.randn(1, 3, 224, 224)
    calls: dict[str, Callable[[], object]] = {
        "forward and backward": lambda: bare_gradient(module, x),
        "forward and backward to layer": lambda: bare_cam(module, x, layer),
    }
    live = {name: info for name, info in EXPLAINERS.items() if not info.on_demand}
    for method, info in live.items():
        settings = {"layer": layer} if info.is_cam else {}
        calls[method] = lambda method=method, settings=settings: attribute(module, x, 1, method, **settings)
    for call in calls.values():
        call()
    times = best(calls, runs)
    both = times["forward and backward"]
    for method, info in live.items():
        bare = times["forward and backward to layer"] if info.is_cam else both
        print(
            f"{name:14} {method:18} {1000 * times[method]:8.1f} ms"
            f" {times[method] / bare:6.2f} × bare {times[method] / both:6.2f} × f+b"
        )


if __name__ == "__main__":
    for network in sys.argv[2:] or NETWORKS:
        measure(network, int(sys.argv[1]) if len(sys.argv) > 1 else 15)
