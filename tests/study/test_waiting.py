"""Which image waits next."""

from pathlib import Path

import pytest

from allxai_desktop.study.folder import Study, StudyItem
from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import ItemProgress
from allxai_desktop.study.waiting import next_waiting, where_to_begin

TODO = ItemProgress()
MINE, THEIRS = ItemProgress("in-progress", "A07"), ItemProgress("in-progress", "B02")
SUBMITTED = ItemProgress("submitted", "A07")


def test_what_is_to_be_painted_comes_in_order_and_from_the_top_again():
    items = [TODO, SUBMITTED, MINE, THEIRS]
    assert next_waiting(items, 0, "A07", reviewing=False) == 2
    assert next_waiting(items, 2, "A07", reviewing=False) == 0
    assert next_waiting(items[1:], 1, "A07", reviewing=False) is None
    assert next_waiting([TODO, SUBMITTED, SUBMITTED, MINE], 1, "A07", reviewing=False) == 3


def test_a_field_is_passed_over():
    assert next_waiting([TODO, TODO, TODO], 0, None, reviewing=False, fields={1}) == 2


def test_what_cannot_be_read_is_passed_over():
    assert next_waiting([TODO, TODO, TODO], 0, None, reviewing=False, unreadable={1}) == 2
    assert next_waiting([TODO, TODO], 0, None, reviewing=False, unreadable={1}) is None


def test_a_reviewer_is_led_to_what_somebody_else_submitted():
    items = [TODO, SUBMITTED, ItemProgress("submitted", "R01")]
    assert next_waiting(items, 0, "R01", reviewing=True) == 1
    assert next_waiting(items, 1, "R01", reviewing=True) is None


A, R = Person("A07"), Person("R01", "reviewer")


@pytest.mark.parametrize(
    ("states", "person", "row"),
    [
        ("sst", A, 2),
        ("ss", A, 0),
        ("tt", A, 0),
        ("sit", None, 2),
        ("tas", R, 2),
        ("aat", R, 2),
    ],
)
def test_a_study_begins_at_what_waits_for_the_person(states, person, row):
    of = {"s": "submitted", "a": "approved", "i": "in-progress"}
    items = [StudyItem(str(at), Path(f"{at}.png"), Path(f"{at}.npz")) for at in range(len(states))]
    known = {f"{at}.png": ItemProgress(of[one], "A07") for at, one in enumerate(states) if one in of}

    assert where_to_begin(Study(Path(), items), known, person) == row


def test_a_study_does_not_begin_at_a_field():
    items = [StudyItem("0", Path("0.png"), Path()), StudyItem("1", Path("1.png"), Path(), field="0.png")]

    assert where_to_begin(Study(Path(), items), {}, None) == 1


class Counted(list):
    """Items that note which of them are looked at."""

    def __init__(self, items):
        super().__init__(items)
        self.asked = []

    def __getitem__(self, row):
        self.asked.append(row)
        return super().__getitem__(row)


def test_only_the_images_up_to_the_next_are_looked_at():
    items = Counted([TODO, SUBMITTED, SUBMITTED, TODO] + [TODO] * 5000)
    assert next_waiting(items, 0, "A07", reviewing=False) == 3
    assert items.asked == [1, 2, 3]
