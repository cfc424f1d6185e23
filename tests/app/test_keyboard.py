"""The window without a mouse, and for those who have it read out."""

import re

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

pytestmark = pytest.mark.slow


@pytest.fixture
def window(show_window, qtbot):
    made = show_window()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def test_tab_goes_on_from_the_table_of_shares(window):
    window.explain.table.setFocus()
    QTest.keyClick(window.explain.table, Qt.Key.Key_Tab)
    assert window.explain.rule.hasFocus()


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_menu_has_a_letter_of_its_own(window, language):
    window.set_language(language)
    titles = [action.text() for action in window.menuBar().actions()]
    letters = [re.search("&(.)", title)[1].lower() for title in titles]
    assert len(letters) == len(set(letters)) == 8


@pytest.mark.parametrize(("language", "name"), [("en", "Image"), ("es", "Imagen")])
def test_the_canvas_has_a_name(window, language, name):
    window.set_language(language)
    assert window.qt_viewer.canvas.native.accessibleName() == name
