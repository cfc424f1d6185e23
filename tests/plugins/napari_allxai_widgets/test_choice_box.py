import pytest
from qtpy.QtCore import QEvent
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QToolTip

from napari_allxai_widgets.choice_box import ChoiceBox

ROWS = [(("a", ()), "First", ""), (("a", (("k", "v"),)), "Second", "tip")]


@pytest.fixture
def box(qtbot):
    made = ChoiceBox()
    qtbot.addWidget(made)
    return made


def test_values_come_back_as_they_went_in(box):
    box.fill(ROWS, ROWS[1][0])
    assert box.value == ("a", (("k", "v"),))
    assert box.currentText() == "Second"


def test_filling_is_no_choice(box, qtbot):
    with qtbot.assertNotEmitted(box.activated), qtbot.assertNotEmitted(box.currentIndexChanged):
        box.fill(ROWS, ROWS[0][0])


def test_a_value_that_is_not_offered_chooses_nothing(box):
    box.fill(ROWS, "other")
    assert box.value is None


@pytest.mark.parametrize(("wider", "told"), [(0, "The method"), (-1, "Second\nThe method")])
def test_the_tip_begins_with_a_title_that_is_cut(box, qtbot, wider, told):
    box.fill(ROWS, ROWS[1][0])
    box.setToolTip("The method")
    with qtbot.waitExposed(box):
        box.show()
    box.setFixedWidth(box.width_for("Second") + wider)
    middle = box.rect().center()
    QApplication.sendEvent(box, QHelpEvent(QEvent.Type.ToolTip, middle, box.mapToGlobal(middle)))
    assert QToolTip.text() == told
    QToolTip.hideText()
