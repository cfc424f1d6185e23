"""Clean-up of a `PaintModel` on a thread of its own, with a preview."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.i18n import _
from allxai_desktop.painting.cleanup import ACTIONS, ONE_CLASS, OVER_IMAGE, Codes
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.tasks import Dispatch, Progress, TaskRunner, at_once

MIN_BELOW, MAX_BELOW = 2, 9999

Change = tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8]]
"""Flat indices (n,), their codes before and after."""


class Cleaner:
    """Does what is in `cleanup.NAMES` to the active class of `model`, or to all classes; each is one undo step.

    `pixels` returns the image uint8 (H, W, 3), None without one; what goes by it changes nothing then. What was
    painted while an action was computed stays. `previewed` tells the flat indices (n,) of what an action would change,
    or None when nothing is previewed; `done` tells the action and how many pixels it changed; `running_changed`
    follows `running`; `refused` has a sentence for the user.
    """

    below_changed = Signal(int)
    every_class_changed = Signal(bool)
    previewed = Signal(object)
    done = Signal(str, int)
    running_changed = Signal(bool)
    refused = Signal(str)

    def __init__(
        self,
        model: PaintModel,
        dispatch: Dispatch = at_once,
        pixels: Callable[[], NDArray[np.uint8] | None] = lambda: None,
    ) -> None:
        self.model = model
        self._pixels = pixels
        self._below, self._every_class = 64, False
        self._ended: Callable[[Change], None] = self._show
        self._tasks = TaskRunner(dispatch)
        self._tasks.finished.connect(lambda change: self._ended(change))
        self._tasks.running_changed.connect(self._on_running)
        model.image_replaced.connect(self._tasks.cancel)

    @property
    def refusal(self) -> str:
        """Why the mask cannot be cleaned up, "" where it can: that of a slide is never whole in memory."""
        if self.model.whole:
            return ""
        return _("Clean up needs the whole image in memory: take a crop of the slide, and use it there.")

    @property
    def running(self) -> bool:
        """Whether an action is being done; a preview is none."""
        return self._tasks.running and self._ended != self._show

    def cancel(self) -> None:
        """Leave the mask as it is, whatever is being done."""
        self._tasks.cancel()

    def close(self) -> None:
        """Stop; nothing is changed after this."""
        self.model.image_replaced.disconnect(self._tasks.cancel)
        self._tasks.close()

    @property
    def below(self) -> int:
        """Holes and islands smaller than this many pixels are cleaned; outside 2–9999 it becomes the nearest."""
        return self._below

    @below.setter
    def below(self, pixels: int) -> None:
        pixels = min(max(pixels, MIN_BELOW), MAX_BELOW)
        if pixels != self._below:
            self._below = pixels
            self.below_changed.emit(pixels)

    @property
    def every_class(self) -> bool:
        """Whether all classes are cleaned, where that makes sense, or the active one."""
        return self._every_class

    @every_class.setter
    def every_class(self, every: bool) -> None:
        if every != self._every_class:
            self._every_class = every
            self.every_class_changed.emit(every)

    def preview(self, name: str | None) -> None:
        """Find what the action `name` would change, or end the preview; nothing happens while an action is done."""
        if self.running or self.refusal:
            return
        self._tasks.cancel()
        self.previewed.emit(None)
        if name is not None:
            self._start(name, self._show)

    def run(self, name: str) -> None:
        """Do the action `name` of `cleanup.NAMES`, or say why not. Raises `KeyError` for another name."""
        if self.refusal:
            self.refused.emit(self.refusal)
            return
        self.previewed.emit(None)
        self._start(name, partial(self._apply, name))

    def _start(self, name: str, ended: Callable[[Change], None]) -> None:
        codes, clean = self.model.codes.copy(), self._cleaning(name)
        allowed = self.model.may_change

        def work(_progress: Progress) -> Change:
            new = clean(codes)
            changed = np.flatnonzero(new != codes)
            old = codes.reshape(-1)[changed]
            changed = changed[allowed(old)]
            return changed, codes.reshape(-1)[changed], new.reshape(-1)[changed]

        self._tasks.cancel()
        self._ended = ended
        self._tasks.start(work)

    def _cleaning(self, name: str) -> Callable[[Codes], Codes]:
        if name in OVER_IMAGE:
            pixels = self._pixels()
            return lambda codes: codes if pixels is None else OVER_IMAGE[name](codes, pixels)
        code = None if self._every_class and name not in ONE_CLASS else self.model.active
        clean, below = ACTIONS[name], self._below
        return lambda codes: clean(codes, code, below)

    def _on_running(self, _running: bool) -> None:
        self.running_changed.emit(self.running)

    def _show(self, change: Change) -> None:
        self.previewed.emit(change[0])

    def _apply(self, name: str, change: Change) -> None:
        indices, old, new = change
        same = self.model.codes.reshape(-1)[indices] == old
        # A stroke in hand is one undo step, this another.
        self.model.end_stroke()
        self.done.emit(name, self.model.apply(indices[same], new[same]))
