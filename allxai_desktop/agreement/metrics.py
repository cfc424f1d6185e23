"""How far two masks of an image agree, and two sets of masks over many images.

Only pixels that are labelled in both masks are compared. Dice 1945; Jaccard (IoU) 1912; Cohen's κ 1960, over the five
classes and for each class against the rest; the mean symmetric distance of the boundaries, and the larger of the two
directed 95th percentiles of these distances (Huttenlocher 1993, Taha and Hanbury 2015).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from allxai_desktop.cellclasses import CLASSES, CODES, MAX_CODE, UNLABELLED
from allxai_desktop.training.measuring.intervals import Basis, Bootstrap, Estimate
from allxai_desktop.training.measuring.metrics import ratio, weighted_mean
from allxai_desktop.training.measuring.segmentation_metrics import pixel_confusion

Figure = Literal["dice", "iou", "kappa", "distance", "hausdorff95"]
"""Figures of one class in one image; a class that is in neither mask has none, and distances need it in both."""
FIGURES: tuple[Figure, ...] = ("dice", "iou", "kappa", "distance", "hausdorff95")
OVERALL = ("agreement_pooled", "agreement_mean", "kappa_pooled", "kappa_mean")
"""Share of the pixels with one class in both masks, and κ over the five classes."""
OF_CLASS = (
    "dice_pooled",
    "dice_mean",
    "iou_pooled",
    "iou_mean",
    "kappa_pooled",
    "kappa_mean",
    "distance_pooled",
    "distance_mean",
    "hausdorff95_mean",
)
"""`_pooled`: of the pixels (or boundary pixels) of all images; `_mean`: over the images that have the figure."""
_Key = tuple[str, int | None]
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Distances:
    """Distances in pixels from the boundary of a class in one mask to that in the other, both ways: sum, number, and
    the larger 95th percentile of the two ways."""

    total: float
    count: int
    percentile95: float


@dataclass(frozen=True, eq=False)
class Compared:
    """Two masks of one image: `confusion` (5, 5) counts pixels by their class in the first and in the second, `pixels`
    all of the image; `distances` in the order of the classes. `pixel_size_um` is the side of a pixel, where known."""

    name: str
    confusion: NDArray[np.int64]
    pixels: int
    distances: tuple[Distances | None, ...]
    pixel_size_um: float | None = None
    subject: str | None = None

    @property
    def share(self) -> float:
        """The share of the pixels that is labelled in both masks, 0…1."""
        return int(self.confusion.sum()) / self.pixels if self.pixels else 0.0

    @property
    def kappa(self) -> float | None:
        """Cohen's κ over the five classes."""
        return _value(_overall(self.confusion)["kappa"])

    @property
    def rank(self) -> float:
        """What puts images that agree least first: κ, below all of them where there is none."""
        return -2.0 if self.kappa is None else self.kappa

    @property
    def agreement(self) -> float | None:
        """The share of the compared pixels that have one class in both masks."""
        return _value(_overall(self.confusion)["agreement"])

    def figures(self, in_um: bool) -> dict[str, dict[Figure, float | None]]:
        """Return the figures of each class, distances in µm or pixels. Raises `ValueError` where µm are not known."""
        scale = _scale(self, in_um)
        rates = _of_class(self.confusion)
        found: dict[str, dict[Figure, float | None]] = {}
        for number, cls in enumerate(CLASSES):
            far = self.distances[number]
            found[cls.key] = {
                "dice": _value(rates["dice"][number]),
                "iou": _value(rates["iou"][number]),
                "kappa": _value(rates["kappa"][number]),
                "distance": None if far is None else scale * far.total / far.count,
                "hausdorff95": None if far is None else scale * far.percentile95,
            }
        return found


@dataclass(frozen=True, eq=False)
class Agreement:
    """Two sets of masks: figures with 95 % intervals, by `OVERALL` and for each class key by `OF_CLASS`.

    Distances are in µm where the pixel size of every image is known (`in_um`), else in pixels. `groups` is the number
    of subjects that the bootstrap draws, None where it draws images.
    """

    images: tuple[Compared, ...]
    in_um: bool
    groups: int | None
    overall: dict[str, Estimate]
    of_class: dict[str, dict[str, Estimate]]

    @property
    def image_count(self) -> int:
        """How many images there are; one may be compared more than once."""
        return len({one.name for one in self.images})


def compare(
    name: str,
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    *,
    pixel_size_um: float | None = None,
    subject: str | None = None,
) -> Compared:
    """Compare two masks uint8 (H, W), 0 unlabelled. Raises `ValueError` for masks of two shapes."""
    confusion = pixel_confusion(first, second, MAX_CODE + 1)[1:, 1:]
    both = (first != UNLABELLED) & (second != UNLABELLED)
    distances = tuple(
        _distances(_boundary(first == code, both), _boundary(second == code, both)) for code in CODES
    )
    return Compared(name, confusion, first.size, distances, pixel_size_um, subject)


