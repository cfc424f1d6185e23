"""How far each image of a study is: its state, who painted it, for how long, and what the reviewer said."""

import sqlite3
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import cast

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.study import audit
from allxai_desktop.study.audit import Entry
from allxai_desktop.study.people import ROLES, Person, Role
from allxai_desktop.study.states import ACTIONS, STATES, Action, OtherMaskError, State, step
from allxai_desktop.study.store import Part, StudyStore, damaged

NOBODY = ""
"""Stands for the person in an entry where nobody said who."""
PAUSE_S = 60.0
"""A longer time without a sign of life is a pause."""

PART = Part(
    "progress",
    1,
    """
    CREATE TABLE items (
        item TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        annotator TEXT,
        seconds REAL NOT NULL DEFAULT 0,
        mask_sha256 TEXT
    ) STRICT;
    CREATE TABLE comments (
        id INTEGER PRIMARY KEY,
        item TEXT NOT NULL,
        person TEXT NOT NULL,
        row INTEGER NOT NULL,
        col INTEGER NOT NULL,
        text TEXT NOT NULL,
        open INTEGER NOT NULL DEFAULT 1
    ) STRICT;
    """
    + audit.SQL,
)


@dataclass(frozen=True)
class Comment:
    """What a reviewer said about the place at `row`, `col` of an image."""

    person: str
    row: int
    col: int
    text: str

    @property
    def detail(self) -> str:
        """The comment as the audit trail keeps it."""
        return f"row {self.row}, column {self.col}: {self.text}"


@dataclass(frozen=True)
class ItemProgress:
    """One image: its state, who painted last, active seconds, hash of the mask last recorded, open comments."""

    state: State = "to-do"
    annotator: str | None = None
    seconds: float = 0.0
    mask_sha256: str | None = None
    comments: tuple[Comment, ...] = ()

    def holds(self, mask: str | None) -> bool:
        """Whether it is true of an image whose mask has the hash `mask`, None where nothing is painted.

        Such a one was submitted by earlier versions, and does not count as finished.
        """
        empty = mask is None and self.state in ("submitted", "approved")
        return mask == self.mask_sha256 and not empty


