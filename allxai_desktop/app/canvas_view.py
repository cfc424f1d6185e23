"""napari's view of the images, and its own tools for layers."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pint
from napari._app_model import get_app_model
from napari.components import LayerList, ViewerModel
from napari.layers import Layer
from napari.qt import QtViewer
from qtpy.QtGui import QCloseEvent, QDropEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_allxai_annotate.gl_context import OwnContext
from napari_allxai_annotate.held_button import HeldButton


class CanvasView(QtViewer):
    """napari's view without napari's keys; what is dropped on it goes to the window, not to napari's readers."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(viewer)
        self._lent = ExitStack()
        self._context = OwnContext(self.canvas.native, viewer.layers)
        self._held_button = HeldButton(self.canvas.native)
        # They would delete the mask's layer (Ctrl+Del), move it (7) or part the picture into its layers (Ctrl+G).
        events, keys = self.canvas._scene_canvas.events, self._key_map_handler
        events.key_press.disconnect(keys.on_key_press)
        events.key_release.disconnect(keys.on_key_release)

    def keep(self, own: Callable[[], Collection[Layer]]) -> None:
        """Have napari's tools and keys delete no layer of `own()`: without its layer a mask is painted unseen."""
        layers = self.viewer.layers
        remove = layers.remove_selected

        def remove_others() -> None:
            kept = [layer for layer in own() if layer in layers.selection]
            layers.selection.difference_update(kept)
            remove()
            if kept:
                layers.selection = set(kept)

        layers.remove_selected = remove_others

    def layer_tools(self) -> QWidget:
        """Return napari's layer list with its controls and buttons, but for those of the viewer."""
        tools = QWidget()
        layout = QVBoxLayout(tools)
        layout.setContentsMargins(0, 0, 0, 0)
        # Made late, napari's controls only know the layers that are still to come.
        for layer in self.viewer.layers:
            self.controls._add(SimpleNamespace(value=layer))
        layout.addWidget(self.controls)
        layout.addWidget(self.layerButtons)
        layout.addWidget(self.layers)
        # Its entries convert, merge or part layers, after which nobody sees what is painted.
        self.layers.itemDelegate().show_context_menu = lambda *_place: None
        # Their actions look for these in a main window of napari's own.
        viewer = self.viewer
        self._lent.enter_context(
            get_app_model().injection_store.register(
                providers=[
                    (lambda: viewer, ViewerModel),
                    (lambda: viewer.layers, LayerList),
                    (lambda: viewer.layers.selection.active, Layer),
                ]
            )
        )
        return tools

    def closeEvent(self, event: QCloseEvent | None) -> None:
        self._lent.close()
        self._context.close()
        self._held_button.close()
        super().closeEvent(event)

    def dropEvent(self, event: QDropEvent | None) -> None:
        if event is not None:
            self.window().dropEvent(event)


def short_pixels() -> None:
    """Have napari's scale bar say px, which is right for any number and language, in place of "75 pixel"."""
    # A unit cannot be defined again through what pint lets be seen.
    units: Any = pint.get_application_registry().get()._units  # type: ignore[no-untyped-call]
    units["pixel"] = replace(units["pixel"], defined_symbol="px")
