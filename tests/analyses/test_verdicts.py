"""The sentences and the limits between them."""

from types import SimpleNamespace

import numpy as np
import pytest

from allxai_desktop.analyses.faithfulness import Faithfulness
from allxai_desktop.analyses.randomisation import Randomisation
from allxai_desktop.analyses.stability import Stability
from allxai_desktop.analyses.verdicts import (
    OutsideShare,
    conservation_verdict,
    deletion_verdict,
    insertion_verdict,
    outside_share,
    outside_verdict,
    per_class,
    randomisation_verdict,
    stability_verdict,
)


def conservation(ratio, explainer="deep-taylor", logit=1.0):
    return conservation_verdict(SimpleNamespace(conservation=ratio, explainer=explainer, logit=logit))


def test_nothing_is_said_where_nothing_is_promised():
    assert conservation(None) is None


@pytest.mark.parametrize(
    ("ratio", "level"), [(0.979, "fair"), (0.981, "good"), (1.019, "good"), (1.021, "fair")]
)
def test_two_per_cent_off_is_still_all_of_the_score(ratio, level):
    assert conservation(ratio).level == level


def test_the_biases_of_lrp_z_hold_the_difference():
    found = conservation(-0.793, "lrp-z")
    assert found.figure == "ΣR ÷ logit = −0.79"
    assert found.sentence == (
        "The pixels' relevance adds up to −0.79 of the score: the network's biases hold the difference."
    )


def test_a_map_of_divisions_by_nearly_nothing_is_not_to_be_relied_on():
    found = conservation(-4.4383e21, "lrp-z", logit=9.0)
    assert (found.level, found.figure) == ("poor", "ΣR ÷ logit = −4.4e+21")
    assert "Do not rely on this map" in found.sentence
    assert conservation(200, "lrp-z", logit=0.01).level == "fair"
    assert conservation(50, "lrp-z", logit=30).level == "fair"


def test_what_deep_taylor_misses_was_lost():
    assert "adds up to 0.50 of the score: the rest was lost" in conservation(0.5).sentence


# Codes: 0 unlabelled, 1 nucleus, 2 cytoplasm, 3 vacuole, 4 red cell, 5 background.
def share(codes, mass):
    codes = np.array(codes, np.uint8)
    return outside_share(per_class(codes, np.array(mass)), per_class(codes))


def test_the_weights_of_many_pixels_are_summed_like_those_of_few():
    codes, mass = np.array([0, 1, 1, 5], np.uint8), np.array([1, 2, 4, 8], np.float32)
    assert per_class(codes, mass).tolist() == [1, 6, 0, 0, 0, 8]
    many = per_class(np.repeat(codes, 100_000), np.repeat(mass, 100_000))
    assert many.tolist() == [100_000, 600_000, 0, 0, 0, 800_000]


def test_outside_the_cell_are_red_cells_and_background():
    assert share([1, 2, 3, 4, 5], [3.0, 1, 1, 2, 1]) == OutsideShare(relevance=3 / 8, area=2 / 5)


def test_what_is_not_labelled_is_in_no_share():
    assert share([0, 1, 5, 5], [9.0, 3, 1, 0]) == OutsideShare(relevance=1 / 4, area=2 / 3)


@pytest.mark.parametrize(
    ("codes", "mass"),
    [([4, 5], [1.0, 1]), ([0, 0], [1.0, 1]), ([0, 1], [1.0, 1]), ([1, 5], [0.0, 0])],
    ids=["no cell", "no label", "nothing else labelled", "no relevance"],
)
def test_without_a_cell_or_what_surrounds_it_there_is_no_share(codes, mass):
    assert share(codes, mass) is None


def test_a_cell_that_fills_the_image_leaves_nothing_outside():
    assert share([1, 2], [1.0, 1]) == OutsideShare(0.0, 0.0)
    assert outside_verdict(OutsideShare(0.0, 0.0)).level == "good"


