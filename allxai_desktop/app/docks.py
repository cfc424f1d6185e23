"""What stands beside the canvas, and where it was when the window was closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QByteArray, Qt
from qtpy.QtWidgets import QApplication, QDockWidget, QVBoxLayout, QWidget

from allxai_desktop.i18n import _
from napari_allxai_widgets.scrolling import ScrollColumn

if TYPE_CHECKING:
    from allxai_desktop.app.window import MainWindow

STATE_VERSION = 1


class Docks:
    """The docks of a window: the study, the panels, and napari's own layers, which stay hidden until asked for."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(window.annotate)
        column.addWidget(window.explain, 1)
        self.study = self._dock("study", window.study_panel, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.panels = self._dock("panels", ScrollColumn(right), Qt.DockWidgetArea.RightDockWidgetArea)
        self.layers = self._dock("layers", QWidget(), Qt.DockWidgetArea.LeftDockWidgetArea)
        self.layers.hide()
        # Not `visibilityChanged`: as long as the dock is empty it has no size and counts as invisible.
        self.layers.toggleViewAction().toggled.connect(self._fill_layers)
        window.resizeDocks([self.study, self.panels], [216, 385], Qt.Orientation.Horizontal)

    def _dock(self, name: str, content: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock: QDockWidget = QDockWidget(self.window, objectName=name)
        dock.setWidget(content)
        # The panels carry their own titles.
        dock.setTitleBarWidget(QWidget())
        dock.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetClosable)
        self.window.addDockWidget(area, dock)
        return dock

    def _fill_layers(self, visible: bool) -> None:
        # Most people never open it, and building it would delay every start.
        if visible:
            self.layers.toggleViewAction().toggled.disconnect(self._fill_layers)
            self.layers.setWidget(self.window.qt_viewer.layer_tools())

    def retranslate(self) -> None:
        """Set the titles again in the current language."""
        self.study.setWindowTitle(_("Study"))
        self.panels.setWindowTitle(_("Annotate and explain"))
        self.layers.setWindowTitle(_("Layers of napari"))

    def save(self) -> None:
        """Remember the size of the window, and where its docks are."""
        self.window.settings.set_layout(self.window.saveGeometry(), self.window.saveState(STATE_VERSION))

    def restore(self) -> None:
        """Give the window the size that it had, and the docks their places."""
        layout = self.window.settings.layout()
        # Qt takes no size from a screen of another width, and leaves the window too narrow for its docks.
        if layout is None or not self.window.restoreGeometry(QByteArray(layout[0])):
            screen = QApplication.primaryScreen().availableGeometry()
            self.window.resize(min(1600, screen.width()), min(1000, screen.height() - 30))
        if layout is not None:
            self.window.restoreState(QByteArray(layout[1]), STATE_VERSION)
