import numpy as np
import pytest
from scipy import ndimage

from allxai_desktop.painting import shapes
from allxai_desktop.painting.shapes import disc, flood, outline, polygon, snap, stroke, window_indices


def picture(indices, shape):
    flat = np.zeros(shape, int).reshape(-1)
    np.add.at(flat, indices, 1)
    return flat.reshape(shape)


def test_disc_of_one_pixel_is_the_nearest_pixel():
    assert disc((1.4, 2.3), 1, (4, 5)).tolist() == [7]


def test_disc_of_two_pixels_is_a_square_of_four():
    assert disc((1.4, 2.3), 2, (4, 5)).tolist() == [7, 8, 12, 13]


def test_disc_of_three_pixels_is_a_square_of_nine():
    assert picture(disc((2, 2), 3, (5, 5)), (5, 5))[1:4, 1:4].all()
    assert len(disc((2, 2), 3, (5, 5))) == 9


def test_disc_of_five_pixels_lacks_the_corners_of_its_square():
    expected = np.ones((5, 5), int)
    expected[::4, ::4] = 0
    assert picture(disc((2, 2), 5, (5, 5)), (5, 5)).tolist() == expected.tolist()


def test_disc_is_clipped_to_the_image():
    assert disc((0, 0), 3, (4, 5)).tolist() == [0, 1, 5, 6]
    assert disc((-9, 2), 3, (4, 5)).size == 0
    assert disc((2, 99), 3, (4, 5)).size == 0


def test_snap_puts_odd_brushes_on_pixels_and_even_ones_on_corners():
    assert snap((1.4, 2.6), 3) == (1, 3)
    assert snap((1.4, 2.6), 4) == (1.5, 2.5)


def test_stroke_of_one_pixel_along_a_diagonal_is_connected():
    assert stroke((0, 0), (3, 3), 1, (4, 4)).tolist() == [0, 5, 10, 15]


def test_horizontal_and_vertical_strokes():
    assert stroke((1, 3), (1, 1), 1, (3, 5)).tolist() == [6, 7, 8]
    assert stroke((0, 1), (2, 1), 1, (3, 5)).tolist() == [1, 6, 11]


@pytest.mark.parametrize("diameter", [1, 2, 3, 8, 15])
def test_stroke_equals_every_pixel_measured_against_the_segment(diameter):
    rng = np.random.default_rng(diameter)
    shape = (30, 40)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for start, end in zip(rng.uniform(-5, 42, (40, 2)), rng.uniform(-5, 42, (40, 2)), strict=True):
        (r0, c0), (r1, c1) = snap(start, diameter), snap(end, diameter)
        length2 = (r1 - r0) ** 2 + (c1 - c0) ** 2
        along = ((rows - r0) * (r1 - r0) + (columns - c0) * (c1 - c0)) / length2
        along = np.clip(along, 0, 1)
        distance2 = (rows - r0 - along * (r1 - r0)) ** 2 + (columns - c0 - along * (c1 - c0)) ** 2
        expected = np.flatnonzero(distance2 <= (diameter / 2) ** 2 + 1e-7)
        assert stroke(start, end, diameter, shape).tolist() == expected.tolist()


def test_polygon_of_a_square_has_its_area():
    square = [(1, 1), (1, 3), (4, 3), (4, 1)]
    assert polygon(square, (6, 5)).tolist() == [6, 7, 11, 12, 16, 17]


def test_polygon_with_slanted_sides():
    triangle = [(0, 0), (0, 8), (4, 0)]
    expected = [[int(column < 8 - 2 * row) for column in range(9)] for row in range(5)]
    assert picture(polygon(triangle, (5, 9)), (5, 9)).tolist() == expected
    # The same in the middle of an image, upside down.
    moved = [(5, 3), (5, 11), (1, 3)]
    assert np.flatnonzero(picture(polygon(moved, (7, 13)), (7, 13))[1:5].any(axis=1)).tolist() == [1, 2, 3]
    assert np.count_nonzero(picture(polygon(moved, (7, 13)), (7, 13))) == 2 + 4 + 6


def test_polygon_is_clipped_to_the_image():
    assert polygon([(-9, -9), (-9, 99), (99, 99), (99, -9)], (3, 4)).tolist() == list(range(12))


