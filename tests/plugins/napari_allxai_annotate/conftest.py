"""A window with an image on the canvas, driven by real Qt events."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.qt import QtViewer
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow

from allxai_desktop.images import CellImage
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.proposing.model import ProposalModel
from allxai_desktop.proposing.proposal import Proposal
from napari_allxai_annotate.canvas import PaintCanvas
from napari_allxai_annotate.ghost import Ghost
from napari_allxai_annotate.panel import AnnotatePanel
from napari_allxai_widgets.dispatch import Dispatcher

SHAPE = (40, 60)


class Strips:
    """Proposes nucleus on the left and background on the right; learns to propose cytoplasm everywhere."""

    def __init__(self, image) -> None:
        self.shape = image.pixels.shape[:2]

    def corrected(self, correction):
        return self

    def start(self):
        codes = np.full(self.shape, 5, np.uint8)
        codes[:, :30] = 1
        uncertainty = np.zeros(self.shape, np.float32)
        uncertainty[10:20, 25:35] = 1
        return Proposal(codes, uncertainty, "network")

    def update(self, codes, person):
        return Proposal(np.full(self.shape, 2, np.uint8), np.zeros(self.shape, np.float32), "classifier")


class Window(QMainWindow):
    """The canvas and the panel as the program composes them."""

    def __init__(self) -> None:
        super().__init__()
        self.viewer = ViewerModel()
        self.view = QtViewer(self.viewer)
        self.setCentralWidget(self.view)
        self.model = PaintModel(np.zeros(SHAPE, np.uint8))
        self.model.brush_size = 1
        self.canvas = PaintCanvas(self.viewer, self.model)
        self.proposals = ProposalModel(self.model, Dispatcher(), Strips, visible=False)
        self.ghost = Ghost(self.canvas, self.proposals)
        self.panel = AnnotatePanel(self.model, self.canvas, self, self.ghost)
        dock = QDockWidget(self)
        dock.setWidget(self.panel)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        self.resize(1000, 600)

    def end(self):
        self.panel.release_keys()
        self.panel.disconnect_model()
        self.ghost.close()
        self.proposals.close()
        self.canvas.close()
        self.view.close()
        self.close()
        self.deleteLater()

    def show_image(self, name="cell.png", pixel_size_um=None):
        pixels = np.full((*self.model.shape, 3), 200, np.uint8)
        self.canvas.show(CellImage(pixels, name, "", pixel_size_um=pixel_size_um))


class Mouse:
    """Sends what a mouse over the canvas sends; places are (row, column) of the image."""

    def __init__(self, window, qtbot) -> None:
        self.window = window
        self.qtbot = qtbot
        self.native = window.view.canvas.native
        self.held = Qt.MouseButton.NoButton

    def place(self, row, column):
        view = self.window.view.canvas.view
        world = self.window.canvas.mask_layer.data_to_world((row, column))
        x, y = (view.transform * view.scene.transform).map(world[::-1])[:2]
        return QPointF(x, y)

    def send(self, kind, row, column, button=Qt.MouseButton.NoButton):
        at = self.place(row, column)
        out = QPointF(self.native.mapToGlobal(at.toPoint()))
        event = QMouseEvent(kind, at, out, button, self.held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self.native, event)
        # napari looks at the moves of a mouse every 5 ms.
        self.qtbot.wait(12)

    def press(self, row, column, button=Qt.MouseButton.LeftButton):
        self.held = button
        self.send(QEvent.Type.MouseButtonPress, row, column, button)

    def move(self, row, column):
        self.send(QEvent.Type.MouseMove, row, column)

    def release(self, row, column, button=Qt.MouseButton.LeftButton):
        self.held = Qt.MouseButton.NoButton
        self.send(QEvent.Type.MouseButtonRelease, row, column, button)

    def drag(self, *points, button=Qt.MouseButton.LeftButton):
        self.press(*points[0], button)
        for point in points[1:]:
            self.move(*point)
        self.release(*points[-1], button)

    def click(self, row, column, button=Qt.MouseButton.LeftButton):
        self.drag((row, column), button=button)

    def second_press(self, row, column):
        self.held = Qt.MouseButton.LeftButton
        self.send(QEvent.Type.MouseButtonDblClick, row, column, Qt.MouseButton.LeftButton)

    def double_click(self, row, column):
        self.click(row, column)
        self.second_press(row, column)
        self.release(row, column)

    def wheel(self, notches, modifier=Qt.KeyboardModifier.NoModifier):
        at = self.place(20, 30)
        event = QWheelEvent(
            at,
            QPointF(self.native.mapToGlobal(at.toPoint())),
            QPoint(),
            QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton,
            modifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(self.native, event)
        self.qtbot.wait(12)


@pytest.fixture(scope="module")
def open_window(qapp):
    made = Window()
    made.show()
    yield made
    made.end()


@pytest.fixture
def window(open_window, qtbot):
    """Return the window as it opens, with a new image; it takes a second to make, so a module shares one."""
    model = open_window.model
    open_window.proposals.set_image(None)
    open_window.proposals.visible = False
    model.new_image(np.zeros(SHAPE, np.uint8))
    model.active, model.tool, model.brush_size = 2, "brush", 1
    model.active = 1
    model.locked, model.only_over, model.erase_to = frozenset(), None, 0
    model.mask_visible, model.mask_opacity, model.mask_outline = True, 0.5, False
    open_window.viewer.dims.ndisplay = 2
    open_window.show_image()
    # Keys reach the active window only, and without a window manager nobody makes it so.
    open_window.activateWindow()
    qtbot.waitUntil(open_window.isActiveWindow)
    qtbot.wait(30)
    open_window.viewer.reset_view()
    return open_window


@pytest.fixture
def mouse(window, qtbot):
    return Mouse(window, qtbot)


@pytest.fixture
def shown(window):
    """Return a function that tells whether the layer shows the mask of the model."""
    return lambda: np.array_equal(window.canvas.mask_layer.data, window.model.codes)
