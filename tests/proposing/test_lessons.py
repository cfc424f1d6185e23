import numpy as np

from allxai_desktop.proposing import lessons
from allxai_desktop.proposing.lessons import Correction, lesson

DARK, PALE = (40, 40, 40), (160, 160, 160)


def halves(left, right):
    """A small image of two colours."""
    pixels = np.full((12, 12, 3), left, np.uint8)
    pixels[:, 6:] = right
    return pixels


def cytoplasm_everywhere():
    first = np.full((12, 12, 5), 0.05, np.float32)
    first[..., 1] = 0.8
    return first


def strips(left, right):
    return np.repeat(np.array([[left] * 6 + [right] * 6], np.uint8), 12, axis=0)


def test_a_lesson_holds_the_labelled_pixels_alone():
    codes = strips(1, 0)

    found = lesson(halves(DARK, PALE), cytoplasm_everywhere(), codes)

    assert found.classes.tolist() == [0] * 72
    assert len(found.features) == 72
    np.testing.assert_allclose(found.logs[0], np.log([0.051, 0.801, 0.051, 0.051, 0.051]), rtol=1e-5)


def test_each_half_counts_as_much_as_its_pixels_are_many(monkeypatch):
    monkeypatch.setattr(lessons, "_PIXELS", 4)
    codes = strips(5, 5)
    codes[0] = 1

    found = lesson(halves(DARK, PALE), cytoplasm_everywhere(), codes)

    assert found.classes.tolist() == [0, 0, 4, 4]
    np.testing.assert_allclose(found.weights, np.array([6, 6, 66, 66]) / 144)


def test_a_mask_with_nothing_but_vacuoles_teaches_nothing():
    assert lesson(halves(DARK, PALE), cytoplasm_everywhere(), strips(3, 3)) is None


def test_vacuoles_stay_where_they_were_proposed():
    first = cytoplasm_everywhere()
    first[5, 5] = (0.05, 0.05, 0.8, 0.05, 0.05)
    taught = Correction([lesson(halves(DARK, PALE), first, strips(1, 2))])

    found = taught.corrected(halves(DARK, PALE), first)

    np.testing.assert_array_equal(found[..., 2], first[..., 2])


def test_a_mask_without_labels_teaches_nothing():
    assert lesson(halves(DARK, PALE), cytoplasm_everywhere(), strips(0, 0)) is None


def test_what_was_wrong_in_ten_finished_images_is_mended_in_another():
    first = cytoplasm_everywhere()
    taught = Correction([lesson(halves(DARK, PALE), first, strips(1, 2))] * 10)

    found = taught.corrected(halves(PALE, DARK), first)

    np.testing.assert_array_equal(found.argmax(axis=2) + 1, strips(2, 1))
    np.testing.assert_allclose(found.sum(axis=2), 1, rtol=1e-5)


def test_each_image_counts_the_same_however_much_of_it_is_labelled():
    first = cytoplasm_everywhere()
    one_pixel = np.zeros((12, 12), np.uint8)
    one_pixel[3, 3] = 1
    few, many = (
        lesson(halves(DARK, DARK), first, codes) for codes in (one_pixel, np.full((12, 12), 2, np.uint8))
    )

    found = Correction([few, many] * 20).corrected(halves(DARK, DARK), first)

    assert found[3, 3, 0] > 0.3
