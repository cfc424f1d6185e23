"""Proposals in the desktop window: what makes them, what draws them, and whether they are wanted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from allxai_desktop.proposing.model import ProposalModel
from allxai_desktop.workspace import Level, Notice
from napari_allxai_annotate.ghost import Ghost

if TYPE_CHECKING:
    from allxai_desktop.app.window import MainWindow


class Proposals:
    """Follows the image of a window, which needs its canvas already."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.model = ProposalModel(window.paint, window.dispatch, visible=window.settings.proposals)
        self.ghost = Ghost(window.canvas, self.model)
        window.session.image_changed.connect(self.model.set_image)
        self.model.visible_changed.connect(self._remember)
        self.model.failed.connect(partial(self._tell, "warning"))
        self.ghost.told.connect(partial(self._tell, "info"))

    def close(self) -> None:
        """Stop proposing; called before the canvas is closed."""
        self.window.session.image_changed.disconnect(self.model.set_image)
        self.ghost.close()
        self.model.close()

    def _remember(self, visible: bool) -> None:
        self.window.settings.proposals = visible

    def _tell(self, level: Level, text: str) -> None:
        self.window.notices.show_notice(Notice(level, text))
