"""Does the map change when the weights are random? (Adebayo et al. 2018, "Sanity checks for saliency maps")

The random networks live inside the check only; the real one is read and never written to.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from allxai_desktop.analyses.similarity import spearman, ssim
from allxai_desktop.analyses.stages import stage
from allxai_desktop.explainers.graph import cached_graph
from allxai_desktop.explainers.operations import KINDS
from allxai_desktop.tasks import Progress, unwatched

DRAWS = 3
# An explainer that is defined for positive scores only meets one in every second random network.
_TRIES = 4 * DRAWS
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm)


@dataclass(frozen=True)
class Randomisation:
    """Similarity of the map's |R| with those of random networks: rank correlation (−1…1) and SSIM, a value a draw.

    `all_layers`: every weight is random; `last_layer`: only those of the last layer. Empty where the
    explainer was defined on none of the random networks.
    """

    all_layers: tuple[tuple[float, float], ...]
    last_layer: tuple[tuple[float, float], ...]

    @property
    def all_correlation(self) -> float | None:
        """Mean rank correlation with every weight random."""
        return float(np.mean([rank for rank, _ssim in self.all_layers])) if self.all_layers else None

    @property
    def all_ssim(self) -> float | None:
        """Mean SSIM with every weight random."""
        return float(np.mean([ssim for _rank, ssim in self.all_layers])) if self.all_layers else None

    @property
    def last_correlation(self) -> float | None:
        """Mean rank correlation with the last layer random."""
        return float(np.mean([rank for rank, _ssim in self.last_layer])) if self.last_layer else None


def random_copy(module: nn.Module, seed: int, only: str | None = None) -> nn.Module:
    """Return a copy of `module` with fresh weights, in all of it or in its submodule `only`.

    As before any training: He's normal distribution (He et al. 2015), zero biases, BatchNorm that changes nothing.
    """
    made = copy.deepcopy(module)
    generator = torch.Generator().manual_seed(seed)
    for child in (made if only is None else made.get_submodule(only)).modules():
        if isinstance(child, _NORMS):
            child.reset_parameters()
            continue
        for parameter in child.parameters(recurse=False):
            if parameter.ndim > 1:
                nn.init.kaiming_normal_(parameter, nonlinearity="relu", generator=generator)
            else:
                nn.init.zeros_(parameter)
    return made


def last_layer(module: nn.Module) -> str | None:
    """Return the name of the last submodule with weights that the logits are computed by; None where there is none."""
    graph = cached_graph(module, torch.float32)
    names = [
        str(node.target)
        for node in graph.nodes
        if node.op == "call_module" and KINDS.get(graph.key(node)) == "weights"
    ]
    return names[-1] if names else None


def randomisation(
    explain: Callable[[nn.Module, Progress], NDArray[Any] | None],
    module: nn.Module,
    relevance: NDArray[Any],
    progress: Progress = unwatched,
) -> Randomisation:
    """Compare the map (H, W) of `module` with those that `explain` makes of random copies of it.

    `explain` returns None for an undefined map; another copy is then drawn. Raises what `progress` raises.
    """

    def compare(only: str | None, start: float) -> tuple[tuple[float, float], ...]:
        found: list[tuple[float, float]] = []
        for seed in range(_TRIES):
            here, after = (start + share / DRAWS / 2 for share in (len(found), len(found) + 1))
            other = explain(random_copy(module, seed, only), stage(progress, here, after))
            if other is not None:
                sizes = np.abs(relevance), np.abs(other)
                found.append((spearman(*sizes), ssim(*sizes)))
            progress(start + len(found) / DRAWS / 2)
            if len(found) == DRAWS:
                break
        return tuple(found)

    last = last_layer(module)
    everything = compare(None, 0.0)
    return Randomisation(everything, () if last is None else compare(last, 0.5))
