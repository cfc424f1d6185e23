"""Tooltips of sentences."""

from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QApplication, QLabel, QToolTip

from napari_allxai_widgets.tips import wrapped


def test_a_long_tooltip_is_broken_into_lines(qtbot):
    label = QLabel("map")
    qtbot.addWidget(label)
    label.show()
    QToolTip.showText(QPoint(10, 10), wrapped("a < b & c; " * 40), label)
    (tip,) = [one for one in QApplication.topLevelWidgets() if one.metaObject().className() == "QTipLabel"]
    assert tip.width() < tip.fontMetrics().averageCharWidth() * 120
    assert tip.height() > 4 * tip.fontMetrics().height()
    QToolTip.hideText()


def test_what_is_written_in_it_is_text():
    assert wrapped("a < b\n\nc") == "<qt>a &lt; b<br><br>c</qt>"
