import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtGui import QOpenGLContext
from qtpy.QtOpenGLWidgets import QOpenGLWidget

from napari_allxai_annotate.gl_context import OwnContext


@pytest.fixture
def canvas(qtbot):
    made = QOpenGLWidget()
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    made.doneCurrent()
    return made


@pytest.fixture
def viewer():
    made = ViewerModel()
    made.add_image(np.zeros((2, 2)))
    return made


def contexts_of_removals(viewer):
    found = []
    viewer.layers.events.removed.connect(lambda _event: found.append(QOpenGLContext.currentContext()))
    return found


@pytest.mark.parametrize("remove", [lambda layers: layers.pop(), lambda layers: layers.clear()])
def test_a_layer_is_removed_in_the_context_of_the_canvas(canvas, viewer, remove):
    found = contexts_of_removals(viewer)
    own = OwnContext(canvas, viewer.layers)
    remove(viewer.layers)
    assert found == [canvas.context()]
    own.close()


def test_after_closing_the_canvas_is_left_alone(canvas, viewer):
    found = contexts_of_removals(viewer)
    own = OwnContext(canvas, viewer.layers)
    own.close()
    viewer.layers.pop()
    # Some other may be current: that of a window of an earlier test that was just let go.
    assert len(found) == 1
    assert found != [canvas.context()]
