import numpy as np
import pytest

from allxai_desktop.training.measuring.segmentation_metrics import evaluate_segmentation, pixel_confusion

TRUTH = np.array([[1, 1, 0], [1, 0, 0]])
DRAWN = np.array([[1, 0, 0], [1, 1, 0]])


def test_rows_are_true_classes():
    assert pixel_confusion(TRUTH, DRAWN, 2).tolist() == [[2, 1], [1, 2]]


def test_unlabelled_pixels_are_not_counted():
    # Class 0 is unlabelled; drawing it where the truth is known is a mistake.
    assert pixel_confusion(TRUTH, DRAWN, 2, ignore=0).tolist() == [[0, 0], [1, 2]]


@pytest.mark.parametrize("other", [DRAWN[:1], DRAWN + 1, DRAWN - 1])
def test_masks_that_do_not_fit_are_refused(other):
    with pytest.raises(ValueError, match=r"shapes|class"):
        pixel_confusion(TRUTH, other, 2)


# Image 1: 8 nucleus pixels, 6 found, 2 too many. Image 2: 2 nucleus pixels, none found.
ONE = np.array([[90, 2], [2, 6]])
TWO = np.array([[98, 0], [2, 0]])
NONE = np.array([[100, 0], [0, 0]])


def test_pooled_and_mean_figures_by_hand():
    found = evaluate_segmentation([ONE, TWO], ("background", "nucleus"))
    nucleus = found.of_class["nucleus"]
    assert nucleus["dice_pooled"].value == pytest.approx(12 / (12 + 2 + 4))
    assert nucleus["dice_mean"].value == pytest.approx((12 / 16 + 0) / 2)
    assert nucleus["iou_pooled"].value == pytest.approx(6 / 12)
    assert nucleus["iou_mean"].value == pytest.approx((6 / 10 + 0) / 2)
    assert found.overall["pixel_accuracy_pooled"].value == pytest.approx(194 / 200)
    assert found.confusion.tolist() == [[188, 2], [4, 6]]


def test_an_image_without_the_class_drawn_or_true_is_in_no_mean():
    found = evaluate_segmentation([ONE, NONE], ("background", "nucleus"))
    assert found.of_class["nucleus"]["dice_mean"].value == pytest.approx(12 / 16)


def test_accuracies_of_images_of_different_size():
    found = evaluate_segmentation([ONE, np.array([[5, 5], [0, 0]])], ("background", "nucleus"))
    assert found.overall["pixel_accuracy_mean"].value == pytest.approx((0.96 + 0.5) / 2)
    assert found.overall["pixel_accuracy_pooled"].value == pytest.approx(101 / 110)


def test_a_class_that_is_nowhere_has_no_value():
    found = evaluate_segmentation([NONE] * 6, ("background", "nucleus"))
    assert {estimate.reason for estimate in found.of_class["nucleus"].values()} == {"undefined"}


def test_the_interval_is_over_groups():
    images = [ONE, TWO] * 10
    alone = evaluate_segmentation(images, ("background", "nucleus"))
    assert alone.groups is None
    estimate = alone.of_class["nucleus"]["dice_mean"]
    # The mean of 20 draws of 0 or 0.75: standard error 0.375 ÷ √20.
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * 0.375 / 20**0.5, rel=0.15)
    few = evaluate_segmentation(images, ("background", "nucleus"), groups=["a", "b"] * 10)
    assert few.groups == 2
    assert few.of_class["nucleus"]["dice_mean"].reason == "few-groups"


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="images"):
        evaluate_segmentation([], ("a", "b"))
