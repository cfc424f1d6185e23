"""Which image waits next."""

from allxai_desktop.study.progress import ItemProgress
from allxai_desktop.study.waiting import next_waiting

TODO = ItemProgress()
MINE, THEIRS = ItemProgress("in-progress", "A07"), ItemProgress("in-progress", "B02")
SUBMITTED = ItemProgress("submitted", "A07")


def test_what_is_to_be_painted_comes_in_order_and_from_the_top_again():
    items = [TODO, SUBMITTED, MINE, THEIRS]
    assert next_waiting(items, 0, "A07", reviewing=False) == 2
    assert next_waiting(items, 2, "A07", reviewing=False) == 0
    assert next_waiting(items[1:], 1, "A07", reviewing=False) is None


def test_a_field_is_passed_over():
    assert next_waiting([TODO, TODO, TODO], 0, None, reviewing=False, fields={1}) == 2


def test_a_reviewer_is_led_to_what_somebody_else_submitted():
    items = [TODO, SUBMITTED, ItemProgress("submitted", "R01")]
    assert next_waiting(items, 0, "R01", reviewing=True) == 1
    assert next_waiting(items, 1, "R01", reviewing=True) is None
