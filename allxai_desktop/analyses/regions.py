"""What each region of the mask contributes to the score of a class: exact Shapley values (Shapley 1953)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.cellclasses import BY_KEY, CLASSES, MAX_CODE, UNLABELLED
from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import N_, _
from allxai_desktop.removal import FILLS, filling
from allxai_desktop.tasks import Progress, unwatched

if TYPE_CHECKING:
    from allxai_desktop.networks.network import Network

BATCH = 8
"""Images that are computed at once: what bounds the memory."""

SURROUNDINGS = "surroundings"
FILL_TITLES = FILLS | {SURROUNDINGS: N_("unlabelled surroundings")}
"""What may really have stood in place of removed regions, and what it is called."""


@dataclass(frozen=True)
class RegionShapley:
    """What each region of a mask contributes to the logit of `target`.

    `values`: class key → Shapley value, in logits, of each class that the mask holds; they sum to `logit` −
    `logit_all_removed`. `predicted`: the class that the network sees in the whole image. `fill`: what stood in
    place of removed regions, one of `FILL_TITLES`. `unlabelled_share`: 0…1 of the image, never removed.
    """

    values: Mapping[str, float]
    target: str
    predicted: str
    logit: float
    logit_all_removed: float
    fill: str
    network: str
    unlabelled_share: float
    seconds: float


def coalitions(players: int) -> NDArray[np.bool_]:
    """Return who takes part in each of the 2^n coalitions, (2^n, n): player i in those whose number has bit i."""
    numbers = np.arange(1 << players)[:, None]
    return np.asarray(numbers >> np.arange(players) & 1, bool)


def shapley_values(worths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Shapley values (n,) of a game from the worth (2^n,) of each of `coalitions(n)`.

    Player i gets Σ |S|! (n − |S| − 1)! / n! · (worth(S ∪ i) − worth(S)) over the coalitions S without i
    (Shapley 1953); the values sum to the worth of all − the worth of none.
    """
    players = worths.size.bit_length() - 1
    members = coalitions(players)
    # |S|! (n − |S| − 1)! / n! = 1 / (n · C(n − 1, |S|))
    weights = np.array([1 / (players * comb(players - 1, size)) for size in range(players)])
    values = np.empty(players)
    for player in range(players):
        without = np.flatnonzero(~members[:, player])
        gains = worths[without | 1 << player] - worths[without]
        values[player] = (weights[members[without].sum(1)] * gains).sum()
    return values


def region_shapley(
    pixels: NDArray[np.uint8],
    codes: NDArray[np.uint8],
    logits_of: Callable[[NDArray[np.float32]], NDArray[Any]],
    classes: Sequence[str],
    target: str | None = None,
    fill: str = "background",
    *,
    prepare: Callable[[NDArray[np.uint8]], NDArray[np.float32]] = lambda image: image.astype(np.float32),
    network: str = "",
    progress: Progress = unwatched,
) -> RegionShapley:
    """Return the exact Shapley value of each region of the mask `codes` (H, W) of an image (H, W, 3).

    The players are the classes that the mask holds; unlabelled pixels always stay. `logits_of` takes up to `BATCH`
    images, (n, …) as `prepare` makes them, and returns their logits (n, classes); it is asked for all 2^k images.
    `prepare` makes one image small; it must be affine, as resizing is, but sharpening with its cut-offs is not.
    `target` None is the class predicted for the whole image. `fill` is one of `FILLS`; a mask without background
    takes the unlabelled pixels for it, and where there are none either, the blurred image.

    Raises `AllxaiError` for a mask without labels, a target that is no class, and logits that are no numbers;
    `ValueError` for a mask of another size and an unknown fill.
    """
    start = perf_counter()
    if codes.shape != pixels.shape[:2]:
        raise ValueError(f"a mask {codes.shape} does not fit an image {pixels.shape}")
    if target is not None and target not in classes:
        raise AllxaiError(
            _("The network has no class “{name}”: choose one of {known}.").format(
                name=target, known=", ".join(classes)
            )
        )
    areas = np.bincount(codes.reshape(-1), minlength=MAX_CODE + 1)
    regions = [cls for cls in CLASSES if areas[cls.code]]
    if not regions:
        raise AllxaiError(_("The mask holds no class yet: paint at least one to see what it contributes."))
    fill, filled = _filling(pixels, codes, fill)

    def image_with(*kept: int) -> NDArray[np.float32]:
        stays = np.zeros(MAX_CODE + 1, bool)
        stays[[UNLABELLED, *kept]] = True
        return prepare(np.where(stays[codes][..., None], pixels, filled))

    # Preparing is affine and the regions do not overlap, so k + 1 images give all 2^k: full-size images are
    # slow to make and to resize.
    empty = image_with()
    parts = np.stack([image_with(cls.code) - empty for cls in regions])
    members = coalitions(len(regions))
    batches = []
    for first in range(0, len(members), BATCH):
        progress(first / len(members))
        present = members[first : first + BATCH].astype(np.float32)
        batches.append(logits_of(empty + np.tensordot(present, parts, 1)))
    logits = np.concatenate(batches).astype(np.float64)
    if not np.isfinite(logits).all():
        raise AllxaiError(_("The network answers with values that are not numbers: choose another network."))
    predicted = classes[int(logits[-1].argmax())]
    worths = logits[:, classes.index(target or predicted)]
    values = shapley_values(worths)
    progress(1.0)
    return RegionShapley(
        values={cls.key: float(value) for cls, value in zip(regions, values, strict=True)},
        target=target or predicted,
        predicted=predicted,
        logit=float(worths[-1]),
        logit_all_removed=float(worths[0]),
        fill=fill,
        network=network,
        unlabelled_share=float(areas[UNLABELLED] / codes.size),
        seconds=perf_counter() - start,
    )


def explain_regions(
    network: Network,
    pixels: NDArray[np.uint8],
    codes: NDArray[np.uint8],
    target: str | None = None,
    fill: str = "background",
    progress: Progress = unwatched,
) -> RegionShapley:
    """Return the Shapley values of the regions for a loaded network; as `region_shapley`, which it raises as."""
    import torch

    from allxai_desktop.networks.network import resize

    def logits_of(resized: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            inputs = network.preprocess_resized(torch.from_numpy(resized))
            logits: NDArray[np.float32] = network.module(inputs).numpy()
        return logits

    def prepare(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        made: NDArray[np.float32] = resize(image, network.card.input_size)[0].numpy()
        return made

    card = network.card
    return region_shapley(
        pixels,
        codes,
        logits_of,
        card.classes,
        target,
        fill,
        prepare=prepare,
        network=card.name,
        progress=progress,
    )


def _filling(pixels: NDArray[np.uint8], codes: NDArray[np.uint8], fill: str) -> tuple[str, NDArray[np.uint8]]:
    """Return which of `FILL_TITLES` it is in the end, and the image (H, W, 3) of what replaces each pixel."""
    if fill != "background":
        return fill, filling(pixels, fill)
    for name, code in (("background", BY_KEY["background"].code), (SURROUNDINGS, UNLABELLED)):
        known = codes == code
        if known.any():
            return name, filling(pixels, "background", known)
    return "blur", filling(pixels, "blur")
