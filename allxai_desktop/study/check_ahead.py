"""The check of the mask in hand, done after each stroke, so that Enter need not wait for it."""

from collections.abc import Callable
from threading import Event

from allxai_desktop.errors import AllxaiError
from allxai_desktop.painting.tiles import Codes
from allxai_desktop.study.audit import mask_sha256
from allxai_desktop.study.checks import Finding, check
from allxai_desktop.study.in_order import InOrder
from allxai_desktop.tasks import Dispatch

WAIT_S = 0.3
"""What was painted, or another image, is drawn first; strokes that follow each other sooner are checked once."""
MAX_PIXELS = 8_000_000
"""Larger masks are checked when asked for only: a check after each stroke would take the time that painting needs."""
Checked = tuple[tuple[Finding, ...], str | None]


class CheckAhead:
    """Keeps what was found in the newest mask, with its hash.

    On a thread of its own: what the study writes may wait for a slow disk. `dispatch` and `failed` as in `InOrder`.
    """

    def __init__(self, dispatch: Dispatch, failed: Callable[[AllxaiError], None]) -> None:
        self._worker = InOrder(dispatch, failed)
        self._version = 0
        self._hurry = Event()
        self._found: Checked | None = None

    def changed(self, codes: Codes, receive: Callable[[Checked], None] = lambda found: None) -> None:
        """Forget what was found, and check `codes` uint8 (H, W) in the background; `receive` gets the newest."""
        self._forget()
        self._found = None
        if codes.size <= MAX_PIXELS:
            self._check(codes.copy(), receive)

    def ask(self, codes: Codes, receive: Callable[[Checked], None]) -> None:
        """Hand what is found in `codes`, the mask told of last, to `receive`: at once where it is known."""
        if self._found is not None:
            receive(self._found)
        else:
            self._forget()
            self._check(codes.copy(), receive)
            self._hurry.set()

    def wait(self) -> None:
        """Wait for all that was asked for."""
        self._hurry.set()
        self._worker.wait()

    def close(self) -> None:
        """Stop."""
        self._forget()
        self._worker.close()

    def _forget(self) -> None:
        self._version += 1
        self._hurry.set()

    def _check(self, codes: Codes, receive: Callable[[Checked], None]) -> None:
        version, hurry = self._version, Event()
        self._hurry = hurry

        def work() -> Checked | None:
            hurry.wait(WAIT_S)
            # A later stroke has its own check in the queue.
            return None if version != self._version else (tuple(check(codes)), mask_sha256(codes))

        def keep(found: Checked | None) -> None:
            if found is not None:
                self._found = found
                receive(found)

        self._worker.run(work, keep, lambda: version == self._version)
