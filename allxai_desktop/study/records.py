"""How far the images of the open study are: what is known of it here, and what is kept in its folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from psygnal import Signal

from allxai_desktop.errors import AllxaiError
from allxai_desktop.study.folder import STUDY_FILE, Study, StudyItem
from allxai_desktop.study.in_order import InOrder
from allxai_desktop.study.progress import ItemProgress, Progress
from allxai_desktop.study.store import StudyStore

T = TypeVar("T")
NOTHING = ItemProgress()


class Records:
    """Has `worker` read and change the records of one study, and knows them as they were received last.

    `rows` are those of the file names, `fields` the rows of the images that crops were taken of.
    What arrives once another study is open is left out. `changed` gives the row of an image whose record is another
    one now; `voided` the file name of one whose approval is void, for its mask was changed. `received` comes last.
    """

    changed = Signal(int)
    voided = Signal(str)
    received = Signal()

    def __init__(self, worker: InOrder) -> None:
        self.study: Study | None = None
        self.rows: dict[str, int] = {}
        self.fields: frozenset[int] = frozenset()
        self._worker = worker
        self._progress: Progress | None = None
        self._items: dict[str, ItemProgress] = {}
        self._names: list[str] = []

    def open(self, study: Study) -> None:
        """Forget the study before, and read the records of this one."""
        self.study, self._progress = study, Progress(StudyStore(study.folder))
        # Once: thousands are gone through at each image.
        self._names = [item.image_path.name for item in study.items]
        self.rows = {name: row for row, name in enumerate(self._names)}
        self.fields = frozenset(self.rows[item.field] for item in study.items if item.field in self.rows)
        self._items = {}
        self.read(lambda progress: progress.items())

    @property
    def kept(self) -> bool:
        """Whether the states of this folder are kept already."""
        if self.study is None or self._progress is None or self._progress.store.read_only:
            return False
        return self._progress.store.path.exists() or (self.study.folder / STUDY_FILE).is_file()

    def image(self, row: int) -> StudyItem:
        """Return the image of a row."""
        assert self.study is not None
        return self.study.items[row]

    def name(self, row: int) -> str:
        """Return the file name of the image of a row, by which its record goes."""
        return self._names[row]

    def item(self, row: int) -> ItemProgress:
        """Return how far the image of a row is; "to-do" where nothing was recorded."""
        return self._items.get(self._names[row], NOTHING)

    def items(self) -> list[ItemProgress]:
        """Return how far each image is, row by row."""
        return [self._items.get(name, NOTHING) for name in self._names]

    def run(self, work: Callable[[Progress], T], receive: Callable[[T], None]) -> None:
        """Do `work` on the records, and hand what it returns to `receive`."""
        study, progress = self.study, self._progress
        assert progress is not None
        self._worker.run(lambda: work(progress), receive, lambda: study is self.study)

    def read(self, work: Callable[[Progress], dict[str, ItemProgress]]) -> None:
        """Take over all the records, as `work` returns them."""
        self.run(work, self._receive)

    def read_again(self) -> None:
        """Take over what others recorded meanwhile; where nothing can be read now, what is known stays."""
        study, progress = self.study, self._progress

        def receive(items: dict[str, ItemProgress]) -> None:
            if items:
                self._receive(items)

        if progress is not None:
            self._worker.run(progress.items, receive, lambda: study is self.study, lambda _error: None)

    def change(
        self,
        name: str,
        work: Callable[[Progress], ItemProgress],
        then: Callable[[], None] = lambda: None,
        failed: Callable[[AllxaiError], None] | None = None,
    ) -> None:
        """Do what changes one record, take over the new one that `work` returns, and go on to `then`.

        What goes to `failed`, where there is one, is told in another study, too.
        """
        study, progress = self.study, self._progress
        assert progress is not None

        def receive(now: ItemProgress) -> None:
            if study is self.study:
                before, self._items[name] = self._items.get(name, NOTHING), now
                self._tell(name, before)
                self.received.emit()
                then()

        wanted = (lambda: True) if failed else (lambda: study is self.study)
        self._worker.run(lambda: work(progress), receive, wanted, failed)

    def _receive(self, items: dict[str, ItemProgress]) -> None:
        before, self._items = self._items, items
        for name in (before.keys() | items.keys()) & self.rows.keys():
            self._tell(name, before.get(name, NOTHING))
        self.received.emit()

    def _tell(self, name: str, before: ItemProgress) -> None:
        now, row = self._items.get(name, NOTHING), self.rows.get(name)
        if row is None or now == before:
            return
        self.changed.emit(row)
        if before.state == "approved" and now.state == "in-progress":
            self.voided.emit(name)
