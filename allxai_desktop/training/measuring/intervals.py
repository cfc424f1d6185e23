"""95 % intervals by a bootstrap over groups.

Images of one subject are alike, so whole groups are drawn with replacement (Davison and Hinkley 1997, §3.8). The
percentiles are corrected for bias (Efron 1981): calibration errors of resamples are mostly larger than that of
the sample.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Key = TypeVar("Key", bound=Hashable)
Reason = Literal["undefined", "few-groups", "unstable", "no-spread"]
"""Why a figure has no value ("undefined": nothing to count), or a value but no interval."""

LEVEL = 0.95
RESAMPLES = 2000
# Of three groups one draw in 27 is the worst three times: more than the 2.5 % beyond an end, which would be that group.
FEWEST_GROUPS = 5
# With more of the images than this in classes of fewer groups, a figure over all classes has no interval either.
THIN_SHARE = 0.05
# How many resamples may leave a figure undefined (its class drawn in none) and still be left out.
UNDEFINED_SHARE = 0.05
_CHUNK = 4_000_000


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval from `low` to `high`; `reason` says why one of them is None."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: Reason | None = None


@dataclass(frozen=True)
class Basis:
    """The images that a figure rests on.

    Each of `masks` (N,) must hold groups enough. `pooled`: the figure is over all classes as they come.
    `proportion`: it is the share of the first mask's images that are right.
    """

    masks: tuple[NDArray[np.bool_], ...]
    pooled: bool = False
    proportion: bool = False


class Bootstrap:
    """Draws groups; `groups` (N,) is the group of each image, None where every image is its own.

    `truth` (N,) is the class of each image, None where they have none.
    """

    def __init__(
        self,
        images: int,
        groups: Sequence[Hashable] | None = None,
        truth: NDArray[np.int64] | None = None,
        seed: int = 0,
    ) -> None:
        numbers: dict[Hashable, int] = {}
        names = range(images) if groups is None else groups
        self.member = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
        if len(self.member) != images:
            raise ValueError("groups")
        self.images, self.groups, self.seed = images, len(numbers), seed
        self.thin_share = 0.0
        if truth is not None:
            thin = [c for c in np.unique(truth) if self.groups_in(truth == c) < FEWEST_GROUPS]
            self.thin_share = float(np.isin(truth, thin).mean()) if images else 0.0

    def groups_in(self, mask: NDArray[np.bool_]) -> int:
        """Return how many groups have an image in `mask` (N,)."""
        return len(np.unique(self.member[mask]))

    def estimates(
        self,
        figures: Callable[[NDArray[np.float64]], dict[Key, NDArray[np.float64]]],
        bases: Mapping[Key, Basis],
    ) -> dict[Key, Estimate]:
        """Return the estimate of each of `figures`, which takes image weights (B, N) and gives values (B,).

        A figure that is undefined for some weights is NaN there.
        """
        values = {key: float(value[0]) for key, value in figures(np.ones((1, self.images))).items()}
        reasons = {key: self._reason(values[key], bases[key]) for key in values}
        drawn: dict[Key, list[NDArray[np.float64]]] = {key: [] for key in values}
        if not all(reasons.values()):
            for weights in self._weights():
                for key, value in figures(weights).items():
                    drawn[key].append(value)
        return {
            key: Estimate(None if np.isnan(value) else value, reason=reasons[key])
            if reasons[key]
            else self._estimate(value, np.concatenate(drawn[key]), bases[key])
            for key, value in values.items()
        }

    def _weights(self) -> Iterator[NDArray[np.float64]]:
        random = np.random.default_rng(self.seed)
        rows = max(1, _CHUNK // self.images)
        for first in range(0, RESAMPLES, rows):
            count = min(rows, RESAMPLES - first)
            chosen = random.integers(self.groups, size=(count, self.groups))
            chosen += self.groups * np.arange(count)[:, None]
            times = np.bincount(chosen.ravel(), minlength=count * self.groups).reshape(count, self.groups)
            yield times.astype(np.float64)[:, self.member]

    def _reason(self, value: float, basis: Basis) -> Reason | None:
        if np.isnan(value):
            return "undefined"
        few = any(self.groups_in(mask) < FEWEST_GROUPS for mask in basis.masks)
        return "few-groups" if few or (basis.pooled and self.thin_share > THIN_SHARE) else None

    def _estimate(self, value: float, drawn: NDArray[np.float64], basis: Basis) -> Estimate:
        known = drawn[~np.isnan(drawn)]
        if len(known) < (1 - UNDEFINED_SHARE) * len(drawn):
            return Estimate(value, reason="unstable")
        if known.min() < known.max():
            return Estimate(value, *_corrected(value, known))
        if basis.proportion and value in (0.0, 1.0):
            # Clopper and Pearson 1934, a group being one trial: the bootstrap knows no error that it has not seen.
            bound = ((1 - LEVEL) / 2) ** (1 / self.groups_in(basis.masks[0]))
            return Estimate(value, *((bound, 1.0) if value else (0.0, 1 - bound)))
        return Estimate(value, reason="no-spread")


def _corrected(value: float, drawn: NDArray[np.float64]) -> tuple[float, float]:
    below = np.mean(drawn < value) + np.mean(drawn == value) / 2
    bias = ndtri(np.clip(below, 1 / len(drawn), 1 - 1 / len(drawn)))
    ends = ndtr(2 * bias + ndtri(np.array([1 - LEVEL, 1 + LEVEL]) / 2))
    low, high = np.quantile(drawn, ends)
    return min(float(low), value), max(float(high), value)


def as_dict(estimate: Estimate) -> dict[str, Any]:
    """Return what goes into a JSON file."""
    found: dict[str, Any] = {"value": estimate.value}
    if estimate.low is not None:
        found |= {"low": estimate.low, "high": estimate.high}
    return found | ({"reason": estimate.reason} if estimate.reason else {})
