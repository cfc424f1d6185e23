"""The picture of a confusion matrix. Lengths are inches, text sizes points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from allxai_desktop.analyses.text import text_width, wrap
from allxai_desktop.i18n import _
from allxai_desktop.training.measuring.page import MARGIN, SIZE, WIDTH, Caption, Page, lines_height
from allxai_desktop.training.words import interval_text, percent, title, value_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from allxai_desktop.training.measuring.evaluation import Evaluation

# Blue and vermilion of Okabe and Ito.
RIGHT, WRONG = (0.0, 0.447, 0.698), (0.835, 0.369, 0.0)
CELLS = 0.33, 0.95
NARROWEST = 3.6
LABEL, TITLE = 1.7, 0.25
SMALL = SIZE - 1.5
GAP = 0.06


def draw_confusion(evaluation: Evaluation, caption: Caption) -> Figure:
    """Return the confusion matrix: counts, coloured by their share of the true class; recall and precision beside."""
    matrix = _Matrix(evaluation, caption)
    matrix.heads()
    matrix.names()
    matrix.cells()
    matrix.figures()
    page = matrix.page
    page.top = matrix.bottom + 0.32
    accuracy = value_text("accuracy", evaluation.overall["accuracy"])
    note = _("Counts of images; the colour and the percentage are the share of the true class.")
    brackets = interval_text(evaluation.images, evaluation.groups)
    page.note(f"{note} {title('accuracy')} {accuracy}. {brackets}")
    return page.figure()


class _Matrix:
    """`left` and `top` are the corner of the cells, `side` of each, `extra` the width of the column of recalls."""

    def __init__(self, evaluation: Evaluation, caption: Caption) -> None:
        self.evaluation, self.counts = evaluation, evaluation.confusion
        self.classes = caption.classes
        self.rows = [wrap(name, LABEL, SIZE) for name in self.classes]
        self.recall, self.precision = title("recall"), title("precision")
        self.extra = max(text_width(self.recall, SIZE, True), text_width(percent(1.0), SIZE)) + 0.2
        widths = [text_width(line.text, SIZE) for lines in self.rows for line in lines]
        self.left: float = MARGIN + TITLE + max(*widths, text_width(self.precision, SIZE, True)) + 0.1
        number = len(self.classes)
        smallest, largest = CELLS
        # What a cell holds, and the name beside it.
        needed = max(
            text_width(percent(1.0), SMALL) + 0.02,
            text_width(str(self.counts.max()), SIZE) + GAP,
            *(lines_height(lines) + GAP for lines in self.rows),
        )
        room = WIDTH - MARGIN - self.left - self.extra
        self.side: float = max(min(room / number, largest), smallest, needed)
        width = self.left + number * self.side + self.extra + MARGIN
        positive = evaluation.positive
        self.page = Page(
            max(width, NARROWEST),
            caption,
            None if positive is None else self.classes[evaluation.classes.index(positive)],
        )
        self.top = self.page.top

    @property
    def right(self) -> float:
        """Where the cells end."""
        return self.left + len(self.classes) * self.side

    @property
    def bottom(self) -> float:
        """Where the cells end."""
        return self.top + len(self.classes) * self.side

    def heads(self) -> None:
        """Put the names over the columns; this says where the cells begin."""
        page, side = self.page, self.side
        middle = (self.left + self.right) / 2
        page.text(middle, page.top, _("Predicted class"), bold=True, across="center")
        self.top = page.top + 0.2
        # A name lies flat where its words are no wider than its column.
        if all(text_width(word, SIZE) <= side - GAP for name in self.classes for word in name.split()):
            flat = [wrap(name, side - GAP, SIZE) for name in self.classes]
            self.top += max(map(lines_height, flat)) + GAP
            for column, lines in enumerate(flat):
                x = self.left + (column + 0.5) * side
                page.lines(x, self.top - 0.05 - lines_height(lines), lines, across="center")
            return
        self.top += max(text_width(line.text, SIZE) for lines in self.rows for line in lines) + 0.08
        for column, lines in enumerate(self.rows):
            x = self.left + (column + 0.5) * side - lines_height(lines) / 2
            for line in lines:
                page.text(x + line.height / 2, self.top - 0.05, line.text, down="center", rotation=90)
                x += line.height

    def names(self) -> None:
        """Put the names beside the rows."""
        middle = (self.top + self.bottom) / 2
        self.page.text(MARGIN, middle, _("True class"), bold=True, across="center", rotation=90)
        for row, lines in enumerate(self.rows):
            y = self.top + (row + 0.5) * self.side - lines_height(lines) / 2
            self.page.lines(self.left - GAP, y, lines, across="right")

    def cells(self) -> None:
        """Put the counts and their shares."""
        shares = self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)
        for (true, called), count in np.ndenumerate(self.counts):
            left, top = self.left + called * self.side, self.top + true * self.side
            share, hit = float(shares[true, called]), true == called
            shade = tuple(1 - share * (1 - level) for level in (RIGHT if hit else WRONG))
            self.page.box(left, top, self.side, self.side, shade)
            ink = "white" if hit and share > 0.9 else "black" if count else "#AAAAAA"
            x = left + self.side / 2
            self._center(x, top + self.side * (0.38 if count else 0.5), str(count), SIZE, ink)
            if count:
                self._center(x, top + self.side * 0.72, percent(share), SMALL, ink)

    def figures(self) -> None:
        """Put recall right of the cells and precision below."""
        page, beside, below = self.page, self.right + self.extra / 2, self.bottom + 0.12
        page.text(beside, self.top - 0.05, self.recall, bold=True, across="center", down="bottom")
        page.text(self.left - GAP, below, self.precision, bold=True, across="right", down="center")
        for number, name in enumerate(self.evaluation.classes):
            found, along = self.evaluation.of_class[name], (number + 0.5) * self.side
            self._center(beside, self.top + along, percent(found["recall"].value), SIZE)
            self._center(self.left + along, below, percent(found["precision"].value), SMALL)

    def _center(self, x: float, y: float, text: str, size: float, ink: str = "black") -> None:
        self.page.text(x, y, text, size=size, color=ink, across="center", down="center")
