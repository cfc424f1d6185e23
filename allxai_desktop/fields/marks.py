"""What is marked in a field: cells to take, and crops that were taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import hypot

from allxai_desktop.fields.candidates import Candidate
from allxai_desktop.fields.crops import Box, box_around
from allxai_desktop.fields.predicting import Seen
from allxai_desktop.study.folder import StudyItem


@dataclass(frozen=True)
class Mark:
    """A candidate white cell, or a place that a crop was taken from without one (`candidate` None).

    `box` is what the crop holds or would hold, `taken` its file name in the study, `seen` what the network sees.
    """

    box: Box
    candidate: Candidate | None = None
    taken: str | None = None
    seen: Seen | None = None

    @property
    def centre(self) -> tuple[float, float]:
        """Row and column of the middle."""
        return self.box.centre if self.candidate is None else (self.candidate.row, self.candidate.column)

    @property
    def radius(self) -> float:
        """How far from the centre the mark reaches, in px."""
        return self.box.side / 4 if self.candidate is None else self.candidate.radius

    def distance(self, place: tuple[float, float]) -> float:
        """Return how far `place` (row, column) lies from the centre, in px."""
        return hypot(self.centre[0] - place[0], self.centre[1] - place[1])


def mark_cells(
    cells: Iterable[Candidate], crops: Mapping[Box, StudyItem], side: int, shape: tuple[int, int]
) -> list[Mark]:
    """Return a mark for each cell of a field of `shape`, then one for each crop that holds none of them in its middle.

    A cell without a crop has the box of a crop of `side` px.
    """
    free = {box: crop.image_path.name for box, crop in crops.items() if crop.image_path.exists()}
    marks = []
    for cell in cells:
        box = next((box for box in free if _holds(box, cell, shape)), None)
        if box is None:
            marks.append(Mark(box_around((cell.row, cell.column), side, shape), cell))
        else:
            marks.append(Mark(box, cell, free.pop(box)))
    return marks + [Mark(box, None, name) for box, name in free.items()]


def _holds(box: Box, cell: Candidate, shape: tuple[int, int]) -> bool:
    """Return whether a crop was taken for a cell: it lies where a crop of its size around the cell would."""
    wanted = box_around((cell.row, cell.column), box.side, shape)
    return max(abs(wanted.row - box.row), abs(wanted.column - box.column)) <= cell.radius / 2
