"""Which pixels of a relevance map count as relevant, and how they fall on the classes of a mask."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.cellclasses import CLASSES, MAX_CODE, UNLABELLED_KEY
from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import N_, _
from allxai_desktop.painting.tiles import Codes, Tiles

RULES = ("red-channel", "mean", "top-q", "positive-mass")
RULE_TITLES = {
    "red-channel": N_("Red channel above its mean (papers)"),
    "mean": N_("Above the mean relevance"),
    "top-q": N_("Strongest pixels"),
    "positive-mass": N_("All positive relevance"),
}
COLORMAPS = ("jet", "seismic")

# From here on six looks at bytes are quicker than `bincount`, which makes eight bytes of each code first.
_MANY = 1_000_000
# The sum of all weights in fixed point. Integers make an undone stroke give back exactly the shares before
# it; 60 bits leave room for rounding up at every pixel of the largest image.
_MASS_TOTAL = float(2**60)


def default_colormap(explainer_is_cam: bool) -> str:
    """Return the colour map of the source papers: MATLAB's Grad-CAM draws jet, iNNvestigate seismic."""
    return "jet" if explainer_is_cam else "seismic"


@cache
def _red_table(colormap: str) -> NDArray[np.uint8]:
    from matplotlib import colormaps

    table: NDArray[np.uint8] = np.array(colormaps[colormap](np.arange(256), bytes=True)[:, 0])
    return table


def _checked(relevance: NDArray[Any]) -> NDArray[np.float64]:
    if not np.isfinite(relevance).all():
        raise AllxaiError(
            _("The relevance map holds values that are not numbers: choose another explainer or network.")
        )
    return np.asarray(relevance, np.float64)


def red_channel(relevance: NDArray[np.float32], colormap: str) -> NDArray[np.uint8]:
    """Return the red channel (H, W), 0–255, of the map drawn with `colormap`.

    jet spans min…max, seismic −max|R|…max|R|; the entry of matplotlib's 256-entry table (its own 8-bit form)
    is int(255·x) for x in 0…1. A constant map takes one entry.
    Raises `AllxaiError` for another colour map and for NaN or infinity.
    """
    if colormap not in COLORMAPS:
        raise AllxaiError(
            _("There is no colour map {name} for the red-channel rule: choose {choices}.").format(
                name=colormap, choices=", ".join(COLORMAPS)
            )
        )
    values = _checked(relevance)
    if colormap == "jet":
        low, high = (values.min(), values.max()) if values.size else (0.0, 0.0)
    else:
        high = np.abs(values).max(initial=0.0)
        low = -high
    position = (values - low) / (high - low) if high > low else np.zeros_like(values)
    position *= 255
    return _red_table(colormap)[position.astype(np.uint8)]


def _top(values: NDArray[np.float64], q: float) -> NDArray[np.bool_]:
    if not 0 < q <= 1:
        raise AllxaiError(
            _("The fraction q of the top-q rule must be above 0 and at most 1, not {q}.").format(q=q)
        )
    flat = values.reshape(-1)
    count = min(max(round(q * flat.size), 1), flat.size)
    if count == 0:
        return np.zeros(values.shape, bool)
    lowest = np.partition(flat, flat.size - count)[flat.size - count]
    chosen: NDArray[np.bool_] = flat > lowest
    chosen[np.flatnonzero(flat == lowest)[: count - np.count_nonzero(chosen)]] = True
    return chosen.reshape(values.shape)


