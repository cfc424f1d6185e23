"""Where texts go in a field of 100×200."""

from allxai_desktop.fields.labels import text_places

HALF = (5.0, 20.0)


def test_a_text_is_below_its_mark():
    assert text_places([((50, 100), 10, HALF)], (100, 200)) == [(65, 100)]


def test_at_the_lower_edge_it_is_above():
    assert text_places([((82, 100), 10, HALF)], (100, 200)) == [(67, 100)]


def test_at_the_sides_it_stays_inside():
    assert text_places([((20, 3), 10, HALF), ((20, 199), 10, HALF)], (100, 200)) == [(35, 20), (35, 180)]


def test_of_two_that_would_cover_each_other_one_goes_up():
    marks = [((50, 100), 10, HALF), ((54, 120), 10, HALF)]
    assert text_places(marks, (100, 200)) == [(65, 100), (39, 120)]


def test_without_room_above_it_goes_further_down():
    marks = [((10, 100), 10, HALF), ((14, 120), 10, HALF)]
    assert text_places(marks, (100, 200)) == [(25, 100), (39, 120)]


def test_where_there_is_no_room_it_is_below():
    assert text_places([((5, 100), 10, HALF)], (10, 30)) == [(20, 20)]
