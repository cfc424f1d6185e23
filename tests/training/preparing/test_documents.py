import numpy as np
import pytest

from allxai_desktop.training.preparing.documents import (
    above_otsu,
    beside_mask,
    blur,
    clean_up,
    contour_box,
    contrast,
    denoise,
    dilate,
    emphasise,
    grey,
    grey_cnn_steps,
    nuclear_stain,
    nucleus_mask_steps,
    resize_to,
    sharpen,
    stretch,
    to_unit,
)


def _point(side: int = 5) -> np.ndarray:
    image = np.zeros((side, side))
    image[side // 2, side // 2] = 1
    return image


def test_grey_weighs_the_channels():
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert grey(pixels).tolist() == [[76, 150, 29, 255]]


def test_values_become_fractions():
    assert to_unit(np.array([[0, 51, 255]], np.uint8)).tolist() == [[0, 0.2, 1]]


def test_stretching_reaches_zero_and_one():
    assert stretch(np.array([[0.2, 0.3, 0.6]])) == pytest.approx(np.array([[0, 0.25, 1]]))
    assert stretch(np.full((1, 2), 0.3)).tolist() == [[0, 0]]


def test_the_gaussian_is_binomial():
    row = np.array([1, 4, 6, 4, 1]) / 16
    assert np.array_equal(blur(_point(9))[2:7, 2:7], np.outer(row, row))


def test_the_gaussian_mirrors_at_the_border_without_repeating_it():
    # 1 at the border counts once, the 0 next to it twice.
    assert blur(np.array([[1.0, 0, 0, 0, 0]] * 3))[0].tolist() == [6 / 16, 4 / 16, 1 / 16, 0, 0]


def test_sharpening_has_the_weights_of_the_document():
    image, blurred = np.array([[0.4, 0.9, 0.0]]), np.array([[0.5, 0.5, 0.5]])
    assert sharpen(image, blurred) == pytest.approx(np.array([[0.5, 1.0, 0.0]]))


def test_the_largest_disc_is_boxed():
    rows, columns = np.mgrid[:80, :100]
    image = np.ones((80, 100))
    image[(rows - 40) ** 2 + (columns - 30) ** 2 <= 15**2] = 0.2
    image[(rows - 20) ** 2 + (columns - 80) ** 2 <= 6**2] = 0.2
    found = contour_box(image)
    ends = [end for part in found for end in (part.start, part.stop)]
    assert ends == pytest.approx([25, 56, 15, 46], abs=1)


def test_an_image_without_edges_is_boxed_whole():
    assert contour_box(np.full((6, 9), 0.5)) == (slice(0, 6), slice(0, 9))


def test_nuclei_are_bluer_than_red():
    pixels = np.array([[[100, 60, 151], [200, 150, 140], [250, 250, 250]]], np.uint8)
    assert nuclear_stain(pixels) == pytest.approx(np.array([[0.2, 0, 0]]))


def test_grey_nuclei_are_made_bright():
    dark_on_bright = np.array([[[200] * 3, [0] * 3, [255] * 3]], np.uint8)
    assert nuclear_stain(dark_on_bright) == pytest.approx(np.array([[55, 255, 0]]) / 255)
    bright_on_dark = 255 - dark_on_bright
    assert nuclear_stain(bright_on_dark) == pytest.approx(np.array([[55, 255, 0]]) / 255)


def test_contrast_cuts_off_both_ends():
    image = np.arange(101.0)[None] / 100
    assert contrast(image, cut=10)[0, [0, 10, 50, 90, 100]] == pytest.approx([0, 0, 0.5, 1, 1])
    assert contrast(np.full((2, 2), 0.4)).tolist() == [[0, 0], [0, 0]]


def test_dilating_a_point_gives_a_square_and_the_median_removes_it():
    assert dilate(_point()).tolist() == np.pad(np.ones((3, 3)), 1).tolist()
    assert denoise(_point()).max() == 0


def test_resizing_averages():
    assert resize_to(np.array([[0.0, 0.0, 1.0, 1.0]] * 2), (1, 1)) == pytest.approx(np.array([[0.5]]))


def test_bright_specks_and_dark_gaps_smaller_than_five_pixels_go():
    square = np.zeros((30, 30))
    square[10:20, 10:20] = 1
    speckled = square.copy()
    speckled[2:6, 2:6] = 1
    assert np.array_equal(clean_up(speckled), square)
    gap = np.ones((30, 30))
    gap[12:16, 12:16] = 0
    assert clean_up(gap).min() == 1


def test_the_laplacian_is_taken_from_the_image():
    image = np.array([[0.5, 0.5, 0.5], [0.5, 0.6, 0.5], [0.5, 0.5, 0.5]])
    assert emphasise(image)[1].tolist() == pytest.approx([0.3, 1.0, 0.3])
    assert emphasise(image)[0, 1] == pytest.approx(0.3)


def test_the_threshold_fills_holes_and_drops_small_regions():
    image = np.zeros((9, 9))
    image[1:6, 1:6] = 0.9
    image[3, 3] = 0.0
    image[8, 8] = 0.9
    expected = np.zeros((9, 9), bool)
    expected[1:6, 1:6] = True
    assert np.array_equal(above_otsu(image, smallest=2), expected)
    assert not above_otsu(np.full((3, 3), 0.5), smallest=1).any()


def _cell(side: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """A violet nucleus beside a red cell on white, and where the nucleus is."""
    rows, columns = np.mgrid[:side, :side]
    nucleus = (rows - 60) ** 2 + (columns - 60) ** 2 <= 18**2
    pixels = np.full((side, side, 3), 240, np.uint8)
    pixels[(rows - 24) ** 2 + (columns - 24) ** 2 <= 14**2] = (210, 140, 140)
    pixels[nucleus] = (90, 40, 140)
    return pixels, nucleus


def test_the_grey_chain_names_its_pictures_in_order_and_cuts_out_the_cell():
    steps = grey_cnn_steps(_cell()[0], side=96)
    assert list(steps) == ["resized", "grey", "normalised", "blurred", "sharpened", "roi"]
    assert steps["roi"].shape == (96, 96)
    assert 0 <= steps["roi"].min() <= steps["roi"].max() <= 1
    # Its middle is the nucleus, which fills most of it.
    assert (steps["roi"] < 0.4).mean() > 0.7


def test_the_mask_chain_follows_the_order_of_its_source_and_finds_the_nucleus_alone():
    pixels, nucleus = _cell()
    steps = nucleus_mask_steps(pixels, side=96)
    assert list(steps) == [
        "normalised", "contrast", "dilated", "denoised", "resized", "cleaned", "laplacian", "gaussian", "mask",
    ]  # fmt: skip
    mask = steps["mask"]
    assert 2 * (mask & nucleus).sum() / (mask.sum() + nucleus.sum()) > 0.9
    assert not mask[:40, :40].any()


def test_an_empty_image_has_an_empty_mask():
    assert not nucleus_mask_steps(np.full((40, 40, 3), 255, np.uint8), side=32)["mask"].any()


def test_image_mask_and_overlay_stand_side_by_side():
    pixels = np.full((2, 1, 3), 100, np.uint8)
    picture = beside_mask(pixels, np.array([[True], [False]]), color=(240, 228, 66))
    assert picture[0].tolist() == [[100] * 3, [255] * 3, [170, 164, 83]]
    assert picture[1].tolist() == [[100] * 3, [0] * 3, [100] * 3]
