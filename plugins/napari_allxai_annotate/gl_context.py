"""Where napari deletes what a layer had on the graphics card."""

from typing import Any

from napari.components import LayerList
from qtpy.QtOpenGLWidgets import QOpenGLWidget


class OwnContext:
    """Has textures and programs of removed layers deleted in the OpenGL context of `canvas`, in which they were made.

    napari 0.9.2 deletes them at once, in whichever context is current. After a frame that may be Qt's own, and then
    Mesa ends the program a few frames later.
    """

    def __init__(self, canvas: QOpenGLWidget, layers: LayerList) -> None:
        self._canvas = canvas
        self._layers = layers
        layers.events.removing.connect(self._make_current)

    def close(self) -> None:
        """Stop following the layers; called before the canvas goes away."""
        self._layers.events.removing.disconnect(self._make_current)

    def _make_current(self, _event: Any) -> None:
        self._canvas.makeCurrent()
