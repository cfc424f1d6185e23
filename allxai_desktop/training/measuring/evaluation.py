"""Every figure of a classifying network on one part of a data set, with its interval."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import logsumexp

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.training.measuring.calibration import (
    BINS,
    Reliability,
    bin_of,
    cross_entropy,
    fit_temperature,
    reliability,
    scaled,
)
from allxai_desktop.training.measuring.intervals import Basis, Bootstrap, Estimate
from allxai_desktop.training.measuring.metrics import Roc, auc, confusion_matrix, ratio, roc_curve

Overall = Literal[
    "accuracy",
    "balanced_accuracy",
    "auc",
    "cross_entropy",
    "calibration_error",
    "calibration_error_scaled",
]
"""`auc` is the mean over the classes, each against the rest; of two classes both have the same."""
OfClass = Literal["recall", "precision", "specificity", "fn_of_all", "auc"]
"""The class is the positive one and all others the negative; `fn_of_all` is its missed images ÷ all images."""
_Key = tuple[str, int | None]


class EvaluationError(AllxaiError):
    """Answers of a network that cannot be measured."""


@dataclass(frozen=True)
class Answers:
    """A network's `logits` (N, classes) for images whose classes are `truth` (N,).

    `groups` (N,), as subjects, None where they are not known. Raises `EvaluationError` for no images and for logits
    that are not finite, `ValueError` for shapes that do not fit.
    """

    logits: NDArray[np.float64]
    truth: NDArray[np.int64]
    files: tuple[str, ...]
    groups: tuple[Hashable, ...] | None = None

    def __post_init__(self) -> None:
        if not len(self.truth):
            raise EvaluationError(_("There are no images to measure the network on: add some to this part."))
        lengths = {len(self.logits), len(self.truth), len(self.files)}
        lengths |= set() if self.groups is None else {len(self.groups)}
        if len(lengths) > 1 or self.logits.ndim != 2:
            raise ValueError("shapes")
        if self.truth.min() < 0 or self.truth.max() >= self.logits.shape[1]:
            raise ValueError("truth")
        if not np.isfinite(self.logits).all():
            raise EvaluationError(
                _("The network’s answers are not numbers: train it again with a lower learning rate.")
            )

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The class with the highest logit (N,), the first of equals."""
        return np.asarray(self.logits.argmax(axis=1))

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """(N, classes), without temperature."""
        return scaled(self.logits)


@dataclass(frozen=True)
class Mistake:
    """A misclassified image; `probability` is of the class `predicted`."""

    file: str
    true: str
    predicted: str
    probability: float


@dataclass(frozen=True)
class GroupResult:
    """How one group did."""

    group: str
    images: int
    accuracy: float


@dataclass(frozen=True)
class Evaluation:
    """`temperature` is None where no validation part was given or it determines none."""

    classes: tuple[str, ...]
    positive: str | None
    images: int
    groups: int | None
    seed: int
    confusion: NDArray[np.int64]
    overall: dict[Overall, Estimate]
    of_class: dict[str, dict[OfClass, Estimate]]
    roc: dict[str, Roc | None]
    temperature: float | None
    reliability: Reliability
    reliability_scaled: Reliability | None
    by_group: list[GroupResult]
    mistakes: list[Mistake]


def evaluate(
    answers: Answers,
    classes: tuple[str, ...],
    positive: str | None = None,
    validation: Answers | None = None,
    seed: int = 0,
) -> Evaluation:
    """Measure `answers`; the temperature is fitted to `validation`, never to them.

    Raises `ValueError` for two classes without `positive` among them.
    """
    if answers.logits.shape[1] != len(classes):
        raise ValueError("classes")
    if len(classes) == 2 and positive not in classes:
        raise ValueError("a binary evaluation names its positive class")
    temperature = fit_temperature(validation.logits, validation.truth) if validation else None
    figures = _Figures(answers, temperature)
    boot = Bootstrap(len(answers.truth), answers.groups, answers.truth, seed)
    found = boot.estimates(figures, figures.bases())
    overall: Any = {name: estimate for (name, of), estimate in found.items() if of is None}
    of_class: dict[str, Any] = {
        title: {name: estimate for (name, of), estimate in found.items() if of == number}
        for number, title in enumerate(classes)
    }
    warmed = None if temperature is None else scaled(answers.logits, temperature)
    return Evaluation(
        classes,
        positive if len(classes) == 2 else None,
        len(answers.truth),
        None if answers.groups is None else boot.groups,
        seed,
        figures.confusion,
        overall,
        of_class,
        {
            title: roc_curve(answers.truth == number, figures.odds[number])
            for number, title in enumerate(classes)
        },
        temperature,
        reliability(answers.probabilities, answers.truth),
        None if warmed is None else reliability(warmed, answers.truth),
        _by_group(answers),
        _mistakes(answers, classes),
    )