def test_polygon_that_crosses_its_own_line_has_no_hole():
    twice_round = [(0, 0), (0, 4), (4, 4), (4, 0)] * 2
    assert picture(polygon(twice_round, (4, 4)), (4, 4)).tolist() == np.ones((4, 4), int).tolist()


def test_polygon_of_fewer_than_three_points_is_empty():
    assert polygon([(0, 0), (3, 3)], (5, 5)).size == 0
    assert polygon([], (5, 5)).size == 0


def test_neighbouring_polygons_neither_overlap_nor_leave_a_gap():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.uniform(0, 20, (2, 2))
        left = picture(polygon([(-1, -1), (-1, a[1]), b, (20, a[0]), (20, -1)], (20, 20)), (20, 20))
        right = picture(polygon([(-1, 21), (-1, a[1]), b, (20, a[0]), (20, 21)], (20, 20)), (20, 20))
        assert (left + right == 1).all()


def flooded(codes, point):
    return window_indices(*flood(codes, point), codes.shape[1]).tolist()


def test_flood_takes_equal_codes_joined_by_sides():
    codes = np.array([[1, 1, 0], [0, 1, 0], [1, 0, 1]], np.uint8)
    assert flooded(codes, (0, 0)) == [0, 1, 4]


def test_flood_outside_the_image_is_empty():
    assert flooded(np.zeros((3, 3), np.uint8), (3, 0)) == []


def test_flood_follows_a_region_far_beyond_its_first_window():
    codes = np.zeros((900, 900), np.uint8)
    codes[450, 450:900] = codes[0:451, 899] = 2
    assert flooded(codes, (450, 450)) == np.flatnonzero(codes).tolist()


@pytest.mark.parametrize("place", [np.s_[0:3, 5], np.s_[5, 0:3], np.s_[8:11, 5], np.s_[5, 8:11]])
def test_flood_reaches_the_edge_of_the_image_beside_its_first_window(monkeypatch, place):
    monkeypatch.setattr(shapes, "_FIRST_WINDOW", 1)
    codes = np.zeros((11, 11), np.uint8)
    codes[place] = 2
    # Two pixels from the edge: of the three, its first window has two.
    point = tuple(2 if one == slice(0, 3) else 8 if one == slice(8, 11) else 5 for one in place)
    assert flooded(codes, point) == np.flatnonzero(codes).tolist()


@pytest.mark.parametrize("seed", range(30))
def test_flood_takes_the_same_whatever_its_first_window(monkeypatch, seed):
    monkeypatch.setattr(shapes, "_FIRST_WINDOW", 1)
    rng = np.random.default_rng(seed)
    codes = (rng.random((23, 31)) < 0.35).astype(np.uint8)
    row, column = (int(rng.integers(side)) for side in codes.shape)
    parts, _count = ndimage.label(codes == codes[row, column])
    assert flooded(codes, (row, column)) == np.flatnonzero(parts == parts[row, column]).tolist()


@pytest.mark.parametrize("diameter", [1, 7, 64])
def test_indices_increase_strictly(diameter):
    rng = np.random.default_rng(1)
    for points in rng.uniform(0, 60, (20, 2, 2)):
        assert (np.diff(stroke(*points, diameter, (60, 60))) > 0).all()
    assert (np.diff(polygon(rng.uniform(0, 60, (30, 2)), (60, 60))) > 0).all()


def test_the_outline_of_a_region_is_the_sides_of_its_pixels():
    sides = outline(np.array([0, 1]), (2, 3))
    found = {tuple(map(tuple, side.tolist())) for side in sides}
    assert found == {
        ((-0.5, -0.5), (-0.5, 0.5)),
        ((-0.5, 0.5), (-0.5, 1.5)),
        ((0.5, -0.5), (0.5, 0.5)),
        ((0.5, 0.5), (0.5, 1.5)),
        ((-0.5, -0.5), (0.5, -0.5)),
        ((-0.5, 1.5), (0.5, 1.5)),
    }


def test_nothing_has_no_outline():
    assert outline(np.array([], np.int64), (2, 3)).shape == (0, 2, 2)