def pixel_weights(
    relevance: NDArray[np.float32], rule: str, *, q: float = 0.1, colormap: str = "jet"
) -> NDArray[Any]:
    """Return how much each pixel of the map (H, W) counts under one of `RULES`.

    bool (H, W): `red-channel`, red strictly above its mean; `mean`, strictly above the mean over all pixels of
    the positive part max(R, 0); `top-q`, the round(q·H·W) (at least one) highest pixels, among equals the first
    in C order. float64 (H, W): `positive-mass`, max(R, 0).
    Raises `AllxaiError` for NaN or infinity, an unknown rule or colour map, and q outside (0, 1].
    """
    if rule == "red-channel":
        red = red_channel(relevance, colormap)
        if not red.size:
            return np.zeros(red.shape, bool)
        # A whole number is above the mean exactly when it is above the mean rounded down.
        return np.asarray(red > int(red.sum(dtype=np.int64)) // red.size)
    values = _checked(relevance)
    if rule == "mean":
        positive = np.maximum(values, 0)
        if not positive.size or positive.min() == positive.max():
            return np.zeros(positive.shape, bool)  # the mean of equal numbers may be rounded to below them
        return np.asarray(positive > positive.mean())
    if rule == "top-q":
        return _top(values, q)
    if rule == "positive-mass":
        mass: NDArray[np.float64] = np.maximum(values, 0)
        return mass
    raise AllxaiError(
        _("There is no rule {name} for relevant pixels: choose {choices}.").format(
            name=rule, choices=", ".join(RULES)
        )
    )


@dataclass(frozen=True)
class ClassShare:
    """One class: pixels, its share of the labelled area, relevant pixels, its share of them, and their ratio.

    Shares are 0…1 of what is labelled. None is what has no value: `relevant` without a map and under
    `positive-mass`; `enrichment` (relevant share ÷ area share) without area or without any relevance.
    """

    pixels: int
    area_share: float | None
    relevant: int | None
    relevant_share: float | None
    enrichment: float | None


def percent(share: float | None) -> str:
    """Return a share 0…1 as text with one decimal, a dash for None."""
    return "–" if share is None else f"{100 * share:.1f} %"


def _shares(
    pixels: NDArray[np.int64], weight: NDArray[np.int64] | None, *, counted: bool
) -> dict[str, ClassShare]:
    labelled = int(pixels[1:].sum())
    total = 0 if weight is None else int(weight[1:].sum())

    def share(code: int) -> ClassShare:
        count = int(pixels[code])
        area = count / labelled if labelled and code else None
        relevant = None if weight is None else int(weight[code])
        part = relevant / total if relevant is not None and total and code else None
        enrichment = part / area if part is not None and area else None
        return ClassShare(count, area, relevant if counted else None, part, enrichment)

    return {cls.key: share(cls.code) for cls in CLASSES} | {UNLABELLED_KEY: share(0)}


def count_codes(codes: Codes) -> NDArray[np.int64]:
    """Return the number of pixels of each class code (6,)."""
    if isinstance(codes, Tiles):
        return codes.counts[: MAX_CODE + 1].copy()
    if codes.size > _MANY:
        return np.array([np.count_nonzero(codes == code) for code in range(MAX_CODE + 1)], np.int64)
    return np.bincount(codes.reshape(-1), minlength=MAX_CODE + 1).astype(np.int64)


class ShareCounter:
    """Pixels and relevance of each class, kept up to date from the pixels that change.

    `codes` is the mask uint8 (H, W), `weights` what `pixel_weights` returned for it (H, W), or None.
    """

    def __init__(self, codes: Codes, weights: NDArray[Any] | None = None) -> None:
        self.set_weights(codes, weights)

    def set_weights(self, codes: Codes, weights: NDArray[Any] | None) -> None:
        """Count everything anew. Raises `ValueError` where the shapes differ."""
        if weights is not None and weights.shape != codes.shape:
            raise ValueError(f"weights {weights.shape} do not fit a mask {codes.shape}")
        self._counted = weights is not None and weights.dtype == np.bool_
        self._scale: float | None = None
        if weights is not None and not self._counted:
            total = float(weights.sum(dtype=np.float64))
            self._scale = _MASS_TOTAL / total if total > 0 and np.isfinite(_MASS_TOTAL / total) else 0.0
        self._pixels = count_codes(codes)
        self._weight = None
        if weights is not None:
            if isinstance(codes, Tiles):
                raise ValueError("a slide has no map")
            self._weight = self._weigh(codes, weights)

    def update(
        self, old: NDArray[np.uint8], new: NDArray[np.uint8], weights_at: NDArray[Any] | None = None
    ) -> None:
        """Follow an edit of n pixels: codes before and after (n,), and the weights there (n,)."""
        self._pixels += count_codes(new) - count_codes(old)
        if self._weight is not None:
            if weights_at is None:
                raise ValueError("an edit under a map needs the weights of its pixels")
            self._weight += self._weigh(new, weights_at) - self._weigh(old, weights_at)

    def shares(self) -> dict[str, ClassShare]:
        """Return key → share, nucleus to background and then unlabelled, which is in no share."""
        return _shares(self._pixels, self._weight, counted=self._counted)

    def _weigh(self, codes: NDArray[np.uint8], weights: NDArray[Any]) -> NDArray[np.int64]:
        if self._scale is None:
            return count_codes(codes[weights])
        sums = np.zeros(MAX_CODE + 1, np.int64)
        np.add.at(sums, codes.reshape(-1), np.rint(weights.reshape(-1) * self._scale).astype(np.int64))
        return sums


def class_shares(
    codes: NDArray[np.uint8],
    relevance: NDArray[np.float32],
    rule: str,
    *,
    q: float = 0.1,
    colormap: str = "jet",
) -> dict[str, ClassShare]:
    """Return the shares of the classes of a mask (H, W) in a map (H, W). Raises as `pixel_weights` does."""
    return ShareCounter(codes, pixel_weights(relevance, rule, q=q, colormap=colormap)).shares()


def pool(images: Iterable[Mapping[str, ClassShare]]) -> dict[str, ClassShare]:
    """Return the shares over many images as the papers do: sum of counts ÷ sum of counts.

    Raises `ValueError` for images without a count of relevant pixels: the masses of two maps have no common unit.
    """
    keys = (UNLABELLED_KEY, *(cls.key for cls in CLASSES))
    pixels = np.zeros(len(keys), np.int64)
    relevant = np.zeros(len(keys), np.int64)
    for image in images:
        for code, key in enumerate(keys):
            count = image[key].relevant
            if count is None:
                raise ValueError("only counts of relevant pixels can be pooled")
            pixels[code] += image[key].pixels
            relevant[code] += count
    return _shares(pixels, relevant, counted=True)
