"""What a training run is asked for, what it tells while it runs, and what it leaves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Request:
    """One run: train `preset` on the images at `data`, write everything into the folder `out`.

    `groups` is the pattern that finds the subject in a file name; `test_subjects` are held out whole, in place of
    the preset's split, and `unseen` replaces its number of images a class that are never seen. `class_map` is a name
    or a path. `weights` is where to start: "none" (random numbers), "imagenet", a file, or the name of a network of the
    program; None is what the preset says. `epochs`, `batch`, `rate` (learning rate) and `decay` (weight decay) replace
    the preset's, and `patience` stops after so many epochs without a lower validation loss. `as_published` augments
    before the split, as the papers did.
    """

    preset: str
    data: Path
    out: Path
    groups: str | None = None
    test_subjects: tuple[str, ...] = ()
    unseen: int | None = None
    class_map: str | Path | None = None
    positive: str | None = None
    weights: str | None = None
    epochs: int | None = None
    batch: int | None = None
    rate: float | None = None
    decay: float | None = None
    patience: int | None = None
    seed: int = 0
    as_published: bool = False
    resume: bool = False


@dataclass(frozen=True)
class TrainChoices:
    """What is asked for beside the data, as in `Request`; None is what the preset says, and for `out` a new folder.

    `patience` None never ends a run early, and `test_subjects` count where the subjects are known.
    """

    preset: str
    positive: str | None = None
    weights: str | None = None
    epochs: int | None = None
    batch: int | None = None
    rate: float | None = None
    unseen: int | None = None
    test_subjects: tuple[str, ...] = ()
    patience: int | None = None
    seed: int = 0
    as_published: bool = False
    out: Path | None = None


@dataclass(frozen=True)
class EpochRecord:
    """How the epoch `number` (from 1) of `of` went; accuracies 0…1, None where nothing was measured.

    `seconds` is what it took, `seconds_left` what the remaining epochs will take. Of a segmentation the accuracy is of
    pixels, and `validation_dice` 0…1 the mean over the classes that are not background.
    """

    number: int
    of: int
    loss: float
    accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    seconds: float
    seconds_left: float
    validation_dice: float | None = None


class Watcher(Protocol):
    """Is told how a run goes, on the thread of the run. Any of its methods may raise `tasks.Cancelled`."""

    def note(self, sentence: str) -> None:
        """Take a sentence on what is worth knowing."""

    def stage(self, title: str, share: float) -> None:
        """Take what is being done, as "Reading the images", and how much of it is done, 0…1."""

    def step(self, share: float) -> None:
        """Take how much of the current epoch is done, 0…1; called at least at every batch."""

    def epoch(self, record: EpochRecord) -> None:
        """Take an epoch that ended and whose checkpoint is on disk; on resume, the former ones too."""


class Unwatched:
    """The watcher of a run that nobody watches."""

    def note(self, sentence: str) -> None:
        """Forget it."""

    def stage(self, title: str, share: float) -> None:
        """Forget it."""

    def step(self, share: float) -> None:
        """Forget it."""

    def epoch(self, record: EpochRecord) -> None:
        """Forget it."""


@dataclass(frozen=True)
class RunResult:
    """A finished run: its `folder` holds card, weights, report, pictures and curves; `card` is the parsed JSON.

    `evaluation` is an `Evaluation` or a `SegmentationEvaluation` of the test part; `answers` are the `Answers` that a
    classifying network gave there.
    """

    folder: Path
    card: Mapping[str, Any]
    evaluation: Any
    records: list[EpochRecord] = field(default_factory=list)
    answers: Any = None
