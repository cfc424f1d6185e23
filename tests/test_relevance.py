import numpy as np
import pytest

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.errors import AllxaiError
from allxai_desktop.relevance import (
    RULES,
    ClassShare,
    ShareCounter,
    class_shares,
    count_codes,
    default_colormap,
    pixel_weights,
    pool,
    red_channel,
)

KEYS = ["nucleus", "cytoplasm", "vacuole", "rbc", "background", "unlabelled"]


def f32(*rows):
    return np.array(rows, np.float32)


def test_papers_colormaps():
    assert default_colormap(True) == "jet"
    assert default_colormap(False) == "seismic"


def test_jet_spans_min_to_max():
    # Entries 0, 127 and 255. Red rises from 0 at 0.35 to 1 at 0.66: (127/255 − 0.35) / 0.31 = 0.4775 → 121.
    assert red_channel(f32([-3, -1, 1]), "jet").tolist() == [[0, 121, 127]]


def test_jet_red_is_full_at_three_quarters_and_half_at_the_hottest():
    red = red_channel(np.linspace(0, 1, 5, dtype=np.float32)[None], "jet")[0]
    assert red[3] == 255
    assert red[4] == 127


def test_seismic_is_white_at_zero_and_dark_at_both_ends():
    # Level int(255·0.5) = 127 is nearly white, 255 is dark red, and −max|R| dark blue.
    assert red_channel(f32([-2, 0, 2]), "seismic").tolist() == [[0, 253, 127]]


def test_seismic_range_follows_the_larger_side():
    # −1 of ±4 is x = 0.375, entry 95. Red: (95/255 − 0.25) / 0.25 = 0.4902 → 125.
    assert red_channel(f32([-1, 4]), "seismic").tolist() == [[125, 127]]


def test_red_channel_rule_takes_in_zero_and_drops_the_hottest_in_seismic():
    # Red is 253 at 0 and 127 at the maximum; the mean over 3 × 253 and 127 lies between.
    assert pixel_weights(f32([0, 0, 0, 5]), "red-channel", colormap="seismic").tolist() == [
        [True, True, True, False]
    ]


def test_red_channel_rule_is_strictly_above_the_mean():
    assert pixel_weights(f32([0, 0, 1, 1]), "red-channel", colormap="jet").tolist() == [
        [False, False, True, True]
    ]


@pytest.mark.parametrize("colormap", ["jet", "seismic"])
@pytest.mark.parametrize("value", [0.0, 0.1, -7.0])
def test_a_constant_map_has_no_pixel_above_the_mean(colormap, value):
    constant = np.full((7, 9), value, np.float32)
    assert not pixel_weights(constant, "red-channel", colormap=colormap).any()
    assert not pixel_weights(constant, "mean").any()


def test_mean_rule_takes_the_positive_part_over_all_pixels():
    # max(R, 0) = 0, 0, 1, 3 → mean 1: strictly above it lies only 3.
    assert pixel_weights(f32([-9, 0], [1, 3]), "mean").tolist() == [[False, False], [False, True]]


def test_top_q_breaks_ties_by_position():
    # round(0.5 · 6) = 3: the 9, then the first two of the four equal ones.
    assert pixel_weights(f32([1, 9, 1], [0, 1, 1]), "top-q", q=0.5).tolist() == [
        [True, True, True],
        [False, False, False],
    ]


@pytest.mark.parametrize(("q", "count"), [(0.1, 10), (0.07, 7), (1.0, 100), (0.001, 1), (0.296, 30)])
def test_top_q_takes_exactly_the_rounded_count(q, count):
    relevance = np.random.default_rng(0).integers(0, 5, (10, 10)).astype(np.float32)
    chosen = pixel_weights(relevance, "top-q", q=q)
    assert chosen.sum() == count
    assert relevance[chosen].min() >= relevance[~chosen].max(initial=-np.inf)


def test_positive_mass_weighs_by_the_positive_relevance():
    weights = pixel_weights(f32([-2, 0, 1.5]), "positive-mass")
    assert weights.dtype == np.float64
    assert weights.tolist() == [[0, 0, 1.5]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rule", RULES)
def test_a_map_with_nan_or_infinity_is_refused(rule, bad):
    with pytest.raises(AllxaiError, match="not numbers"):
        pixel_weights(f32([0, bad]), rule)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": "median"}, "red-channel, mean, top-q, positive-mass"),
        ({"rule": "red-channel", "colormap": "viridis"}, "jet, seismic"),
        ({"rule": "top-q", "q": 0.0}, "above 0"),
        ({"rule": "top-q", "q": 1.5}, "at most 1"),
        ({"rule": "top-q", "q": float("nan")}, "above 0"),
    ],
)
def test_unknown_rules_and_settings_are_refused(settings, message):
    with pytest.raises(AllxaiError, match=message):
        pixel_weights(f32([0, 1]), **settings)


def test_shares_of_a_small_mask():
    # Six labelled pixels: N N C V R B, two unlabelled ones; relevant: both N, C and one unlabelled.
    codes = np.array([[1, 1, 2, 3], [4, 5, 0, 0]], np.uint8)
    relevance = f32([5, 5, 5, 0], [0, 0, 5, 0])
    shares = class_shares(codes, relevance, "mean")
    assert list(shares) == KEYS
    assert shares["nucleus"] == ClassShare(2, 2 / 6, 2, 2 / 3, (2 / 3) / (2 / 6))
    assert shares["cytoplasm"] == ClassShare(1, 1 / 6, 1, 1 / 3, (1 / 3) / (1 / 6))
    assert shares["vacuole"] == ClassShare(1, 1 / 6, 0, 0.0, 0.0)
    assert shares["unlabelled"] == ClassShare(2, None, 1, None, None)


