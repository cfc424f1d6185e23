import numpy as np
import pytest

from allxai_desktop.proposing.classifier import Likeness, PixelClassifier, _kept


def halves():
    """Left and right half of two colours, of which everything was taken for background."""
    pixels = np.full((40, 60, 3), (240, 230, 220), np.uint8)
    pixels[:, 30:] = (120, 80, 160)
    probabilities = np.full((40, 60, 5), 0.1, np.float32)
    probabilities[..., 4] = 0.6
    return pixels, probabilities


def test_without_a_person_s_pixels_nothing_changes():
    pixels, probabilities = halves()
    found = PixelClassifier(pixels, probabilities).learn(np.zeros((40, 60), np.uint8))
    np.testing.assert_array_equal(found, probabilities)


def test_a_stroke_spreads_over_what_looks_like_it_and_not_beyond():
    pixels, probabilities = halves()
    codes = np.zeros((40, 60), np.uint8)
    codes[16:25, 40:49] = 1
    found = PixelClassifier(pixels, probabilities).learn(codes).argmax(axis=2) + 1
    assert (found[12:29, 33:55] == 1).all()
    assert (found[:, :29] == 5).all()


def test_a_second_stroke_takes_back_what_the_first_took_too_much():
    pixels, probabilities = halves()
    pixels[:, 30:45] = (122, 83, 162)
    codes = np.zeros((40, 60), np.uint8)
    codes[16:25, 46:55] = 1
    classifier = PixelClassifier(pixels, probabilities)
    first = classifier.learn(codes).argmax(axis=2) + 1
    codes[16:25, 32:41] = 2
    second = classifier.learn(codes).argmax(axis=2) + 1
    assert (first[18:23, 41:44] == 1).all()
    assert (second[12:29, 31:43] == 2).mean() > 0.9
    assert (second[16:25, 47:55] == 1).all()


def test_one_stroke_of_cytoplasm_does_not_take_the_whole_nucleus_away():
    pixels, probabilities = halves()
    probabilities[:, 30:] = (0.7, 0.24, 0.02, 0.02, 0.02)
    codes = np.zeros((40, 60), np.uint8)
    codes[16:25, 32:41] = 2
    found = PixelClassifier(pixels, probabilities).learn(codes).argmax(axis=2) + 1
    assert (found[16:25, 32:41] == 2).all()
    assert (found[:, 52:] == 1).all()


@pytest.mark.parametrize(
    ("weights", "kept"),
    [
        # (0 + 0.5 + 8) / 10 of the weight of nucleus is left, more than 0.7.
        ([1, 1, 8, 1], [0, 0.5, 1, 1]),
        # (0 + 0.5 + 1) / 3 is less: what each lost becomes less by the same share, until 0.7 is left.
        ([1, 1, 1, 1], [0.4, 0.7, 1, 1]),
    ],
)
def test_what_a_stroke_contradicts_weighs_less_but_its_class_keeps_most(weights, kept):
    cytoplasm = Likeness(2, np.array([1, 0.5, 0, 1], np.float32))
    found = _kept([cytoplasm], np.arange(4), np.array([1, 1, 1, 2]), np.array(weights, np.float32))
    np.testing.assert_allclose(found, kept, atol=1e-6)


def test_the_same_strokes_give_the_same_whatever_came_before():
    pixels, probabilities = halves()
    codes = np.zeros((40, 60), np.uint8)
    codes[16:25, 40:49] = 1
    other = codes.copy()
    other[2:9, 2:9] = 4
    used = PixelClassifier(pixels, probabilities)
    used.learn(other)
    fresh = PixelClassifier(pixels, probabilities)
    np.testing.assert_array_equal(used.learn(codes), fresh.learn(codes))


def test_a_mask_that_is_painted_all_over_is_learnt_from_in_part():
    pixels, probabilities = halves()
    codes = np.full((40, 60), 5, np.uint8)
    codes[:, 30:] = 1
    codes = np.tile(codes, (2, 2))
    found = PixelClassifier(np.tile(pixels, (2, 2, 1)), np.tile(probabilities, (2, 2, 1))).learn(codes)
    assert ((found.argmax(axis=2) + 1) == codes).mean() > 0.95
