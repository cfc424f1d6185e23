"""Images a second of our training, images on disk, ÷ those of a bare torch loop on data in memory; memory by epoch.

Run: `python tests/benchmarks/bench_training.py [PRESET ...]`. Goals: at least 0.9, and memory that is flat after the
first epoch. The bare loop takes the same steps (forward, loss, backward, optimiser) at the same size and precision on
tensors that are ready; ours reads, augments, checks and measures. Both take turns, so that a busy machine slows both.
"""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from allxai_desktop.networks.architectures import ARCHITECTURES
from allxai_desktop.training.classify import Classification, Look
from allxai_desktop.training.fit import Fitting
from allxai_desktop.training.optimisers import make_optimiser
from allxai_desktop.training.preparing.copies import Copy
from allxai_desktop.training.presets import PRESETS, Preset
from allxai_desktop.training.run_images import decode
from allxai_desktop.training.run_types import Unwatched
from allxai_desktop.training.start import begin

DEFAULT = ("modern", "grey-cnn", "resnet18-transfer-32", "two-conv-32")
ROUNDS = 3


def resident() -> int:
    """Return what this process holds of its own now, without pages of files, in MiB; 0 where it cannot be told."""
    if sys.platform == "win32":
        return 0
    try:
        pages = [int(text) for text in Path("/proc/self/statm").read_text().split()]
    except OSError:
        return 0
    return (pages[1] - pages[2]) * os.sysconf("SC_PAGESIZE") // 2**20


def bare(model: torch.nn.Module, preset: Preset, inputs: Tensor, targets: Tensor, batch: int) -> float:
    """Return images a second of the bare loop over all inputs."""
    optimiser = make_optimiser(preset.plan.optimiser, model)
    model.train()
    start = time.perf_counter()
    for place in range(0, len(inputs), batch):
        part = inputs[place : place + batch]
        with torch.autocast("cpu", torch.bfloat16, enabled=preset.plan.bfloat16):
            outputs = model(part.contiguous(memory_format=torch.channels_last))
        loss = torch.nn.functional.cross_entropy(outputs.float(), targets[place : place + batch])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return len(inputs) / (time.perf_counter() - start)


def measure(preset: Preset, folder: Path) -> None:
    """Print one line."""
    channels, side, batch = ARCHITECTURES[preset.architecture].channels, preset.side, preset.plan.batch
    count = batch * max(4, 40_000 // (side * side // 8 + 16 * batch))
    random = np.random.default_rng(0)
    images = (random.integers(0, 256, (channels, side, side), np.uint8) for _ in range(count))
    pixels = decode(folder / "pixels.npy", count, (channels, side, side), images, Unwatched(), "")
    labels = [place % 2 for place in range(count)]
    info = ARCHITECTURES[preset.architecture]
    objective = Classification(
        pixels, labels, [Copy(i) for i in range(count)], [], Look(info.mean, info.std, preset.random)
    )
    inputs = objective.inputs([Copy(i) for i in range(count)])
    targets = torch.tensor(labels)
    size = (side, side)
    ours, theirs = (
        begin(preset.architecture, 2, size, "none", inputs[:2], keras=False, seed=0)[0] for _ in range(2)
    )
    theirs = theirs.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    plan = replace(preset.plan, epochs=100)
    fitting = Fitting(ours, objective, plan, folder / "checkpoint.pt", Unwatched())
    bare(theirs, preset, inputs, targets, batch)
    fitting.run_epoch()
    shares, held = [], [resident()]
    for _ in range(ROUNDS):
        rate = bare(theirs, preset, inputs, targets, batch)
        fitting.run_epoch()
        shares.append(count / fitting.records[-1].seconds / rate)
        held.append(resident())
    print(
        f"{preset.name:22} {count:5} images  {rate:8.1f} bare/s  ours ÷ bare {np.median(shares):.2f}"
        f"  ({min(shares):.2f}–{max(shares):.2f})  MiB by epoch {' '.join(map(str, held))}",
        flush=True,
    )


if __name__ == "__main__":
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}")
    for name in sys.argv[1:] or DEFAULT:
        with TemporaryDirectory() as made:
            measure(PRESETS[name], Path(made))
