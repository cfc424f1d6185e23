import numpy as np
import pytest

from allxai_desktop.painting.live_wire import REACH, LiveWire


@pytest.fixture
def pixels():
    """Return a dark square of 21 px on a light ground of 41 px."""
    made = np.full((41, 41, 3), 220, np.uint8)
    made[10:31, 10:31] = (90, 30, 120)
    return made


def test_the_way_goes_around_a_corner_along_the_edge(pixels):
    way = LiveWire(pixels, (10, 20)).way((20, 10))
    assert way[-1] == (20, 10)
    assert all(9 <= row <= 11 or 9 <= column <= 11 for row, column in way)
    # A straight line would have ten steps.
    assert len(way) >= 15


def test_the_steps_of_a_way_are_neighbours(pixels):
    points = np.array([(10, 20), *LiveWire(pixels, (10, 20)).way((31, 25))])
    assert np.abs(np.diff(points, axis=0)).max() == 1


def test_without_edges_the_way_is_straight():
    way = LiveWire(np.full((30, 30, 3), 90, np.uint8), (5, 5)).way((5, 9))
    assert way == [(5, 6), (5, 7), (5, 8), (5, 9)]


def test_out_of_reach_or_off_the_image_the_line_is_straight():
    wire = LiveWire(np.zeros((3, 3 * REACH, 3), np.uint8), (1, 0))
    assert wire.way((1, REACH + 1.5)) == [(1, REACH + 1.5)]
    assert wire.way((-4, 3)) == [(-4, 3)]


def test_a_click_off_the_image_starts_at_its_border(pixels):
    assert LiveWire(pixels, (-5, 20)).way((0, 21)) == [(0, 21)]


def test_the_anchor_itself_is_no_step(pixels):
    assert LiveWire(pixels, (10, 20)).way((10, 20)) == []
