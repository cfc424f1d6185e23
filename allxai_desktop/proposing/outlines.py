"""Draws what is likely as a person would: nuclei and vacuoles whose outline lies on an edge, regions without specks."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit, logit, softmax

from allxai_desktop.proposing.classical import optical_density
from allxai_desktop.proposing.features import Planes, growth, smoothed

_NUCLEUS, _CYTOPLASM, _VACUOLE = 0, 1, 2
_SOLID = [0, 1, 3, 4]
# Widths are meant for a nucleus of this diameter, and follow the largest one.
_DIAMETER = 40
# By how much the logit at which a nucleus begins may move, and in which steps.
_FARTHEST, _STEP = 3.5, 0.25
_SURE, _LIKELY = 0.8, 0.7
_FEWEST = 20
_WIDTH, _LIKENESS, _ROUNDS = 3, 2, 2
_FLOOR = 1e-4
# Of vacuoles, in an image whose shorter side has 180 pixels: how far around one its cell is looked at, and how blurred.
_AROUND, _BLUR = 3, 0.35
# Which of the densities inside is that of its middle, in percent, and how far up from there to the cell's it ends.
_MIDDLE, _LEVEL = 10, 0.4

Plane = NDArray[np.float32]


def on_edges(pixels: NDArray[np.uint8], probabilities: Planes) -> Planes:
    """Return probabilities (H, W, 5) of an image (H, W, 3) whose nuclei begin where their dye begins.

    How much of a border a laboratory's dye makes look like nucleus is the same all over an image: the logit of
    nucleus at which one begins is moved for all of it, to where the outlines lie on the strongest edges.
    """
    wide = _nucleus_width(probabilities)
    if not wide:
        return probabilities
    # One number is looked for, and large nuclei show it as well to fewer pixels.
    step = max(int(wide), 1)
    seen, few, width = pixels[::step, ::step], probabilities[::step, ::step], wide / step
    edges = _edges(seen, _without_specks(few, width), width)
    if edges is None:
        return probabilities
    first = probabilities[..., _NUCLEUS].clip(_FLOOR, 1 - _FLOOR)
    logits = logit(first)
    new = expit(logits - _strongest(ndimage.gaussian_filter(logits[::step, ::step], width), edges))
    found = probabilities * ((1 - new) / (1 - first))[..., None]
    found[..., _NUCLEUS] = new
    result: Planes = (found / found.sum(axis=2, keepdims=True)).astype(np.float32)
    return result


def vacuoles_on_edges(pixels: NDArray[np.uint8], probabilities: Planes) -> Planes:
    """Return probabilities (H, W, 5) of an image (H, W, 3) whose vacuoles end where the cell around them begins.

    The network's reach into the cytoplasm, and join where they are close: each keeps what is nearly as pale as its
    middle, and the rest is cytoplasm.
    """
    likeliest = probabilities.argmax(axis=2)
    vacuoles, count = ndimage.label(likeliest == _VACUOLE)
    if not count:
        return probabilities
    wide = growth(pixels.shape[:2])
    density = smoothed(optical_density(pixels), _BLUR * wide)[..., 1]
    reach = round(_AROUND * wide)
    found = probabilities.copy()
    for number, place in enumerate(ndimage.find_objects(vacuoles), 1):
        around = tuple(slice(max(side.start - reach, 0), side.stop + reach) for side in place)
        inside, seen = vacuoles[around] == number, density[around]
        away = ndimage.distance_transform_cdt(~inside, "taxicab")
        rim = (likeliest[around] <= _CYTOPLASM) & (away > 1) & (away <= reach)
        middle = np.percentile(seen[inside], _MIDDLE)
        cell = np.median(seen[rim]) if rim.any() else middle
        if cell > middle:
            outside = inside & (seen > middle + _LEVEL * (cell - middle))
            part = found[around]
            part[outside, _CYTOPLASM] += part[outside, _VACUOLE]
            part[outside, _VACUOLE] = 0
    return found


def without_specks(probabilities: Planes) -> Planes:
    """Return probabilities (H, W, 5) by which a pixel is likely to be what lies around it.

    Vacuoles stay, for they are specks (mean field of a Potts model: Krähenbühl and Koltun, NIPS 2011, section 3,
    without colours).
    """
    wide = _nucleus_width(probabilities)
    return _without_specks(probabilities, wide) if wide else probabilities


def _without_specks(probabilities: Planes, wide: float) -> Planes:
    total = probabilities[..., _SOLID].sum(axis=2, keepdims=True) + np.float32(_FLOOR)
    first = probabilities[..., _SOLID] / total
    logs, likely = np.log(first + _FLOOR), first
    for _round in range(_ROUNDS):
        likely = softmax(logs + _LIKENESS * _blurred(likely, _WIDTH * wide), axis=2)
    found = probabilities.copy()
    found[..., _SOLID] = likely * total
    return found


def _nucleus_width(probabilities: Planes) -> float:
    """Return the diameter of a disc as large as the largest nucleus, in `_DIAMETER`; 0 where there is none."""
    nuclei, count = ndimage.label(probabilities.argmax(axis=2) == _NUCLEUS)
    if not count:
        return 0.0
    return float(2 * np.sqrt(np.bincount(nuclei.ravel())[1:].max() / np.pi)) / _DIAMETER


def _blurred(planes: Planes, sigma: float) -> Planes:
    """Return planes (H, W, C) smoothed by two boxes, nearly a Gaussian: their cost does not grow with `sigma`."""
    side = max(round(np.sqrt(6 * sigma**2 + 1)), 3) | 1
    once = ndimage.uniform_filter(planes, (side, side, 1))
    found: Planes = ndimage.uniform_filter(once, (side, side, 1))
    return found


def _edges(pixels: NDArray[np.uint8], probabilities: Planes, wide: float) -> Plane | None:
    """Return how steep the step from cytoplasm to nucleus is at each pixel (H, W); None where there is none.

    It is seen in the mixture of colours that tells both best (Fisher's discriminant). What is paler than cytoplasm
    counts as that: the outline of the cell is no edge.
    """
    inside = probabilities[..., _NUCLEUS] > _SURE
    outside = probabilities[..., [_CYTOPLASM, _VACUOLE]].sum(axis=2) > _LIKELY
    if min(inside.sum(), outside.sum()) < _FEWEST:
        return None
    colours = smoothed(1 - np.exp(-optical_density(pixels)), wide)
    both = colours[inside], colours[outside]
    spread = np.cov(both[0].T) + np.cov(both[1].T) + 1e-3 * np.eye(3)
    mixture = np.linalg.solve(spread, both[0].mean(axis=0) - both[1].mean(axis=0))
    seen = colours @ mixture.astype(np.float32)
    levels = np.median(seen[outside]), np.median(seen[inside])
    found: Plane = ndimage.generic_gradient_magnitude(seen.clip(min(levels), max(levels)), ndimage.sobel)
    return found if found.any() else None


def _strongest(logits: Plane, edges: Plane) -> float:
    """Return the level of `logits` (H, W) along whose outline the mean of `edges` (H, W) is largest."""
    levels = np.arange(-_FARTHEST, _FARTHEST + _STEP / 2, _STEP)
    below = np.searchsorted(levels, logits)
    sums, counts = np.zeros((2, len(levels) + 1))
    for one, other in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        # An outline runs between two neighbours at each level from the lower to the higher of them.
        ends = np.sort([below[one], below[other]], axis=0).reshape(2, -1)
        steep = ((edges[one] + edges[other]) / 2).ravel()
        for end, sign in zip(ends, (1, -1), strict=True):
            sums += sign * np.bincount(end, steep, len(sums))
            counts += sign * np.bincount(end, minlength=len(sums))
    means = (sums.cumsum() / np.maximum(counts.cumsum(), 1))[:-1]
    # Of outlines that are as good, which all are where none lies on an edge, that which moves least.
    best = levels[means == means.max()]
    return float(best[np.abs(best).argmin()])
