import numpy as np

from allxai_desktop.proposing.own_colours import with_own_colours


def scene():
    """Nucleus, cytoplasm and background of three colours; a part of the nucleus is taken for cytoplasm, by little."""
    codes = np.repeat([0, 1, 4], 16)[:, None].repeat(48, axis=1)
    colours = np.zeros((5, 3), np.uint8)
    colours[[0, 1, 4]] = (80, 40, 130), (170, 140, 200), (240, 235, 220)
    first = 0.95 * np.eye(5)[codes] + 0.01
    first[:16, 20:26] = (0.4, 0.5, 0.02, 0.04, 0.04)
    return colours[codes], first.astype(np.float32), codes


def test_where_the_first_proposal_is_unsure_the_colours_decide():
    pixels, first, codes = scene()
    found = with_own_colours(pixels, first)
    assert (first.argmax(axis=2) != codes).any()
    assert (found.argmax(axis=2) == codes).all()
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-5)


def test_a_vacuole_as_bright_as_the_background_stays():
    pixels, first, _codes = scene()
    pixels[20:23, 30:33] = (240, 235, 220)
    first[20:23, 30:33] = (0.01, 0.16, 0.8, 0.01, 0.02)
    found = with_own_colours(pixels, first)
    assert (found.argmax(axis=2)[20:23, 30:33] == 2).all()


def test_the_pale_middle_of_a_red_cell_stays():
    pixels, first, _codes = scene()
    first[40:43, 30:33] = (0.01, 0.01, 0.01, 0.6, 0.37)
    found = with_own_colours(pixels, first)
    assert (found.argmax(axis=2)[40:43, 30:33] == 3).all()


def test_an_image_of_one_colour_that_is_all_vacuole_stays():
    first = np.full((4, 5, 5), 0.1, np.float32)
    first[..., 2] = 0.6
    found = with_own_colours(np.full((4, 5, 3), 200, np.uint8), first)
    np.testing.assert_array_equal(found, first)
