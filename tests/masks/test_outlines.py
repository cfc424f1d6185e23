import numpy as np
import pytest
from skimage.draw import polygon2mask

from allxai_desktop.masks.outlines import fill, outlines, without_holes

RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
DIAGONAL = np.array([[1, 0], [0, 1]], bool)
# The hole touches the outside in a corner only.
OPEN = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0]], bool)
# A hole with another part in it, which has a hole of its own.
NESTED = np.ones((7, 7), bool)
NESTED[1:6, 1:6] = False
NESTED[2:5, 2:5] = True
NESTED[3, 3] = False


def corners(ring):
    return [tuple(corner) for corner in ring.tolist()]


def filled(rings, shape):
    """Even-odd: what an odd number of rings goes round."""
    found = np.zeros(shape, bool)
    for ring in rings:
        inside, top, left = fill(ring.astype(float), shape)
        found[top : top + inside.shape[0], left : left + inside.shape[1]] ^= inside
    return found


def area(ring):
    x, y = ring.T
    return (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2


def test_one_pixel_is_a_square_along_its_edges():
    (outline,) = outlines(np.array([[0, 0, 0], [0, 0, 1]], bool))
    assert sorted(corners(outline.outer)) == [(2, 1), (2, 2), (3, 1), (3, 2)]
    assert area(outline.outer) == 1


def test_straight_sides_have_no_corners_between():
    (outline,) = outlines(np.ones((4, 9), bool))
    assert sorted(corners(outline.outer)) == [(0, 0), (0, 4), (9, 0), (9, 4)]


def test_a_hole_runs_the_other_way():
    (outline,) = outlines(RING)
    (hole,) = outline.holes
    assert area(outline.outer) == 9
    assert area(hole) == -1


def test_pixels_that_touch_in_a_corner_are_two_parts():
    assert [area(outline.outer) for outline in outlines(DIAGONAL)] == [1, 1]


def test_no_ring_comes_to_a_corner_twice():
    for inside in (RING, OPEN, NESTED, np.pad(DIAGONAL[::-1], 1, constant_values=True)):
        for outline in outlines(inside):
            for ring in (outline.outer, *outline.holes):
                assert len(set(corners(ring))) == len(ring)


def test_a_hole_that_touches_the_outside_is_a_hole():
    (outline,) = outlines(OPEN)
    assert (area(outline.outer), [area(hole) for hole in outline.holes]) == (8, [-1])


def test_nothing_has_no_outline():
    assert outlines(np.zeros((3, 2), bool)) == []


@pytest.mark.parametrize("seed", range(40))
def test_filled_again_the_outlines_give_the_same_pixels(seed):
    random = np.random.default_rng(seed)
    inside = random.random(random.integers(1, 15, 2)) < random.choice([0.3, 0.5, 0.7, 0.9])
    rings = [ring for outline in outlines(inside) for ring in (outline.outer, *outline.holes)]
    assert (filled(rings, inside.shape) == inside).all()


@pytest.mark.parametrize("seed", range(40))
def test_joined_to_one_ring_they_do_too_and_do_not_overlap(seed):
    random = np.random.default_rng(seed)
    inside = random.random(random.integers(1, 15, 2)) < random.choice([0.5, 0.7, 0.9])
    parts = [filled([without_holes(outline)], inside.shape) for outline in outlines(inside)]
    assert (sum(part.astype(int) for part in parts) == inside).all()


def test_a_part_in_a_hole_stays_out_of_the_ring_around_it():
    rings = [without_holes(outline) for outline in outlines(NESTED)]
    assert [int(filled([ring], NESTED.shape).sum()) for ring in rings] == [24, 8]


def test_a_cut_goes_straight_to_the_left():
    (outline,) = outlines(RING)
    assert corners(without_holes(outline)).count((0, 2)) == 2


def test_filling_is_cut_off_at_the_edge_of_the_image():
    inside, top, left = fill(np.array([[-3, -3], [2, -3], [2, 1], [-3, 1]], float), (4, 4))
    assert (inside.tolist(), top, left) == ([[True, True]], 0, 0)


def test_filling_outside_the_image_is_nothing():
    inside, _top, _left = fill(np.array([[9, 9], [12, 9], [12, 12]], float), (4, 4))
    assert inside.size == 0


def test_a_pixel_is_filled_when_its_middle_is_inside():
    inside, top, left = fill(np.array([[0.6, 0.6], [2.6, 0.6], [2.6, 2.4], [0.6, 2.4]]), (4, 4))
    shown = np.zeros((4, 4), int)
    shown[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    assert shown.tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("seed", range(20))
def test_filling_agrees_with_scikit_image_where_no_middle_is_on_a_side(seed):
    ring = np.random.default_rng(seed).uniform(-3, 15, (7, 2))
    inside, top, left = fill(ring, (12, 10))
    shown = np.zeros((12, 10), bool)
    shown[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    assert (shown == polygon2mask((12, 10), ring[:, ::-1] - 0.5)).all()


def test_more_sides_than_are_counted_at_once():
    # A comb of 800 teeth, each a pixel wide and apart.
    teeth = [(2 * k + dx, y) for k in range(800) for dx, y in ((0, 1), (0, 5), (1, 5), (1, 1))]
    inside, top, left = fill(np.array([*teeth, (1599, 0), (0, 0)], float), (5, 1600))
    assert (top, left, inside.shape) == (0, 0, (5, 1599))
    assert inside[0].all()
    assert (inside[1:] == (np.arange(1599) % 2 == 0)).all()
