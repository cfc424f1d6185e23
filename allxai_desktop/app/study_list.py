"""Qt's view of the images of a study: thumbnail, state, share labelled, annotator, time, and what was said."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    QTimer,
)
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap

from allxai_desktop.i18n import N_, _
from allxai_desktop.study.preview import OnDisk, Stamps, mask_on_disk, stamps, thumbnail
from allxai_desktop.study.states import SIGNS, TITLES, State
from allxai_desktop.tasks import Dispatch
from napari_allxai_widgets.drawing import pixmap, sharp

if TYPE_CHECKING:
    from collections.abc import Callable

    from allxai_desktop.study.folder import Study, StudyItem
    from allxai_desktop.study.locks import Holder
    from allxai_desktop.study.study_model import StudyModel

SIDE = 48
OTHERS_MS = 15_000
NOT_READ = OnDisk()
PROBLEMS = {
    "unreadable": N_("mask cannot be read"),
    "misfit": N_("mask does not fit"),
    "no-image": N_("cannot be read"),
}
SEARCHED = Qt.ItemDataRole.UserRole
T = TypeVar("T")
Index = QModelIndex | QPersistentModelIndex


class StudyListModel(QAbstractListModel):
    """The items of a study; a thumbnail is read in the background when its row comes into sight."""

    def __init__(self, study: StudyModel, dispatch: Dispatch) -> None:
        super().__init__()
        self.study_model = study
        self._study: Study | None = None
        self._icons: dict[int, QIcon] = {}
        self._in_sight: list[int] = []
        self._masks: dict[int, OnDisk] = {}
        self._stamps: dict[int, Stamps] = {}
        self._places: frozenset[Path] = frozenset()
        self._rows: dict[Path, int] = {}
        self._failed: set[int] = set()
        self._holders: dict[str, Holder] = {}
        self._watch = QTimer(self, interval=OTHERS_MS)
        self._watch.timeout.connect(self._look_around)
        self._blank = _blank()
        self._dispatch = dispatch
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="masks")
        # Those in sight do not wait for the masks of thousands.
        self._thumbnails = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")

    def set_study(self, study: Study | None) -> None:
        """Show the items of another study, and read how far each mask is.

        What is known of those that were in the one before stays, as where a crop was added to thousands.
        """
        self.beginResetModel()
        self._carry_over(study)
        self._study = study
        # Another list: what still waits for the study before takes none of these.
        self._in_sight = []
        self._places = study.mask_paths if study else frozenset()
        self._rows = {item.mask_path: row for row, item in enumerate(study.items)} if study else {}
        self._failed.clear()
        self._holders = {}
        self.endResetModel()
        self._watch.start()
        self._read_holders()
        self._refresh_from(0, study)

    def refresh(self, row: int) -> None:
        """Read again how far the mask of one item is."""
        taken = self._places
        # First the stamps: what changes meanwhile is read again.
        self._read(
            self._reader, lambda: row, lambda item: (stamps(item), mask_on_disk(item, taken)), self._set_mask
        )

    def _refresh_from(self, row: int, study: Study | None) -> None:
        """Read the masks from `row` on one after the other; what is asked for meanwhile comes between."""
        if study is None or study is not self._study or row >= len(study.items):
            return
        if row not in self._masks or self._stamps.get(row) != stamps(study.items[row]):
            self.refresh(row)
        self._reader.submit(self._refresh_from, row + 1, study)

    def _carry_over(self, study: Study | None) -> None:
        before = [] if self._study is None else self._study.items
        # What is wrong with a mask may lie in other files than its own.
        known = {before[row]: row for row in self._stamps if self._masks[row].problem is None}
        items = [] if study is None else study.items
        rows = {row: known[item] for row, item in enumerate(items) if item in known}
        icons = {row: self._icons.get(old, self._blank) for row, old in rows.items()}
        self._icons = {row: icon for row, icon in icons.items() if icon is not self._blank}
        self._masks = {row: self._masks[old] for row, old in rows.items()}
        self._stamps = {row: self._stamps[old] for row, old in rows.items()}

    def show_saved(self, path: Path) -> None:
        """Show how far the mask at `path` is, which was just saved: the one in work without reading it again."""
        row, workspace = self._rows.get(path), self.study_model.workspace
        if self._study is None or row is None:
            return
        if row != workspace.index or workspace.mask_path != path:
            self.refresh(row)
            return
        paint = workspace.paint
        self._masks[row] = OnDisk(paint.labelled / max(paint.mask.size, 1))
        self.show_again(row)

    def mark_failed(self, row: int) -> None:
        """Show that an image could not be read, and look at its mask again, which then counts as none."""
        self._failed.add(row)
        self.refresh(row)
        self.show_again(row)

    def mark_shown(self, row: int) -> None:
        """Show that an image can be read, where it could not before."""
        if row in self._failed:
            self._failed.remove(row)
            self._icons.pop(row, None)
            self.refresh(row)
            self.show_again(row)

    def painted(self) -> int:
        """Return how many masks are known to have a class for every pixel."""
        return sum(mask.share == 1.0 for mask in self._masks.values())

    def state(self, row: int) -> State:
        """Return the state of a row: a mask that nobody recorded is in progress."""
        state = self.study_model.item(row).state
        return "in-progress" if state == "to-do" and self._mask(row).share else state

    def show_recorded(self, row: int) -> None:
        """Show what was recorded of a row; another person may have painted on since its mask was read."""
        mask = self._masks.get(row)
        known = mask is not None and mask.sha256 is not None and self.study_model.item(row).holds(mask.sha256)
        if mask is not None and not known and row != self.study_model.workspace.index:
            self.refresh(row)
        self.show_again(row)

    def show_again(self, row: int) -> None:
        """Show one row anew."""
        self.dataChanged.emit(self.index(row), self.index(row))

    def close(self) -> None:
        """Stop reading."""
        self._watch.stop()
        self._study = None
        for reader in (self._reader, self._thumbnails):
            reader.shutdown(wait=True, cancel_futures=True)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() or self._study is None else len(self._study.items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self._study is None or not index.isValid():
            return None
        row = index.row()
        item = self._study.items[row]
        if role == Qt.ItemDataRole.DisplayRole:
            # Rows are as high as the highest, so that the list can be long.
            return "\n".join((_short_name(item), self._status(row), self._work(row)))
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            said = (f"{comment.person}: {comment.text}" for comment in self.study_model.item(row).comments)
            done = (self._status(row), self._work(row), *self._problem(row))
            known = (item.image_path.name, item.true_class or "", *done, *said)
            text = ", ".join(part for part in dict.fromkeys(known) if part)
            # A tip would take a comment with tags for HTML.
            return escape(text, quote=False) if role == Qt.ItemDataRole.ToolTipRole else text
        if role == Qt.ItemDataRole.DecorationRole:
            if row not in self._icons:
                self._icons[row] = self._blank
                # The row that came into sight last is read first, whichever others were passed on the way.
                self._in_sight.append(row)
                newest = self._in_sight.pop
                self._read(
                    self._thumbnails, newest, lambda item: thumbnail(item, sharp(SIDE)), self._set_icon
                )
            return self._icons[row]
        if role == SEARCHED:
            return " ".join((item.image_path.name, item.true_class or "", self._work(row)))
        return None

    def _status(self, row: int) -> str:
        if row in self._failed:
            return "✖ " + _("cannot be read")
        if self._mask(row).share is None and (problem := self._problem(row)):
            return problem[0]
        state = self.state(row)
        holder = self._holders.get(self._stem(row))
        if holder is None:
            return f"{SIGNS[state]} {_(TITLES[state])}"
        return f"{SIGNS[state]} " + _("painting: {person}").format(person=holder.name)

    def _problem(self, row: int) -> tuple[str, ...]:
        """Return what is wrong with the mask of a row, and where what is painted goes instead."""
        mask = self._mask(row)
        if mask.problem is None:
            return ()
        wrong = "✖ " + _(PROBLEMS[mask.problem])
        if mask.beside is None:
            return (wrong,)
        return wrong, _("what is painted is saved as {name}").format(name=mask.beside)

    def _work(self, row: int) -> str:
        item, mask = self.study_model.item(row), self._mask(row)
        share = mask.share
        if item.comments:
            return _("“{text}”").format(text=item.comments[-1].text)
        # 99.96 % must not read as complete.
        labelled = "" if share is None else f"{100 if share == 1.0 else min(int(100 * share), 99)} %"
        # The name above begins the same.
        beside = "…" + mask.beside.removeprefix(self._place(row).stem) if labelled and mask.beside else ""
        parts = (labelled, beside, item.annotator or "", duration(item.seconds))
        return " · ".join(part for part in parts if part)

    def _place(self, row: int) -> Path:
        assert self._study is not None
        return self._study.items[row].mask_path

    def _stem(self, row: int) -> str:
        """Return the stem of the file that has the work on a row."""
        return self._place(row).with_name(self._mask(row).beside or self._place(row).name).stem

    def _set_icon(self, row: int, pixels: NDArray[np.uint8] | None) -> None:
        if pixels is None:
            self._failed.add(row)
        else:
            self._icons[row] = _icon(pixels)
        if row not in self._masks:
            # What is in sight does not wait for the rest of the study.
            self.refresh(row)

    def _mask(self, row: int) -> OnDisk:
        return self._masks.get(row, NOT_READ)

    def _set_mask(self, row: int, found: tuple[Stamps, OnDisk]) -> None:
        image, before = found[0][0], self._stamps.get(row)
        if before is not None and before[0] != image:
            self._icons.pop(row, None)
        self._stamps[row], self._masks[row] = found
        self.study_model.seen_on_disk(row, self._masks[row].sha256)

    def _look_around(self) -> None:
        """Look for what others did in the study meanwhile."""
        self._read_holders()
        self.study_model.read_again()

    def _read_holders(self) -> None:
        study = self._study

        def receive(holders: dict[str, Holder]) -> None:
            if study is None or study is not self._study:
                return
            before, self._holders = self._holders, holders
            changed = {stem for stem, _holder in before.items() ^ holders.items()}
            for row in range(len(study.items)) if changed else ():
                if self._stem(row) in changed:
                    self.show_again(row)

        def work() -> None:
            if study is not None and study is self._study:
                holders = self.study_model.workspace.holders(study)
                self._dispatch(lambda: receive(holders))

        self._reader.submit(work)

    def _read(
        self,
        reader: ThreadPoolExecutor,
        which: Callable[[], int],
        read: Callable[[StudyItem], T],
        keep: Callable[[int, T], None],
    ) -> None:
        study = self._study
        if study is None:
            # Closed: the last mask was saved meanwhile.
            return

        def receive(row: int, value: T) -> None:
            if study is self._study:
                keep(row, value)
                self.show_again(row)

        def work() -> None:
            if study is self._study:
                row = which()
                value = read(study.items[row])
                self._dispatch(lambda: receive(row, value))

        reader.submit(work)


class StudyFilter(QSortFilterProxyModel):
    """The rows in one state, or in any, whose name, class, annotator or comment holds a text; and the one shown.

    Without that one among them, the list would go to another row, which is to show its image.
    """

    def __init__(self, rows: StudyListModel) -> None:
        super().__init__()
        self.rows = rows
        self.setSourceModel(rows)
        self.setFilterRole(SEARCHED)
        self.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._state: State | None = None
        self._kept: int | None = None

    def keep(self, row: int) -> None:
        """Keep a row of the model whatever is looked for: that of the image in work."""
        before, self._kept = self._kept, row
        # Only these two, of what may be thousands.
        for other in (row,) if before is None else (before, row):
            self.rows.show_again(other)

    def set_state(self, state: State | None) -> None:
        """Show the rows in `state` only, or with None those in any."""
        self._state = state
        self.invalidate()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        if source_row == self._kept:
            return True
        chosen = self._state is None or self.rows.state(source_row) == self._state
        return chosen and bool(super().filterAcceptsRow(source_row, source_parent))


def _short_name(item: StudyItem) -> str:
    """Return the name of an image, of a crop only its place: elided, those of one field would read the same."""
    name = item.image_path.name
    if item.field is None or item.at is None:
        return name
    found = re.fullmatch(rf"{re.escape(Path(item.field).stem)}(_\d+_\d+)_{item.at[2]}(-\d+)?\.png", name)
    return name if found is None else f"…{found[1]}{found[2] or ''}"


def duration(seconds: float) -> str:
    """Return a time in minutes and hours, "" for none."""
    minutes = round(seconds / 60)
    if seconds <= 0:
        return ""
    if minutes < 1:
        return _("{count} s").format(count=max(1, round(seconds)))
    if minutes < 60:
        return _("{count} min").format(count=minutes)
    return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)


def _icon(pixels: NDArray[np.uint8]) -> QIcon:
    """Return the pixels (h, w, 3) of a thumbnail in the middle of a square: names begin below each other then."""
    side = sharp(SIDE)
    drawn, square = pixmap(pixels), QPixmap(side, side)
    square.fill(Qt.GlobalColor.transparent)
    with QPainter(square) as painter:
        painter.drawPixmap((side - drawn.width()) // 2, (side - drawn.height()) // 2, drawn)
    return QIcon(square)


def _blank() -> QIcon:
    pixmap = QPixmap(SIDE, SIDE)
    pixmap.fill(QColor(128, 128, 128, 60))
    return QIcon(pixmap)
