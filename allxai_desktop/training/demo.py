"""Trains the demo networks: `python -m allxai_desktop.training.demo --data DIR --out DIR [NAME…]`.

A run that was broken off goes on after its last finished epoch; a finished one is only measured again.
"""

import argparse
import csv
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from allxai_desktop.images import read_image
from allxai_desktop.networks.architectures import ARCHITECTURES, build
from allxai_desktop.networks.card import CARD_FILE, WEIGHTS_FILE, parse_card
from allxai_desktop.networks.checkpoints import write_weights
from allxai_desktop.networks.domain import fit_limits
from allxai_desktop.networks.mobilenet import MobileNetV1, load_folded_trunk, unfold_batch_norm
from allxai_desktop.training.classify import Classification, Look
from allxai_desktop.training.datasets.data import Item, load_pixels, read_class_folders
from allxai_desktop.training.datasets.splits import Split
from allxai_desktop.training.fit import fit
from allxai_desktop.training.measuring.metrics import confusion_matrix, summary
from allxai_desktop.training.preparing.copies import Copy
from allxai_desktop.training.recipes import RECIPES, Recipe, Task
from allxai_desktop.training.run_types import EpochRecord, Unwatched

TRUNK_FILE = "weights/mobilenet_v1_1.0_224_quant_embedding_extractor.npz"
# Images that the statistics of BatchNorm are measured on.
CALIBRATION = 64
HALF = (0.5, 0.5, 0.5)
log = logging.getLogger(__name__)


def train(name: str, data: Path, out: Path, runs: Path) -> None:
    """Train, measure and write the network `name` to `out`/name; checkpoints go to `runs`/name."""
    recipe = RECIPES[name]
    task = recipe.task
    root = data / task.folder
    items = read_class_folders(root, task.classes, task.subject_of)
    pixels = load_pixels(root, items, (recipe.input_side, recipe.input_side))
    labels = torch.tensor([task.classes.index(item.label) for item in items])
    split = task.split_items(items, pixels)
    log.info("%s: train %d, val %d, test %d", name, len(split.train), len(split.val), len(split.test))

    model = _fit(name, recipe, data, pixels, labels, split, runs / name / "last.pt")
    metrics = {
        "validation": _measure(model, pixels, labels, split.val, task),
        "test": _measure(model, pixels, labels, split.test, task),
    }
    if task.test_subjects:
        swapped = task.swap_subjects(items).split_items(items, pixels)
        second = _fit(name, recipe, data, pixels, labels, swapped, runs / name / "swapped.pt")
        # Every image is now tested once, by a network that saw nobody it is from.
        metrics["test_of_a_second_network_with_the_subjects_swapped"] = _measure(
            second, pixels, labels, swapped.test, task
        )
    log.info("%s: accuracy %s", name, {part: found["accuracy"] for part, found in metrics.items()})
    _write(name, recipe, model, metrics, items, split, root, out / name)


def _fit(
    name: str, recipe: Recipe, data: Path, pixels: Tensor, labels: Tensor, split: Split, checkpoint: Path
) -> nn.Module:
    torch.manual_seed(recipe.plan.seed)
    model = build(recipe.architecture, len(recipe.task.classes))
    if recipe.trunk:
        with np.load(data / TRUNK_FILE, allow_pickle=False) as arrays:
            _load_trunk(model, dict(arrays), pixels[split.train[:: len(split.train) // CALIBRATION]])
    objective = Classification(
        pixels.numpy(),
        labels.tolist(),
        [Copy(position) for position in split.train],
        [],
        Look(HALF, HALF, recipe.augmentation, recipe.sides),
        seed=recipe.plan.seed,
        balanced=True,
        smoothing=0.1,
    )
    fit(model, objective, recipe.plan, checkpoint, _Logged(name))
    return model


class _Logged(Unwatched):
    def __init__(self, name: str) -> None:
        self._name = name

    def epoch(self, record: EpochRecord) -> None:
        log.info("%s: epoch %d, loss %.4f", self._name, record.number, record.loss)


def _measure(
    model: nn.Module, pixels: Tensor, labels: Tensor, positions: list[int], task: Task
) -> dict[str, Any]:
    with torch.inference_mode():
        parts = torch.split(pixels[positions], 32)
        predicted = torch.cat([model(part.float() / 127.5 - 1) for part in parts]).argmax(1)
    matrix = confusion_matrix(labels[positions].tolist(), predicted.tolist(), len(task.classes))
    return summary(matrix, task.classes, task.positive)


def _load_trunk(model: nn.Module, arrays: dict[str, Any], images: Tensor) -> None:
    assert isinstance(model, MobileNetV1)
    load_folded_trunk(model.features, arrays)
    unfold_batch_norm(model.features, images.float() / 127.5 - 1)


def _write(
    name: str,
    recipe: Recipe,
    model: nn.Module,
    metrics: dict[str, Any],
    items: list[Item],
    split: Split,
    root: Path,
    folder: Path,
) -> None:
    task = recipe.task
    limits = fit_limits(
        [read_image(root / items[position].file).pixels for position in split.train],
        [read_image(root / items[position].file).pixels for position in split.val],
    )
    folder.mkdir(parents=True, exist_ok=True)
    sha256 = write_weights(folder / WEIGHTS_FILE, model)
    card: dict[str, Any] = {
        "name": name,
        "title": recipe.title,
        "architecture": recipe.architecture,
        "classes": list(task.classes),
        "class_titles": task.class_titles,
        "input_size": [recipe.input_side, recipe.input_side],
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "cam_layer": ARCHITECTURES[recipe.architecture].cam_layer,
        "sha256": sha256,
        "licence": "BSD-3-Clause",
        "domain": {"description": task.description, "limits": limits},
        "data": task.data,
        "split": task.split
        | {"train": len(split.train), "validation": len(split.val), "test": len(split.test)}
        | ({"test_subjects": sorted(task.test_subjects)} if task.test_subjects else {})
        | {"held_out": "held_out.csv"},
        "training": _training(recipe),
        "metrics": metrics,
        "departures_from_paper": list(recipe.departures),
    }
    parse_card(card)
    (folder / CARD_FILE).write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    with (folder / "held_out.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["file", "part"])
        rows.writerows((items[i].file, part) for part in ("val", "test") for i in getattr(split, part))


def _training(recipe: Recipe) -> dict[str, Any]:
    plan = recipe.plan
    return {
        "program": "python -m allxai_desktop.training.demo",
        "start": "MobileNet V1 1.0/224 trained on ImageNet (TensorFlow, Apache-2.0), BatchNorm put back"
        if recipe.trunk
        else "random weights",
        "optimiser": "AdamW, warm-up and cosine, bfloat16 autocast",
        "highest_rate": recipe.rate,
        "batch": plan.batch,
        "stages": [{"input_side": side, "epochs": epochs} for side, epochs in recipe.stages],
        "augmentation": "rotation, mirror, zoom, shift, mild change of stain",
        "selection": "none: the weights after the last epoch",
        "seed": plan.seed,
    } | ({"note": recipe.note} if recipe.note else {})


def main() -> None:
    """Train the networks named on the command line, by default all."""
    parser = argparse.ArgumentParser(
        prog="python -m allxai_desktop.training.demo", description="Train the demo networks."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RECIPES))
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="holds pbc/, cnmc/ and weights/"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets one folder a network")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), metavar="DIR", help="keeps the checkpoints"
    )
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in RECIPES:
            parser.error(f"no recipe {name}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for name in RECIPES:
        if not arguments.names or name in arguments.names:
            train(name, arguments.data, arguments.out, arguments.runs)


if __name__ == "__main__":
    main()
