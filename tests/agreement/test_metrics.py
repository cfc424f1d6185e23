"""Figures worked out by hand on tiny masks."""

import numpy as np
import pytest

from allxai_desktop.agreement.metrics import OF_CLASS, compare, summarise

# nucleus | cytoplasm, one pixel apart
FIRST = np.array([[1, 1, 2, 2]], np.uint8)
SECOND = np.array([[1, 2, 2, 2]], np.uint8)


def strip(*codes):
    return np.array([codes], np.uint8)


def test_overlap_of_a_class():
    nucleus = compare("a", FIRST, SECOND).figures(in_um=False)["nucleus"]
    # One pixel in both, two and one in each.
    assert (nucleus["dice"], nucleus["iou"]) == (2 * 1 / 3, 1 / 2)


def test_kappa_over_the_five_classes():
    found = compare("a", strip(1, 1, 2, 3, 5, 5), strip(1, 2, 2, 3, 5, 4))
    # Four of six alike; by chance (2·1 + 1·2 + 1·1 + 0·1 + 2·1) / 36 = 7/36.
    assert found.agreement == pytest.approx(4 / 6)
    assert found.kappa == pytest.approx((4 / 6 - 7 / 36) / (1 - 7 / 36))


def test_kappa_of_a_class_against_the_rest():
    figures = compare("a", strip(1, 1, 2, 3, 5, 5), strip(1, 2, 2, 3, 5, 4)).figures(in_um=False)
    # Cytoplasm: five of six alike; by chance (1·2 + 5·4) / 36 = 22/36.
    assert figures["cytoplasm"]["kappa"] == pytest.approx((5 / 6 - 22 / 36) / (1 - 22 / 36))
    # Found by nobody but the second: no better than chance.
    assert figures["rbc"]["kappa"] == 0


def test_kappa_is_below_zero_where_masks_contradict_each_other():
    assert compare("a", strip(1, 2), strip(2, 1)).kappa == -1


def test_a_boundary_one_pixel_off():
    nucleus = compare("a", FIRST, SECOND).figures(in_um=False)["nucleus"]
    assert (nucleus["distance"], nucleus["hausdorff95"]) == (1, 1)


def test_distances_both_ways_and_their_95_percent():
    first = np.full((5, 8), 5, np.uint8)
    first[:, :3] = 1
    second = first.copy()
    second[4, :5] = 1
    nucleus = compare("a", first, second).figures(in_um=False)["nucleus"]
    # From the five pixels of the first: 0 0 0 0 1; from the six of the second: 0 0 0 0 1 2.
    assert nucleus["distance"] == pytest.approx(4 / 11)
    # Percentiles between ranks: 0.8 of the way to 1 one way, 1 + 0.75 the other.
    assert nucleus["hausdorff95"] == pytest.approx(1.75)


def test_the_edge_of_the_image_is_no_boundary():
    # Both fill the image beyond the middle: only the line between the classes counts.
    figures = compare("a", strip(5, 1, 1), strip(5, 5, 1)).figures(in_um=False)
    assert figures["nucleus"]["distance"] == 1
    assert compare("a", strip(1, 1), strip(1, 1)).figures(in_um=False)["nucleus"]["distance"] is None


def test_distances_are_in_micrometres_where_the_pixel_is_known():
    found = compare("a", FIRST, SECOND, pixel_size_um=0.5)
    assert found.figures(in_um=True)["nucleus"]["distance"] == 0.5
    assert found.figures(in_um=False)["nucleus"]["distance"] == 1
    with pytest.raises(ValueError, match="pixel size"):
        compare("a", FIRST, SECOND).figures(in_um=True)


def test_a_class_in_neither_mask_has_no_figure():
    assert set(compare("a", FIRST, SECOND).figures(in_um=False)["vacuole"].values()) == {None}


def test_a_class_in_one_mask_overlaps_by_nothing_and_has_no_distance():
    assert compare("a", strip(1, 3), strip(1, 5)).figures(in_um=False)["vacuole"] == {
        "dice": 0,
        "iou": 0,
        "kappa": 0,
        "distance": None,
        "hausdorff95": None,
    }


def test_pixels_that_one_of_them_left_are_not_compared():
    found = compare("a", strip(1, 1, 2, 0), strip(1, 0, 2, 1))
    assert (found.share, found.agreement, found.kappa) == (0.5, 1, 1)


def test_where_labels_end_is_no_boundary():
    # Unlabelled by the second: a pixel beside it is no edge of the nucleus.
    figures = compare("a", strip(1, 1, 1, 5, 5), strip(0, 1, 5, 5, 5)).figures(in_um=False)
    assert figures["nucleus"]["distance"] == 1


