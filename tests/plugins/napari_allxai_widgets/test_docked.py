import pytest
from qtpy.QtWidgets import QWidget

from napari_allxai_widgets.docked import DockedWidget


class Counted(DockedWidget):
    released = 0

    def release(self):
        self.released += 1


@pytest.fixture
def dock(qtbot):
    made = QWidget()
    qtbot.addWidget(made)
    return made


def test_a_widget_lets_go_when_it_is_taken_out_of_its_dock(qtbot, dock):
    widget = Counted(dock)
    widget.setParent(None)
    qtbot.addWidget(widget)
    assert widget.released == 1


def test_a_widget_that_is_docked_elsewhere_keeps_what_it_has(qtbot, dock):
    widget, other = Counted(dock), QWidget()
    qtbot.addWidget(other)
    widget.setParent(other)
    assert widget.released == 0
