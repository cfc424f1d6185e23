"""Which image of a study waits for a person, at first and next."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

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
    after = ((here + away) % len(items) for away in range(1, len(items)))
    return next(
        (row for row in _waiting(items, after, name, reviewing, fields) if row not in unreadable), None
    )


def where_to_begin(study: Study, known: Mapping[str, ItemProgress], person: Person | None) -> int:
    """Return the first row of a study that waits for `person`, for a reviewer to be judged; 0 where none does.

    `known` are the records by the file names of the images.
    """
    names = [item.image_path.name for item in study.items]
    items = [known.get(name, ItemProgress()) for name in names]
    of_crops = {item.field for item in study.items}
    fields = {row for row, name in enumerate(names) if name in of_crops}
    who = person.name if person else None
    roles = (True, False) if person is not None and person.role == "reviewer" else (False,)
    waiting = (row for role in roles for row in _waiting(items, range(len(items)), who, role, fields))
    return next(waiting, 0)


def _waiting(
    items: Sequence[ItemProgress],
    rows: Iterable[int],
    name: str | None,
    reviewing: bool,
    fields: Collection[int],
) -> Iterator[int]:
    for row in rows:
        item = items[row]
        if reviewing:
            waits = item.state == "submitted" and item.annotator != name
        else:
            mine = item.annotator in (None, name)
            waits = mine and item.state not in ("submitted", "approved") and row not in fields
        if waits:
            yield row
