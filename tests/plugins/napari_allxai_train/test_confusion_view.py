"""The confusion matrix: cells are chosen by mouse and by keys."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_allxai_train.confusion_view import ConfusionView


@pytest.fixture
def view(qtbot):
    made = ConfusionView()
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show_counts(np.array([[5, 2], [0, 1]]), ("a", "b"))
    made.heard = []
    made.chosen.connect(lambda true, predicted: made.heard.append((true, predicted)))
    return made


def click(view, true, predicted):
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.cell(true, predicted).center().toPoint())


def test_a_cell_with_mistakes_is_chosen_by_a_click(view):
    click(view, 0, 1)
    assert view.heard == [(0, 1)]


def test_the_diagonal_and_empty_cells_are_not(view):
    for cell in ((0, 0), (1, 1), (1, 0)):
        click(view, *cell)
    assert view.heard == []


def test_a_cell_is_reached_by_keys(view):
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert view.heard == [(0, 1)]


def test_keys_stop_at_the_edge(view):
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Right, Qt.Key.Key_Right):
        QTest.keyClick(view, key)
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert view.heard == [(0, 1)]


def test_a_cell_says_what_it_counts(view):
    assert view._words(0, 1) == "a taken for b: 2 (28.6\u00a0% of the class)\nClick to see these images."
    assert view._words(1, 0) == "b taken for a: 0 (0.0\u00a0% of the class)"


@pytest.mark.parametrize("size", [(220, 200), (400, 300), (1200, 900)])
def test_every_cell_lies_inside(view, size):
    view.resize(*size)
    names = tuple(f"class with a long name {number}" for number in range(8))
    view.show_counts(np.ones((8, 8), np.int64), names)
    assert view.rect().contains(view.cell(7, 7).toAlignedRect())
    assert view.cell(0, 0).width() > 8
