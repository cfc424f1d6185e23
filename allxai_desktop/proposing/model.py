"""The proposal for the image that is painted: made on a thread of its own, followed, accepted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.i18n import N_
from allxai_desktop.painting.cleanup import remove_islands
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.painting.shapes import Indices
from allxai_desktop.proposing import places
from allxai_desktop.proposing.proposal import Proposal
from allxai_desktop.study.checks import SPECK_PX
from allxai_desktop.tasks import Dispatch, TaskRunner, at_once

if TYPE_CHECKING:
    from allxai_desktop.images import CellImage
    from allxai_desktop.proposing.lessons import Correction

LARGEST = 4_000_000
"""Pixels of the largest image that gets a proposal: following it costs the size of the image at each stroke."""


class Proposing(Protocol):
    """What `ProposalModel` needs of `proposing.proposer.Proposer`; see there."""

    def start(self) -> Proposal: ...

    def update(self, codes: NDArray[np.uint8], person: NDArray[np.bool_]) -> Proposal: ...

    def corrected(self, correction: Correction | None) -> Proposing: ...


@dataclass(frozen=True, eq=False)
class _Made:
    """A proposal, who made it and from what: the codes (H, W) that a person gave, 0 elsewhere."""

    correction: Correction | None
    proposer: Proposing
    first: Proposal
    proposal: Proposal
    given: NDArray[np.uint8]
    unsure: tuple[Indices, ...]


def _proposer(image: CellImage) -> Proposing:
    # Slow to import, and only where something is proposed.
    from allxai_desktop.proposing.proposer import Proposer

    return Proposer(image)


class ProposalModel:
    """Proposes classes for the image of `paint`, and again after each stroke of a person.

    Nothing is computed while it is not `visible`, or for a mask that is complete from the start. While one proposal
    is being made, strokes wait: the next takes them all in. `dispatch` runs a callable on the thread that owns the
    widgets. `proposal_changed` tells the `Proposal`, or None where there is none any more.
    """

    proposal_changed = Signal(object)
    visible_changed = Signal(bool)
    busy_changed = Signal(bool)
    failed = Signal(str)

    def __init__(
        self,
        paint: PaintModel,
        dispatch: Dispatch = at_once,
        make: Callable[[CellImage], Proposing] = _proposer,
        *,
        visible: bool = True,
    ) -> None:
        self.paint = paint
        self.image: CellImage | None = None
        self._make = make
        self._visible = visible
        self._made: _Made | None = None
        self._correction: Correction | None = None
        self._broken = False
        self._asked = 0
        self._seen = np.zeros((0, 0), bool)
        self._tasks = TaskRunner(
            dispatch, N_("The proposal failed: paint without it, and see the log for the reason.")
        )
        self._tasks.finished.connect(self._on_finished)
        self._tasks.failed.connect(self._on_failed)
        self._tasks.running_changed.connect(self.busy_changed.emit)
        paint.stroke_ended.connect(self._follow)
        paint.image_replaced.connect(self._on_image_replaced)

    def close(self) -> None:
        """Stop; nothing is delivered after this."""
        self.paint.stroke_ended.disconnect(self._follow)
        self.paint.image_replaced.disconnect(self._on_image_replaced)
        self._tasks.close()

    def set_image(self, image: CellImage | None) -> None:
        """Propose for `image`, whose mask is already in `paint`; what was proposed before is dropped at once."""
        self._discard()
        self.image = image
        self._broken = False
        if self.too_large:
            self.proposal_changed.emit(None)
        self._follow()

    def set_correction(self, correction: Correction | None) -> None:
        """Begin each proposal with what `correction` makes of the first probabilities, also that for this image."""
        self._correction = correction
        self._follow()

    # What is proposed

    @property
    def proposal(self) -> Proposal | None:
        """The newest proposal for the image, also while it is not visible; None where there is none."""
        return None if self._made is None else self._made.proposal

    @property
    def unsure(self) -> tuple[Indices, ...]:
        """The regions, flat indices (n,), where the proposal is most unsure, the most unsure first."""
        return () if self._made is None else self._made.unsure

    @property
    def busy(self) -> bool:
        """Whether a proposal is being made."""
        return self._tasks.running

    @property
    def following(self) -> bool:
        """Whether there is something to correct: a proposal for the image, or one that is being made."""
        return self._visible and (self._made is not None or self.busy)

    @property
    def too_large(self) -> bool:
        """Whether the image is too large to propose anything."""
        return self.image is not None and self.paint.codes.size > LARGEST

    @property
    def visible(self) -> bool:
        """Whether a proposal is wanted."""
        return self._visible

    @visible.setter
    def visible(self, visible: bool) -> None:
        if visible == self._visible:
            return
        self._visible = visible
        if not visible:
            self._tasks.cancel()
        self.visible_changed.emit(visible)
        self._follow()

    def ghost(self, indices: Indices | slice = slice(None)) -> NDArray[np.uint8]:
        """Return what accepting would make of the pixels at flat `indices` (n,): 0 where it would change nothing.

        A person's pixels are never changed.
        """
        proposal = self.proposal
        codes = self.paint.codes.reshape(-1)[indices]
        if proposal is None or not self._visible:
            return np.zeros(codes.shape, np.uint8)
        proposed = proposal.codes.reshape(-1)[indices]
        free = ~self.paint.person.reshape(-1)[indices] & (proposed != codes)
        return np.where(free, proposed, np.uint8(0))

    # Accepting

    def accept_all(self) -> int:
        """Take the whole proposal over, as one undo step, and return how many pixels changed.

        A person's pixels, locked classes and what "only over" leaves out stay as they are.
        """
        return self._accept(np.flatnonzero(self.ghost())) if self._made is not None else 0

    def accept_class(self, code: int) -> int:
        """Take over what is proposed to be of one class; see `accept_all`."""
        return self._accept(np.flatnonzero(self.ghost() == code)) if self._made is not None else 0

    def accept_at(self, indices: Indices) -> int:
        """Take over what is proposed at flat `indices` (n,), within the open stroke of a proposal if there is one."""
        ghost = self.ghost(indices)
        if self.paint.in_stroke:
            return self.paint.apply(indices[ghost > 0], ghost[ghost > 0])
        return self._accept(indices[ghost > 0])

    def _accept(self, indices: Indices) -> int:
        self.paint.begin_stroke("proposal")
        try:
            return self.paint.apply(indices, self.ghost(indices))
        finally:
            self.paint.end_stroke()

    # Where to go

    def next_unsure(self) -> Indices | None:
        """Return the next of the unsure regions, flat indices (n,), the first again after the last; None without."""
        regions = self.unsure if self._visible else ()
        if not regions:
            return None
        self._asked += 1
        return regions[(self._asked - 1) % len(regions)]

    def next_unlabelled(self) -> Indices | None:
        """Return the next unlabelled region, flat indices (n,), the first again after the last; None without one."""
        if not self.paint.whole:
            return None
        codes = self.paint.codes
        if self._seen.shape != codes.shape:
            self._seen = np.zeros(codes.shape, bool)
        region = places.unlabelled_region(codes, self._seen)
        if region is None:
            self._seen[:] = False
            region = places.unlabelled_region(codes, self._seen)
        if region is not None:
            self._seen.reshape(-1)[region] = True
        return region

    # Following

    def _discard(self) -> None:
        self._tasks.cancel()
        had, self._made = self._made is not None, None
        self._seen = np.zeros((0, 0), bool)
        if had:
            self.proposal_changed.emit(None)

    def _on_image_replaced(self) -> None:
        if self.image is not None and self.image.pixels.shape[:2] != self.paint.shape:
            # Another image is about to come.
            self.set_image(None)
        self._follow()

    def _follow(self) -> None:
        image, made, paint = self.image, self._made, self.paint
        if image is None or not self._visible or self._broken or self.too_large or self._tasks.running:
            return
        correction = self._correction
        if made is None:
            if paint.labelled < paint.codes.size:
                self._tasks.start(lambda _progress: _begun(self._make(image), correction))
            return
        given = np.where(paint.person, paint.codes, np.uint8(0))
        if correction is not made.correction:
            self._tasks.start(lambda _progress: _updated(_begun(made.proposer, correction), given))
        elif not np.array_equal(given, made.given):
            self._tasks.start(lambda _progress: _updated(made, given))

    def _on_finished(self, made: _Made) -> None:
        self._made, self._asked = made, 0
        self.proposal_changed.emit(made.proposal)
        self._follow()

    def _on_failed(self, message: str) -> None:
        # It would fail again after each stroke.
        self._broken = True
        self.failed.emit(message)


def _begun(proposer: Proposing, correction: Correction | None) -> _Made:
    proposer = proposer.corrected(correction)
    proposal = _without_specks(proposer.start())
    given = np.zeros(proposal.codes.shape, np.uint8)
    return _Made(
        correction,
        proposer,
        proposal,
        proposal,
        given,
        places.unsure_regions(proposal.uncertainty, given > 0),
    )


def _updated(made: _Made, given: NDArray[np.uint8]) -> _Made:
    known = given > 0
    proposal = made.first
    if known.any():
        proposal = _without_specks(made.proposer.update(given, known))
        proposal = replace(proposal, codes=np.where(known, given, proposal.codes))
    unsure = places.unsure_regions(proposal.uncertainty, known)
    return replace(made, proposal=proposal, given=given, unsure=unsure)


def _without_specks(proposal: Proposal) -> Proposal:
    """Return the proposal without what the check before submitting would only complain about."""
    return replace(proposal, codes=remove_islands(proposal.codes, None, SPECK_PX))
