"""Each subject left out in turn: how a network does on persons that it never saw."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from allxai_desktop.i18n import N_, _
from allxai_desktop.networks.card import CARD_FILE
from allxai_desktop.networks.user import name_from
from allxai_desktop.training.classify_run import gather, train_classifier
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.measuring.evaluation import Answers, Evaluation, evaluate
from allxai_desktop.training.measuring.report import Part, Setting, card_metrics, write_report
from allxai_desktop.training.presets import find_preset
from allxai_desktop.training.run_folder import SETTINGS_FILE, write_card
from allxai_desktop.training.run_types import Request, Unwatched, Watcher

ENTRY = "each_subject_left_out"


@dataclass(frozen=True)
class LeftOut:
    """The answers of all the networks, each about the subject that it never saw, measured together."""

    folder: Path
    evaluation: Evaluation

    @property
    def accuracies(self) -> dict[str, float]:
        """Subject → the share of its images that is right."""
        return {found.group: found.accuracy for found in self.evaluation.by_group}


def leave_each_out(request: Request, watcher: Watcher | None = None) -> LeftOut:
    """Train one network a subject, without it; write the report of all into `request.out`, and it onto every card.

    With `request.resume` those that are finished are only measured again. Raises `AllxaiError`.
    """
    preset, watcher = find_preset(request.preset), watcher or Unwatched()
    material = gather(request, preset, watcher)
    known = [item.subject for item in material.data.items]
    subjects = sorted({subject for subject in known if subject is not None})
    if len(subjects) < 2 or None in known:
        raise TrainingError(
            _(
                "Leaving each subject out needs the subject of every image: give a pattern that finds it (--groups)."
            )
        )
    found: list[Answers] = []
    folders: list[Path] = []
    for number, subject in enumerate(subjects):
        watcher.note(
            _("Without the subject {name} ({number} of {count})").format(
                name=subject, number=number + 1, count=len(subjects)
            )
        )
        out = request.out / f"{number + 1:02d}-{name_from(subject)}"
        resume = request.resume and (out / SETTINGS_FILE).exists()
        one = replace(request, out=out, test_subjects=(subject,), unseen=0, resume=resume)
        found.append(train_classifier(one, preset, watcher, material, pooled=True).answers)
        folders.append(out)
    answers = Answers(
        np.concatenate([one.logits for one in found]),
        np.concatenate([one.truth for one in found]),
        tuple(file for one in found for file in one.files),
        tuple(group for one in found for group in one.groups or ()),
    )
    evaluation = evaluate(answers, material.classes, material.positive, seed=request.seed)
    setting = Setting(
        name_from(request.out.resolve().name),
        request.data.resolve().name,
        N_("each subject left out in turn: one network each, their answers taken together"),
        {"test": Part(len(answers.truth), len(subjects))},
        group_kind=N_("subject"),
    )
    write_report(request.out, evaluation, setting)
    entry = card_metrics(evaluation) | {
        "by_subject": {one.group: one.accuracy for one in evaluation.by_group}
    }
    for folder in folders:
        _add_to_card(folder, entry)
    return LeftOut(request.out, evaluation)


def _add_to_card(folder: Path, entry: Mapping[str, Any]) -> None:
    card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    card["metrics"][ENTRY] = dict(entry)
    write_card(folder, card)
