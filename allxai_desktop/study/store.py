"""The database of a study: one SQLite file in its folder, made when something is first written to it.

Each module that keeps something there has a `Part`, its tables under a version of its own:

    PART = Part("agreement", 1, "CREATE TABLE rounds (…) STRICT;")
    with store.writing(PART) as db: db.execute("INSERT INTO rounds …")     # one transaction
    with store.reading(PART) as db: rows = [] if db is None else db.execute("SELECT …").fetchall()
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Self

import psutil

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _

STORE_FILE = "study.sqlite"
APPLICATION_ID = 0x414C4C58
"""Marks the file as ours in its header: "ALLX"."""
SCHEMA_VERSION = 1
BUSY_S = 5.0
# What the index of a write-ahead log takes on the disk.
_ROOM = 2**15
_PARTS = "CREATE TABLE parts (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT"
# SQLite shares the index of a write-ahead log through memory, which two computers do not have in common.
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "webdav", "9p", "fuse.sshfs", "davfs", "ncpfs"}


class StoreError(AllxaiError):
    """A database that cannot be used, and what to do about it."""


class ReadOnlyError(StoreError):
    """The folder of the study may not be written."""


@dataclass(frozen=True)
class Part:
    """Tables of one module: its name, the version of their layout, and the SQL statements that make them."""

    name: str
    version: int
    sql: str


class StudyStore:
    """Reads and writes `study.sqlite`. It holds no connection open, so any thread may use it, and the folder may move.

    `read_only` tells, after the first try to write, that the folder may not be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / STORE_FILE
        self.read_only = False

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Return the store of a study folder; nothing is written, the file need not be there.

        Raises `StoreError` where a file of that name is damaged, is of another program or of a newer version.
        """
        store = cls(Path(folder))
        with store._connected() as db:
            if db is not None:
                store._check(db)
        return store

    @contextmanager
    def reading(self, part: Part) -> Iterator[sqlite3.Connection | None]:
        """Give a connection to look into the tables of `part`, or None where these are not made yet.

        Raises `StoreError`.
        """
        with self._connected() as db:
            if db is not None:
                # What is read one after the other is of one moment, whatever others write meanwhile.
                db.execute("BEGIN")
            there = db is not None and self._check(db) and self._has(db, part)
            yield db if there else None

    @contextmanager
    def writing(self, part: Part) -> Iterator[sqlite3.Connection]:
        """Give a connection in a transaction of its own: done when the block ends, undone when it raises.

        The file and the tables of `part` are made when missing. Raises `StoreError`; `ReadOnlyError` where the
        folder may not be written.
        """
        try:
            with self._told(), closing(self._connect("mode=rwc")) as db:
                db.execute("PRAGMA synchronous = FULL")
                if not self._check(db):
                    self._choose_journal(db)
                db.execute("BEGIN IMMEDIATE")
                try:
                    self._make(db, part)
                    yield db
                    db.execute("COMMIT")
                finally:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
        except ReadOnlyError:
            self.read_only = True
            raise

    def _connect(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{uri_of(self.path.resolve())}?{mode}", uri=True, timeout=BUSY_S, isolation_level=None
        )

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection | None]:
        if not self.path.exists():
            yield None
            return
        with self._told(), closing(self._to_read()) as db:
            yield db

    def _to_read(self) -> sqlite3.Connection:
        # Where it cannot make the files that it needs, SQLite reads only what nothing can change.
        for mode in ("mode=rw", "mode=ro", "immutable=1"):
            db = self._connect(mode)
            try:
                db.execute("PRAGMA query_only = ON")
                db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                return db
            except sqlite3.OperationalError as error:
                db.close()
                if mode == "immutable=1" or not (_is_denied(error) or _has_no_room(error)):
                    raise
        raise AssertionError("the last way returns or raises")

    def _check(self, db: sqlite3.Connection) -> bool:
        """Return whether the file has our tables; False where it is empty."""
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if (application, version) == (APPLICATION_ID, SCHEMA_VERSION):
            return True
        if application == APPLICATION_ID:
            raise _newer()
        if version or db.execute("SELECT 1 FROM sqlite_schema").fetchone():
            raise StoreError(
                _(
                    "{name} in this folder was not made by AllXAI Desktop: rename it, and open the study again."
                ).format(name=STORE_FILE)
            )
        return False

    @staticmethod
    def _has(db: sqlite3.Connection, part: Part) -> bool:
        found = db.execute("SELECT version FROM parts WHERE name = ?", (part.name,)).fetchone()
        if found is not None and found[0] != part.version:
            raise _newer()
        return found is not None

    def _make(self, db: sqlite3.Connection, part: Part) -> None:
        if not self._check(db):
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            db.execute(_PARTS)
        if not self._has(db, part):
            for statement in _statements(part.sql):
                db.execute(statement)
            db.execute("INSERT INTO parts VALUES (?, ?)", (part.name, part.version))

    def _choose_journal(self, db: sqlite3.Connection) -> None:
        if not _is_remote(self.folder):
            # Where the file system cannot, SQLite keeps its rollback journal.
            db.execute("PRAGMA journal_mode = WAL")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.DatabaseError, UnicodeDecodeError, OSError) as error:
            raise _told(error, self.folder) from error


def uri_of(path: PurePath) -> str:
    """Return the URI of an absolute path as SQLite takes it, which refuses those that name a computer."""
    uri = path.as_uri()
    return uri if uri.startswith("file:///") else uri.replace("file://", "file:////", 1)


def _is_denied(error: BaseException) -> bool:
    name = getattr(error, "sqlite_errorname", "") or ""
    return name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM"))


def _has_no_room(error: BaseException) -> bool:
    """Whether the index of the write-ahead log could not be made, as on a full disk."""
    return (getattr(error, "sqlite_errorname", "") or "").startswith("SQLITE_IOERR_SHM")


def _is_full(folder: Path) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(folder).free < _ROOM
    return False


def _told(error: Exception, folder: Path) -> Exception:
    name = getattr(error, "sqlite_errorname", "") or ""
    if _is_denied(error) or isinstance(error, PermissionError):
        text = _("The folder of the study may not be written: the states of its images are not kept.")
        return ReadOnlyError(text)
    # Where a file has our mark, its tables have other names only by another hand or a bad disk. Python gives its own
    # remark on a text that is none without a name.
    wrong = isinstance(error, sqlite3.OperationalError) and name in ("", "SQLITE_ERROR")
    if wrong or isinstance(error, UnicodeDecodeError) or name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return damaged()
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        text = _("{name} is in use by another program: try again in a moment.")
    elif name.startswith("SQLITE_FULL") or (name.startswith("SQLITE_IOERR") and _is_full(folder)):
        text = _("{name} was not written because the disk is full: free some space and try again.")
    elif name.startswith("SQLITE_IOERR") or isinstance(error, OSError):
        text = _("{name} cannot be read or written ({reason}): check the disk and try again.")
    else:
        return error
    return StoreError(text.format(name=STORE_FILE, reason=error))


def damaged() -> StoreError:
    """Return the error for a file that does not hold what it should."""
    text = _("{name} is damaged: put a copy of it in its place, or move it away and start anew.")
    return StoreError(text.format(name=STORE_FILE))


def _newer() -> StoreError:
    return StoreError(
        _(
            "{name} of this study was written by another version of AllXAI Desktop: open the study with that version."
        ).format(name=STORE_FILE)
    )


def _statements(sql: str) -> Iterator[str]:
    """Split a script, so that it runs in the transaction: `executescript` would end it first."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def _is_remote(folder: Path) -> bool:
    place = folder.resolve()
    best, remote = -1, str(place).startswith("\\\\")
    with suppress(OSError):
        for disk in psutil.disk_partitions(all=True):
            mount = Path(disk.mountpoint)
            if place.is_relative_to(mount) and len(mount.parts) > best:
                best = len(mount.parts)
                remote = disk.fstype.casefold() in _REMOTE or "remote" in disk.opts.split(",")
    return remote
