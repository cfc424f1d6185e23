"""Where the texts beside the marks of a field go."""

from __future__ import annotations

from collections.abc import Iterable

Place = tuple[float, float]


def text_places(marks: Iterable[tuple[Place, float, Place]], shape: tuple[int, int]) -> list[Place]:
    """Return the middle (row, column) of each mark's text: below it, or above or further below where it is cut
    off or covered there.

    A mark is its centre, its radius, and half the height and width of its text, in pixels of the field of `shape`.
    """
    placed: list[tuple[Place, Place]] = []
    for (row, column), radius, half in marks:
        column = min(max(column, half[1]), max(shape[1] - half[1], half[1]))
        below, above = row + radius + half[0], row - radius - half[0]
        places = [(there, column) for there in (below, above, below + 2 * half[0])]
        placed.append((next((one for one in places if _fits(one, half, placed, shape)), places[0]), half))
    return [place for place, _half in placed]


def _fits(place: Place, half: Place, placed: list[tuple[Place, Place]], shape: tuple[int, int]) -> bool:
    inside = half[0] <= place[0] <= shape[0] - half[0]
    return inside and not any(
        abs(place[0] - there[0]) < half[0] + other[0] and abs(place[1] - there[1]) < half[1] + other[1]
        for there, other in placed
    )
