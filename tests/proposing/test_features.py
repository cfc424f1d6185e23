import numpy as np

from allxai_desktop.proposing.features import pixel_features


def test_every_feature_has_mean_0_and_deviation_1_or_is_0():
    random = np.random.default_rng(0)
    pixels = random.integers(50, 255, (40, 30, 3)).astype(np.uint8)
    probabilities = random.dirichlet(np.ones(5), (40, 30)).astype(np.float32)
    found = pixel_features(pixels, probabilities)
    assert (found.dtype, found.shape) == (np.float32, (40, 30, 30))
    np.testing.assert_allclose(found.mean(axis=(0, 1)), 0, atol=1e-4)
    np.testing.assert_allclose(found.std(axis=(0, 1)), 1, atol=1e-3)


def test_the_features_of_an_even_image_are_its_places_only():
    found = pixel_features(np.full((9, 9, 3), 100, np.uint8), np.full((9, 9, 5), 0.2, np.float32))
    assert np.abs(found[..., :-2]).max() < 1e-2
    assert np.ptp(found[..., -2:]) > 2
