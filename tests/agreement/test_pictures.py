import numpy as np
import pytest

from allxai_desktop.agreement.adjudication import Adjudication, agreed, regions_of
from allxai_desktop.agreement.pictures import BLACK, EDGE, WHITE, hatch, inside, side_picture, view_box
from allxai_desktop.painting.engine import PaintModel

FIRST = np.full((100, 200), 5, np.uint8)
FIRST[10:15, 20:25] = 1
SECOND = np.full((100, 200), 5, np.uint8)
SECOND[90:93, 190:200] = 2


@pytest.fixture
def model():
    return Adjudication(PaintModel(agreed(FIRST, SECOND)), FIRST, SECOND)


def test_a_view_is_a_square_around_the_region_inside_the_image():
    low, nucleus = regions_of(FIRST, SECOND)
    assert view_box(nucleus, FIRST.shape) == (0, 0, 64, 64)
    assert view_box(low, FIRST.shape) == (36, 136, 100, 200)


def test_a_large_region_has_as_much_again_around_it_and_the_image_ends_the_view():
    large = np.full((100, 200), 5, np.uint8)
    large[20:80, 80:120] = 1
    (region,) = regions_of(FIRST * 0 + 5, large)
    assert view_box(region, large.shape) == (0, 40, 100, 160)


def test_the_pixels_of_a_region_in_a_box():
    nucleus = regions_of(FIRST, SECOND)[1]
    found = inside(nucleus, (12, 0, 20, 22), 200)
    assert np.argwhere(found).tolist() == [[row, column] for row in range(3) for column in (20, 21)]


def test_a_side_is_seen_in_its_colours_with_the_region_rimmed():
    pixels = np.full((100, 200, 3), 100, np.uint8)
    nucleus = regions_of(FIRST, SECOND)[1]
    found = side_picture(pixels, FIRST, nucleus, (8, 18, 17, 27))
    assert found[2, 2].tolist() == [255, 255, 255]
    # Inside the rim 55 % of the image and 45 % of the nucleus' yellow.
    assert found[4, 4].tolist() == [163, 158, 85]
    assert side_picture(pixels, np.zeros_like(FIRST), nucleus, (8, 18, 17, 27))[4, 4].tolist() == [100] * 3


def test_open_regions_are_hatched_and_the_current_one_has_a_rim(model):
    indices, values = hatch(model)
    assert len(indices) == 25 + 30
    drawn = np.zeros(FIRST.shape, np.uint8)
    drawn.reshape(-1)[indices] = values
    # The current one is the largest, three rows of ten: only its middle is no rim.
    assert set(drawn[90:93, 190:200][1, 1:-1].tolist()) == {WHITE, BLACK}
    assert (drawn[90, 190:200] == EDGE).all()
    assert drawn[10, 20:25].tolist() == [WHITE, WHITE, BLACK, BLACK, WHITE]


def test_what_is_decided_is_not_hatched(model):
    model.choose("second")
    indices, values = hatch(model, [0])
    assert (len(indices), values.any()) == (30, False)
