"""How a relevance map is drawn: colour tables with transparency, value range, outline, blended picture."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.cellclasses import BY_KEY
from allxai_desktop.i18n import N_

AUTO = "auto"
COLORMAPS = (AUTO, "jet", "seismic")
"""`auto` is perceptually uniform and lets the image through where there is no relevance; the others are the papers'."""
COLORMAP_TITLES = {AUTO: N_("Uniform"), "jet": N_("Jet (papers)"), "seismic": N_("Seismic (papers)")}

# More steps from class to class than this are speckles, whose lines would take minutes to draw and hide the image.
MOST_STEPS = 50_000
# Where two classes meet, both have the line: the last one drawn is seen.
OUTLINED = ("rbc", "cytoplasm", "vacuole", "nucleus")
# Below this share of the range the perceptually uniform maps fade out.
FADE = 0.5
OUTSIDE, EDGE = 1, 2


def value_range(relevance: NDArray[np.float32], signed: bool) -> tuple[float, float]:
    """Return the (low, high) drawn with the ends of the map: ±max|R| for signed maps, else min…max."""
    if signed:
        high = max(-float(relevance.min()), float(relevance.max()))
        return (-high, high) if high > 0 else (-1.0, 1.0)
    low, high = float(relevance.min()), float(relevance.max())
    return (low, high) if high > low else (low, low + 1.0)


@cache
def color_table(colormap: str, signed: bool) -> NDArray[np.float32]:
    """Return the RGBA table (256, 4) in 0…1 for one of `COLORMAPS`."""
    from matplotlib import colormaps

    name = colormap if colormap != AUTO else ("coolwarm" if signed else "inferno")
    table = colormaps[name](np.arange(256)).astype(np.float32)
    if colormap == AUTO:
        strength = np.linspace(-1, 1, 256) if signed else np.linspace(0, 1, 256)
        table[:, 3] = np.clip(np.abs(strength) / FADE, 0, 1)
    table.flags.writeable = False
    return table


def outline(relevant: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return (H, W): `EDGE` on the relevant pixels beside others, `OUTSIDE` on the others beside them, else 0."""
    found = np.zeros(relevant.shape, bool)
    for axis in (0, 1):
        before = (slice(None),) * axis + (slice(None, -1),)
        after = (slice(None),) * axis + (slice(1, None),)
        differs = relevant[before] != relevant[after]
        found[before] |= differs
        found[after] |= differs
    # Arithmetic in place of choosing pixels: the window waits for this.
    return found * (OUTSIDE + (EDGE - OUTSIDE) * relevant.view(np.uint8))


def class_outlines(codes: NDArray[np.uint8]) -> list[tuple[str, list[NDArray[np.float64]]]]:
    """Return the classes in a mask (H, W), in drawing order, with their outlines: lines (n, 2) of x, y.

    Coordinates are pixels from the corner of the image. The background has none: it is what is left.
    Neither has a mask with more than `MOST_STEPS` steps from class to class between neighbours.
    """
    from contourpy import contour_generator

    if sum(np.count_nonzero(np.diff(codes, axis=axis)) for axis in (0, 1)) > MOST_STEPS:
        return []
    found = []
    for key in OUTLINED:
        inside = np.pad(codes == BY_KEY[key].code, 1)
        if inside.any():
            # The centre of pixel 0 lies at 0.5, and at 1 in the padded mask.
            lines = contour_generator(z=inside.astype(np.float32)).lines(0.5)
            found.append((key, [np.asarray(line) - 0.5 for line in lines]))
    return found


def blend(
    pixels: NDArray[np.uint8],
    relevance: NDArray[np.float32],
    *,
    signed: bool,
    colormap: str = AUTO,
    opacity: float = 0.6,
    limits: tuple[float, float] | None = None,
) -> NDArray[np.uint8]:
    """Return the image (H, W, 3) with the map drawn over it, from `limits` or else its own `value_range`."""
    low, high = limits or value_range(relevance, signed)
    level = (255 * np.clip((relevance - low) / (high - low), 0, 1)).astype(np.uint8)
    rgba = color_table(colormap, signed)[level]
    alpha = opacity * rgba[..., 3:]
    mixed: NDArray[np.uint8] = np.rint(pixels * (1 - alpha) + 255 * rgba[..., :3] * alpha).astype(np.uint8)
    return mixed


def underlay(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image (h, w, 3) under the maps: grey and pale, so that no stain is taken for relevance."""
    pale: NDArray[np.uint8] = (110 + 0.57 * pixels.mean(2, keepdims=True)).astype(np.uint8)
    return np.repeat(pale, 3, axis=2)


def adjust(pixels: NDArray[np.uint8], brightness: float, contrast: float) -> NDArray[np.uint8]:
    """Return the image as it is shown with `brightness` and `contrast` in −1…1; 0 and 0 change nothing."""
    levels = np.arange(256) / 255
    slope = np.tan((min(contrast, 0.98) + 1) * np.pi / 4)
    table = np.clip((levels - 0.5) * slope + 0.5 + brightness / 2, 0, 1)
    shown: NDArray[np.uint8] = np.rint(255 * table).astype(np.uint8)[pixels]
    return shown
