"""What every further window of the program shares."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit, QSpinBox

from napari_allxai_widgets.side_window import SideWindow


@pytest.mark.parametrize("kind", [QLineEdit, QSpinBox])
def test_a_key_of_the_window_is_its_own_in_a_text_field_too(qtbot, kind):
    window, calls = SideWindow(), []
    qtbot.addWidget(window)
    field = kind()
    window.setCentralWidget(field)
    window.bind({"Ctrl+E": lambda: calls.append("export")})
    window.open()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClick(field, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(field, Qt.Key.Key_7)
    assert calls == ["export"]
    assert "7" in field.text()


def test_a_window_that_is_larger_than_the_screen_opens_as_large_as_that(qtbot):
    window = SideWindow()
    qtbot.addWidget(window)
    screen = window.screen().availableGeometry()
    window.resize(screen.width() + 400, 300)
    window.open()
    assert (window.width(), window.height()) == (screen.width() - 16, 300)
    assert screen.contains(window.geometry())
