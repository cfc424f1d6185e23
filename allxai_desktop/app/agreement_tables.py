"""The two tables of agreement: figures by class, and image by image."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QGuiApplication, QIcon, QKeyEvent, QKeySequence, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from allxai_desktop.agreement import words
from allxai_desktop.agreement.gathering import Comparison, Disagreement
from allxai_desktop.agreement.metrics import FIGURES, Compared
from allxai_desktop.cellclasses import BY_KEY, CLASSES
from allxai_desktop.i18n import _
from allxai_desktop.training.words import percent

ROW = 24


class TextTable(QTableWidget):
    """Texts in rows, the first column to the left; Ctrl+C copies all of it for a spreadsheet."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[list[str]] = []
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        # Tab goes on to the next control, not through each cell.
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(12, 12))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    def fill(self, heads: list[str], rows: list[list[str]], tips: list[str] | None = None) -> None:
        """Show other texts; `tips` belong to the heads."""
        self._lines = [heads, *rows]
        self.setColumnCount(len(heads))
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.setRowCount(len(rows))
        for column, head in enumerate(heads):
            item = QTableWidgetItem(head)
            item.setTextAlignment(_side(column))
            if tips is not None:
                item.setToolTip(tips[column])
            self.setHorizontalHeaderItem(column, item)
        for row, texts in enumerate(rows):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setTextAlignment(_side(column))
                self.setItem(row, column, item)

    def as_text(self) -> str:
        """Return the table with tabs between columns."""
        return "\n".join("\t".join(line) for line in self._lines)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.as_text())
        else:
            super().keyPressEvent(event)


class ClassTable(TextTable):
    """The figures of each class with their intervals."""

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setFixedHeight(ROW * (len(CLASSES) + 1) + 12)

    def show_comparison(self, comparison: Comparison | None) -> None:
        """Show figures, dashes without any."""
        in_um = comparison is not None and comparison.agreement.in_um
        heads = [_("Class"), *(words.heading(name, in_um) for name in FIGURES)]
        tips = ["", *(_(words.FIGURE_TIPS[name]) for name in FIGURES)]
        rows = []
        for cls in CLASSES:
            values = ["–"] * len(FIGURES)
            if comparison is not None:
                found = comparison.agreement.of_class[cls.key]
                values = [
                    words.estimate_text(words.SHOWN[name], found[words.SHOWN[name]]) for name in FIGURES
                ]
            rows.append([BY_KEY[cls.key].title, *values])
        self.fill(heads, rows, tips)
        for row, cls in enumerate(CLASSES):
            patch = QPixmap(12, 12)
            patch.fill(QColor(*cls.color))
            item = self.item(row, 0)
            assert item is not None
            item.setIcon(QIcon(patch))


class ImageTable(TextTable):
    """The images with two masks; a double click or Enter asks for their adjudication (`activated` of Qt)."""

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)

    def show_images(self, rows: list[tuple[Compared, Disagreement | None]]) -> None:
        """Show images in this order; without a disagreement they are compared with the proposal."""
        chosen = max(self.currentRow(), 0)
        self.fill(
            [
                _("Image"),
                _("Compared masks"),
                _("κ"),
                _("Same class"),
                _("Labelled in both"),
                _("Pixels that differ"),
                _("Adjudication"),
            ],
            [
                [
                    image.name,
                    _("Proposal")
                    if one is None
                    else f"{words.person(one.pair.first)} – {words.person(one.pair.second)}",
                    words.number("kappa", image.kappa),
                    words.number("agreement", image.agreement),
                    percent(image.share),
                    "" if one is None else str(one.differing),
                    "" if one is None else words.decided(one),
                ]
                for image, one in rows
            ],
        )
        if rows:
            self.selectRow(min(chosen, len(rows) - 1))


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
