"""Panels on screens that are too small for them."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QLabel, QLineEdit, QMainWindow, QSlider, QSpinBox, QVBoxLayout, QWidget
from wheel import wheel

from napari_allxai_widgets.scrolling import ScrollColumn


@pytest.fixture
def column(qtbot):
    """A column of a choice, a number and a slider, each at its second value, above much more."""
    content = QWidget()
    layout = QVBoxLayout(content)
    choice, number, slider = QComboBox(), QSpinBox(value=1), QSlider(Qt.Orientation.Horizontal, value=1)
    choice.addItems(["a", "b", "c"])
    choice.setCurrentIndex(1)
    first = QLineEdit()
    for widget in (first, choice, number, slider, QLabel("far below", minimumHeight=2000)):
        layout.addWidget(widget)
    made = ScrollColumn(content)
    made.choice, made.number, made.slider = choice, number, slider
    qtbot.addWidget(made)
    made.resize(300, 200)
    made.show()
    made.activateWindow()
    first.setFocus()
    qtbot.waitUntil(first.hasFocus)
    return made


def test_the_wheel_scrolls_over_controls_and_changes_none(column):
    for control in (column.choice, column.number, column.slider):
        column.verticalScrollBar().setValue(0)
        wheel(control, -1)
        assert column.verticalScrollBar().value() > 0
        assert not control.hasFocus()
    assert (column.choice.currentIndex(), column.number.value(), column.slider.value()) == (1, 1, 1)


def test_the_wheel_changes_the_number_that_has_the_keyboard(column, qtbot):
    column.number.setFocus()
    qtbot.waitUntil(column.number.hasFocus)
    wheel(column.number, 1)
    assert column.number.value() == 2
    assert column.verticalScrollBar().value() == 0


def test_the_wheel_changes_no_choice_that_has_the_keyboard(column, qtbot):
    column.choice.setFocus()
    qtbot.waitUntil(column.choice.hasFocus)
    wheel(column.choice, -1)
    assert column.choice.currentIndex() == 1


def test_a_column_is_never_narrower_than_what_is_in_it(column):
    column.number.setMinimumWidth(333)
    column.resize(column.minimumSizeHint())
    assert column.viewport().width() >= 333
    assert column.height() < 200


def test_a_column_follows_what_becomes_wider_in_it(column, qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(column)
    window.show()
    column.number.setMinimumWidth(333)
    qtbot.waitUntil(lambda: column.viewport().width() >= 333)
    # The fixture closes it.
    window.takeCentralWidget()
