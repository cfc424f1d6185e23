"""Fields in the desktop window: their model, their marks, their bar, and where the camera was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allxai_desktop.app.field_bar import FieldBar
from allxai_desktop.fields.model import FieldModel
from allxai_desktop.fields.predicting import Seen
from napari_allxai_annotate.detail import Detail
from napari_allxai_annotate.field_marks import FieldMarks

if TYPE_CHECKING:
    from allxai_desktop.app.window import MainWindow

View = tuple[tuple[float, ...], float]


class Fields:
    """Follows the workspace of a window, which needs its canvas already."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        settings = window.settings
        self.model = FieldModel(
            window.workspace, window.dispatch, auto=settings.field_auto, side=settings.crop_side
        )
        self.marks = FieldMarks(window.canvas, self.model, self._title)
        self.bar = FieldBar(self.model)
        self.detail = Detail(window.canvas, window.dispatch)
        self._views: dict[str, View] = {}
        self.model.auto_changed.connect(self._remember)
        self.model.side_changed.connect(self._remember)
        window.workspace.item_left.connect(self._keep_view)

    def show_view(self) -> None:
        """Draw what the overview of a large image leaves out, and bring the camera back to where it was in a field.

        Called when the canvas shows the image.
        """
        image = self.window.workspace.image
        if image is not None:
            self.detail.show(image)
        view = self._views.get(image.sha256) if image is not None and self.model.active else None
        if view is not None:
            camera = self.window.viewer.scene.camera
            camera.center, camera.zoom = view
        self.marks.show()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.bar.retranslate()
        self.marks.show()

    def close(self) -> None:
        """Stop; called before the canvas is closed."""
        self.window.workspace.item_left.disconnect(self._keep_view)
        self.bar.disconnect_model()
        self.marks.release()
        self.detail.release()
        self.model.close()

    def _keep_view(self) -> None:
        image = self.window.workspace.image
        if image is not None and self.model.active:
            camera = self.window.viewer.scene.camera
            self._views[image.sha256] = tuple(camera.center), camera.zoom

    def _remember(self, _value: object) -> None:
        settings = self.window.settings
        settings.field_auto, settings.crop_side = self.model.auto, self.model.side

    def _title(self, seen: Seen) -> str:
        name = self.window.session.choices.network
        card = self.window.explain.cards.get(name or "")
        return seen.key if card is None or seen.key not in card.classes else card.class_title(seen.key)
