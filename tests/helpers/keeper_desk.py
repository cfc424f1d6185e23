"""People at one study without a window, and what their crashes leave."""

import numpy as np

from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session
from allxai_desktop.study import journal_file
from allxai_desktop.study.people import Person
from allxai_desktop.study.workspace import Workspace

LOST = (
    "Strokes on {} are lost, for their record is damaged; those before them are kept: look at the mask again."
)


class Desk:
    """One person's program, without a window."""

    def __init__(self, name, pump):
        self.pump, self.notices = pump, []
        self.session = Session(PaintModel(), dispatch=pump)
        self.workspace = Workspace(self.session, pump)
        self.workspace.person = Person(name)
        self.workspace.noticed.connect(self.notices.append)

    def open(self, path):
        shown = []
        self.workspace.item_shown.connect(shown.append)
        self.workspace.open(path)
        self.pump.until(lambda: shown)
        self.workspace.item_shown.disconnect(shown.append)
        return self

    def paint(self, *indices, code):
        self.workspace.paint.apply(np.array(indices), code)

    def saved(self):
        self.pump.until(lambda: self.workspace.saved == "saved")
        self.workspace.unsaved()
        self.pump.run()

    def texts(self):
        self.pump.run()
        return [notice.text for notice in self.notices]

    def close(self):
        if self.session is not None:
            self.workspace.close()
            self.session.close()
            self.session = None


def crash(desk, folder, code=3):
    """Paint two strokes in a program that ends before it saves them."""
    desk.open(folder)
    desk.workspace._autosaver.submit = lambda *args, **facts: None
    desk.paint(0, 1, code=code)
    desk.paint(5, code=code)


def damage(folder, stroke):
    """Change a bit in the record of a stroke of the journal that a crash left."""
    (path,) = (folder / "masks").glob("*.journal")
    data = bytearray(path.read_bytes())
    ends = [end for kind, _payload, end in journal_file._records(bytes(data)) if kind == b"S"]
    # The checksum of the record.
    data[ends[stroke] - 1] ^= 255
    path.write_bytes(data)


def masks(folder, pattern="*"):
    return sorted(path.name for path in (folder / "masks").glob(pattern))
