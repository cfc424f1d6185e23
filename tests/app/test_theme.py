"""The colours of the window."""

import re

import pytest
from napari.qt import get_qapp
from napari.utils.theme import get_theme
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QListWidget,
    QPushButton,
    QRadioButton,
    QSlider,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.app.theme import THEMES, stylesheet


def luminance(color):
    """Relative luminance as WCAG 2.2 defines it."""
    levels = [
        level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4
        for level in QColor(color).getRgbF()[:3]
    ]
    return 0.2126 * levels[0] + 0.7152 * levels[1] + 0.0722 * levels[2]


@pytest.mark.parametrize("theme", THEMES)
def test_what_an_empty_field_says_can_be_read(theme):
    hint = re.search(r"placeholder-text-color: (#\w+)", stylesheet(theme))[1]
    dark, light = sorted((luminance(hint), luminance(get_theme(theme).primary.as_hex(format="long"))))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_the_handle_of_a_slider_stands_out(theme):
    handle = re.search(r"QSlider::handle:horizontal {\s*background: (#\w+)", stylesheet(theme)[-5000:])[1]
    dark, light = sorted((luminance(handle), luminance(get_theme(theme).background.as_hex(format="long"))))
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_texts_are_as_large_as_those_of_napari_on_the_same_system(monkeypatch):
    of_a_mac = get_theme("dark").model_copy(update={"font_size": "12pt"})
    monkeypatch.setattr("allxai_desktop.app.theme.get_theme", lambda _name: of_a_mac)
    assert "QWidget { font-size: 12pt; }" in stylesheet("dark")


@pytest.mark.parametrize("theme", THEMES)
def test_each_kind_of_control_shows_that_it_has_the_keyboard(theme, qtbot):
    get_qapp()
    page = QWidget()
    layout = QVBoxLayout(page)
    tabs = QTabBar()
    tabs.addTab("Relevance")
    controls = [
        QPushButton("Run"),
        QToolButton(text="Fit", autoRaise=True, focusPolicy=Qt.FocusPolicy.TabFocus),
        QComboBox(),
        QCheckBox("Live"),
        QSlider(Qt.Orientation.Horizontal),
        QRadioButton("All"),
        QListWidget(),
        tabs,
    ]
    for control in controls:
        layout.addWidget(control)
    page.setStyleSheet(stylesheet(theme))
    qtbot.addWidget(page)
    with qtbot.waitExposed(page):
        page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    for control, other in zip(controls, (*controls[1:], controls[0]), strict=True):
        other.setFocus()
        before, place = control.grab().toImage(), control.geometry()
        control.setFocus()
        assert control.hasFocus()
        assert control.grab().toImage() != before, type(control).__name__
        assert control.geometry() == place


def test_the_list_of_a_focused_combo_box_shows_its_last_line(qtbot):
    page = QWidget()
    combo = QComboBox()
    combo.addItems(["one", "two", "three"])
    QVBoxLayout(page).addWidget(combo)
    page.setStyleSheet(stylesheet("dark"))
    qtbot.addWidget(page)
    with qtbot.waitExposed(page):
        page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    qtbot.mouseClick(combo, Qt.MouseButton.LeftButton)
    view = combo.view()
    qtbot.waitUntil(view.isVisible)
    qtbot.wait(50)
    assert view.height() >= sum(view.sizeHintForRow(row) for row in range(3))
    combo.hidePopup()
