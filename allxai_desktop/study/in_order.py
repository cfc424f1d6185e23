"""Work of the study on a thread of its own, one piece after the other."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.tasks import Dispatch

T = TypeVar("T")
log = logging.getLogger(__name__)


class InOrder:
    """Runs work in the order it was asked for; `dispatch` brings what comes of it to the thread of the widgets.

    An error goes to `failed`: an `AllxaiError` as it is, another one as a sentence that names the log.
    """

    def __init__(self, dispatch: Dispatch, failed: Callable[[AllxaiError], None]) -> None:
        self._dispatch = dispatch
        self._failed = failed
        self._closed = False
        self._hurry = Event()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="study")

    def run(
        self,
        work: Callable[[], T],
        receive: Callable[[T], None],
        wanted: Callable[[], bool],
        failed: Callable[[AllxaiError], None] | None = None,
    ) -> None:
        """Do `work` and hand what it returns to `receive`, unless it is not `wanted` any more by then.

        An error goes to this `failed`, where there is one.
        """

        def deliver(call: Callable[[], None]) -> None:
            self._dispatch(lambda: call() if wanted() and not self._closed else None)

        def run() -> None:
            try:
                found = work()
            except AllxaiError as error:
                told = error
            except Exception:
                log.exception("A step of the study failed")
                told = AllxaiError(_("The state of the image was not kept: see the log."))
            else:
                deliver(lambda: receive(found))
                return
            deliver(lambda: (failed or self._failed)(told))

        self._worker.submit(run)

    def pause(self, seconds: float) -> None:
        """Begin what is asked for after this `seconds` from now, unless there is a `hurry` before."""
        until = time.monotonic() + seconds
        self._worker.submit(lambda: self._hurry.wait(max(0.0, until - time.monotonic())))

    def hurry(self) -> Future[None]:
        """End the pauses of all that was asked for. Returns when that is done."""
        self._hurry.set()
        return self._worker.submit(self._hurry.clear)

    def wait(self) -> None:
        """Wait for all that was asked for."""
        self.hurry().result()

    def close(self) -> None:
        """Finish all that was asked for, and hand nothing over any more."""
        self._closed = True
        self._hurry.set()
        self._worker.shutdown(wait=True)
