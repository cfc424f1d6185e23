"""Long computations that people wait for: one at a time, with progress, and to be cancelled."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from psygnal import Signal

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import N_, _

Progress = Callable[[float], None]
"""Takes the share done, 0…1, as often as the work wants to be cancelled; raises `Cancelled`."""
Dispatch = Callable[[Callable[[], None]], None]
"""Runs a callable on the thread that owns the widgets."""
log = logging.getLogger(__name__)


class Cancelled(Exception):
    """The work is not wanted any more."""


def unwatched(_share: float) -> None:
    """The `Progress` of work that nobody watches."""


def at_once(call: Callable[[], None]) -> None:
    """The `Dispatch` of work whose results may arrive on any thread."""
    call()


def time_estimate(seconds: float) -> str:
    """Return how long work will take, in words as precise as such an estimate is."""
    if seconds < 1:
        return _("less than a second")
    if seconds < 90:
        return _("about {count} s").format(count=round(seconds))
    return _("about {count} min").format(count=round(seconds / 60))


class TaskRunner:
    """Runs one piece of work on a thread of its own; a new one cancels the one before.

    `dispatch` runs a callable on the thread that owns the widgets, where all signals are emitted.
    `failure` is the sentence for an error that nobody foresaw, in English and translated when it is told.
    Each start ends in one of `finished` (with what the work returned), `failed` (with a sentence) or,
    when cancelled, neither.
    """

    running_changed = Signal(bool)
    progressed = Signal(float)
    finished = Signal(object)
    failed = Signal(str)

    def __init__(
        self,
        dispatch: Dispatch = at_once,
        failure: str = N_("The computation failed: see the log, or choose another network or explainer."),
    ) -> None:
        self._dispatch = dispatch
        self._failure = failure
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="task")
        self._current = 0
        self._running = False

    @property
    def running(self) -> bool:
        """Whether something is awaited."""
        return self._running

    def start(self, work: Callable[[Progress], Any]) -> None:
        """Run `work`, which calls the progress that it is given."""
        self._current += 1
        self._set_running(True)
        self._worker.submit(self._run, work, self._current)

    def cancel(self) -> None:
        """Drop what runs; it stops when it next reports progress."""
        self._current += 1
        self._set_running(False)

    def close(self) -> None:
        """Cancel and wait for the thread; nothing is delivered after this."""
        self._current += 1
        self._running = False
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _set_running(self, running: bool) -> None:
        if running != self._running:
            self._running = running
            self.running_changed.emit(running)

    def _run(self, work: Callable[[Progress], Any], number: int) -> None:
        def progress(share: float) -> None:
            if number != self._current:
                raise Cancelled
            self._deliver(number, lambda: self.progressed.emit(share))

        try:
            progress(0.0)
            result = work(progress)
        except Cancelled:
            return
        except AllxaiError as error:
            message = str(error)
            self._deliver(number, lambda: self._end(lambda: self.failed.emit(message)))
        except Exception:
            log.exception("A task failed")
            message = _(self._failure)
            self._deliver(number, lambda: self._end(lambda: self.failed.emit(message)))
        else:
            self._deliver(number, lambda: self._end(lambda: self.finished.emit(result)))

    def _deliver(self, number: int, call: Callable[[], None]) -> None:
        self._dispatch(lambda: call() if number == self._current else None)

    def _end(self, tell: Callable[[], None]) -> None:
        self._set_running(False)
        tell()