@pytest.mark.parametrize(
    ("relevance", "area", "level"),
    [(0.25, 0.6, "good"), (0.26, 0.6, "fair"), (0.6, 0.6, "poor"), (0.1, 0.1, "poor")],
)
def test_as_much_outside_as_the_area_gives_is_no_sign_of_the_cell(relevance, area, level):
    assert outside_verdict(OutsideShare(relevance, area)).level == level


def test_shares_are_in_the_sentence():
    assert outside_verdict(OutsideShare(0.65, 0.6)).sentence == (
        "65\u00a0% of the positive relevance lies outside the cell, no less than its part of the area (60\u00a0%):"
        " the map does not single out the cell."
    )


def faithfulness(
    deletion=(1.0, 0.5, 0.0), insertion=(0.0, 0.5, 1.0), randoms=((1.0, 0.4, 0.0), (1.0, 0.6, 0.0))
):
    # Two steps: the area is (start + end) / 4 + middle / 2.
    return Faithfulness(np.array(deletion), np.array(insertion), np.array(randoms))


@pytest.mark.parametrize(
    ("middle", "level"), [(0.39, "good"), (0.41, "fair"), (0.59, "fair"), (0.61, "poor")]
)
def test_deletion_has_to_beat_every_random_order(middle, level):
    assert deletion_verdict(faithfulness(deletion=(1, middle, 0))).level == level


@pytest.mark.parametrize(
    ("middle", "level"), [(0.61, "good"), (0.59, "fair"), (0.41, "fair"), (0.39, "poor")]
)
def test_insertion_has_to_beat_every_random_order(middle, level):
    assert insertion_verdict(faithfulness(insertion=(0, middle, 1))).level == level


def test_the_areas_stand_beside_the_sentence():
    assert (
        deletion_verdict(faithfulness(deletion=(1, 0.2, 0))).figure == "area 0.35, random orders 0.45 to 0.55"
    )


@pytest.mark.parametrize("last", [0.41, 0.76])
def test_a_score_that_hardly_falls_or_rises_says_nothing(last):
    curves = faithfulness(deletion=(0.5, 0.1, last))
    assert deletion_verdict(curves).level == insertion_verdict(curves).level == "none"
    assert deletion_verdict(curves).sentence == insertion_verdict(curves).sentence
    assert deletion_verdict(curves).sentence.startswith(
        "Without the picture the score of this class is nearly as high, or higher"
    )


@pytest.mark.parametrize(
    ("correlation", "level"), [(0.8, "good"), (0.79, "fair"), (0.5, "fair"), (0.49, "poor")]
)
def test_stability_is_read_from_the_rank_correlation(correlation, level):
    found = stability_verdict(Stability((correlation,) * 2, (0.75, 0.25)))
    assert found.level == level
    assert found.figure == f"rank correlation {correlation:.2f}, strongest pixels kept 50\u00a0%"


def randomised(everything, last):
    return randomisation_verdict(Randomisation(((everything, 0.1),), () if last is None else ((last, 0.1),)))


@pytest.mark.parametrize(
    ("everything", "last", "level"),
    [
        (0.7, 0.1, "poor"),
        (0.69, 0.1, "fair"),
        (0.4, 0.1, "fair"),
        (0.39, 0.1, "good"),
        (0.1, 0.9, "poor"),
        (0.1, 0.89, "good"),
        (0.1, None, "good"),
    ],
)
def test_the_map_has_to_change_with_the_weights(everything, last, level):
    assert randomised(everything, last).level == level


def test_a_map_that_only_the_last_layer_leaves_alone_is_told_apart():
    assert "follows the picture" in randomised(0.9, 0.95).sentence
    assert "the last layer random" in randomised(0.1, 0.95).sentence


def test_an_explainer_without_random_maps_says_so():
    found = randomisation_verdict(Randomisation((), ()))
    assert found.level == "none"
    assert "not defined on the random networks" in found.sentence
