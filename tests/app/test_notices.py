"""The bar of notices."""

import pytest
from napari._qt.qt_event_loop import get_qapp
from qtpy.QtGui import QPalette

from allxai_desktop.app.notices import NoticeBar
from allxai_desktop.app.theme import stylesheet
from allxai_desktop.workspace import Notice


@pytest.fixture
def bar(qtbot):
    get_qapp()
    made = NoticeBar()
    made.setStyleSheet(stylesheet("dark"))
    qtbot.addWidget(made)
    return made


def test_each_level_has_its_own_colour_of_the_text(bar):
    colours = {}
    for level in ("info", "warning", "error", "warning"):
        bar.hide()
        bar.show_notice(Notice(level, "A sentence."))
        colours.setdefault(level, set()).add(bar._label.palette().color(QPalette.ColorRole.WindowText).name())
    assert colours["warning"] == {"#000000"}
    assert colours["error"] == {"#ffffff"}