def test_positive_mass_has_shares_and_no_pixel_count():
    shares = class_shares(np.array([[1, 4, 0]], np.uint8), f32([3, 1, 5]), "positive-mass")
    assert shares["nucleus"].relevant is None
    assert shares["nucleus"].relevant_share == pytest.approx(0.75, abs=1e-15)
    assert shares["nucleus"].enrichment == pytest.approx(1.5, abs=1e-15)
    assert shares["unlabelled"] == ClassShare(1, None, None, None, None)


def test_a_class_without_area_has_no_enrichment():
    shares = class_shares(np.array([[1, 2]], np.uint8), f32([0, 1]), "mean")
    assert shares["vacuole"] == ClassShare(0, 0.0, 0, 0.0, None)


@pytest.mark.parametrize("rule", ["mean", "positive-mass"])
def test_without_any_relevance_there_is_no_relevant_share(rule):
    nucleus = class_shares(np.array([[1, 2]], np.uint8), f32([-1, 0]), rule)["nucleus"]
    assert nucleus.area_share == 0.5
    assert nucleus.relevant_share is None
    assert nucleus.enrichment is None


def test_without_a_map_only_areas_are_known():
    assert ShareCounter(np.array([[1, 1, 2, 0]], np.uint8)).shares()["nucleus"] == ClassShare(
        2, 2 / 3, None, None, None
    )


def test_an_empty_mask_has_no_shares():
    shares = class_shares(np.zeros((1, 2), np.uint8), f32([0, 1]), "mean")
    assert shares["nucleus"] == ClassShare(0, None, 0, None, None)
    assert shares["unlabelled"] == ClassShare(2, None, 1, None, None)


@pytest.mark.parametrize("rule", RULES)
def test_counter_equals_a_recount_after_every_edit_and_its_undoing(rule):
    rng = np.random.default_rng(20)
    codes = rng.integers(0, 6, (23, 17)).astype(np.uint8)
    weights = pixel_weights(rng.standard_normal(codes.shape).astype(np.float32) ** 3, rule)
    counter = ShareCounter(codes, weights)
    before, edits = counter.shares(), []
    flat = codes.reshape(-1)
    for _ in range(300):
        indices = rng.choice(flat.size, rng.integers(0, 60), replace=False)
        old, new = flat[indices].copy(), np.full(indices.size, rng.integers(0, 6), np.uint8)
        flat[indices] = new
        edits.append((indices, old, new))
        counter.update(old, new, weights.reshape(-1)[indices])
        assert counter.shares() == ShareCounter(codes, weights).shares()
    for indices, old, new in reversed(edits):
        counter.update(new, old, weights.reshape(-1)[indices])
    assert counter.shares() == before


def test_positive_mass_keeps_small_relevance_beside_a_large_peak():
    # 10⁶ pixels of 1e-9 hold 1e-3 beside the one of 1.
    codes = np.full((1000, 1001), 2, np.uint8)
    codes[0, 0] = 1
    relevance = np.full(codes.shape, 1e-9, np.float32)
    relevance[0, 0] = 1
    share = class_shares(codes, relevance, "positive-mass")["cytoplasm"].relevant_share
    assert share == pytest.approx(1.000999e-3 / 1.001000999, rel=1e-6)


def test_many_pixels_are_counted_like_few():
    codes = np.array([0, 1, 1, 3, 5, 5], np.uint8)
    assert count_codes(codes).tolist() == [1, 2, 0, 1, 0, 2]
    assert count_codes(np.repeat(codes, 200_000)).tolist() == [200_000, 400_000, 0, 200_000, 0, 400_000]


def test_weights_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        ShareCounter(np.zeros((2, 3), np.uint8), np.zeros((3, 2), bool))


def counted(nucleus, cytoplasm, rbc, background):
    numbers = [nucleus, cytoplasm, 0, rbc, background]
    shares = {cls.key: ClassShare(100, None, n, None, None) for cls, n in zip(CLASSES, numbers, strict=True)}
    return shares | {"unlabelled": ClassShare(7, None, 5, None, None)}


def test_pooled_percentages_of_the_papers():
    cell, rbc, background = 8071, 4951, 5484
    # Their counts add up to twice the papers' means; the mean of their percentages is another number.
    pooled = pool(
        [counted(2 * cell - 10, 0, 0, background), counted(7, 3, 2 * rbc, background)],
    )
    shown = [
        100 * sum(pooled[key].relevant_share for key in group)
        for group in (("nucleus", "cytoplasm", "vacuole"), ("rbc",), ("background",))
    ]
    assert [round(value, 2) for value in shown] == [43.61, 26.75, 29.63]


def test_pooling_adds_pixels_and_leaves_out_the_unlabelled():
    pooled = pool([counted(30, 0, 0, 10), counted(0, 0, 0, 40)])
    assert pooled["nucleus"] == ClassShare(200, 0.2, 30, 30 / 80, (30 / 80) / 0.2)
    assert pooled["unlabelled"] == ClassShare(14, None, 10, None, None)


def test_masses_of_two_maps_are_not_pooled():
    mass = class_shares(np.array([[1, 4]], np.uint8), f32([3, 1]), "positive-mass")
    with pytest.raises(ValueError, match="only counts"):
        pool([mass])
