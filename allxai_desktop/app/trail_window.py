"""The audit trail of the study as a table, to look through and to save."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from qtpy.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
)

from allxai_desktop.errors import AllxaiError
from allxai_desktop.files import free_path
from allxai_desktop.i18n import N_, _, counted
from allxai_desktop.notice import Notice
from allxai_desktop.study.audit import Entry, broken, write_csv
from allxai_desktop.study.audit_details import detail_text
from allxai_desktop.study.people import ROLE_TITLES
from allxai_desktop.study.states import ACTION_TITLES
from napari_allxai_widgets.side_window import fit_to_screen

if TYPE_CHECKING:
    from allxai_desktop.app.window import MainWindow

Index = QModelIndex | QPersistentModelIndex
HEADS = (
    N_("No."),
    N_("Time (UTC)"),
    N_("Who"),
    N_("Role"),
    N_("Image"),
    N_("What"),
    N_("Details"),
    N_("Mask before"),
    N_("Mask after"),
)
DIGITS = 12
"""How much of a hash is shown; the file has all of it."""


class TrailModel(QAbstractTableModel):
    """A row for each entry that is looked for, the newest first."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self._shown: list[Entry] = []
        self._said: list[str] = []
        self._wanted = ""

    def set_entries(self, entries: list[Entry]) -> None:
        """Show these entries, given with the oldest first."""
        self.entries = entries[::-1]
        self.retranslate()

    def look_for(self, text: str) -> None:
        """Show the entries only of which a cell holds a text, in capitals or not."""
        self._wanted, shown = text.casefold(), self.entries
        if self._wanted:
            # Once, and not at each letter: there may be tens of thousands.
            self._said = self._said or ["\n".join(map(str, _cells(entry))).casefold() for entry in shown]
            said = zip(shown, self._said, strict=True)
            shown = [entry for entry, cells in said if self._wanted in cells]
        self.beginResetModel()
        self._shown = shown
        self.endResetModel()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self._said = []
        self.look_for(self._wanted)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(HEADS) - 1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(HEADS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return _(HEADS[section])
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        entry = self._shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _cells(entry)[index.column()]
        # A tip would take a comment with tags for HTML.
        return escape(str(_cells(entry, None)[index.column()]), quote=False)


def _cells(entry: Entry, digits: int | None = DIGITS) -> tuple[int | str, ...]:
    return (
        entry.seq,
        entry.time.removesuffix("+00:00").replace("T", " "),
        entry.person or "–",
        next((_(title) for role, title in ROLE_TITLES.items() if role == entry.role), entry.role),
        entry.item,
        next((_(title) for action, title in ACTION_TITLES.items() if action == entry.action), entry.action),
        detail_text(entry),
        (entry.mask_before or "–")[:digits],
        (entry.mask_after or "–")[:digits],
    )


class TrailWindow(QDialog):
    """Shows what `StudyModel.read_trail` hands over, and whether the chain holds, and saves it as CSV."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window_ = window
        self.model = TrailModel()
        self._broken: str | None = None
        self.search = QLineEdit(clearButtonEnabled=True)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setStretchLastSection(False)
        self.table.setWordWrap(False)
        # Tab goes on to the button, not through thousands of cells.
        self.table.setTabKeyNavigation(False)
        self.verdict = QLabel()
        self.export = QPushButton()
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.search)
        foot.addWidget(self.verdict, 1)
        foot.addWidget(self.export)
        layout = QVBoxLayout(self)
        layout.addLayout(head)
        layout.addWidget(self.table)
        layout.addLayout(foot)
        self.resize(1240, 520)
        self.search.textChanged.connect(self.model.look_for)
        self.export.clicked.connect(lambda: self._export())
        self.retranslate()

    def show_trail(self, entries: list[Entry], found: str | None) -> None:
        """Show the window with these entries, given with the oldest first, and what breaks their chain."""
        self._broken = found
        self.model.set_entries(entries)
        self.table.resizeColumnsToContents()
        self.table.horizontalHeader().setSectionResizeMode(
            HEADS.index("Details"), QHeaderView.ResizeMode.Stretch
        )
        self._show_verdict()
        fit_to_screen(self)
        self.show()
        self.raise_()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.setWindowTitle(_("Audit trail"))
        self.search.setPlaceholderText(_("Search…"))
        self.search.setAccessibleName(_("Search the audit trail"))
        self.table.setAccessibleName(_("Entries of the audit trail"))
        self.export.setText(_("Save as CSV…"))
        self.model.retranslate()
        if self._broken:
            self._broken = broken(self.model.entries[::-1])
        self._show_verdict()

    def _show_verdict(self) -> None:
        count = len(self.model.entries)
        self.verdict.setText(
            "✖ " + self._broken
            if self._broken
            else "✔ "
            + counted(
                count,
                N_("{count} entry, and the chain holds."),
                N_("{count} entries, and the chain holds."),
            )
        )
        self.export.setEnabled(count > 0)

    def _export(self) -> None:
        settings, notices = self.window_.settings, self.window_.notices
        suggested = Path(settings.last_folder) / "audit_trail.csv"
        name, _filter = QFileDialog.getSaveFileName(
            self, _("Save the audit trail"), str(suggested), "CSV (*.csv)"
        )
        if not name:
            return
        path = Path(name) if name.lower().endswith(".csv") else free_path(name, ".csv", name)
        entries = self.model.entries[::-1]

        def write() -> None:
            try:
                write_csv(path, entries)
            except AllxaiError as error:
                told = Notice("error", str(error))
            else:
                told = Notice("info", _("Saved as {name}.").format(name=path.name))
            # Also where another study is open by then.
            self.window_.dispatch(lambda: notices.show_notice(told))

        # Not here: on Windows a table that a spreadsheet has open is waited for.
        self.window_.desk.model.read(write, lambda _nothing: None)
