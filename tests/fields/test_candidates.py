"""White cells on drawn fields: violet nuclei, red cells of 24 px, platelets, grey dirt."""

import numpy as np
import pytest
from drawn import disc

from allxai_desktop.fields.candidates import find_candidates

WHITE, RED_CELL, NUCLEUS, DIRT = (240, 236, 220), (225, 165, 150), (110, 60, 150), (110, 110, 105)


def field(side=300):
    """A field with four red cells of 24 px in its corners."""
    pixels = np.full((side, side, 3), WHITE, np.uint8)
    for row in (30, 270):
        for column in (30, 270):
            disc(pixels, row, column, 24, RED_CELL)
    return pixels


def places(found):
    return [(round(one.row), round(one.column)) for one in found.candidates]


def test_a_nucleus_is_marked_at_its_centre():
    pixels = field()
    disc(pixels, 120, 200, 30, NUCLEUS)
    found = find_candidates(pixels)
    assert places(found) == [(120, 200)]
    assert found.candidates[0].radius == pytest.approx(15 + 0.05 * 24, abs=1.5)
    assert found.candidates[0].score > 0.9


def test_the_red_cells_are_measured():
    assert find_candidates(field()).red_cell_diameter == pytest.approx(24, abs=1)


def test_red_cells_dirt_and_platelets_are_no_white_cells():
    pixels = field()
    disc(pixels, 120, 200, 30, DIRT)
    disc(pixels, 200, 100, 8, NUCLEUS)
    assert find_candidates(pixels).candidates == ()


def test_lobes_are_one_cell():
    pixels = field()
    for row, column in ((140, 140), (140, 158), (156, 149)):
        disc(pixels, row, column, 14, NUCLEUS)
    assert len(find_candidates(pixels).candidates) == 1


def test_touching_cells_are_two():
    pixels = field()
    disc(pixels, 150, 130, 36, NUCLEUS)
    disc(pixels, 150, 166, 36, NUCLEUS)
    assert places(find_candidates(pixels)) == [(150, 130), (150, 166)]


def test_a_field_of_twice_the_size_gives_twice_the_places():
    pixels = field()
    disc(pixels, 120, 200, 30, NUCLEUS)
    large = pixels.repeat(2, axis=0).repeat(2, axis=1)
    one, two = find_candidates(pixels).candidates[0], find_candidates(large).candidates[0]
    assert (two.row, two.column, two.radius) == pytest.approx(
        (2 * one.row + 0.5, 2 * one.column + 0.5, 2 * one.radius), abs=1.5
    )


def test_the_white_of_the_light_does_not_matter():
    pixels = field()
    disc(pixels, 120, 200, 30, NUCLEUS)
    yellow = (pixels * [0.9, 0.85, 0.6]).astype(np.uint8)
    assert places(find_candidates(yellow)) == [(120, 200)]


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 400, 3), (3, 3000, 3)])
def test_what_is_no_field_has_none(shape):
    assert find_candidates(np.full(shape, 200, np.uint8)).candidates == ()
