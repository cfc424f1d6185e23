import numpy as np
import pytest

from allxai_desktop.agreement.adjudication import Adjudication, agreed
from allxai_desktop.agreement.pictures import BLACK, WHITE, hatched, inside, rim_of, side_picture, view_box
from allxai_desktop.agreement.regions import Regions
from allxai_desktop.painting.engine import PaintModel

FIRST = np.full((100, 200), 5, np.uint8)
FIRST[10:15, 20:25] = 1
SECOND = np.full((100, 200), 5, np.uint8)
SECOND[90:93, 190:200] = 2


@pytest.fixture
def model():
    return Adjudication(PaintModel(agreed(FIRST, SECOND)), FIRST, SECOND)


def test_a_view_is_a_square_around_the_region_inside_the_image():
    low, nucleus = Regions(FIRST, SECOND)
    assert view_box(nucleus, FIRST.shape) == (0, 0, 64, 64)
    assert view_box(low, FIRST.shape) == (36, 136, 100, 200)


def test_a_large_region_has_as_much_again_around_it_and_the_image_ends_the_view():
    large = np.full((100, 200), 5, np.uint8)
    large[20:80, 80:120] = 1
    (region,) = Regions(FIRST * 0 + 5, large)
    assert view_box(region, large.shape) == (0, 40, 100, 160)


def test_the_pixels_of_a_region_in_a_box():
    nucleus = Regions(FIRST, SECOND)[1]
    found = inside(nucleus, (12, 0, 20, 22), 200)
    assert np.argwhere(found).tolist() == [[row, column] for row in range(3) for column in (20, 21)]


def test_a_side_is_seen_in_its_colours_with_the_region_in_a_rim():
    pixels = np.full((100, 200, 3), 100, np.uint8)
    nucleus = Regions(FIRST, SECOND)[1]
    found = side_picture(pixels, FIRST, nucleus, (8, 18, 17, 27))
    assert found[1, 2].tolist() == [255, 255, 255]
    # Inside the rim 55 % of the image and 45 % of the nucleus' yellow.
    assert found[2, 2].tolist() == [163, 158, 85]
    assert side_picture(pixels, np.zeros_like(FIRST), nucleus, (8, 18, 17, 27))[4, 4].tolist() == [100] * 3


def test_open_regions_are_striped_but_the_one_that_is_looked_at_is_free(model):
    every = np.arange(FIRST.size)
    drawn = hatched(model, every).reshape(FIRST.shape)
    assert drawn[10, 20:25].tolist() == [WHITE, WHITE, BLACK, BLACK, WHITE]
    assert np.count_nonzero(drawn) == 25
    model.step(1)
    assert np.count_nonzero(hatched(model, every)) == 30


def test_what_is_decided_is_not_striped(model):
    model.choose("second")
    model.choose("first")
    assert not hatched(model, np.arange(FIRST.size)).any()


def test_the_rim_lies_around_a_region_inside_the_image(model):
    corner, nucleus = model.regions
    assert len(rim_of(nucleus, FIRST.shape)) == 4 * 5
    rows, columns = np.divmod(rim_of(corner, FIRST.shape), 200)
    # At the right edge there is nothing beyond.
    assert (columns.max(), rows.min(), rows.max(), len(rows)) == (199, 89, 93, 10 + 10 + 3)