def test_masks_without_a_pixel_in_common_have_no_figures():
    found = compare("a", strip(1, 0), strip(0, 1))
    assert (found.share, found.agreement, found.kappa) == (0, None, None)


def test_masks_of_two_shapes_are_refused():
    with pytest.raises(ValueError, match="shapes"):
        compare("a", FIRST, SECOND.T)


# Over images


def test_pooled_counts_pixels_and_the_mean_counts_images():
    small, large = strip(1, 2), np.ones((1, 8), np.uint8)
    found = summarise([compare("a", small, strip(2, 2)), compare("b", large, large)])
    nucleus = found.of_class["nucleus"]
    # 8 pixels in both, 9 and 8 in each; by image 0 and 1.
    assert nucleus["dice_pooled"].value == 16 / 17
    assert nucleus["dice_mean"].value == 1 / 2
    assert nucleus["iou_pooled"].value == 8 / 9
    assert found.overall["agreement_pooled"].value == 9 / 10
    assert found.overall["agreement_mean"].value == 3 / 4


def test_pooled_distances_count_boundary_pixels():
    tall = np.repeat(FIRST, 3, axis=0)
    found = summarise([compare("a", FIRST, SECOND), compare("b", tall, tall)]).of_class["nucleus"]
    # 1 + 1 over two boundary pixels, 0 over six.
    assert found["distance_pooled"].value == 2 / 8
    assert found["distance_mean"].value == 1 / 2
    assert found["hausdorff95_mean"].value == 1 / 2


def test_distances_are_in_pixels_unless_every_pixel_size_is_known():
    known, unknown = compare("a", FIRST, SECOND, pixel_size_um=0.1), compare("b", FIRST, SECOND)
    assert summarise([known, known]).in_um
    assert summarise([known, known]).of_class["nucleus"]["distance_pooled"].value == pytest.approx(0.1)
    mixed = summarise([known, unknown])
    assert (mixed.in_um, mixed.of_class["nucleus"]["distance_pooled"].value) == (False, 1)


def test_a_class_that_is_nowhere_is_undefined():
    found = summarise([compare("a", FIRST, SECOND)]).of_class["vacuole"]
    assert {found[name].value for name in OF_CLASS} == {None}
    assert {found[name].reason for name in OF_CLASS} == {"undefined"}


def test_intervals_need_five_images_and_hold_the_value():
    few = summarise([compare(str(n), FIRST, SECOND) for n in range(4)])
    assert few.overall["kappa_pooled"].reason == "few-groups"
    many = summarise([compare(str(n), FIRST, (FIRST, SECOND)[n % 2]) for n in range(6)])
    kappa = many.overall["kappa_pooled"]
    assert kappa.low < kappa.value < kappa.high
    # Half of the pairs are alike: of 24 pixels 21 agree, by chance (12·9 + 12·15) / 576.
    assert kappa.value == pytest.approx((21 / 24 - 0.5) / 0.5)


def test_an_interval_needs_five_images_that_have_the_class_and_a_distance_five_with_it_in_both():
    # Background in the first four; red cells in both masks of these, in one of the other two.
    images = [compare(str(n), strip(1, 1, 2, 4, 4, 5), strip(1, 2, 2, 4, 2, 5)) for n in range(4)]
    images += [compare(str(n), strip(1, 1, 2, 4), strip(1, (1, 2)[n % 2], 2, 2)) for n in (4, 5)]
    without = compare("6", strip(0, 0), strip(0, 0))
    found = summarise([*images, without])
    few = {
        key: [
            name for name in ("dice_mean", "dice_pooled", "distance_mean") if one[name].reason == "few-groups"
        ]
        for key, one in found.of_class.items()
    }
    assert few["nucleus"] == []
    assert few["rbc"] == ["distance_mean"]
    assert few["background"] == ["dice_mean", "dice_pooled", "distance_mean"]
    assert summarise([*images[:4], without]).overall["kappa_mean"].reason == "few-groups"


def test_subjects_are_drawn_where_every_image_has_one():
    alike = [compare(str(n), FIRST, SECOND, subject=f"S{n % 3}") for n in range(6)]
    assert summarise(alike).groups == 3
    assert summarise([*alike, compare("x", FIRST, SECOND)]).groups is None


def test_an_image_compared_twice_is_one_image_to_draw():
    twice = [compare(str(n // 2), FIRST, (FIRST, SECOND)[n % 2]) for n in range(8)]
    found = summarise(twice)
    assert (found.image_count, found.groups) == (4, None)
    assert found.overall["kappa_pooled"].reason == "few-groups"


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="images"):
        summarise([])
