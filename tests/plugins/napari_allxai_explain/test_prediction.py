import pytest
from qtpy.QtCore import QEvent, QObject

from napari_allxai_explain.prediction import PredictionBars


class Paints(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget):
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, _widget, event):
        self.count += event.type() == QEvent.Type.Paint
        return False


@pytest.fixture
def bars(qtbot):
    widget = PredictionBars()
    qtbot.addWidget(widget)
    widget.show_probabilities({"monocyte": 0.25, "lymphocyte": 0.75})
    with qtbot.waitExposed(widget):
        widget.show()
    qtbot.wait(50)
    return widget


def test_the_most_probable_class_comes_first(bars):
    assert bars.accessibleDescription() == "lymphocyte 75.0%; monocyte 25.0%"


def test_the_same_prediction_is_not_painted_again(bars, qtbot):
    paints = Paints(bars)
    bars.show_probabilities({"monocyte": 0.25, "lymphocyte": 0.75})
    qtbot.wait(50)
    assert paints.count == 0


def test_another_prediction_is_painted(bars, qtbot):
    paints = Paints(bars)
    bars.show_probabilities({"monocyte": 1.0, "lymphocyte": 0.0})
    qtbot.waitUntil(lambda: paints.count > 0)
    assert bars.accessibleDescription() == "monocyte 100.0%; lymphocyte 0.0%"


def test_rows_give_room_to_what_comes_beside_them_but_one_stays(bars):
    bars.show_probabilities(dict.fromkeys("abcde", 0.2))
    heights = []
    for parts in (0, 1, 2):
        bars.give_room(parts)
        heights.append(bars.sizeHint().height() - 2)
    assert heights == [4 * heights[2], 2 * heights[2], heights[2]]
