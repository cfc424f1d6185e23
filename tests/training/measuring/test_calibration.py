import numpy as np
import pytest

from allxai_desktop.training.measuring.calibration import (
    BINS,
    cross_entropy,
    fit_temperature,
    reliability,
    scaled,
)


def logits_of(probabilities):
    """Return logits whose softmax is `probabilities` (N,) of the first of two classes and the rest."""
    first = np.asarray(probabilities, float)
    return np.log(np.column_stack([first, 1 - first]))


def test_the_calibration_error_by_hand():
    # Bin (0.6, 0.667]: confidence 0.64, right 1 of 2. Bin (0.867, 0.933]: 0.9, right 2 of 2.
    found = reliability(
        np.array([[0.64, 0.36], [0.36, 0.64], [0.9, 0.1], [0.1, 0.9]]), np.array([0, 0, 0, 1])
    )
    assert found.error == pytest.approx((2 * 0.14 + 2 * 0.1) / 4)
    assert found.count[9] == found.count[13] == 2
    assert found.count.sum() == 4
    assert found.accuracy[9] == 0.5
    assert found.confidence[13] == pytest.approx(0.9)
    assert np.isnan(found.accuracy[0])


def test_a_bin_holds_its_upper_edge():
    found = reliability(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 0]))
    assert found.count[BINS - 1] == 2
    assert found.accuracy[BINS - 1] == 0.5


def test_cross_entropy_is_minus_the_logarithm_of_the_true_class():
    assert cross_entropy(logits_of([0.25, 0.25]), np.array([0, 1])) == pytest.approx(-np.log([0.25, 0.75]))


def test_a_temperature_above_one_makes_the_answers_less_sure():
    # ln 9 halved is ln 3.
    assert scaled(logits_of([0.9]), 2.0) == pytest.approx(np.array([[0.75, 0.25]]))


def test_the_temperature_of_a_network_twice_as_sure_as_it_is_right():
    # Right in 3 of 4 cases but sure to 0.9: ln 9 ÷ T must be ln 3.
    found = fit_temperature(logits_of([0.9, 0.9, 0.9, 0.9]), np.array([0, 0, 0, 1]))
    assert found == pytest.approx(2.0, rel=1e-9)


def test_the_temperature_gives_the_smallest_cross_entropy():
    random = np.random.default_rng(0)
    logits = random.normal(size=(200, 5))
    truth = np.where(random.random(200) < 0.6, logits.argmax(axis=1), random.integers(0, 5, 200))
    best = fit_temperature(logits, truth)
    losses = [cross_entropy(logits / (best * factor), truth).mean() for factor in (1, 0.99, 1.01)]
    assert losses[0] == min(losses)


def test_a_part_with_every_image_right_determines_no_temperature():
    assert fit_temperature(logits_of([0.9, 0.6]), np.array([0, 0])) is None


def test_answers_no_better_than_chance_determine_no_temperature():
    assert fit_temperature(logits_of([0.9, 0.9]), np.array([0, 1])) is None
