"""Superpixels, and the linear models of LIME and KernelSHAP over them."""

import math

import pytest
import torch

from allxai_desktop.explainers.surrogates import (
    lime_coalitions,
    lime_fit,
    shapley_coalitions,
    shapley_fit,
    superpixels,
)


def generator():
    return torch.Generator().manual_seed(0)


def test_a_superpixel_does_not_cross_an_edge():
    image = torch.zeros(3, 24, 24)
    image[:, :, 13:] = 1
    places = superpixels(image, 9)
    assert set(places[:, :13].flatten().tolist()).isdisjoint(places[:, 13:].flatten().tolist())
    assert sorted(set(places.flatten().tolist())) == list(range(int(places.max()) + 1))


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_about_as_many_superpixels_as_asked_for_whatever_the_image_is_made_of(channels):
    noise = torch.randn(channels, 48, 64, generator=generator())
    assert 30 <= len(superpixels(noise, 40).unique()) <= 60
    assert 30 <= len(superpixels(torch.ones(channels, 48, 64), 40).unique()) <= 60


def test_few_pixels_are_a_superpixel_each():
    assert superpixels(torch.zeros(1, 2, 3), 6).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert superpixels(torch.full((3, 1, 1), torch.nan), 6).tolist() == [[0]]


def test_lime_weighs_and_shrinks_as_its_authors_do():
    # All kept counts 1, none kept (distance 1) exp(−1 / (2 · 0.25²)) = e⁻⁸; the variance of a coin with those weights.
    variance = math.exp(-8) / (1 + math.exp(-8))
    fitted = lime_fit(torch.tensor([[True], [False]]), torch.tensor([2.0, 0.0]))
    assert fitted.item() == pytest.approx(2 * variance / (variance + 1))


def test_lime_finds_the_signs_and_the_order_of_a_linear_score():
    kept = lime_coalitions(4, 300, generator())
    values = torch.tensor([3.0, 1.0, 0.0, -2.0])
    fitted = lime_fit(kept, kept.float() @ values + 5)
    assert fitted.tolist() == pytest.approx([3, 1, 0, -2], abs=0.1)
    assert kept[0].all()


def test_few_superpixels_are_all_combined_and_weighed_by_the_shapley_kernel():
    kept, weights = shapley_coalitions(3, 6, generator())
    assert len({tuple(row) for row in kept.tolist()}) == len(kept) == 8
    # (M − 1) / (C(M, k) · k · (M − k)) = 2 / (3 · 1 · 2) for one kept and for two.
    assert weights[2:].tolist() == pytest.approx([1 / 3] * 6)


def test_many_superpixels_are_drawn_in_pairs_by_the_shapley_kernel():
    kept, weights = shapley_coalitions(20, 4000, generator())
    assert kept.shape == (4002, 20)
    assert kept[0].all()
    assert not kept[1].any()
    assert (kept[2::2] == ~kept[3::2]).all()
    assert (weights == 1).all()
    sizes = kept[2:].sum(1)
    kernel = [1 / (k * (20 - k)) for k in range(1, 20)]
    for k in (1, 10):
        share = (sizes == k).double().mean().item()
        assert share == pytest.approx(kernel[k - 1] / sum(kernel), abs=0.02)


def test_shapley_values_of_a_game_by_hand():
    # The first two are worth 6 together and nothing alone, the third is worth 1.
    kept, weights = shapley_coalitions(3, 6, generator())
    scores = 6.0 * (kept[:, 0] & kept[:, 1]) + kept[:, 2] + 10
    assert shapley_fit(kept, weights, scores).tolist() == pytest.approx([3, 3, 1])


def test_a_linear_score_is_found_from_samples():
    values = torch.arange(60).double() - 20
    kept, weights = shapley_coalitions(60, 300, generator())
    fitted = shapley_fit(kept, weights, kept.double() @ values - 3)
    torch.testing.assert_close(fitted, values, rtol=0, atol=1e-9)


def test_the_values_sum_to_the_whole_even_from_too_few_samples():
    kept, weights = shapley_coalitions(60, 10, generator())
    scores = torch.linspace(4, -1, len(kept)).double()
    fitted = shapley_fit(kept, weights, scores)
    assert fitted.sum().item() == pytest.approx(scores[0].item() - scores[1].item())


def test_a_single_superpixel_has_it_all():
    kept, weights = shapley_coalitions(1, 300, generator())
    assert shapley_fit(kept, weights, torch.tensor([5.0, 2.0])).tolist() == [3]
