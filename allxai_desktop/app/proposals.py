"""Proposals in the desktop window: what makes and draws them, what they learn from, and whether they are wanted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from allxai_desktop.notice import Level, Notice
from allxai_desktop.proposing.lesson_model import LessonModel
from allxai_desktop.proposing.model import ProposalModel
from allxai_desktop.study.study_model import StudyModel
from napari_allxai_annotate.ghost import Ghost

if TYPE_CHECKING:
    from allxai_desktop.app.window import MainWindow


class Proposals:
    """Follows the image of a window, which needs its canvas already."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.model = ProposalModel(window.paint, window.dispatch, visible=window.settings.proposals)
        self.ghost = Ghost(window.canvas, self.model)
        self.lessons: LessonModel | None = None
        window.session.image_changed.connect(self.model.set_image)
        self.model.visible_changed.connect(self._remember)
        self.model.failed.connect(partial(self._tell, "warning"))
        self.ghost.told.connect(partial(self._tell, "info"))

    def learn_from(self, study: StudyModel) -> None:
        """Correct each proposal by what the finished images of the study teach."""
        self.lessons = LessonModel(study, self.window.dispatch, active=False)
        self.lessons.correction_changed.connect(self.model.set_correction)
        for changed in (self.model.visible_changed, self.model.busy_changed, self.model.proposal_changed):
            changed.connect(self._allow_lessons)

    def close(self) -> None:
        """Stop proposing; called before the canvas is closed."""
        self.window.session.image_changed.disconnect(self.model.set_image)
        if self.lessons is not None:
            self.lessons.close()
        self.ghost.close()
        self.model.close()

    def _allow_lessons(self, _change: object) -> None:
        # While masks are reviewed, the explanations have the processor to themselves.
        assert self.lessons is not None
        self.lessons.active = self.model.following

    def _remember(self, visible: bool) -> None:
        self.window.settings.proposals = visible

    def _tell(self, level: Level, text: str) -> None:
        self.window.notices.show_notice(Notice(level, text))
