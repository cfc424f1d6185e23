"""A study that a test works through, without a window."""

import numpy as np

from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session
from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import Progress
from allxai_desktop.study.store import StudyStore
from allxai_desktop.study.study_model import StudyModel
from allxai_desktop.study.workspace import Workspace

A, R = Person("A07"), Person("R01", "reviewer")
SIDE = 6


class Desk:
    """A workspace with its study and a clock."""

    def __init__(self, folder, pump):
        self.folder, self.pump, self.notices, self.now = folder, pump, [], 0.0
        self.session = Session(PaintModel(), dispatch=pump)
        self.space = Workspace(self.session, pump)
        self.study = StudyModel(self.space, pump, lambda: self.now)
        self.space.noticed.connect(lambda notice: self.notices.append(notice.text))

    def settle(self):
        """Wait for all that was asked of the study's threads."""
        self.study._check.wait()
        self.study._worker.wait()
        self.pump.run()

    def open(self, path=None):
        self.space.open(path or self.folder)
        self.pump.until(lambda: self.space.index is not None)
        self.settle()

    def show(self, row):
        shown = []
        self.space.item_shown.connect(shown.append)
        self.space.show(row)
        self.pump.until(lambda: row in shown)
        self.space.item_shown.disconnect(shown.append)
        self.settle()

    def paint(self, code=5, at=None):
        self.space.paint.apply(np.arange(SIDE * SIDE) if at is None else np.array(at), code)
        self.settle()

    def enter(self):
        self.study.enter()
        self.settle()
        self.settle()

    def states(self):
        return [self.study.item(row).state for row in range(len(self.space.study.items))]

    def trail(self):
        return [(entry.action, entry.person, entry.item) for entry in self.progress.trail()]

    @property
    def progress(self):
        return Progress(StudyStore.open(self.folder))

    def close(self):
        self.space.close()
        self.study.close()
        self.session.close()
