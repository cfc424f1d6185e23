"""Saving masks on a thread of its own: the newest state of each file, never the caller's time."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.painting.tiles import Codes

Write = Callable[..., None]
Given = Codes | Callable[[], Codes]
log = logging.getLogger(__name__)


@dataclass(eq=False)
class _State:
    codes: Given
    facts: dict[str, Any]
    write: Write | None
    due: float
    told: bool = False


class Autosaver:
    """Writes masks in the background. A state that could not be written is kept and tried again.

    `on_saved(path)` and `on_error(path, error)` are called on the saving thread; a state that fails again is not
    reported again.
    """

    def __init__(
        self,
        on_saved: Callable[[Path], None] | None = None,
        on_error: Callable[[Path, AllxaiError], None] | None = None,
    ) -> None:
        self._on_saved = on_saved or (lambda path: None)
        self._on_error = on_error or (lambda path, error: None)
        self._changed = threading.Condition()
        self._waiting: dict[Path, _State] = {}
        self._failed: dict[Path, _State] = {}
        self._running: tuple[Path, _State] | None = None
        self._closing = False
        self._beats = 0
        self._thread = threading.Thread(target=self._work, name="autosave", daemon=True)
        self._thread.start()

    def submit(
        self, path: Path, codes: Given, write: Write | None = None, *, within: float = 0, **facts: Any
    ) -> None:
        """Have a mask written: `codes` uint8 (H, W), left alone from now on, or a call that returns them.

        A state of the same file that is still waiting is replaced; `path`, the codes and `facts` go to `write`,
        or else to `save_mask`. It waits for later states for `within` seconds. What failed before is tried again.
        Raises `RuntimeError` after `close`.
        """
        with self._changed:
            if self._closing:
                raise RuntimeError("the autosaver is closed")
            self._failed.pop(path, None)
            due = time.monotonic() + within
            if path in self._waiting:
                due = min(due, self._waiting[path].due)
            self._waiting[path] = _State(codes, facts, write, due)
            self._retry()

    def unsaved(self, path: Path) -> tuple[Codes, dict[str, Any]] | None:
        """Return the newest state of a file that is not on disk, codes and facts; None where the disk has it."""
        with self._changed:
            running = self._running[1] if self._running and self._running[0] == path else None
            state = self._waiting.get(path) or running or self._failed.get(path)
        if state is None:
            return None
        return state.codes() if callable(state.codes) else state.codes, state.facts

    @property
    def busy(self) -> bool:
        """Whether something is being written, or waits for it."""
        # On its way from the one to the other it is neither.
        with self._changed:
            return bool(self._waiting) or self._running is not None

    def beat(self) -> None:
        """Note that what is being written goes on."""
        self._beats += 1

    def flush(self, timeout: float | None = None, *, patient: bool = False) -> bool:
        """Wait at most `timeout` seconds for everything, also what failed before. Returns whether all is on disk.

        The time of who is `patient` begins anew with each `beat`. Nobody waits for a saver that is closed.
        """
        with self._changed:
            self._retry()
            for state in self._waiting.values():
                state.due = 0
            while True:
                beats = self._beats
                ended = self._changed.wait_for(lambda: self._closing or not self.busy, timeout)
                if ended or not patient or beats == self._beats:
                    return not self.busy and not self._failed

    def close(self, timeout: float | None = None) -> bool:
        """Flush and stop. Returns whether all is on disk; after a timeout the thread still finishes its list."""
        done = self.flush(timeout)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if done:
            self._thread.join()
        return done

    def _retry(self) -> None:
        self._waiting = self._failed | self._waiting
        self._failed = {}
        self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                path = self._wait()
                if path is None:
                    return
                state = self._waiting.pop(path)
                self._running = path, state
            error = self._save(path, state)
            self._tell(path, state, error)
            with self._changed:
                self._running = None
                if error is not None and path not in self._waiting:
                    self._failed[path] = state
                self._changed.notify_all()

    def _wait(self) -> Path | None:
        """Return the file to be written next when it is due, None when the saver is closed and none is left."""
        while self._waiting or not self._closing:
            path = min(self._waiting, key=lambda path: self._waiting[path].due, default=None)
            pause = None if path is None else self._waiting[path].due - time.monotonic()
            if pause is not None and pause <= 0:
                return path
            self._changed.wait(pause)
        return None

    @staticmethod
    def _save(path: Path, state: _State) -> AllxaiError | None:
        try:
            codes = state.codes() if callable(state.codes) else state.codes
            (state.write or save_mask)(path, codes, **state.facts)
        except AllxaiError as error:
            return error
        except Exception:
            log.exception("Saving failed")
            return AllxaiError(
                _("{name} was not saved: see the log, and export the mask.").format(name=path.name)
            )
        return None

    def _tell(self, path: Path, state: _State, error: AllxaiError | None) -> None:
        try:
            if error is None:
                self._on_saved(path)
            elif not state.told:
                state.told = True
                self._on_error(path, error)
        except Exception:
            # A listener that fails must not end the saving.
            log.exception("Reporting on a save failed")
