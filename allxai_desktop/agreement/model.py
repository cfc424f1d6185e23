"""Second annotations, their agreement and their adjudication, as one observable model for a window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psygnal import Signal

from allxai_desktop.agreement.adjudication import final_study, start_final
from allxai_desktop.agreement.gathering import (
    Comparison,
    Disagreement,
    Pair,
    StudyAgreement,
    measure_study,
    next_open,
    read_pair,
    start_proposal,
)
from allxai_desktop.agreement.metrics import Compared
from allxai_desktop.agreement.plan import AgreementError, SecondPlan
from allxai_desktop.agreement.regions import Codes, Regions
from allxai_desktop.agreement.report import write_report
from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import N_, _
from allxai_desktop.images import read_image
from allxai_desktop.study.folder import Study
from allxai_desktop.study.people import Person
from allxai_desktop.tasks import Dispatch, Progress, TaskRunner, at_once


@dataclass(frozen=True)
class SecondState:
    """How far the second annotation by `person` is: images drawn, those done, and those that are not begun."""

    person: str
    drawn: int
    done: int
    unpainted: int


@dataclass(frozen=True, eq=False)
class Prepared:
    """An adjudication that can begin: the final mask as a study of one image, the two masks uint8 (H, W), and the
    regions in which they differ."""

    pair: Pair
    study: Study
    first: Codes
    second: Codes
    regions: Regions


class AgreementModel:
    """Starts second annotations of `study`, compares the masks in the background, and prepares adjudications.

    `dispatch` runs a callable on the thread that owns the widgets, where all signals are emitted; `flush` waits until
    what was painted a moment ago is on disk. `failed` carries one sentence.
    """

    plan_changed = Signal()
    result_changed = Signal()
    prepared = Signal(Prepared)
    all_decided = Signal()
    exported = Signal(object)
    failed = Signal(str)

    def __init__(
        self,
        dispatch: Dispatch = at_once,
        flush: Callable[[], object] = lambda: None,
    ) -> None:
        self._flush = flush
        self.study: Study | None = None
        self.seconds: list[SecondState] = []
        self.result: StudyAgreement | None = None
        self.shown = 0
        self._proposal = False
        self.runner = TaskRunner(dispatch, N_("The masks could not be compared: see the log."))
        self.runner.finished.connect(self._on_finished)
        self.runner.failed.connect(self.failed.emit)

    @property
    def comparison(self) -> Comparison | None:
        """The comparison that is shown."""
        return self.result.comparisons[self.shown] if self.result else None

    @property
    def ranked(self) -> list[Disagreement]:
        """The images with two masks, those that agree least first."""
        return [] if self.result is None else self.result.ranked

    @property
    def rows(self) -> list[tuple[Compared, Disagreement | None]]:
        """The images of the comparison that is shown, those that agree least first; those of two people can be
        adjudicated."""
        if self.result is None or self.comparison is None:
            return []
        of = {id(one.compared): one for one in self.result.disagreements}
        images = sorted(self.comparison.agreement.images, key=lambda image: image.rank)
        return [(image, of.get(id(image))) for image in images]

    def set_study(self, study: Study | None) -> None:
        """Turn to another study."""
        self.runner.cancel()
        self.study = study
        self._set_result(None)
        self.refresh()

    def refresh(self) -> None:
        """Read again what was drawn and how far it is."""
        self.seconds = []
        if self.study is not None:
            try:
                self.seconds = _states(self.study)
            except AllxaiError as error:
                self.failed.emit(str(error))
        self.plan_changed.emit()

    def start(self, person: str, share: float, seed: int) -> None:
        """Draw a `share` (0…1) of the images for a second annotation by `person`."""
        if self.study is None:
            return
        try:
            SecondPlan(self.study).start(person, share, seed)
        except AllxaiError as error:
            self.failed.emit(str(error))
        self.refresh()

    def take_back(self, person: str) -> None:
        """Forget what was drawn for `person` and is not begun."""
        if self.study is None:
            return
        try:
            SecondPlan(self.study).take_back(person)
        except AllxaiError as error:
            self.failed.emit(str(error))
        self.refresh()

    def blind_study(self, person: str) -> Study | None:
        """Return what `person` annotates a second time; None where that was told to be impossible."""
        if self.study is None:
            return None
        try:
            return SecondPlan(self.study).blind_study(person)
        except AllxaiError as error:
            self.failed.emit(str(error))
            return None

    def measure(self, *, proposal: bool) -> None:
        """Compare all masks there are, with the program's proposal too where wanted."""
        study = self.study
        if study is None:
            return
        self._proposal = proposal
        propose = start_proposal if proposal else None

        def work(progress: Progress) -> StudyAgreement:
            self._flush()
            return measure_study(study, propose, progress=progress)

        self.runner.start(work)

    def measure_again(self) -> None:
        """Compare anew what was compared, after masks were painted."""
        if self.result is not None:
            self.measure(proposal=self._proposal)

    def show(self, number: int) -> None:
        """Show another comparison of the result."""
        if self.result is not None and number != self.shown:
            self.shown = number
            self.result_changed.emit()

    def export(self, folder: Path) -> None:
        """Write table, JSON and page into a folder."""
        study, result = self.study, self.result
        if study is not None and result is not None:
            self.runner.start(lambda _progress: write_report(folder, result, study.title))

    def adjudicate(self, one: Disagreement, person: str) -> None:
        """Have the final mask of an image made ready for `person` to decide."""
        study = self.study
        if study is None:
            return

        def work(progress: Progress) -> Prepared:
            self._flush()
            return _prepare(study, one.pair, person, progress)

        self.runner.start(work)

    def adjudicate_next(self, current: Pair, person: str) -> None:
        """Have the final mask made ready that waits after `current`, see `next_open`; `all_decided` where none does."""
        study, pairs = self.study, [one.pair for one in self.ranked]
        if study is None:
            return

        def work(progress: Progress) -> Prepared | None:
            self._flush()
            waiting = next_open(study, pairs, current)
            return None if waiting is None else _prepare(study, waiting, person, progress)

        self.runner.start(work)

    def cancel(self) -> None:
        """Stop what runs."""
        self.runner.cancel()

    def close(self) -> None:
        """Stop and wait for the thread."""
        self.runner.close()

    def _on_finished(self, result: Any) -> None:
        if isinstance(result, StudyAgreement):
            self._set_result(result)
        elif isinstance(result, Prepared):
            self.prepared.emit(result)
        elif result is None:
            self.all_decided.emit()
        else:
            self.exported.emit(result)

    def _set_result(self, result: StudyAgreement | None) -> None:
        self.result, self.shown = result, 0
        self.result_changed.emit()


def _states(study: Study) -> list[SecondState]:
    plan = SecondPlan(study)
    parts = [plan.part(person) for person in dict.fromkeys(one.person for one in plan.all())]
    return [
        SecondState(part.annotator or "", len(part.items), sum(plan.done(part)), len(plan.unpainted(part)))
        for part in parts
        if part.items
    ]


def _prepare(study: Study, pair: Pair, person: str, progress: Progress) -> Prepared:
    if not person:
        raise AgreementError(_("Say who adjudicates first: the final mask keeps that name."))
    person = Person(person).name
    first, second = read_pair(pair)
    image = read_image(pair.item.image_path)
    progress(0.5)
    start_final(study, pair.item, image, first.codes, second.codes, person)
    regions = Regions(first.codes, second.codes)
    return Prepared(pair, final_study(study, [pair.item], person, 0), first.codes, second.codes, regions)
