"""Peak memory of each explainer ÷ that of one forward and backward pass, network included, at (1, 3, 224, 224).

Run: `python tests/benchmarks/bench_memory.py [NETWORK ...]`. Goal: at most 1.5. Each case is a process of its own, on
one thread; its peak is what the process held at most (resident), less what it held before the network was made.
"""

import os
import resource
import subprocess
import sys

NETWORKS = ("vgg19", "resnet18", "resnet50", "googlenet", "mobilenet-v1")
METHODS = (
    "gradient", "gradient-x-input", "grad-cam", "layer-cam", "guided-grad-cam", "lrp-z", "lrp-epsilon-plus-flat",
    "deep-taylor",
)  # fmt: skip
BARE = "forward and backward"


def peak() -> int:
    """Return the most that this process has held so far, in KiB."""
    if sys.platform == "win32":
        raise NotImplementedError("Windows tells it in another way")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(name: str, method: str) -> None:
    """Print what `method` on `name` takes, in KiB."""
    import torch

    from allxai_desktop.explainers import attribute
    from allxai_desktop.networks.architectures import build

    # What both sides import is no part of either.
    build("resnet18", 2)
    attribute(
        torch.nn.Sequential(
            torch.nn.Conv2d(3, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(72, 2)
        ),
        torch.rand(1, 3, 8, 8),
        0,
        "deep-taylor",
    )
    before = peak()
    module = build(name, 8).eval().requires_grad_(False)
    x = torch.rand(1, 3, 224, 224)
    if method == BARE:
        leaf = x.requires_grad_()
        torch.autograd.grad(module(leaf)[0, 1], leaf)
    else:
        attribute(module, x, 1, method)
    print(peak() - before)


def child(name: str, method: str) -> int:
    """Return what `measure` prints in a process of its own."""
    command = [sys.executable, __file__, "--measure", name, method]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return int(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], sys.argv[3])
    else:
        chosen = sys.argv[1:] or NETWORKS
        print("| explainer | " + " | ".join(chosen) + " |")
        print("|---" * (len(chosen) + 1) + "|")
        bare = {name: child(name, BARE) for name in chosen}
        print(f"| {BARE} | " + " | ".join(f"{bare[name] // 1024} MiB" for name in chosen) + " |", flush=True)
        for method in METHODS:
            ratios = [f"{child(name, method) / bare[name]:.2f}" for name in chosen]
            print(f"| {method} | " + " | ".join(ratios) + " |", flush=True)
