"""Places on the canvas of a main window."""

from qtpy.QtCore import QPoint


def canvas_point(window, row, column):
    """Return where on the canvas the centre of a pixel is drawn."""
    camera = window.viewer.scene.camera
    native = window.qt_viewer.canvas.native
    centre = camera.center[-2:]
    return QPoint(
        round(native.width() / 2 + (column - centre[1]) * camera.zoom),
        round(native.height() / 2 + (row - centre[0]) * camera.zoom),
    )
