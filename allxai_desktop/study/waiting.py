"""Which image of a study waits for a person next."""

from collections.abc import Collection, Sequence

from allxai_desktop.study.progress import ItemProgress


def next_waiting(
    items: Sequence[ItemProgress],
    here: int,
    name: str | None,
    *,
    reviewing: bool,
    fields: Collection[int] = (),
) -> int | None:
    """Return the row after `here`, from the top again at the end, that waits for `name` (None: nobody said who).

    With `reviewing` that is one that somebody else submitted, otherwise one to paint that is nobody's or theirs: none
    of the `fields`, of which it is the crops that are painted.
    """
    for ahead in range(1, len(items)):
        row = (here + ahead) % len(items)
        item = items[row]
        if reviewing:
            waits = item.state == "submitted" and item.annotator != name
        else:
            mine = item.annotator in (None, name)
            waits = mine and item.state not in ("submitted", "approved") and row not in fields
        if waits:
            return row
    return None