class ActiveTime:
    """Sums up the time from sign of life to sign of life; longer gaps than `PAUSE_S` are not counted."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._sum = 0.0

    def touch(self, now: float) -> None:
        """Note a sign of life at `now` seconds of a clock that only goes on."""
        if self._last is not None and 0 <= now - self._last <= PAUSE_S:
            self._sum += now - self._last
        self._last = now

    def take(self) -> float:
        """Return the seconds so far and begin at 0."""
        found, self._sum, self._last = self._sum, 0.0, None
        return found


class Progress:
    """Reads and records how far the images of a study are. An image goes by its file name.

    Every method raises `StoreError` where the database cannot be used, `ReadOnlyError` where it may not be written.
    """

    def __init__(self, store: StudyStore) -> None:
        self.store = store

    def items(self) -> dict[str, ItemProgress]:
        """Return what is known, by the file names of the images; an image without a record is not in it."""
        with self.store.reading(PART) as db:
            return {} if db is None else items_of(db)

    def item(self, name: str) -> ItemProgress | None:
        """Return what is known of one image, None where it has no record."""
        with self.store.reading(PART) as db:
            return None if db is None else items_of(db, name).get(name)

    def trail(self) -> list[Entry]:
        """Return the audit trail, the oldest entry first."""
        with self.store.reading(PART) as db:
            return [] if db is None else audit.entries(db)

    def edited(
        self, person: Person | None, item: str, before: str | None, after: str | None, *, found: bool = False
    ) -> ItemProgress:
        """Record that the mask became `after`: an approval is void with it, and one of nothing painted as well.

        Where that is what was submitted last, the strokes since were taken back, and the image is as submitted again.
        `found` where it was changed by other means, seen now; `before` is for an image without a record.
        """
        return self._record(person, item, "found" if found else "edit", after, before=before)

    def submit(
        self, person: Person, item: str, mask: str | None, notes: tuple[str, ...] = ()
    ) -> ItemProgress:
        """Record that the mask is done; `notes` tell what was overruled. Raises `StateError`."""
        return self._record(person, item, "submit", mask, detail="; ".join(notes))

    def approve(self, person: Person, item: str, mask: str | None) -> ItemProgress:
        """Record that a reviewer approves the mask that was submitted. Raises `StateError`."""
        return self._record(person, item, "approve", mask)

    def send_back(self, person: Person, item: str, mask: str | None, comment: Comment) -> ItemProgress:
        """Record that a reviewer returns the image with a comment. Raises `StateError`."""
        return self._record(person, item, "return", mask, comment=comment)

    def add_time(self, item: str, seconds: float) -> None:
        """Add to the active time of an image that has a record; of others it is not kept."""
        if not self.store.path.exists():
            return
        with self.store.writing(PART) as db:
            db.execute("UPDATE items SET seconds = seconds + ? WHERE item = ?", (seconds, item))

    def _record(
        self,
        person: Person | None,
        item: str,
        action: Action,
        mask: str | None,
        *,
        before: str | None = None,
        detail: str = "",
        comment: Comment | None = None,
    ) -> ItemProgress:
        with self.store.writing(PART) as db:
            known = items_of(db, item).get(item) or ItemProgress(mask_sha256=before)
            changed = mask != known.mask_sha256
            if known.holds(mask) and action in ("edit", "found"):
                return known
            last = _handed_on(db, item) if action == "edit" and known.state == "in-progress" else None
            if last is not None and last.holds(mask):
                action = "undo"
            after = advanced(known, person, action, mask, last)
            if changed and action in ("approve", "return"):
                raise OtherMaskError(
                    _("The mask of {name} is not the one that was submitted: look at it again.").format(
                        name=item
                    )
                )
            audit.append(
                db,
                person=person.name if person else NOBODY,
                role=person.role if person else NOBODY,
                item=item,
                action=action,
                detail=comment.detail if comment else detail,
                mask_before=known.mask_sha256,
                mask_after=mask,
            )
            _keep(db, item, after)
            if action in ("submit", "approve"):
                db.execute("UPDATE comments SET open = 0 WHERE item = ?", (item,))
            if comment is not None:
                db.execute(
                    "INSERT INTO comments (item, person, row, col, text) VALUES (?, ?, ?, ?, ?)",
                    (item, comment.person, comment.row, comment.col, comment.text),
                )
            return items_of(db, item)[item]


def advanced(
    known: ItemProgress, person: Person | None, action: Action, mask: str | None, last: ItemProgress | None
) -> ItemProgress:
    """Return what becomes of an image by an action that leaves it with `mask`.

    `last` is how it was when it was handed on last, see `handed_on`: "undo" leads there, but to no approval.
    Raises `StateError`, and `ValueError` where "undo" leads nowhere.
    """
    if action == "undo":
        if last is None or last.mask_sha256 != mask:
            raise ValueError("a mask that was not handed on")
        state: State = "submitted" if last.state == "approved" else last.state
        return replace(known, state=state, annotator=last.annotator, mask_sha256=mask)
    state = step(known.state, action, person, known.annotator)
    changed = mask != known.mask_sha256
    painted = action == "edit" or (action == "submit" and (changed or known.annotator is None))
    annotator = person.name if painted and person else known.annotator
    return replace(known, state=state, annotator=annotator, mask_sha256=mask)


def followed(known: ItemProgress, entry: Entry, last: ItemProgress | None) -> ItemProgress:
    """Return what became of an image by an entry of the trail. Raises as `advanced`, or for one that makes no sense."""
    if entry.action not in ACTIONS or entry.role not in (*ROLES, NOBODY):
        raise ValueError("an action or a role that there is not")
    person = Person(entry.person, cast(Role, entry.role)) if entry.person != NOBODY else None
    return advanced(known, person, entry.action, entry.mask_after, last)


def handed_on(entry: Entry) -> bool:
    """Whether an image went from one person to the next by an entry."""
    return entry.action in ("submit", "approve", "return")


def _handed_on(db: sqlite3.Connection, item: str) -> ItemProgress | None:
    """Return how an image was when it was handed on last; None where it was not, or its trail makes no sense."""
    now = last = None
    with suppress(AllxaiError, ValueError):
        for entry in audit.entries(db, item):
            now = followed(now or ItemProgress(mask_sha256=entry.mask_before), entry, last)
            last = now if handed_on(entry) else last
        return last
    return None


def items_of(db: sqlite3.Connection, item: str | None = None) -> dict[str, ItemProgress]:
    """Return the records of one image or of all, by file name. Raises `StoreError` for a state that there is not."""
    comments = defaultdict(list)
    for name, *said in db.execute(
        "SELECT item, person, row, col, text FROM comments WHERE open AND (item = ?1 OR ?1 IS NULL) ORDER BY id",
        (item,),
    ):
        comments[name].append(Comment(*said))
    rows = db.execute(
        "SELECT item, state, annotator, seconds, mask_sha256 FROM items WHERE item = ?1 OR ?1 IS NULL",
        (item,),
    ).fetchall()
    if not {row[1] for row in rows} <= set(STATES):
        raise damaged()
    return {
        name: ItemProgress(state, annotator, seconds, mask, tuple(comments[name]))
        for name, state, annotator, seconds, mask in rows
    }


def _keep(db: sqlite3.Connection, item: str, now: ItemProgress) -> None:
    db.execute(
        """
        INSERT INTO items (item, state, annotator, mask_sha256) VALUES (?, ?, ?, ?)
        ON CONFLICT (item) DO UPDATE SET
            state = excluded.state, annotator = excluded.annotator, mask_sha256 = excluded.mask_sha256
        """,
        (item, now.state, now.annotator, now.mask_sha256),
    )