def _boundary(inside: NDArray[np.bool_], compared: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the places (n, 2) of a class beside a compared pixel of another: not along the edge of the image."""
    return np.argwhere(inside & compared & ndimage.binary_dilation(compared & ~inside))


def _distances(first: NDArray[np.int64], second: NDArray[np.int64]) -> Distances | None:
    if not len(first) or not len(second):
        return None
    ways = [KDTree(other).query(one)[0] for one, other in ((first, second), (second, first))]
    return Distances(
        float(sum(way.sum() for way in ways)),
        len(first) + len(second),
        float(max(np.percentile(way, 95) for way in ways)),
    )


def summarise(images: Sequence[Compared]) -> Agreement:
    """Pool images and take means over them; subjects are drawn where every image has one.

    Raises `ValueError` for no images.
    """
    if not images:
        raise ValueError("images")
    in_um = all(one.pixel_size_um is not None for one in images)
    subjects: list[Hashable] = [one.subject for one in images]
    by_subject = None not in subjects
    # An image that several pairs of people annotated is drawn with all its comparisons.
    boot = Bootstrap(len(images), subjects if by_subject else [one.name for one in images], seed=0)
    table = _Table(images, in_um)
    found = boot.estimates(table.figures, table.bases())
    return Agreement(
        tuple(images),
        in_um,
        boot.groups if by_subject else None,
        {name: found[name, None] for name in OVERALL},
        {cls.key: {name: found[name, number] for name in OF_CLASS} for number, cls in enumerate(CLASSES)},
    )


class _Table:
    """What a bootstrap weighs: arrays with a row an image."""

    def __init__(self, images: Sequence[Compared], in_um: bool) -> None:
        self.matrices = np.stack([one.confusion for one in images]).astype(np.float64)
        scales = np.array([_scale(one, in_um) for one in images])[:, None]
        known = [[far or Distances(0.0, 0, np.nan) for far in one.distances] for one in images]
        self.totals = scales * np.array([[far.total for far in row] for row in known])
        self.counts = np.array([[far.count for far in row] for row in known], np.float64)
        self.percentiles = scales * np.array([[far.percentile95 for far in row] for row in known])

    def bases(self) -> dict[_Key, Basis]:
        """Return the images that each figure rests on."""
        some = self.matrices.sum(axis=(1, 2)) > 0
        found: dict[_Key, Basis] = {(name, None): Basis((some,)) for name in OVERALL}
        there = self.matrices.sum(axis=1) + self.matrices.sum(axis=2) > 0
        for number in range(len(CLASSES)):
            for name in OF_CLASS:
                far = name.startswith(("distance", "hausdorff95"))
                found[name, number] = Basis((self.counts[:, number] > 0 if far else there[:, number],))
        return found

    def figures(self, weights: _Floats) -> dict[_Key, _Floats]:
        """Return every figure (B,) for image weights (B, N)."""
        pooled = np.tensordot(weights, self.matrices, 1)
        found: dict[_Key, _Floats] = {}
        for ending, rates in (("pooled", _overall(pooled)), ("mean", _overall(self.matrices))):
            for name, values in rates.items():
                found[f"{name}_{ending}", None] = (
                    values if ending == "pooled" else weighted_mean(weights, values)
                )
        of_all, of_each = _of_class(pooled), _of_class(self.matrices)
        distances = ratio(weights @ self.totals, weights @ self.counts)
        each = ratio(self.totals, self.counts)
        for number in range(len(CLASSES)):
            for name in ("dice", "iou", "kappa"):
                found[f"{name}_pooled", number] = of_all[name][:, number]
                found[f"{name}_mean", number] = weighted_mean(weights, of_each[name][:, number])
            found["distance_pooled", number] = distances[:, number]
            found["distance_mean", number] = weighted_mean(weights, each[:, number])
            found["hausdorff95_mean", number] = weighted_mean(weights, self.percentiles[:, number])
        return found


def _overall(matrices: NDArray[np.number]) -> dict[str, _Floats]:
    """Return figures (…) of confusions (…, 5, 5)."""
    counts = np.asarray(matrices, np.float64)
    total = counts.sum(axis=(-2, -1))
    same = ratio(np.trace(counts, axis1=-2, axis2=-1), total)
    chance = ratio((counts.sum(axis=-1) * counts.sum(axis=-2)).sum(axis=-1), total**2)
    return {"agreement": same, "kappa": ratio(same - chance, 1 - chance)}


def _of_class(matrices: NDArray[np.number]) -> dict[str, _Floats]:
    """Return figures (…, 5) of confusions (…, 5, 5)."""
    counts = np.asarray(matrices, np.float64)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    first, second = counts.sum(axis=-1), counts.sum(axis=-2)
    total = counts.sum(axis=(-2, -1))[..., None]
    same = ratio(total - first - second + 2 * hits, total)
    chance = ratio(first * second + (total - first) * (total - second), total**2)
    return {
        "dice": ratio(2 * hits, first + second),
        "iou": ratio(hits, first + second - hits),
        "kappa": ratio(same - chance, 1 - chance),
    }


def _scale(one: Compared, in_um: bool) -> float:
    if not in_um:
        return 1.0
    if one.pixel_size_um is None:
        raise ValueError("pixel size")
    return one.pixel_size_um


def _value(found: _Floats | np.float64) -> float | None:
    return None if np.isnan(found) else float(found)
