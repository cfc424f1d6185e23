"""What a run does with its preset: the plan that it follows, and how its card tells of it."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from allxai_desktop.i18n import N_, _
from allxai_desktop.networks.domain import limits_of
from allxai_desktop.training.classify import Look
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.datasets.dataset import DataSet
from allxai_desktop.training.device import compute_device
from allxai_desktop.training.fit import Plan
from allxai_desktop.training.measuring.report import Part
from allxai_desktop.training.presets import Preset
from allxai_desktop.training.run_types import EpochRecord, Request


def make_plan(preset: Preset, request: Request) -> Plan:
    """Return the plan of `preset` with what `request` has in its place. Raises `TrainingError`."""
    plan = replace(preset.plan, seed=request.seed, patience=request.patience)
    if request.patience is not None and not preset.val:
        raise TrainingError(
            _("The preset {name} has no validation part, by which it could be stopped early.").format(
                name=preset.name
            )
        )
    if request.rate is not None:
        plan = replace(plan, optimiser=replace(plan.optimiser, rate=request.rate))
    if request.decay is not None:
        plan = replace(plan, optimiser=replace(plan.optimiser, weight_decay=request.decay))
    return replace(plan, epochs=request.epochs or plan.epochs, batch=request.batch or plan.batch)


def describe_training(
    request: Request,
    preset: Preset,
    plan: Plan,
    look: Look,
    first: str,
    records: Sequence[EpochRecord],
) -> dict[str, Any]:
    """Return what the card says of the training; texts are English."""
    optimiser = plan.optimiser
    done = len(records)
    return {
        "program": f"allxai train --preset {preset.name}",
        "preset": preset.name,
        "source": preset.source,
        "recipe": _recipe(request, preset, done),
        "start": first,
        "optimiser": {
            "kind": optimiser.kind,
            "rate": optimiser.rate,
            "weight_decay": optimiser.weight_decay,
            "dense_l2": optimiser.dense_l2,
            **optimiser.numbers,
        },
        "schedule": plan.schedule,
        "batch": plan.batch,
        "epochs": done,
        "copies": preset.enlarge or "none",
        "random_views": "none" if look.random is None else repr(look.random),
        "shrunk": [list(stage) for stage in preset.shrunk],
        "selection": "the weights after the last epoch"
        if plan.patience is None
        else f"lowest validation loss, stopped after {plan.patience} epochs without a lower one",
        **({} if plan.average is None else {"running_mean_of_weights": plan.average}),
        "seed": plan.seed,
        "seconds": round(sum(record.seconds for record in records), 1),
        "computed_on": torch.cuda.get_device_name()
        if compute_device().type == "cuda"
        else f"CPU ({platform.machine()}), {torch.get_num_threads()} threads, torch {torch.__version__}",
    }


def _recipe(request: Request, preset: Preset, done: int) -> str:
    """Return how far the preset's recipe was followed."""
    plan = preset.plan
    text = "in full" if done >= plan.epochs else f"not run to its end: {done} of {plan.epochs} epochs"
    asked: dict[str, tuple[object, object]] = {
        "batch": (request.batch, plan.batch),
        "learning rate": (request.rate, plan.optimiser.rate),
        "weight decay": (request.decay, plan.optimiser.weight_decay),
        # Of a file only its name: where it lies is nobody's business.
        "start": (request.weights and Path(request.weights).name, preset.start),
        "never seen, a class": (request.unseen, preset.unseen),
    }
    others = [f"{name} {chosen}" for name, (chosen, its) in asked.items() if chosen not in (None, its)]
    return f"{text}; not as the preset: {', '.join(others)}" if others else text


def class_map_of(request: Request) -> dict[str, str]:
    """Return what the card says of the map that joined classes, if one did: its name, not where it lies."""
    return {} if request.class_map is None else {"class_map": Path(request.class_map).name}


def describe_domain(
    data_name: str, train: NDArray[np.float64], held_out: NDArray[np.float64]
) -> dict[str, Any]:
    """Return what the card says of the images that the network is for; `train` and `held_out` as in `limits_of`."""
    return {
        "description": {
            "en": f"images like those of the data set “{data_name}”",
            "es": f"imágenes como las del conjunto de datos «{data_name}»",
        },
        "limits": limits_of(train, held_out),
    }


def part_sizes(data: DataSet, parts: Mapping[str, Sequence[int]]) -> dict[str, Part]:
    """Return the size of each part of a split that has images, under the name that reports have for it.

    `parts` are positions in `data`; one that stands there several times is counted as often.
    """
    names = {"train": "train", "val": "validation", "test": "test", "unseen": "unseen"}
    return {
        names[name]: Part(
            len(positions),
            len({data.items[position].subject for position in positions}) if data.has_subjects else None,
        )
        for name, positions in parts.items()
        if positions
    }


def caution_of(data: DataSet) -> str:
    """Return what its readers must know of a split of `data`, "" where whom each image is from is known.

    It is English, for the card; who shows it translates it.
    """
    if data.has_subjects:
        return ""
    return N_(
        "Which person each image is from is not known, so images of one person may lie in several parts: the figures"
        " say nothing about new persons. If the file names tell the person, give a pattern that finds it."
    )
