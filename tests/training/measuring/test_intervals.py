import numpy as np
import pytest

from allxai_desktop.training.measuring.intervals import RESAMPLES, Basis, Bootstrap, Estimate, as_dict


def share_of(right):
    """Return the share of right images as a figure of image weights."""
    return lambda weights: {"share": weights @ right / weights.sum(axis=1)}


def estimate(right, groups=None, truth=None, seed=0, **basis):
    right = np.asarray(right, float)
    masks = basis.pop("masks", (np.ones(len(right), bool),))
    boot = Bootstrap(len(right), groups, truth, seed)
    return boot.estimates(share_of(right), {"share": Basis(masks, **basis)})["share"]


HUNDRED = [1] * 70 + [0] * 30


def test_70_of_100_images_have_the_binomial_interval():
    found = estimate(HUNDRED)
    # The 2.5 % and 97.5 % quantiles of Binomial(100, 0.7) are 61 and 79.
    assert found.value == 0.7
    assert found.low == pytest.approx(0.61, abs=0.011)
    assert found.high == pytest.approx(0.79, abs=0.011)
    assert found.reason is None


def test_a_seed_repeats_an_interval():
    assert estimate(HUNDRED) == estimate(HUNDRED)
    assert estimate(np.linspace(0, 1, 50)) != estimate(np.linspace(0, 1, 50), seed=1)


def test_many_images_of_a_group_say_no_more_than_one():
    repeated = np.repeat(HUNDRED, 4)
    assert estimate(repeated, groups=np.repeat(np.arange(100), 4).tolist()) == estimate(HUNDRED)


def test_groups_that_differ_make_the_interval_wider():
    right = np.repeat([1, 1, 1, 0, 1, 1, 0, 1, 1, 1], 10)
    grouped = estimate(right, groups=np.repeat(np.arange(10), 10).tolist())
    alone = estimate(right)
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


@pytest.mark.parametrize(("groups", "reason"), [(2, "few-groups"), (4, "few-groups"), (5, None)])
def test_fewer_than_five_groups_allow_no_interval(groups, reason):
    right = np.arange(40) % 3 > 0
    found = estimate(right, groups=[i % groups for i in range(40)])
    assert found.value == right.mean()
    assert found.reason == reason
    assert (found.low is None) == (reason is not None)


def test_two_healthy_subjects_leave_a_figure_over_all_classes_without_interval():
    # Eight subjects with leukaemia, two healthy ones, four images each.
    groups = np.repeat(np.arange(10), 4).tolist()
    truth = np.repeat([0] * 8 + [1] * 2, 4)
    right = np.arange(40) % 3 > 0
    assert estimate(right, groups, truth, pooled=True).reason == "few-groups"
    ill = estimate(right, groups, truth, masks=(truth == 0,))
    assert ill.reason is None


def test_a_class_of_few_images_among_many_does_not_take_the_interval_away():
    truth = np.array([0] * 97 + [1] * 3)
    assert estimate(HUNDRED, truth=truth, pooled=True).reason is None
    truth = np.array([0] * 94 + [1] * 3 + [2] * 3)
    assert estimate(HUNDRED, truth=truth, pooled=True).reason == "few-groups"


def test_46_of_46_have_an_exact_lower_bound():
    found = estimate([1] * 46, proportion=True)
    # Two-sided Clopper-Pearson: p with p^46 = 0.025.
    assert found.low**46 == pytest.approx(0.025)
    assert (found.value, found.high) == (1.0, 1.0)


def test_0_of_46_have_an_exact_upper_bound():
    found = estimate([0] * 46, proportion=True)
    assert (found.value, found.low) == (0.0, 0.0)
    assert (1 - found.high) ** 46 == pytest.approx(0.025)


def test_the_exact_bound_counts_groups():
    found = estimate([1] * 60, groups=[i % 6 for i in range(60)], proportion=True)
    assert found.low**6 == pytest.approx(0.025)


def test_other_figures_without_spread_have_no_interval():
    assert estimate([1] * 46) == Estimate(1.0, reason="no-spread")


def test_nothing_to_count_has_no_value():
    boot = Bootstrap(6)
    found = boot.estimates(
        lambda weights: {"x": np.full(len(weights), np.nan)}, {"x": Basis((np.ones(6, bool),))}
    )
    assert found["x"] == Estimate(None, reason="undefined")


def test_a_figure_that_most_resamples_leave_undefined_has_no_interval():
    def figures(weights):
        return {"x": np.where(weights[:, 0] > 0, weights.max(axis=1), np.nan)}

    found = Bootstrap(6).estimates(figures, {"x": Basis((np.ones(6, bool),))})["x"]
    # One image of six is absent from a third of the resamples.
    assert found == Estimate(1.0, reason="unstable")


def test_the_interval_holds_its_value_even_where_every_resample_is_larger():
    def figures(weights):
        return {"x": 1.0 * (weights.std(axis=1) > 0) + weights[:, 0]}

    found = Bootstrap(50).estimates(figures, {"x": Basis((np.ones(50, bool),))})["x"]
    assert found.value == 1.0
    assert found.low == 1.0
    assert found.high > 1.0


def test_every_resample_draws_as_many_groups_as_there_are():
    seen = []

    def figures(weights):
        seen.append(weights)
        return {"x": weights[:, 0]}

    groups = ["a", "a", "b", "c", "d", "e"]
    Bootstrap(6, groups).estimates(figures, {"x": Basis((np.ones(6, bool),))})
    drawn = np.concatenate(seen[1:])
    assert drawn.shape == (RESAMPLES, 6)
    assert (drawn[:, 1:].sum(axis=1) == 5).all()
    assert (drawn[:, 0] == drawn[:, 1]).all()


def test_groups_must_be_named_for_every_image():
    with pytest.raises(ValueError, match="groups"):
        Bootstrap(3, ["a", "b"])


def test_json_leaves_out_what_there_is_not():
    assert as_dict(Estimate(0.5, 0.25, 0.75)) == {"value": 0.5, "low": 0.25, "high": 0.75}
    assert as_dict(Estimate(None, reason="undefined")) == {"value": None, "reason": "undefined"}
