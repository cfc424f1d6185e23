import numpy as np

from allxai_desktop.images import image_from_array
from allxai_desktop.proposing.proposer import Proposer


def drawn_cell():
    """A dark nucleus in a violet cell, beside a red cell."""
    rows, columns = np.mgrid[:96, :96]
    pixels = np.full((96, 96, 3), 240, np.uint8)
    pixels[np.hypot(rows - 70, columns - 75) < 14] = (230, 150, 140)
    pixels[np.hypot(rows - 40, columns - 35) < 24] = (170, 140, 200)
    pixels[np.hypot(rows - 40, columns - 35) < 14] = (80, 40, 130)
    return image_from_array(pixels, "drawn.png")


def test_what_a_person_painted_stays():
    codes = np.zeros((96, 96), np.uint8)
    codes[40, 35], codes[2, 2] = 3, 2
    person = codes > 0
    person[10, 10] = True

    found = Proposer(drawn_cell()).update(codes, person)

    assert (found.codes[40, 35], found.codes[2, 2]) == (3, 2)
    assert (found.uncertainty[40, 35], found.uncertainty[2, 2]) == (0, 0)


def test_a_person_s_unlabelled_pixel_says_nothing():
    person = np.ones((96, 96), bool)

    found = Proposer(drawn_cell()).update(np.zeros((96, 96), np.uint8), person)

    assert (found.codes > 0).all()
