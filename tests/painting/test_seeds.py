import numpy as np

from allxai_desktop.painting.seeds import grow_from_seeds


def halves(edge=6):
    """Return an image of 8 × 12 px, dark up to the column `edge`."""
    pixels = np.full((8, 12, 3), 220, np.uint8)
    pixels[:, :edge] = (90, 40, 130)
    return pixels


def test_classes_meet_at_the_edge_of_the_image():
    codes = np.zeros((8, 12), np.uint8)
    codes[4, 1], codes[4, 11] = 1, 5
    grown = grow_from_seeds(codes, halves())
    assert (grown[:, :5] == 1).all()
    assert (grown[:, 7:] == 5).all()
    assert grown.all()


def test_what_is_painted_stays():
    codes = np.zeros((8, 12), np.uint8)
    codes[4, 1], codes[4, 11], codes[2:4, 2] = 1, 5, 3
    grown = grow_from_seeds(codes, halves())
    assert (grown[codes > 0] == codes[codes > 0]).all()


def test_one_class_alone_grows_nothing():
    codes = np.zeros((8, 12), np.uint8)
    codes[4, 1] = 1
    assert (grow_from_seeds(codes, halves()) == codes).all()


def test_an_image_of_one_colour_is_shared_out():
    codes = np.zeros((8, 12), np.uint8)
    codes[4, 0], codes[4, 11] = 1, 5
    grown = grow_from_seeds(codes, np.full((8, 12, 3), 90, np.uint8))
    assert set(np.unique(grown)) == {1, 5}
