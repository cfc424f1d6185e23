import pytest
from qtpy.QtCore import Qt

from napari_allxai_explain.tick_list import TickList

ROWS = [("a", "First", "tip"), (("b", 1), "Second", ""), ("c", "Third", "")]


@pytest.fixture
def ticks(qtbot):
    made = TickList()
    qtbot.addWidget(made)
    return made


def test_filling_ticks_and_tells_nothing(ticks):
    told = []
    ticks.ticked.connect(told.append)
    ticks.fill(ROWS, ("c", "a"))
    assert ticks.values == ("a", "c")
    assert told == []


def test_a_tick_tells_all_values_in_the_order_of_the_list(ticks):
    ticks.fill(ROWS, ("c",))
    told = []
    ticks.ticked.connect(told.append)
    ticks.item(1).setCheckState(Qt.CheckState.Checked)
    assert told == [(("b", 1), "c")]


def test_other_titles_of_the_same_values_keep_the_rows(ticks):
    ticks.fill(ROWS, ())
    item = ticks.item(0)
    ticks.fill([("a", "Primera", ""), *ROWS[1:]], ("a",))
    assert item.text() == "Primera"
    assert ticks.values == ("a",)


def test_a_long_title_is_broken_and_all_of_it_is_in_sight(ticks):
    ticks.resize(120, 40)
    ticks.fill([("a", "First", "")], ())
    short = ticks.sizeHint().height()
    ticks.fill([("a", "A title of so many words that they need more than a line", "")], ())
    ticks.show()
    assert ticks.sizeHint().height() > 2 * (short - 6)
