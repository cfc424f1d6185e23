"""The field that is shown: its candidate white cells, which of them are in the study, and what a network sees there."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from threading import Event

from psygnal import Signal

from allxai_desktop.fields.candidates import Found
from allxai_desktop.fields.crops import (
    MAX_SIDE,
    MIN_SIDE,
    Box,
    box_around,
    crops_of,
    study_with,
    take_crops,
    usual_side,
)
from allxai_desktop.fields.marks import Mark, mark_cells
from allxai_desktop.fields.predicting import Seen, predict
from allxai_desktop.fields.source import Field, PixelField, find_in_field, read_box
from allxai_desktop.i18n import N_, _
from allxai_desktop.images import CellImage
from allxai_desktop.notice import Level, Notice
from allxai_desktop.session import Choices
from allxai_desktop.slides.large import LargeImage
from allxai_desktop.study.folder import Study, StudyItem
from allxai_desktop.study.workspace import Workspace
from allxai_desktop.tasks import Dispatch, Progress, TaskRunner, at_once

MIN_PIXELS = 1_500_000
"""Images with at least this many pixels are taken for fields, whose cells are marked when they are opened."""
_REMEMBERED = 16
# For each of these the whole `study.toml` is read, which takes half a second where it names 10,000 images.
_TOGETHER = 8


@dataclass
class _Known:
    """What was found out about one field, kept while others are shown."""

    found: Found | None = None
    seen: dict[tuple[str, Box], Seen] = field(default_factory=dict)


class FieldModel:
    """Follows a `Workspace`. While `active`, the image is a field: its cells are marked, and it is not explained.

    `auto` makes images of at least `MIN_PIXELS` active when they are shown. `side` is that of new crops in px, None
    for the usual one. What takes long runs on threads; signals are emitted through `dispatch`.
    """

    active_changed = Signal(bool)
    auto_changed = Signal(bool)
    side_changed = Signal(object)
    marks_changed = Signal()
    busy_changed = Signal()
    progressed = Signal(float)
    predicting_changed = Signal(bool)

    def __init__(
        self,
        workspace: Workspace,
        dispatch: Dispatch = at_once,
        *,
        auto: bool = True,
        side: int | None = None,
    ) -> None:
        self.workspace = workspace
        self.auto = auto
        self.active = False
        self.predicting = False
        self.marks: tuple[Mark, ...] = ()
        self._side = side
        self._source: Field | None = None
        self._went_back_to: str | None = None
        self._enough = Event()
        self._waiting: list[Callable[[Progress], tuple[StudyItem, Study]]] = []
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._dispatch = dispatch
        self._finder = TaskRunner(dispatch, N_("The cells could not be looked for: see the log."))
        self._predictor = TaskRunner(dispatch, N_("The prediction failed: see the log."))
        self._taker = TaskRunner(dispatch, N_("The crop could not be taken: see the log."))
        self._finder.finished.connect(self._on_found)
        self._predictor.finished.connect(self._on_predicted)
        self._taker.finished.connect(self._on_taken)
        for runner in (self._finder, self._predictor, self._taker):
            runner.failed.connect(self._on_failed)
            runner.running_changed.connect(self._on_running)
            runner.progressed.connect(self.progressed.emit)
        workspace.is_field = self._is_field
        workspace.item_shown.connect(self._on_item)
        workspace.session.choices_changed.connect(self._on_choices)

    # What is known

    @property
    def home(self) -> str | None:
        """The file name of the field that the image shown was cut from, where that is known."""
        item = self.workspace.item
        return None if item is None else item.field

    @property
    def found(self) -> Found | None:
        """What was found in the field that is shown; None until then."""
        known = self._here()
        return None if known is None or not self.active else known.found

    @property
    def finding(self) -> bool:
        """Whether cells are being looked for."""
        return self._finder.running

    @property
    def busy(self) -> bool:
        """Whether something runs, which `cancel` ends."""
        return self._finder.running or self._predictor.running or self._taker.running

    @property
    def taken(self) -> int:
        """How many crops of the field are in the study."""
        return sum(mark.taken is not None for mark in self.marks)

    @property
    def side(self) -> int | None:
        """Side of new crops in px, or None for the usual one."""
        return self._side

    @side.setter
    def side(self, side: int | None) -> None:
        side = None if side is None else min(max(side, MIN_SIDE), MAX_SIDE)
        if side != self._side:
            self._side = side
            self.side_changed.emit(side)
            self._show_marks()
            self._predict()

    @property
    def crop_side(self) -> int:
        """Side in px of the crop that would be taken now."""
        found = self.found
        return self._side or usual_side(found.red_cell_diameter if found else 0)

    def mark_at(self, place: tuple[float, float]) -> Mark | None:
        """Return the mark nearest to `place` (row, column) among those that it lies in."""
        near = [mark for mark in self.marks if mark.distance(place) <= mark.radius]
        return min(near, key=lambda mark: mark.distance(place), default=None)

    # What a person does

    def toggle(self) -> None:
        """Take the image for a field, or for one to paint; from a crop go back to its field."""
        image = self.workspace.image
        if self.home is not None:
            self.back()
        elif image is not None:
            self._went_back_to = None
            self._set_active(not self.active)
            self.workspace.session.set_image(image if image.whole and not self.active else None)
            height, width = _source(image).shape
            if height * width >= MIN_PIXELS and self.auto != self.active:
                self.auto = self.active
                self.auto_changed.emit(self.auto)

    def back(self) -> None:
        """Show the field that the image was cut from."""
        study, home = self.workspace.study, self.home
        if study is None or home is None:
            return
        row = next((row for row, item in enumerate(study.items) if item.image_path.name == home), None)
        if row is None:
            self._tell("warning", _("{name}, which it was cut from, is not in this study.").format(name=home))
        else:
            self._went_back_to = home
            self.workspace.show(row)

    def click(self, place: tuple[float, float], *, anywhere: bool = False) -> None:
        """Take the cell marked at `place` (row, column) into the study and show it, or, with `anywhere`, the place."""
        source = self._source
        if not self.active or source is None:
            return
        height, width = source.shape
        if not (-0.5 <= place[0] < height - 0.5 and -0.5 <= place[1] < width - 0.5):
            return
        mark = None if anywhere else self.mark_at(place)
        if mark is None and not anywhere:
            text = _("No cell is marked here: Shift and a click take what is here all the same.")
            self._tell("info", text)
            return
        box = box_around(place, self.crop_side, source.shape) if mark is None else mark.box
        self._take([box], show=True)

    def take_all(self) -> None:
        """Take every marked cell into the study, and stay at the field."""
        boxes = [mark.box for mark in self.marks if mark.taken is None]
        if self.active and boxes:
            self._take(boxes, show=False)

    def predict(self, wanted: bool) -> None:
        """Show what the chosen network sees in each marked cell, also in other fields, or no longer."""
        if wanted != self.predicting:
            self.predicting = wanted
            self.predicting_changed.emit(wanted)
            self._show_marks()
            self._predict()

    def cancel(self) -> None:
        """Stop looking for cells, predicting, or taking crops; those that were taken stay."""
        self._finder.cancel()
        self._waiting.clear()
        self._enough.set()
        if self._predictor.running:
            self._predictor.cancel()
            self.predict(False)

    def close(self) -> None:
        """Stop; a crop that is being written is finished."""
        self.workspace.item_shown.disconnect(self._on_item)
        self.workspace.session.choices_changed.disconnect(self._on_choices)
        for runner in (self._finder, self._predictor, self._taker):
            runner.close()

    # From the workspace

    def _is_field(self, image: CellImage) -> bool:
        if self._went_back_to == image.name:
            return True
        height, width = _source(image).shape
        # Where something is painted already, the painting goes on.
        painted = self.workspace.paint.mask.any()
        return self.auto and self.home is None and height * width >= MIN_PIXELS and not painted

    def _on_item(self, _row: int) -> None:
        image = self.workspace.image
        assert image is not None
        if image.name != self._went_back_to:
            self._went_back_to = None
        self._finder.cancel()
        self._predictor.cancel()
        self._source = _source(image)
        self.active = False
        self._set_active(self._is_field(image))

    def _set_active(self, active: bool) -> None:
        self.active = active
        self.active_changed.emit(active)
        self._show_marks()
        if not active:
            self._finder.cancel()
            self._predictor.cancel()
        elif self.found is None:
            source = self._source
            assert source is not None
            self._finder.start(lambda progress: find_in_field(source, progress))
        else:
            self._predict()

    def _here(self) -> _Known | None:
        image = self.workspace.image
        if image is None:
            return None
        known = self._known.setdefault(image.sha256, _Known())
        self._known.move_to_end(image.sha256)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return known

    # Finding and predicting

    def _on_found(self, found: Found) -> None:
        known = self._here()
        if known is not None:
            known.found = found
            self._show_marks()
            self._predict()

    def _on_choices(self, _choices: Choices) -> None:
        if self.active and self.predicting:
            self._show_marks()
            self._predict()

    def _predict(self) -> None:
        self._predictor.cancel()
        known, source, network = self._here(), self._source, self._network
        if not (self.active and self.predicting) or known is None or source is None or network is None:
            return
        boxes = [mark.box for mark in self.marks if (network, mark.box) not in known.seen]
        if not boxes:
            return

        def deliver(seen: dict[Box, Seen]) -> None:
            known.seen.update({(network, box): one for box, one in seen.items()})
            if self._here() is known:
                self._show_marks()

        def work(progress: Progress) -> None:
            predict(network, source, boxes, lambda seen: self._dispatch(lambda: deliver(seen)), progress)

        self._predictor.start(work)

    def _on_predicted(self, _nothing: object) -> None:
        seen = [mark.seen for mark in self.marks if mark.seen]
        warnings = Counter(one.warning for one in seen if one.warning)
        if warnings:
            text = _("Cells marked ⚠: {count} of {all}. {warning}").format(
                count=warnings.total(), all=len(seen), warning=warnings.most_common(1)[0][0]
            )
            self._tell("warning", text)

    @property
    def _network(self) -> str | None:
        return self.workspace.session.choices.network

    # Marks

    def _show_marks(self) -> None:
        self.marks = tuple(self._marks()) if self.active else ()
        self.marks_changed.emit()

    def _marks(self) -> list[Mark]:
        known, item, source = self._here(), self.workspace.item, self._source
        study = self.workspace.study
        if known is None or item is None or source is None or study is None:
            return []
        cells = known.found.candidates if known.found else ()
        marks = mark_cells(cells, crops_of(study, item.image_path.name), self.crop_side, source.shape)
        network = self._network if self.predicting else None
        if network is None:
            return marks
        return [replace(mark, seen=known.seen.get((network, mark.box))) for mark in marks]

    # Taking

    def _take(self, boxes: Sequence[Box], *, show: bool) -> None:
        study, item, image, source = (
            self.workspace.study,
            self.workspace.item,
            self.workspace.image,
            self._source,
        )
        if study is None or item is None or image is None or source is None:
            return
        linked = replace(item, pixel_size_um=item.pixel_size_um or image.pixel_size_um)

        def work(progress: Progress) -> tuple[StudyItem, Study]:
            names: list[str] = []
            for start in range(0, len(boxes), _TOGETHER):
                progress(start / len(boxes))
                if self._enough.is_set():
                    break
                crops = [(box, read_box(source, box)) for box in boxes[start : start + _TOGETHER]]
                names += take_crops(study, linked, crops)
            return item, study_with(study, item, names[0] if names and show else item.image_path.name)

        # One after the other: a new start would drop the one before.
        self._waiting.append(work)
        if not self._taker.running:
            self._take_next()

    def _take_next(self) -> None:
        if self._waiting:
            self._enough.clear()
            self._taker.start(self._waiting.pop(0))

    def _on_taken(self, taken: tuple[StudyItem, Study]) -> None:
        item, study = taken
        if self._waiting:
            self._take_next()
        elif self.workspace.item is not None and self.workspace.item.image_path == item.image_path:
            self.workspace.open_study(study)

    def _on_failed(self, text: str) -> None:
        self._tell("error", text)
        # What failed may be another runner: a crop under way is not to be dropped for the next.
        if not self._taker.running:
            self._take_next()

    def _on_running(self, _running: bool) -> None:
        self.busy_changed.emit()

    def _tell(self, level: Level, text: str) -> None:
        self.workspace.noticed.emit(Notice(level, text))


def _source(image: CellImage) -> Field:
    whole = image.pyramid if isinstance(image, LargeImage) else None
    return PixelField(image.pixels) if whole is None else whole
