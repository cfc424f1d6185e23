"""The data set that a training window shows: listed at once, looked through in the background."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from psygnal import Signal

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import N_, _
from allxai_desktop.tasks import Dispatch, Progress, TaskRunner, at_once
from allxai_desktop.training.datasets.classmaps import NEGATIVE, ClassMap, class_map_names, read_class_map
from allxai_desktop.training.datasets.data import (
    Item,
    TrainingError,
    read_data,
    read_image_names,
    subject_pattern,
)
from allxai_desktop.training.datasets.dataset import DataSet, Skipped, look_through
from allxai_desktop.training.datasets.duplicates import group_fingerprints, merge_groups
from allxai_desktop.training.preparing.proposals import write_proposals


@dataclass(frozen=True)
class ClassCount:
    """A class with how many images it has, and from how many subjects; None where an image has none."""

    name: str
    images: int
    subjects: int | None


class DataModel:
    """What there is to learn from, and how it is read.

    `items` are the images with their classes as the class map has them and their subjects as the pattern finds them;
    `classes` counts those that can be used, `subjects` too; None where the subject of one is not known.
    `data` is there once each was read, and `copies` then says how many show what another shows, turned or not.
    `plain` is a folder of images with neither classes nor masks, for which masks can be proposed.
    `maps` are the class maps of the program that fit the classes, name → title. `error`, `map_error` and
    `pattern_error` are sentences, or "". Everything is read on threads of its own; `dispatch` as in `TaskRunner`.
    """

    changed = Signal()
    progressed = Signal(float)

    def __init__(self, dispatch: Dispatch = at_once) -> None:
        self.path: Path | None = None
        self.root = Path()
        self.items: list[Item] = []
        self.data: DataSet | None = None
        self.segmentation = False
        self.pattern = ""
        self.class_map = ""
        self.maps: dict[str, str] = {}
        self.error = self.map_error = self.pattern_error = ""
        self.plain = False
        self.copies = 0
        self.classes: list[ClassCount] = []
        self.subjects: int | None = None
        self._listed: list[Item] = []
        self._seen: DataSet | None = None
        self._problems: list[str] = []
        self._map: ClassMap | None = None
        failure = N_("The images could not be read: see the log, or choose others.")
        self._lister, self._looker, self._proposer = (TaskRunner(dispatch, failure) for _runner in range(3))
        self._lister.finished.connect(self._on_listed)
        self._looker.finished.connect(self._on_seen)
        self._proposer.finished.connect(self._on_proposed)
        for runner in (self._lister, self._looker, self._proposer):
            runner.failed.connect(self._on_failed)
        self._looker.progressed.connect(self.progressed)
        self._proposer.progressed.connect(self.progressed)

    @property
    def looking(self) -> bool:
        """Whether the data are being read."""
        return self._lister.running or self._looker.running or self._proposer.running

    @property
    def has_classes(self) -> bool:
        """Whether images have a class."""
        return any(item.label for item in self._listed)

    @property
    def has_masks(self) -> bool:
        """Whether images have a mask."""
        return any(item.mask for item in self._listed)

    @property
    def usable(self) -> list[Item]:
        """The images that can be used; all of them as long as they were not read."""
        return self.items if self.data is None else self.data.items

    @property
    def skipped(self) -> Sequence[Skipped]:
        """The images that were left out, each with the reason."""
        return () if self.data is None else self.data.skipped

    @property
    def notes(self) -> list[str]:
        """What is worth knowing of the data, beside `skipped`."""
        if self.data is None:
            return self._problems
        # The first note counts and names what `skipped` explains.
        notes = self._problems + self.data.notes[bool(self.data.skipped) :]
        if self.copies:
            notes.append(
                _(
                    "Images that show what another shows, turned or compressed: {count}. A split keeps them on one"
                    " side."
                ).format(count=self.copies)
            )
        return notes

    @property
    def suggested_positive(self) -> str | None:
        """The positive class of the class map, or of two classes the one beside one that is called healthy or so."""
        if self._map is not None and self._map.positive is not None:
            return self._map.positive
        likely = [found.name for found in self.classes if found.name.casefold() not in NEGATIVE]
        return likely[0] if len(self.classes) == 2 and len(likely) == 1 else None

    def open(self, path: Path) -> None:
        """Read the data set at `path`: a folder, a table or a study. What is shown before goes."""
        self.path, self.root = path, path
        self._listed, self._seen = [], None
        self.maps, self.error, self.plain = {}, "", False
        self._problems = []
        self.class_map, self._map, self.map_error = "", None, ""
        self._looker.cancel()
        self._lister.start(lambda _progress: _read(path))
        self._derive()

    def choose(self, *, pattern: str | None = None, class_map: str | None = None) -> None:
        """Find subjects by another pattern, or learn other classes ("" for those of the data)."""
        if pattern is not None:
            self.pattern = pattern
        if class_map is not None:
            self.class_map = class_map
            self._read_map()
        self._derive()
        if self._listed and self._seen is None and not self._lister.running:
            # A class of one image may have been what stopped the reading.
            self._look()

    def set_task(self, *, segmentation: bool) -> None:
        """Read the images for their classes, or with their masks."""
        if segmentation != self.segmentation:
            self.segmentation = segmentation
            if self._listed:
                self._look()

    def propose(self, out: Path) -> None:
        """Write a nucleus mask for each image of a `plain` folder into the empty folder `out`, and open that."""
        path = self.path
        if self.plain and path is not None:
            self.error = ""
            self._proposer.start(lambda progress: (out, write_proposals(path, out, progress)))
            self.changed.emit()

    def close(self) -> None:
        """Stop: nothing is delivered after this."""
        for runner in (self._lister, self._looker, self._proposer):
            runner.close()

    def _on_proposed(self, found: tuple[Path, list[str]]) -> None:
        out, problems = found
        self.open(out)
        self._problems = problems

    def _on_listed(self, found: tuple[Path, list[Item]] | str) -> None:
        if isinstance(found, str):
            self.error, self.plain = found, True
            self.changed.emit()
            return
        self.root, self._listed = found
        labels = {item.label for item in self._listed if item.label}
        known = {name: read_class_map(name) for name in class_map_names() if labels}
        self.maps = {name: known[name].title for name in known if labels <= set(known[name].target)}
        self.segmentation = not self.has_classes and self.has_masks
        self._look()

    def _look(self) -> None:
        self._seen, self.error = None, ""
        self._derive()
        root, segmentation = self.root, self.segmentation
        # Only the classes are checked there: those to be learnt, where they are known.
        items = list(self.items)

        def work(progress: Progress) -> tuple[DataSet, int]:
            data = look_through(root, items, segmentation=segmentation, progress=progress)
            alike = merge_groups([None] * len(data.items), data.sha256, group_fingerprints(data.fingerprints))
            return data, len(alike) - len(set(alike))

        self._looker.start(work)
        self.changed.emit()

    def _on_seen(self, found: tuple[DataSet, int]) -> None:
        self._seen, self.copies = found
        self._derive()

    def _on_failed(self, message: str) -> None:
        self.error = message
        self.changed.emit()

    def _read_map(self) -> None:
        self._map, self.map_error = None, ""
        try:
            self._map = read_class_map(self.class_map) if self.class_map else None
        except AllxaiError as error:
            self.map_error = str(error)

    def _derive(self) -> None:
        self.pattern_error = ""
        items = self._listed
        if self._map is not None:
            try:
                named = iter(self._map.apply([item for item in items if item.label]))
                items = [next(named) if item.label else item for item in items]
                self.map_error = ""
            except AllxaiError as error:
                self.map_error = str(error)
        if self.pattern:
            try:
                find = subject_pattern(self.pattern)
                items = [replace(item, subject=find(PurePosixPath(item.file).name)) for item in items]
            except AllxaiError as error:
                self.pattern_error = str(error)
        self.items = items
        self.data = None
        if self._seen is not None:
            now = {item.file: item for item in items}
            self.data = replace(self._seen, items=[now[item.file] for item in self._seen.items])
        self._count()
        self.changed.emit()

    def _count(self) -> None:
        by_class: dict[str, list[Item]] = {}
        for item in self.usable:
            by_class.setdefault(item.label, []).append(item)
        # As a run numbers them.
        order = self._map.classes if self._map is not None else sorted(by_class)
        self.classes = [
            ClassCount(name, len(by_class[name]), _subjects(by_class[name]))
            for name in order
            if name and name in by_class
        ]
        self.subjects = _subjects(self.usable)


def _read(path: Path) -> tuple[Path, list[Item]] | str:
    """Return folder and images of a data set, or why a folder that holds only images is none."""
    try:
        return read_data(path)
    except TrainingError as error:
        if path.is_dir():
            with suppress(TrainingError):
                read_image_names(path)
                return str(error)
        raise


def _subjects(items: Sequence[Item]) -> int | None:
    names = {item.subject for item in items}
    return None if None in names or not names else len(names)


def missing_data(model: DataModel) -> str:
    """Return what there is to do before a run can learn from the data; "" where nothing."""
    if model.path is None:
        return _("Choose the images to learn from.")
    return model.error or model.map_error or model.pattern_error