class _Figures:
    """All figures as a function of image weights (B, N)."""

    def __init__(self, answers: Answers, temperature: float | None) -> None:
        self.answers = answers
        self.truth, self.predicted = answers.truth, answers.predicted
        self.count = answers.logits.shape[1]
        images = np.arange(len(self.truth))
        cells = self.truth * self.count + self.predicted
        self.cells = _columns(images, cells, np.ones(len(images)), self.count**2)
        # The log-odds of each class: as the probability, but equal only where the network's answers are.
        self.odds = [
            answers.logits[:, c] - logsumexp(np.delete(answers.logits, c, axis=1), axis=1)
            for c in range(self.count)
        ]
        self.loss = cross_entropy(answers.logits, self.truth)
        self.gaps = {"calibration_error": self._gaps(answers.probabilities)}
        if temperature is not None:
            self.gaps["calibration_error_scaled"] = self._gaps(scaled(answers.logits, temperature))
        self.confusion = confusion_matrix(self.truth.tolist(), self.predicted.tolist(), self.count)

    def _gaps(self, probabilities: NDArray[np.float64]) -> Any:
        confidence = probabilities.max(axis=1)
        gap = (self.predicted == self.truth) - confidence
        return _columns(np.arange(len(gap)), bin_of(confidence), gap, BINS)

    def __call__(self, weights: NDArray[np.float64]) -> dict[_Key, NDArray[np.float64]]:
        total = weights.sum(axis=1)
        matrix = (self.cells @ weights.T).T.reshape(-1, self.count, self.count)
        right = np.diagonal(matrix, axis1=1, axis2=2)
        true, called = matrix.sum(axis=2), matrix.sum(axis=1)
        recall, precision = ratio(right, true), ratio(right, called)
        present = np.bincount(self.truth, minlength=self.count) > 0
        found: dict[_Key, NDArray[np.float64]] = {
            ("accuracy", None): right.sum(axis=1) / total,
            ("balanced_accuracy", None): recall[:, present].mean(axis=1),
            ("cross_entropy", None): weights @ self.loss / total,
        }
        for name, gaps in self.gaps.items():
            found[name, None] = np.abs(gaps @ weights.T).sum(axis=0) / total
        areas = []
        for c in range(self.count):
            areas.append(auc(self.truth == c, self.odds[c], weights))
            negative = total - true[:, c]
            found["recall", c] = recall[:, c]
            found["precision", c] = precision[:, c]
            found["specificity", c] = ratio(negative - (called[:, c] - right[:, c]), negative)
            found["fn_of_all", c] = (true[:, c] - right[:, c]) / total
            found["auc", c] = areas[-1]
        found["auc", None] = np.mean(
            [area for area, there in zip(areas, present, strict=True) if there], axis=0
        )
        return found

    def bases(self) -> dict[_Key, Basis]:
        """Return what each figure rests on."""
        everything = np.ones(len(self.truth), bool)
        classes = tuple(self.truth == c for c in np.unique(self.truth))
        pooled = Basis((everything,), pooled=True)
        share = Basis((everything,), pooled=True, proportion=True)
        bases: dict[_Key, Basis] = {
            ("accuracy", None): share,
            ("balanced_accuracy", None): Basis(classes),
            ("auc", None): Basis(classes),
            ("cross_entropy", None): pooled,
            **{(name, None): pooled for name in self.gaps},
        }
        for c in range(self.count):
            its = self.truth == c
            bases["recall", c] = Basis((its,), proportion=True)
            bases["precision", c] = Basis((self.predicted == c,), pooled=True, proportion=True)
            bases["specificity", c] = Basis((~its,), proportion=True)
            bases["fn_of_all", c] = share
            bases["auc", c] = Basis((its, ~its))
        return bases


def _columns(
    images: NDArray[np.int64], columns: NDArray[np.int64], values: NDArray[np.float64], count: int
) -> Any:
    """Return the matrix (count, N) with one value an image."""
    return csr_array((values, (columns, images)), shape=(count, len(images)))


def _by_group(answers: Answers) -> list[GroupResult]:
    if answers.groups is None:
        return []
    right: dict[Hashable, list[bool]] = {}
    for group, hit in zip(answers.groups, answers.predicted == answers.truth, strict=True):
        right.setdefault(group, []).append(bool(hit))
    results = [GroupResult(str(group), len(hits), sum(hits) / len(hits)) for group, hits in right.items()]
    return sorted(results, key=lambda result: result.group)


def _mistakes(answers: Answers, classes: tuple[str, ...]) -> list[Mistake]:
    """Return the misclassified images, the surest first."""
    found = [
        Mistake(
            answers.files[i],
            classes[answers.truth[i]],
            classes[answers.predicted[i]],
            float(answers.probabilities[i, answers.predicted[i]]),
        )
        for i in np.flatnonzero(answers.predicted != answers.truth)
    ]
    return sorted(found, key=lambda mistake: (-mistake.probability, mistake.file))
