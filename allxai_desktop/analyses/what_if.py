"""What would the network say without a part of the image? The part is painted; image and mask stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from allxai_desktop.cellclasses import BY_KEY, CLASSES, MAX_CODE
from allxai_desktop.images import pixel_sha256
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.removal import FILLS, remove
from allxai_desktop.tasks import Dispatch, TaskRunner, at_once

if TYPE_CHECKING:
    from allxai_desktop.images import CellImage
    from allxai_desktop.networks.network import Prediction
    from allxai_desktop.session import Result, Session

KEPT, REMOVED = 0, 1
"""The codes of the region."""
ALIKE = 0.05
"""A probability that changes by less is called about the same."""


@dataclass(frozen=True, eq=False)
class Variant:
    """The image with `region`, bool (H, W), filled.

    `share` 0…1 of the image is out; `removed`: class key → share 0…1 of the pixels of the class that is out, for each
    class of the mask.
    """

    image: CellImage
    region: NDArray[np.bool_]
    share: float
    removed: Mapping[str, float]


@dataclass(frozen=True)
class Change:
    """Probability 0…1 and logit of the class `key` for the image and for what is left of it."""

    key: str
    probability_before: float
    probability_after: float
    logit_before: float
    logit_after: float


@dataclass(frozen=True)
class Comparison:
    """The prediction for the image and for what is left of it.

    `changes` begin with the target, followed by the classes predicted before and after, each class once.
    """

    changes: tuple[Change, ...]
    predicted_before: str
    predicted_after: str

    @property
    def verdict(self) -> Literal["other", "less", "more", "alike"]:
        """Whether another class is predicted, or how the probability of the class predicted changes."""
        if self.predicted_after != self.predicted_before:
            return "other"
        change = next(change for change in self.changes if change.key == self.predicted_before)
        gain = change.probability_after - change.probability_before
        return "alike" if abs(gain) < ALIKE else "more" if gain > 0 else "less"


def compare(before: Prediction, after: Prediction, target: str | None) -> Comparison:
    """Return how a prediction changes; `target` None is the class predicted before."""
    keys = list(before.probabilities)

    def change(key: str) -> Change:
        number = keys.index(key)
        return Change(
            key,
            before.probabilities[key],
            after.probabilities[key],
            float(before.logits[number]),
            float(after.logits[number]),
        )

    shown = dict.fromkeys((target or before.predicted, before.predicted, after.predicted))
    return Comparison(tuple(map(change, shown)), before.predicted, after.predicted)


def take_out(
    image: CellImage, region: NDArray[np.bool_], codes: NDArray[np.uint8], fill: str
) -> Variant | None:
    """Return `image` without `region` (H, W), filled as `removal.remove` does; None where the region is empty.

    `codes` (H, W) is the mask, which says where the background is. Raises `ValueError` for an unknown fill.
    """
    if not region.any():
        return None
    pixels = remove(image.pixels, region, fill, codes == BY_KEY["background"].code)
    pixels.flags.writeable = False
    areas = np.bincount(codes.reshape(-1), minlength=MAX_CODE + 1)
    out = np.bincount(codes[region], minlength=MAX_CODE + 1)
    removed = {cls.key: float(out[cls.code] / areas[cls.code]) for cls in CLASSES if areas[cls.code]}
    variant = replace(image, pixels=pixels, sha256=pixel_sha256(pixels))
    return Variant(variant, region, float(region.mean()), removed)


class WhatIf:
    """Takes the painted part of a session's image out, as long as it is `active`, and has the rest explained.

    `region` is painted with the codes `KEPT` and `REMOVED` and has an undo history of its own; it outlives leaving,
    but not another image. The part is taken out on another thread: strokes made meanwhile are done together next,
    and the session gets a new variant when it has explained the one before, so that both follow a moving brush.
    `dispatch` runs a callable on the thread that owns the widgets.
    """

    active_changed = Signal(bool)
    fill_changed = Signal(str)
    variant_changed = Signal(object)
    comparison_changed = Signal(object)

    def __init__(self, session: Session, dispatch: Dispatch = at_once) -> None:
        self.session = session
        self.region = PaintModel()
        self.variant: Variant | None = None
        self.comparison: Comparison | None = None
        self._active = False
        self._fill = next(iter(FILLS))
        self._outdated = False
        self._tasks = TaskRunner(dispatch)
        self._tasks.finished.connect(self._on_taken_out)
        # Not `emit` itself: psygnal tries it out, and everybody would be told of a failure.
        self._tasks.failed.connect(lambda text: session.failed.emit(text))
        self.region.edited.connect(self._on_edited)
        session.image_changed.connect(self._on_image)
        session.result_changed.connect(self._on_result)
        session.busy_changed.connect(self._explain)

    @property
    def active(self) -> bool:
        """Whether the part is out; without an image it cannot be."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        image = self.session.image
        active = active and image is not None
        if active == self._active:
            return
        if image is not None and self.region.shape != image.pixels.shape[:2]:
            self._clean(image)
        self._active = active
        if not active:
            self.region.end_stroke()
            self._tasks.cancel()
            self._set_variant(None)
            self.session.set_variant(None)
        self._on_result(self.session.result)
        self.active_changed.emit(active)
        self._take_out()

    def toggle(self) -> None:
        """Begin, or go back to the image itself."""
        self.active = not self._active

    @property
    def fill(self) -> str:
        """What stands in place of the part, one of `removal.FILLS`."""
        return self._fill

    @fill.setter
    def fill(self, fill: str) -> None:
        if fill not in FILLS:
            raise ValueError(f"no fill called {fill!r}")
        if fill != self._fill:
            self._fill = fill
            self.fill_changed.emit(fill)
            self._take_out()

    def remove_class(self, key: str) -> None:
        """Take the whole of a class of the mask out; one undo step. Begins, if need be."""
        self.active = True
        if self._active:
            of_class = self.session.paint.codes == BY_KEY[key].code
            self.region.apply(np.flatnonzero(of_class), REMOVED)

    def clear(self) -> None:
        """Put everything back; one undo step."""
        self.region.apply(np.flatnonzero(self.region.codes), KEPT)

    def close(self) -> None:
        """Stop, back on the image itself; called before the session is closed."""
        self.active = False
        self._tasks.close()
        self.session.image_changed.disconnect(self._on_image)
        self.session.result_changed.disconnect(self._on_result)
        self.session.busy_changed.disconnect(self._explain)

    def _on_image(self, image: CellImage | None) -> None:
        # The region belongs to the image before, also where the size is the same.
        self.active = False
        self._clean(image)

    def _clean(self, image: CellImage | None) -> None:
        shape = (0, 0) if image is None else image.pixels.shape[:2]
        self.region.new_image(np.zeros(shape, np.uint8))

    def _on_edited(self, *_edit: object) -> None:
        self._take_out()

    def _take_out(self) -> None:
        if not self._active:
            return
        self._outdated = self._tasks.running
        image = self.session.image
        if self._outdated or image is None:
            return
        # Views, which follow the brush: a copy of a large image would delay each of its events.
        painted, codes, fill = self.region.codes, self.session.paint.codes, self._fill
        self._tasks.start(lambda _progress: take_out(image, painted == REMOVED, codes, fill))

    def _on_taken_out(self, variant: Variant | None) -> None:
        self._set_variant(variant)
        self._explain()
        if self._outdated:
            self._take_out()

    def _set_variant(self, variant: Variant | None) -> None:
        if variant is not self.variant:
            self.variant = variant
            self.variant_changed.emit(variant)

    def _explain(self, *_busy: object) -> None:
        if self._active and not self.session.busy:
            self.session.set_variant(None if self.variant is None else self.variant.image)

    def _on_result(self, result: Result | None) -> None:
        found = None
        if self._active and result is not None:
            after = result.explanation.prediction
            found = compare(result.before or after, after, result.choices.target)
        if found != self.comparison:
            self.comparison = found
            self.comparison_changed.emit(found)
