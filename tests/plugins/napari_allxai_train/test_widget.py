"""The training panel in stock napari."""

import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QDockWidget, QMainWindow

from napari_allxai_train.widget import TrainWidget


@pytest.fixture
def viewer():
    made = ViewerModel()
    yield made
    made.layers.clear()


@pytest.fixture
def widget(ready, viewer, qtbot):
    made = TrainWidget(viewer, ready.model)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.release()


def test_a_mistake_becomes_a_layer(widget, ready, viewer, qtbot):
    ready.model.start()
    qtbot.waitUntil(lambda: not ready.model.running)
    ready.model.explain("typical/1.png")
    qtbot.waitUntil(lambda: len(viewer.layers) == 1)
    assert (viewer.layers[0].name, viewer.layers[0].data.shape) == ("1.png", (24, 24, 3))


def test_closing_its_dock_stops_the_run(ready, viewer, qtbot):
    widget = TrainWidget(viewer, ready.model)
    window = QMainWindow()
    qtbot.addWidget(window)
    dock = QDockWidget(window)
    dock.setWidget(widget)
    ready.trainer.gate.clear()
    ready.model.start()
    qtbot.waitUntil(lambda: len(ready.model.records) == 1)
    ready.trainer.gate.set()
    widget.setParent(None)
    assert widget.model is None
    qtbot.addWidget(widget)
