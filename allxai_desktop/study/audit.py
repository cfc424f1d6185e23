"""The audit trail: who did what to which mask, and when; each entry holds the hash of the one before it.

Whoever changes, removes or inserts an entry breaks the chain there. What a chain cannot show is that its end was
taken away, or all of it written anew: note the last hash elsewhere (`allxai study verify` prints it) and compare.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from allxai_desktop.files import write_table
from allxai_desktop.i18n import _
from allxai_desktop.painting.tiles import Codes, bands
from allxai_desktop.study.states import ACTION_TITLES

SQL = """
CREATE TABLE trail (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    time TEXT NOT NULL,
    person TEXT NOT NULL,
    role TEXT NOT NULL,
    item TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    mask_before TEXT,
    mask_after TEXT,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER trail_update BEFORE UPDATE ON trail
BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;
CREATE TRIGGER trail_delete BEFORE DELETE ON trail
BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;
CREATE TRIGGER trail_replace BEFORE INSERT ON trail WHEN EXISTS (SELECT 1 FROM trail WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;
"""


@dataclass(frozen=True)
class Entry:
    """One entry: `time` in UTC (ISO 8601), `person` "" where nobody said who, hashes in hexadecimal.

    `mask_before` and `mask_after` are of `mask_sha256`; `previous` is "" in the first entry.
    """

    seq: int
    time: str
    person: str
    role: str
    item: str
    action: str
    detail: str
    mask_before: str | None
    mask_after: str | None
    previous: str
    hash: str

    def digest(self) -> str:
        """Return the SHA-256 that belongs to what the entry says."""
        said = json.dumps(astuple(self)[:-1], ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(said.encode()).hexdigest()


COLUMNS = tuple(field.name for field in fields(Entry))


def mask_sha256(codes: Codes) -> str | None:
    """Return the SHA-256 of "HxW:" and the codes uint8 (H, W) row by row; None where nothing is labelled."""
    if not codes.any():
        return None
    height, width = codes.shape
    found = hashlib.sha256(f"{height}x{width}:".encode())
    for band in bands(codes):
        found.update(np.ascontiguousarray(band).data)
    return found.hexdigest()


def append(
    db: sqlite3.Connection,
    *,
    person: str,
    role: str,
    item: str,
    action: str,
    detail: str = "",
    mask_before: str | None = None,
    mask_after: str | None = None,
) -> Entry:
    """Add an entry at the end; `db` is in a transaction that writes."""
    last = db.execute("SELECT seq, hash FROM trail ORDER BY seq DESC LIMIT 1").fetchone() or (0, "")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    said = (last[0] + 1, now, person, role, item, action, detail, mask_before, mask_after, last[1])
    entry = Entry(*said, hash=Entry(*said, hash="").digest())
    marks = ", ".join("?" * len(COLUMNS))
    db.execute(f"INSERT INTO trail ({', '.join(COLUMNS)}) VALUES ({marks})", astuple(entry))
    return entry


def entries(db: sqlite3.Connection, item: str | None = None) -> list[Entry]:
    """Return the whole trail, or the part of one image, the oldest entry first."""
    columns = ", ".join(COLUMNS)
    rows = db.execute(f"SELECT {columns} FROM trail WHERE item = ?1 OR ?1 IS NULL ORDER BY seq", (item,))
    return [Entry(*row) for row in rows]


def broken(trail: Iterable[Entry]) -> str | None:
    """Return a sentence on the first entry that breaks the chain, or None where it holds."""
    previous = ""
    for number, entry in enumerate(trail, 1):
        if entry.seq != number:
            return _("Entry {number} is missing: entry {next} follows in its place.").format(
                number=number, next=entry.seq
            )
        if entry.hash != entry.digest():
            return _("Entry {number} ({what}) was changed after it was written.").format(
                number=number, what=described(entry)
            )
        if entry.previous != previous:
            return _("Entry {number} ({what}) does not follow the entry before it.").format(
                number=number, what=described(entry)
            )
        previous = entry.hash
    return None


def cut_off(db: sqlite3.Connection) -> int:
    """Return how many entries SQLite counted beyond the last one that is there."""
    (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM trail").fetchone()
    counted = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'trail'").fetchone() or (0,)
    return max(0, int(counted[0]) - int(last))


def described(entry: Entry) -> str:
    """Return the entry in a few words: the action, the image, the person and the time."""
    action = next((_(title) for known, title in ACTION_TITLES.items() if known == entry.action), entry.action)
    return ", ".join(part for part in (action, entry.item, entry.person, entry.time) if part)


def write_csv(path: Path, trail: Iterable[Entry]) -> None:
    """Write the trail as CSV (UTF-8), a column for each field of `Entry`. Raises `WriteError`."""
    write_table(path, [COLUMNS, *map(astuple, trail)])
