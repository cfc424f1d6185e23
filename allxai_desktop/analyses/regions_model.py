"""The Shapley values of the regions of the image that the session shows: asked for, awaited, shown, out of date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.analyses.regions import RegionShapley, explain_regions
from allxai_desktop.cellclasses import UNLABELLED_KEY
from allxai_desktop.errors import AllxaiError
from allxai_desktop.networks.registry import network_card
from allxai_desktop.removal import FILLS
from allxai_desktop.tasks import Dispatch, Progress, TaskRunner, at_once

if TYPE_CHECKING:
    from allxai_desktop.images import CellImage
    from allxai_desktop.networks.card import Card
    from allxai_desktop.session import Session

State = Literal["empty", "computing", "result", "stale"]
Part = Literal["image", "mask", "network", "target", "fill"]
Missing = Literal["image", "network", "labels"]


@dataclass(frozen=True, eq=False)
class Question:
    """What was asked: `codes` (H, W) is a copy of the mask, `version` tells it from other masks."""

    image: CellImage
    codes: NDArray[np.uint8]
    version: int
    network: str
    target: str | None
    fill: str


def answer(question: Question, progress: Progress) -> RegionShapley:
    """Compute what a question asks for. Raises `AllxaiError`."""
    from allxai_desktop.explainers.explain import shared_explainer

    network = shared_explainer(question.network).network
    return explain_regions(
        network, question.image.pixels, question.codes, question.target, question.fill, progress
    )


class RegionsModel:
    """Follows a session; `changed` follows every change of a property, `progressed` the share done, 0…1.

    `dispatch` runs a callable on the thread that owns the widgets.
    """

    changed = Signal()
    progressed = Signal(float)

    def __init__(
        self,
        session: Session,
        dispatch: Dispatch = at_once,
        answer: Callable[[Question, Progress], RegionShapley] = answer,
    ) -> None:
        self._session = session
        self._answer = answer
        self._runner = TaskRunner(dispatch)
        self._fill = next(iter(FILLS))
        self._automatic = False
        self._message = ""
        self._asked: Question | None = None
        self._answered: Question | None = None
        self._result: RegionShapley | None = None
        self._card: Card | None = None
        self._versions = count()
        self._version = next(self._versions)
        self._shown: tuple[object, ...] = ()
        paint = session.paint
        self._followed = (
            (session.image_changed, self._on_image),
            (session.choices_changed, self._refresh),
            (session.shares_changed, self._refresh),
            (paint.image_replaced, self._on_mask_replaced),
            (paint.edited, self._on_edited),
            (paint.stroke_ended, self._on_stroke_ended),
            (self._runner.progressed, self.progressed.emit),
            (self._runner.finished, self._on_finished),
            (self._runner.failed, self._on_failed),
        )
        for signal, slot in self._followed:
            signal.connect(slot)
        self._refresh()

    # What is shown

    @property
    def state(self) -> State:
        """Nothing yet, being computed, a result, or one of another mask, network, target or fill."""
        if self._runner.running:
            return "computing"
        if self.result is None:
            return "empty"
        return "stale" if self.outdated else "result"

    @property
    def result(self) -> RegionShapley | None:
        """The result that arrived last; None while another image is shown, beside which it would mislead."""
        return None if "image" in self.outdated else self._result

    @property
    def outdated(self) -> tuple[Part, ...]:
        """What has changed since the result was asked for."""
        return () if self._answered is None else self._changes(self._answered)

    @property
    def missing(self) -> Missing | None:
        """What must be there before anything can be computed."""
        if self._session.image is None:
            return "image"
        if self._session.choices.network is None:
            return "network"
        shares = self._session.shares
        labelled = any(share.pixels for key, share in shares.items() if key != UNLABELLED_KEY)
        return None if labelled else "labels"

    @property
    def message(self) -> str:
        """Why the last computation failed; empty where it did not."""
        return self._message

    @property
    def target_title(self) -> str:
        """The name for people of the class that the result is about; its key where the network is gone."""
        if self.result is None:
            return ""
        target = self.result.target
        return self._card.class_title(target) if self._card else target

    # What can be done

    @property
    def fill(self) -> str:
        """What stands in place of removed regions, one of `FILLS`."""
        return self._fill

    @fill.setter
    def fill(self, fill: str) -> None:
        self._fill = fill
        self._refresh()

    @property
    def automatic(self) -> bool:
        """Whether every change is followed by a computation of its own, a stroke when it ends."""
        return self._automatic

    @automatic.setter
    def automatic(self, automatic: bool) -> None:
        self._automatic = automatic
        self._refresh()

    def compute(self) -> None:
        """Start on a copy of the mask as it is now; nothing happens where something is missing."""
        session = self._session
        image, network = session.image, session.choices.network
        if self.missing or image is None or network is None:
            return
        codes, target = session.paint.codes.copy(), session.choices.target
        question = Question(image, codes, self._version, network, target, self._fill)
        self._asked, self._message = question, ""
        self._runner.start(lambda progress: self._answer(question, progress))
        self._refresh()

    def cancel(self) -> None:
        """Drop what is being computed; the result before it stays."""
        self._runner.cancel()
        self._refresh()

    def close(self) -> None:
        """Stop following; nothing is delivered after this."""
        for signal, slot in self._followed:
            signal.disconnect(slot)
        self._runner.close()

    # What is followed

    def _on_image(self, _image: CellImage | None) -> None:
        self._message = ""
        self._recognise_mask()
        # Automatic, it may have been asked about the new image already.
        if self._asked is not None and "image" in self._changes(self._asked):
            self._runner.cancel()
        self._refresh()

    def _on_edited(self, *_edit: object) -> None:
        self._version = next(self._versions)
        self._refresh()

    def _on_stroke_ended(self) -> None:
        self._recognise_mask()
        self._refresh()

    def _on_mask_replaced(self) -> None:
        # Its image is not in the session yet.
        self._version = next(self._versions)

    def _recognise_mask(self) -> None:
        # An undone stroke, or the way back to the image, makes the result that of the present mask again.
        asked, paint = self._asked, self._session.paint
        if (
            asked is not None
            and asked.codes.shape == paint.shape
            and np.array_equal(asked.codes, paint.codes)
        ):
            self._version = asked.version

    def _on_finished(self, result: RegionShapley) -> None:
        self._result, self._answered = result, self._asked
        try:
            self._card = network_card(result.network)
        except AllxaiError:
            self._card = None
        self._refresh()

    def _on_failed(self, message: str) -> None:
        self._message = message
        self._refresh()

    def _changes(self, question: Question) -> tuple[Part, ...]:
        session = self._session
        if session.image is None or session.image.sha256 != question.image.sha256:
            return ("image",)
        target = session.choices.target
        if self._result is not None and question is self._answered:
            same_target = (target or self._result.predicted) == self._result.target
        else:
            same_target = target == question.target
        changed: dict[Part, bool] = {
            "mask": self._version != question.version,
            "network": session.choices.network != question.network,
            "target": not same_target and session.choices.network == question.network,
            "fill": self._fill != question.fill,
        }
        return tuple(part for part, differs in changed.items() if differs)

    def _refresh(self, *_told: object) -> None:
        asked = self._asked
        follow = self._automatic and not self.missing and not self._session.paint.in_stroke
        if follow and (asked is None or self._changes(asked)):
            self.compute()
            return
        shown = (self.state, self.outdated, self.missing, self._message, self._fill, self._automatic)
        if (*shown, self.result) != self._shown:
            self._shown = (*shown, self.result)
            self.changed.emit()
