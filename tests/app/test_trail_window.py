"""The table of the audit trail, without a window."""

import pytest
from qtpy.QtCore import Qt

from allxai_desktop.app import trail_window
from allxai_desktop.app.trail_window import TrailModel
from allxai_desktop.study.audit import Entry


def entry(seq, item, person="A07", mask="9f" * 32):
    time = "2026-11-29T10:00:00+00:00"
    return Entry(seq, time, person, "annotator", item, "submit", "", None, mask, "", "")


@pytest.fixture
def rows(qapp):
    made = TrailModel()
    made.set_entries([entry(1, "a.png"), entry(2, "b.png", "B02"), entry(3, "b.png")])
    return made


def numbers(rows):
    return [rows.data(rows.index(row, 0)) for row in range(rows.rowCount())]


def test_the_newest_entry_comes_first(rows):
    assert numbers(rows) == [3, 2, 1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("B.PNG", [3, 2]),
        ("b02", [2]),
        ("Submitted", [3, 2, 1]),
        ("9f9f", [3, 2, 1]),
        ("a07b", []),
        ("", [3, 2, 1]),
    ],
)
def test_entries_are_looked_for_in_each_of_their_cells(rows, text, found):
    rows.look_for(text)
    assert numbers(rows) == found


def test_the_tip_of_an_entry_that_was_looked_for_has_its_whole_hash(rows):
    rows.look_for("a.png")
    assert rows.data(rows.index(0, 8), Qt.ItemDataRole.ToolTipRole) == "9f" * 32


def test_each_entry_is_put_into_words_once_however_many_letters_are_typed(rows, monkeypatch):
    worded = []
    cells = trail_window._cells
    monkeypatch.setattr(trail_window, "_cells", lambda one: worded.append(one.seq) or cells(one))
    for text in ("b", "b.", "b.p"):
        rows.look_for(text)
    assert worded == [3, 2, 1]


def test_what_is_looked_for_holds_for_entries_that_come_in(rows):
    rows.look_for("a.png")
    rows.set_entries([entry(1, "a.png"), entry(2, "b.png"), entry(3, "a.png")])
    assert numbers(rows) == [3, 1]
