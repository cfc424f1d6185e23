import dataclasses

import numpy as np
import pytest

from allxai_desktop.networks.card import parse_card
from allxai_desktop.networks.domain import distance, domain_warning, fit_limits, near_black_share, statistics
from allxai_desktop.networks.user import complete_card

SMEAR = (225, 190, 200)
CELL = (120, 70, 150)


def _field(seed: int, side: int = 96) -> np.ndarray:
    """A violet disc on pink, with some grain."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side - 0.5
    pixels = np.full((side, side, 3), SMEAR, np.float64)
    pixels[x * x + y * y < random.uniform(0.05, 0.08)] = CELL
    pixels += random.normal(0, 3, pixels.shape) + random.normal(0, 4, 3)
    return pixels.clip(0, 255).astype(np.uint8)


def _cut_out(seed: int) -> np.ndarray:
    pixels = _field(seed)
    pixels[pixels[..., 1] > 120] = 0
    return pixels


@pytest.fixture(scope="module")
def cards():
    made = {}
    for name, make in (("field", _field), ("cut-out", _cut_out)):
        limits = fit_limits([make(seed) for seed in range(40)], [make(seed) for seed in range(40, 60)])
        made[name] = parse_card(
            complete_card(
                name,
                "mobilenet-v1",
                ["a", "b"],
                {
                    "input_size": [32, 32],
                    "cam_layer": "features.26",
                    "sha256": "0" * 64,
                    "domain": {"description": {"en": "stained discs", "es": "discos"}, "limits": limits},
                },
            )
        )
    return made


def test_the_near_black_share_counts_the_brightest_channel():
    pixels = np.array([[[12, 12, 12], [13, 0, 0]], [[0, 0, 0], [255, 255, 255]]], np.uint8)
    assert near_black_share(pixels) == 0.5


def test_the_distance_is_in_standard_deviations():
    assert distance(np.array([3.0, 8.0]), np.zeros(2), np.diag([1.0, 1 / 4])) == 5.0


def test_statistics_of_an_even_image():
    found = statistics(np.full((10, 10, 3), (100, 40, 70), np.uint8))
    assert found[:7].tolist() == [70.0, 0.0, 60.0, 0.0, 30.0, 0.0, 0.0]
    assert found[7] == pytest.approx(10 * np.log(0.1))


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (3, 1000)])
def test_any_shape_has_statistics(shape):
    assert np.isfinite(statistics(np.full((*shape, 3), 9, np.uint8))).all()


@pytest.mark.parametrize(("name", "make"), [("field", _field), ("cut-out", _cut_out)])
def test_images_like_those_of_the_training_do_not_warn(cards, name, make):
    assert [domain_warning(cards[name], make(seed)) for seed in range(100, 120)] == [None] * 20


def test_a_field_warns_a_network_of_cut_outs(cards):
    assert "cells cut out on black" in domain_warning(cards["cut-out"], _field(100))


def test_a_cut_out_warns_a_network_of_fields(cards):
    assert "Much of this image is black" in domain_warning(cards["field"], _cut_out(100))


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("name", ["field", "cut-out"])
def test_an_even_image_warns(cards, name, value):
    assert domain_warning(cards[name], np.full((90, 90, 3), value, np.uint8))


def test_noise_warns(cards):
    noise = np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)
    assert "looks unlike those" in domain_warning(cards["field"], noise)


def test_a_network_whose_domain_is_not_known_says_so(cards):
    card = dataclasses.replace(cards["field"], domain={})
    assert "is not known" in domain_warning(card, _field(100))
