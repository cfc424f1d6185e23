import numpy as np

from allxai_desktop.proposing.cutout import on_white


def test_the_black_around_a_cell_that_was_cut_out_is_lit():
    pixels = np.zeros((4, 5, 3), np.uint8)
    pixels[1, 2] = (90, 40, 9)
    pixels[0, 0] = 8

    found = on_white(pixels)

    assert found[1, 2].tolist() == [90, 40, 9]
    found[1, 2] = 240
    assert (found == 240).all()


def test_a_field_with_a_few_black_pixels_stays_as_it_is():
    pixels = np.full((10, 10, 3), 200, np.uint8)
    pixels[0, :5] = 0

    assert on_white(pixels) is pixels
