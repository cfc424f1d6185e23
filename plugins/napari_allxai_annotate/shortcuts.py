"""Binds the keys of the registry to a window."""

from collections.abc import Callable, Mapping
from functools import partial

from qtpy.QtCore import QCoreApplication, QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence, QShortcut
from qtpy.QtWidgets import QApplication, QWidget

from allxai_desktop.keys import KEYS
from napari_allxai_annotate.canvas import PaintCanvas

REPEATED = ("larger", "smaller", "undo", "redo", "remove-point")


def region_actions(canvas: PaintCanvas) -> dict[str, Callable[[], object]]:
    """Return what the keys do that painting a region in place of the mask needs."""
    model = canvas.model
    return {
        "brush": partial(setattr, model, "tool", "brush"),
        "eraser": partial(setattr, model, "tool", "eraser"),
        "larger": partial(model.step_size, 1),
        "smaller": partial(model.step_size, -1),
        "undo": canvas.undo,
        "redo": canvas.redo,
        "escape": canvas.escape,
    }


class Shortcuts(QObject):
    """Calls `actions` by the names in `KEYS`. Characters typed into a field stay there."""

    def __init__(self, window: QWidget, actions: Mapping[str, Callable[[], object]]) -> None:
        super().__init__(window)
        self._shortcuts: dict[str, list[QShortcut]] = {}
        for name, call in actions.items():
            self._shortcuts[name] = [self._bind(window, text, name, call) for text in KEYS[name].sequences]

    def _bind(self, window: QWidget, text: str, name: str, call: Callable[[], object]) -> QShortcut:
        shortcut = QShortcut(QKeySequence(text), window)
        shortcut.setAutoRepeat(name in REPEATED)
        shortcut.activated.connect(lambda: call())
        return shortcut

    def set_enabled(self, names: tuple[str, ...], enabled: bool) -> None:
        """Let some keys through to other widgets, or take them again."""
        for name in names:
            for shortcut in self._shortcuts[name]:
                shortcut.setEnabled(enabled)

    def release(self) -> None:
        """Unbind every key."""
        for shortcuts in self._shortcuts.values():
            for shortcut in shortcuts:
                shortcut.setEnabled(False)
                shortcut.deleteLater()
        self._shortcuts.clear()


def application() -> QCoreApplication:
    """Return the application; there is one wherever there is a widget."""
    instance = QApplication.instance()
    assert instance is not None
    return instance


class HoldToPan(QObject):
    """While the key is held over the canvas, the left button moves the image.

    The key is bound only while the mouse is over the canvas, so that elsewhere Space presses buttons as ever.
    """

    def __init__(self, window: QWidget, canvas: PaintCanvas) -> None:
        super().__init__(window)
        self._canvas = canvas
        self._shortcut = QShortcut(QKeySequence(KEYS["pan"].sequence), window)
        self._shortcut.setAutoRepeat(False)
        self._shortcut.activated.connect(self._start)
        canvas.viewer.events.mouse_over_canvas.connect(self._on_over_canvas)
        self._on_over_canvas()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """End the panning when the key goes up or the window loses the keyboard."""
        released = (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyRelease
            and event.key() == Qt.Key.Key_Space
            and not event.isAutoRepeat()
        )
        if released or event.type() == QEvent.Type.WindowDeactivate:
            self._stop()
        return False

    def release(self) -> None:
        """Unbind the key."""
        self._stop()
        self._canvas.viewer.events.mouse_over_canvas.disconnect(self._on_over_canvas)
        self._shortcut.setEnabled(False)
        self._shortcut.deleteLater()

    def _on_over_canvas(self) -> None:
        self._shortcut.setEnabled(self._canvas.viewer.mouse_over_canvas or self._canvas.gestures.panning)

    def _start(self) -> None:
        self._canvas.gestures.panning = True
        # A filter on the application sees each of its events, so it is there no longer than the key is held.
        application().installEventFilter(self)

    def _stop(self) -> None:
        application().removeEventFilter(self)
        self._canvas.gestures.panning = False
        self._on_over_canvas()
