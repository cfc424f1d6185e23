"""The window on the small screens of laptops whose system magnifies: 1920 × 1080 at 200 % is 960 × 540."""

import pytest
from PIL import Image
from qtpy.QtCore import QPoint, QRect, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel, QLineEdit, QMainWindow

from allxai_desktop.app.key_sheet import KeySheet

pytestmark = pytest.mark.slow

# Without the title of the window and the bar of the system.
FREE = (944, 460)


@pytest.fixture
def small(show_window, qtbot):
    window = show_window()
    window.resize(*FREE)
    qtbot.waitUntil(lambda: window.width() == FREE[0])
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_window_fits_a_small_screen(small, qtbot, language):
    small.set_language(language)
    qtbot.wait(100)
    assert (small.width(), small.height()) == FREE
    assert small.rect().contains(QRect(small.status.pos(), small.status.size()))


def test_brightness_and_contrast_can_be_dragged_on_a_small_screen(small, qtbot):
    small.set_language("es")
    qtbot.wait(100)
    assert min(small.view_bar.brightness.width(), small.view_bar.contrast.width()) >= 36


def test_what_if_leaves_the_window_on_a_small_screen(small, qtbot, tmp_path):
    Image.new("RGB", (40, 40), (250, 220, 200)).save(tmp_path / "a.png")
    small.open_path(tmp_path)
    qtbot.waitUntil(lambda: small.session.result is not None, timeout=20_000)
    small.what_if.toggle()
    qtbot.waitUntil(small.what_if_banner.isVisible)
    qtbot.wait(100)
    assert small.width() == FREE[0]
    assert small.what_if_banner.leave.width() >= small.what_if_banner.leave.sizeHint().width()
    assert small.what_if_banner.text.toolTip() == small.what_if_banner.text.text()


def test_what_is_below_comes_into_sight_by_the_keyboard(small, qtbot):
    column = small.docks.panels.widget()
    assert column.verticalScrollBar().maximum() > 0
    small.explain.outline.setFocus()
    QTest.keyClick(small.explain.outline, Qt.Key.Key_Tab)
    QTest.keyClick(small.focusWidget(), Qt.Key.Key_Backtab)
    assert small.explain.outline.hasFocus()
    place = small.explain.outline.mapTo(column.viewport(), QPoint())
    assert column.viewport().rect().contains(QRect(place, small.explain.outline.size()))


@pytest.fixture
def sheet(qtbot):
    """The sheet of keys over a window of 944 × 460 px."""
    window = QMainWindow()
    qtbot.addWidget(window)
    made = KeySheet(window)
    window.resize(*FREE)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    made.toggle()
    qtbot.waitUntil(made.hasFocus)
    return made


def test_the_sheet_of_keys_stays_within_its_window(sheet):
    assert sheet.parentWidget().rect().contains(sheet.geometry())
    shown = [column for column in sheet.columns if column.isVisible()]
    assert len(shown) == 2
    assert all(column.visibleRegion().boundingRect().width() == column.width() for column in shown)


def test_the_sheet_of_keys_has_three_columns_again_in_a_large_window(sheet):
    sheet.parentWidget().resize(1366, 738)
    assert [column.isVisible() for column in sheet.columns] == [True, True, True]
    assert sheet.parentWidget().rect().contains(sheet.geometry())


def test_the_keyboard_moves_the_sheet_of_keys(sheet):
    bar = sheet.columns[0].parentWidget().parentWidget().parentWidget().verticalScrollBar()
    QTest.keyClick(sheet, Qt.Key.Key_PageDown)
    assert bar.value() > 0
    QTest.keyClick(sheet, Qt.Key.Key_PageUp)
    assert bar.value() == 0
    assert sheet.isVisible()


def test_a_key_is_changed_without_a_mouse(sheet):
    QTest.keyClick(sheet, Qt.Key.Key_Tab)
    column = sheet.columns[0]
    assert column.hasFocus()
    assert sheet.isVisible()
    QTest.keyClick(column, Qt.Key.Key_Tab)
    QTest.keyClick(column, Qt.Key.Key_Return)
    assert sheet.message.text().startswith("Press the new key for “Nucleus”")
    assert sheet.hasFocus()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert sheet.isVisible()


def test_the_sheet_of_keys_goes_when_something_else_is_worked_with(sheet, qtbot):
    field = QLineEdit(sheet.parentWidget())
    field.show()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    assert not sheet.isVisible()


def test_a_click_between_the_columns_closes_the_sheet_of_keys(sheet):
    left, right = sheet.columns[:2]
    gap = left.mapTo(sheet, QPoint(left.width() + 10, 20))
    assert gap.x() < right.mapTo(sheet, QPoint()).x()
    assert not isinstance(sheet.childAt(gap), QLabel)
    QTest.mouseClick(sheet.childAt(gap), Qt.MouseButton.LeftButton, pos=QPoint(left.width() + 10, 20))
    assert not sheet.isVisible()
