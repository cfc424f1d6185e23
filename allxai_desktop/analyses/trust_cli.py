"""`allxai explain --trust`: how far to trust the map, in figures and sentences."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.analyses.checks import Checks, subject
from allxai_desktop.analyses.faithfulness import FILL
from allxai_desktop.analyses.trust import verdicts
from allxai_desktop.analyses.verdicts import (
    Verdict,
    conservation_verdict,
    outside_share,
    outside_verdict,
    per_class,
)
from allxai_desktop.i18n import _

if TYPE_CHECKING:
    from allxai_desktop.explainers.explain import Explainer, Explanation
    from allxai_desktop.images import CellImage
    from allxai_desktop.masks.npz import MaskFile

Report = dict[str, dict[str, Any] | None]
"""Figures by name, each with its `level` and its `sentence`; None for what has no value."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--trust`."""
    parser.add_argument(
        "--trust", action="store_true", help=_("how far to trust the map; takes half a minute or more")
    )


def trust(
    options: argparse.Namespace,
    explainer: Explainer,
    image: CellImage,
    mask: MaskFile | None,
    explanation: Explanation,
) -> Report | None:
    """Return the report where it was asked for."""
    return (
        report(explainer, image, None if mask is None else mask.codes, explanation) if options.trust else None
    )


def report(
    explainer: Explainer, image: CellImage, codes: NDArray[np.uint8] | None, explanation: Explanation
) -> Report:
    """Return all figures of an explanation that `explainer` made of `image`; `codes` is its mask (H, W) or None."""
    shown = subject(image, explainer.network.card.name, explanation)
    made: Report = dict.fromkeys(
        ("conservation", "outside_cell", "same_map", "deletion", "insertion", "stability", "randomisation")
    )
    conserved = conservation_verdict(explanation)
    if conserved is not None:
        made["conservation"] = _with(conserved, ratio=explanation.conservation)
    if shown is None:
        return made
    if codes is not None:
        flat = codes.reshape(-1)
        mass = per_class(flat, np.maximum(shown.relevance, 0).reshape(-1))
        outside = outside_share(mass, per_class(flat))
        if outside is not None:
            made["outside_cell"] = _with(outside_verdict(outside), **asdict(outside))
    checks = Checks(lambda _name: explainer)
    twin = checks.twin(shown)
    if twin is not None:
        made["same_map"] = {"sentence": twin}
    curves = checks.faithfulness(shown)
    randoms = curves.random_aucs
    common = {
        "random_auc_min": randoms.min().item(),
        "random_auc_mean": randoms.mean().item(),
        "random_auc_max": randoms.max().item(),
        "fill": FILL,
    }
    deletion, insertion = verdicts("faithfulness", curves)
    made["deletion"] = _with(deletion, auc=curves.deletion_auc, **common, scores=curves.deletion.tolist())
    made["insertion"] = _with(insertion, auc=curves.insertion_auc, **common, scores=curves.insertion.tolist())
    steady = checks.stability(shown)
    made["stability"] = _with(
        verdicts("stability", steady)[0], rank_correlation=steady.correlation, top_overlap=steady.overlap
    )
    random = checks.randomisation(shown)
    made["randomisation"] = _with(
        verdicts("randomisation", random)[0],
        rank_correlation=random.all_correlation,
        ssim=random.all_ssim,
        last_layer_rank_correlation=random.last_correlation,
    )
    return made


def lines(report: Report) -> list[str]:
    """Return the sentences of a report, the figures in brackets."""
    found = []
    for part in report.values():
        if part is not None:
            figure = f" ({part['figure']})" if "figure" in part else ""
            found.append(f"  {part['sentence']}{figure}")
    return [_("How far to trust this map:"), *found] if found else []


def _with(verdict: Verdict, **figures: Any) -> dict[str, Any]:
    return {**figures, "figure": verdict.figure, "level": verdict.level, "sentence": verdict.sentence}
