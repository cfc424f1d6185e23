import numpy as np

from allxai_desktop.proposing.tidying import tidied


def scene():
    """A cell of 12×12 with a nucleus of 6×6, in 24×24 of background."""
    codes = np.full((24, 24), 5)
    codes[6:18, 6:18] = 2
    codes[8:14, 8:14] = 1
    return codes


def probabilities(codes, second=(0, 0.1, 0.01, 0.05, 0.02)):
    return (0.8 * np.eye(5)[codes - 1] + second).astype(np.float32)


NOTHING = np.zeros((24, 24), np.uint8)


def test_a_whole_cell_stays():
    codes = scene()
    assert (tidied(probabilities(codes), NOTHING) == codes).all()


def test_a_nucleus_under_a_tenth_of_the_largest_becomes_what_is_next_likely():
    codes, small = scene(), scene()
    small[16, 7:10] = 1
    assert (tidied(probabilities(small), NOTHING) == codes).all()


def test_a_nucleus_of_more_than_a_tenth_stays():
    codes = scene()
    codes[16, 7:11] = 1
    assert (tidied(probabilities(codes), NOTHING) == codes).all()


def test_a_cell_without_nucleus_becomes_what_lies_around():
    codes = scene()
    codes[20:23, 2:9] = 2
    found = tidied(probabilities(codes), NOTHING)
    assert (found[20:23, 2:9] == 4).all()
    assert (found[:20] == codes[:20]).all()


def test_a_gap_in_a_cell_is_a_part_of_it():
    codes, gap = scene(), scene()
    gap[15:17, 8:12] = 5
    assert (tidied(probabilities(gap), NOTHING) == codes).all()
    assert (tidied(probabilities(gap, (0, 0.01, 0.1, 0, 0)), NOTHING)[15:17, 8:12] == 3).all()


def test_a_gap_at_the_rim_of_the_image_stays():
    codes = scene()[:, 8:]
    codes[15, :3] = 5
    assert (tidied(probabilities(codes), NOTHING[:, 8:]) == codes).all()


def test_a_large_gap_stays():
    codes = scene()
    codes[14:17, 7:17] = 5
    assert (tidied(probabilities(codes), NOTHING) == codes).all()


def test_what_touches_a_person_s_pixel_stays():
    codes, given = scene(), NOTHING.copy()
    codes[16, 7:10] = 1
    codes[20:23, 2:9] = 2
    codes[15:17, 12:14] = 5
    given[16, 8], given[21, 3], given[15, 12] = 1, 2, 5
    assert (tidied(probabilities(codes), given) == codes).all()


def test_an_image_without_any_cell_passes():
    background = np.full((24, 24), 5)
    assert (tidied(probabilities(background), NOTHING) == 5).all()
