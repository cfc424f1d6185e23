"""What the pictures of a comparison show in common, in fractions of the image."""

import pytest

from napari_allxai_explain.linked_view import MAX_ZOOM, LinkedView


@pytest.fixture
def link():
    return LinkedView()


def test_at_first_the_whole_image_is_shown(link):
    assert link.shown((0, 0)) == (0, 0)
    assert link.shown((1, 0.5)) == (1, 0.5)


def test_zooming_keeps_the_place_under_the_mouse(link):
    link.zoom_by(4, (0.25, 0.75))
    assert link.zoom == 4
    assert link.shown((0.25, 0.75)) == (0.25, 0.75)
    # A quarter of the image is seen: it begins at 0.25 − 0.25 / 4.
    assert link.place((0, 0)) == (0.1875, 0.5625)


def test_zooming_ends_at_the_whole_image_and_close_up(link):
    link.zoom_by(0.1)
    assert link.zoom == 1
    link.zoom_by(1000)
    assert link.zoom == MAX_ZOOM


def test_zooming_out_at_the_edge_leaves_no_gap(link):
    link.zoom_by(4, (0, 0))
    link.zoom_by(0.5, (0.25, 0.25))
    assert link.place((0, 0)) == (0, 0)


def test_a_drag_moves_the_image_with_the_mouse_as_far_as_its_edge(link):
    link.zoom_by(2)
    link.pan(0.1, 0)
    assert link.center == (0.45, 0.5)
    link.pan(9, -9)
    assert link.center == (0.25, 0.75)


def test_the_cursor_is_told_once_and_only_over_the_image(link):
    told = []
    link.changed.connect(lambda: told.append(link.cursor))
    link.point((0.5, 0.25))
    link.point((0.5, 0.25))
    link.point((1.5, 0.25))
    assert told == [(0.5, 0.25), None]


def test_reset_shows_all_again(link):
    link.zoom_by(8, (0.9, 0.1))
    link.reset()
    assert (link.zoom, link.center) == (1, (0.5, 0.5))
