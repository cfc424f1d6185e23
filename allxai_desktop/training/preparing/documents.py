"""The preprocessing of the source documents, step by step, each step's picture kept for a preview.

Images are float in 0…1 (H, W) unless a step says otherwise. The documents used OpenCV; its borders (mirrored without
the edge pixel), grey weights and 5 × 5 Gaussian kernel are kept, so that a chain gives what theirs gave up to rounding.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from skimage import feature, filters
from torch.nn import functional

Image = NDArray[np.float64]
Steps = dict[str, NDArray[Any]]
"""Name of the step → its picture, in order; the last is the result."""

# OpenCV's own kernel for 5 × 5 with sigma 0: binomial, not a sampled Gaussian.
_GAUSSIAN = np.array([1, 4, 6, 4, 1]) / 16
# The Laplacian taken from the image itself, "Kernel contrastador".
_SHARPENING = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
_SQUARE = np.ones((3, 3), bool)
# Mean distance of the brightest from the darkest channel above which an image is no grey one.
_COLOURED = 0.02


# Steps


def grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return RGB (H, W, 3) as grey: 0.299 R + 0.587 G + 0.114 B, rounded (ITU-R BT.601)."""
    found: NDArray[np.uint8] = np.rint(pixels @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    return found


def to_unit(values: NDArray[np.uint8]) -> Image:
    """Return 0…255 as 0…1."""
    return values / 255.0


def stretch(image: Image) -> Image:
    """Return the image with its darkest value at 0 and its brightest at 1; an even image becomes 0."""
    low, high = image.min(), image.max()
    return (image - low) / (high - low) if high > low else np.zeros_like(image)


def blur(image: Image) -> Image:
    """Return the image smoothed by the 5 × 5 Gaussian, weights 1 4 6 4 1."""
    rows: Image = ndimage.convolve1d(image, _GAUSSIAN, axis=0, mode="mirror")
    smooth: Image = ndimage.convolve1d(rows, _GAUSSIAN, axis=1, mode="mirror")
    return smooth


def sharpen(image: Image, blurred: Image) -> Image:
    """Return 1.5 · image − 0.2 · blurred, cut off at 0 and 1.

    The weights are the document's. They add up to 1.3, so it also brightens: all above 0.77 becomes white.
    """
    return np.clip(1.5 * image - 0.2 * blurred, 0, 1)


def contour_box(image: Image) -> tuple[slice, slice]:
    """Return rows and columns of the largest thing that edges enclose; the whole image where there is none.

    Canny with scikit-image's defaults but sigma 2, edges joined over gaps of two pixels, what they enclose filled.
    """
    edges = feature.canny(image, sigma=2.0)  # type: ignore[no-untyped-call]
    filled = ndimage.binary_fill_holes(
        ndimage.binary_closing(np.pad(edges, 2), _SQUARE, iterations=2)[2:-2, 2:-2]
    )
    labels, count = ndimage.label(filled)
    if not count:
        return slice(0, image.shape[0]), slice(0, image.shape[1])
    largest = int(np.bincount(labels.ravel())[1:].argmax()) + 1
    rows, columns = ndimage.find_objects(labels)[largest - 1]
    return rows, columns


def nuclear_stain(pixels: NDArray[np.uint8]) -> Image:
    """Return where nuclei are bright: in a coloured image how much bluer than red it is, else its grey.

    Nuclei take up the blue and violet dyes, red cells do not. A grey image is inverted where most of it is bright.
    """
    channels = to_unit(pixels)
    if (channels.max(axis=2) - channels.min(axis=2)).mean() > _COLOURED:
        return np.clip(channels[..., 2] - channels[..., 0], 0, 1)
    image = to_unit(grey(pixels))
    return 1 - image if np.median(image) > (image.min() + image.max()) / 2 else image


def contrast(image: Image, cut: float = 0.5) -> Image:
    """Return the image with the darkest `cut` % of its pixels at 0 and the brightest at 1."""
    low, high = np.percentile(image, [cut, 100 - cut])
    return np.clip((image - low) / (high - low), 0, 1) if high > low else np.zeros_like(image)


def dilate(image: Image) -> Image:
    """Return the brightest value of each 3 × 3."""
    found: Image = ndimage.grey_dilation(image, footprint=_SQUARE, mode="mirror")
    return found


def denoise(image: Image) -> Image:
    """Return the median of each 3 × 3."""
    found: Image = ndimage.median_filter(image, footprint=_SQUARE, mode="mirror")
    return found


def resize_to(image: Image, size: tuple[int, int]) -> Image:
    """Return the image brought to `size`: bilinear, antialiased, no cropping."""
    values = torch.from_numpy(np.ascontiguousarray(image))[None, None]
    found: Image = functional.interpolate(values, size, mode="bilinear", antialias=True)[0, 0].numpy()
    return found


def clean_up(image: Image) -> Image:
    """Return the image without bright specks and, after them, dark gaps smaller than 5 × 5."""
    opened = ndimage.grey_opening(image, (5, 5), mode="mirror")
    closed: Image = ndimage.grey_closing(opened, (5, 5), mode="mirror")
    return closed


def emphasise(image: Image) -> Image:
    """Return the image minus its Laplacian (4 neighbours), cut off at 0 and 1: outlines stand out."""
    found: Image = np.clip(ndimage.convolve(image, _SHARPENING, mode="mirror"), 0, 1)
    return found


def above_otsu(image: Image, smallest: int) -> NDArray[np.bool_]:
    """Return where the image is above Otsu's threshold, holes filled, without regions under `smallest` pixels."""
    if image.min() == image.max():
        return np.zeros(image.shape, bool)
    found = ndimage.binary_fill_holes(image > filters.threshold_otsu(image))  # type: ignore[no-untyped-call]
    labels, count = ndimage.label(found)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    kept: NDArray[np.bool_] = (sizes >= smallest)[labels]
    return kept


# Chains


def grey_cnn_steps(pixels: NDArray[np.uint8], side: int = 224) -> Steps:
    """Return the preprocessing of the grey CNN (Amador 2023): `roi` (side, side) in 0…1 is its input.

    Of `detect_roi` the document says only that it finds edges and contours: see `contour_box`. The region is brought
    back to the input size, which the document's shapes ask for.
    """
    resized = np.stack([resize_to(to_unit(pixels[..., c]), (side, side)) for c in range(3)], axis=2)
    steps: Steps = {"resized": np.rint(255 * resized).astype(np.uint8)}
    steps["grey"] = grey(steps["resized"])
    steps["normalised"] = to_unit(steps["grey"])
    steps["blurred"] = blur(steps["normalised"])
    steps["sharpened"] = sharpen(steps["normalised"], steps["blurred"])
    steps["roi"] = resize_to(steps["sharpened"][contour_box(steps["sharpened"])], (side, side))
    return steps


def nucleus_mask_steps(pixels: NDArray[np.uint8], side: int = 256) -> Steps:
    """Return the pipeline of the nucleus masks (Campos et al.): `mask` bool (side, side) is a proposal to correct.

    The order is theirs: normalise, contrast, dilate, denoise, resize, morphological clean-up, Laplacian, Gaussian.
    They give no parameters, and no threshold though a mask needs one: Otsu's comes last, and regions under
    1/2000 of the image go. `nuclear_stain` is ours: on grey values red cells are taken for nuclei (Dice 0.15 in
    place of 0.92 on blood smears whose nuclei were drawn by hand).
    """
    steps: Steps = {"normalised": stretch(nuclear_stain(pixels))}
    steps["contrast"] = contrast(steps["normalised"])
    steps["dilated"] = dilate(steps["contrast"])
    steps["denoised"] = denoise(steps["dilated"])
    steps["resized"] = resize_to(steps["denoised"], (side, side))
    steps["cleaned"] = clean_up(steps["resized"])
    steps["laplacian"] = emphasise(steps["cleaned"])
    steps["gaussian"] = blur(steps["laplacian"])
    steps["mask"] = above_otsu(steps["gaussian"], smallest=side * side // 2000)
    return steps


def beside_mask(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_], color: tuple[int, int, int] = (240, 228, 66)
) -> NDArray[np.uint8]:
    """Return image | mask | overlay (h, 3 w, 3), at the size of the mask (h, w); the overlay is half `color`."""
    height, width = mask.shape
    image = np.stack([resize_to(to_unit(pixels[..., c]), (height, width)) for c in range(3)], axis=2)
    image = np.rint(255 * image).astype(np.uint8)
    drawn = np.repeat(np.where(mask, 255, 0).astype(np.uint8)[..., None], 3, axis=2)
    mixed = ((image.astype(np.uint16) + np.array(color)) // 2).astype(np.uint8)
    return np.concatenate([image, drawn, np.where(mask[..., None], mixed, image)], axis=1)
