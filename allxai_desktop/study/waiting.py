"""Which image of a study waits for a person, at first and next."""

from collections.abc import Collection, Mapping, Sequence

from allxai_desktop.study.folder import Study
from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import ItemProgress


def next_waiting(
    items: Sequence[ItemProgress],
    here: int,
    name: str | None,
    *,
    reviewing: bool,
    fields: Collection[int] = (),
    unreadable: Collection[int] = (),
) -> int | None:
    """Return the row after `here`, from the top again at the end, that waits for `name` (None: nobody said who).

    With `reviewing` that is one that somebody else submitted, otherwise one to paint that is nobody's or theirs: none
    of the `fields`, of which it is the crops that are painted. None of the `unreadable` waits.
    """
    rows = _waiting(items, name, reviewing, fields)
    rows = [row for row in rows if row != here and row not in unreadable]
    return min(rows, key=lambda row: (row - here) % len(items), default=None)


def where_to_begin(study: Study, known: Mapping[str, ItemProgress], person: Person | None) -> int:
    """Return the first row of a study that waits for `person`, for a reviewer to be judged; 0 where none does.

    `known` are the records by the file names of the images.
    """
    names = [item.image_path.name for item in study.items]
    items = [known.get(name, ItemProgress()) for name in names]
    of_crops = {item.field for item in study.items}
    fields = {row for row, name in enumerate(names) if name in of_crops}
    who = person.name if person else None
    rows = _waiting(items, who, reviewing=False, fields=fields)
    if person is not None and person.role == "reviewer":
        rows = _waiting(items, who, reviewing=True, fields=fields) or rows
    return min(rows, default=0)


def _waiting(
    items: Sequence[ItemProgress], name: str | None, reviewing: bool, fields: Collection[int]
) -> list[int]:
    rows = []
    for row, item in enumerate(items):
        if reviewing:
            waits = item.state == "submitted" and item.annotator != name
        else:
            mine = item.annotator in (None, name)
            waits = mine and item.state not in ("submitted", "approved") and row not in fields
        if waits:
            rows.append(row)
    return rows
