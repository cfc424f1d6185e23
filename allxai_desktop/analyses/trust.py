"""How far to trust the map that is shown: figures that are always there, and checks that run when asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.analyses.checks import CHECKS, Checks, Subject, subject_of
from allxai_desktop.analyses.verdicts import (
    OutsideShare,
    Verdict,
    conservation_verdict,
    deletion_verdict,
    insertion_verdict,
    outside_share,
    outside_verdict,
    per_class,
    randomisation_verdict,
    stability_verdict,
)
from allxai_desktop.i18n import _
from allxai_desktop.tasks import Dispatch, Progress, TaskRunner, at_once

if TYPE_CHECKING:
    from allxai_desktop.session import Result, Session

_KEPT = 64


class Checker(Protocol):
    """Runs checks; called on worker threads."""

    def run(self, check: str, subject: Subject, progress: Progress) -> Any:
        """Return the result of one of `CHECKS`."""

    def twin(self, subject: Subject) -> str | None:
        """Return a sentence where another explainer draws the same map by theory."""


@dataclass(frozen=True)
class CheckState:
    """One check: the result shown, None before the first; whether it is of a map shown before; why the check failed."""

    result: Any | None = None
    outdated: bool = False
    error: str | None = None


def verdicts(check: str, result: Any) -> list[Verdict]:
    """Return what the result of one of `CHECKS` says, in the present language."""
    if check == "faithfulness":
        return [deletion_verdict(result), insertion_verdict(result)]
    return [stability_verdict(result) if check == "stability" else randomisation_verdict(result)]


class TrustModel:
    """Follows a session.

    `conservation` and `outside` hold for what the session shows at each moment; the checks run one after
    another on a thread of their own, and a new map cancels them. Results are kept, so that a map seen before has them
    again. `dispatch` as in `Session`.
    """

    figures_changed = Signal()
    checks_changed = Signal()
    progressed = Signal(float)

    def __init__(
        self,
        session: Session,
        dispatch: Dispatch = at_once,
        checker: Checker | None = None,
    ) -> None:
        self.session = session
        self.subject: Subject | None = None
        self.twin: str | None = None
        self._checker = checker or Checks()
        self._runner = TaskRunner(dispatch)
        self._twins = TaskRunner(dispatch)
        self._waiting: list[str] = []
        self._current: tuple[str, Subject] | None = None
        self._results: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._states = {check: CheckState() for check in CHECKS}
        self._sha256: str | None = None
        self._runner.finished.connect(self._on_finished)
        self._runner.failed.connect(self._on_failed)
        self._runner.progressed.connect(self.progressed.emit)
        self._twins.finished.connect(self._on_twin)
        session.result_changed.connect(self._on_result)
        session.paint.edited.connect(self._on_edited)
        self._positive: NDArray[Any] | None = None
        self._mass: NDArray[Any] | None = None
        self._pixels = per_class(np.empty(0, np.uint8))
        self._on_result(session.result)

    @property
    def missing(self) -> str | None:
        """What there is to do before a map can be checked; None where one can."""
        result = self.session.result
        if self.subject is not None:
            return None
        if result is None:
            return _("There is no map yet: open an image and choose a network.")
        return result.explanation.undefined or _(
            "Parts are taken out: put them back to check the map of the image."
        )

    @property
    def conservation(self) -> Verdict | None:
        """What ΣR / logit says; None where it is not promised."""
        result = self.session.result
        return None if result is None else conservation_verdict(result.explanation)

    @property
    def outside(self) -> Verdict | None:
        """What the share of relevance outside the cell says, of the present mask; None without a labelled cell."""
        share = self.outside_share
        return None if share is None else outside_verdict(share)

    @property
    def outside_share(self) -> OutsideShare | None:
        """The shares outside the cell; None without a map or a labelled cell."""
        return None if self._mass is None else outside_share(self._mass, self._pixels)

    @property
    def checks(self) -> Mapping[str, CheckState]:
        """The state of each of `CHECKS`."""
        return self._states

    @property
    def missing_checks(self) -> tuple[str, ...]:
        """The checks that have no result of the map that is shown."""
        return tuple(name for name, state in self._states.items() if state.result is None or state.outdated)

    @property
    def running(self) -> str | None:
        """The check that is being computed."""
        return None if self._current is None else self._current[0]

    @property
    def waiting(self) -> tuple[str, ...]:
        """The checks that come after it."""
        return tuple(self._waiting)

    def run(self, *checks: str) -> None:
        """Compute these of `CHECKS` for the map that is shown; without a name, those that have no result of it."""
        if self.subject is None:
            return
        asked = checks or self.missing_checks
        self._waiting += [one for one in asked if one not in self._waiting and one != self.running]
        if self._current is None:
            self._next()

    def cancel(self) -> None:
        """Drop what runs and what waits."""
        self._waiting = []
        self._current = None
        self._runner.cancel()
        self.checks_changed.emit()

    def close(self) -> None:
        """Stop: nothing is delivered after this."""
        self.session.result_changed.disconnect(self._on_result)
        self.session.paint.edited.disconnect(self._on_edited)
        self._twins.close()
        self._runner.close()

    def _next(self) -> None:
        subject = self.subject
        if not self._waiting or subject is None:
            self._current = None
        else:
            check = self._waiting.pop(0)
            self._current = check, subject
            self._states[check] = replace(self._states[check], error=None)
            self._runner.start(lambda progress: self._checker.run(check, subject, progress))
        self.checks_changed.emit()

    def _on_finished(self, result: Any) -> None:
        assert self._current is not None
        check, subject = self._current
        self._results[check, subject.key] = result
        while len(self._results) > _KEPT:
            self._results.popitem(last=False)
        self._states[check] = CheckState(result)
        self._next()

    def _on_failed(self, message: str) -> None:
        assert self._current is not None
        self._states[self._current[0]] = CheckState(error=message)
        self._next()

    def _on_result(self, _result: Result | None) -> None:
        before, self.subject = self.subject, subject_of(self.session)
        if before is None or self.subject is None or before.key != self.subject.key:
            self._on_other_map()
        self._weigh()
        self.figures_changed.emit()

    def _on_other_map(self) -> None:
        self.twin = None
        self._twins.cancel()
        if self._current is not None:
            self.cancel()
        image = self.session.image
        sha256 = None if image is None else image.sha256
        if sha256 != self._sha256:
            # Figures of another image beside this one would be taken for its own.
            self._sha256 = sha256
            self._states = {check: CheckState() for check in CHECKS}
        for check, state in self._states.items():
            self._states[check] = self._state_now(check, state)
        subject = self.subject
        if subject is not None:
            self._twins.start(lambda _progress: self._checker.twin(subject))
        self.checks_changed.emit()

    def _state_now(self, check: str, state: CheckState) -> CheckState:
        if self.subject is not None and (check, self.subject.key) in self._results:
            return CheckState(self._results[check, self.subject.key])
        return CheckState() if state.result is None else CheckState(state.result, outdated=True)

    def _on_twin(self, sentence: str | None) -> None:
        self.twin = sentence
        self.figures_changed.emit()

    def _weigh(self) -> None:
        self._mass, self._positive = None, None
        result = self.session.result
        relevance = None if result is None else result.explanation.relevance
        if relevance is not None:
            codes = self.session.paint.codes.reshape(-1)
            self._pixels = per_class(codes)
            self._positive = np.maximum(relevance, 0).reshape(-1)
            self._mass = per_class(codes, self._positive)

    def _on_edited(self, indices: NDArray[Any], old: NDArray[np.uint8], new: NDArray[np.uint8]) -> None:
        if self._mass is None or self._positive is None:
            return
        moved = self._positive[indices]
        self._mass = self._mass + per_class(new, moved) - per_class(old, moved)
        self._pixels = self._pixels + per_class(new) - per_class(old)
        self.figures_changed.emit()
