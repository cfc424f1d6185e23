"""Who is painting an image: a lock file beside its mask, for several people on one study in a shared folder.

The file says a pseudonym, a time, a random session id, a process number, and a hash by which a program on the same
machine knows that it is: no name of a machine, none of a person. Its holder writes it anew every `BEAT_SECONDS`. It is
stale when its process is gone or, from another machine, when it was not written for `STALE_SECONDS` by the clock of
the disk that it lies on.
"""

import errno
import hashlib
import json
import os
import platform
import re
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Self

import psutil

from allxai_desktop.errors import AllxaiError, reason_of
from allxai_desktop.files import MOMENT_S, listed, patiently
from allxai_desktop.i18n import _

BEAT_SECONDS = 30.0
STALE_SECONDS = 300.0
_MAX_BYTES = 2**12
_TRIES = 100


class LockError(AllxaiError):
    """An image that cannot be taken over, and what to do about it."""


@dataclass(frozen=True)
class PaintingSession:
    """One run of the program: a random `id`, and what tells on its own machine whether it still runs."""

    id: str
    machine: str
    process: int
    started: float

    @classmethod
    def new(cls) -> Self:
        """Return a session of this process."""
        made = secrets.token_hex(8)
        return cls(made, _machine(made), os.getpid(), _started(os.getpid()))

    @classmethod
    def of(cls, found: dict[str, Any]) -> Self:
        """Return the session that a file names. Raises `KeyError`, `TypeError` or `ValueError` for any other."""
        made = cls(str(found["id"]), str(found["machine"]), int(found["process"]), float(found["started"]))
        if not re.fullmatch("[0-9a-f]{16}", made.id):
            raise ValueError("no session id")
        return made

    def here(self) -> bool:
        """Whether it is of this process."""
        return (self.machine, self.process) == (_machine(self.id), os.getpid())

    def alive(self) -> bool | None:
        """Whether its process runs; None where it is not of this machine."""
        if self.machine != _machine(self.id):
            return None
        try:
            # Process numbers come back.
            return abs(_started(self.process) - self.started) < 60
        except psutil.NoSuchProcess:
            return False
        except (psutil.Error, ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class Holder:
    """Who holds an image: a pseudonym, "" where none is known, and since when."""

    person: str
    since: datetime
    session: PaintingSession

    @property
    def name(self) -> str:
        """The pseudonym, or a word where none is known."""
        return self.person or _("Somebody")

    @property
    def time(self) -> str:
        """Hour and minute on this machine, with the date where it is not today."""
        local = self.since.astimezone()
        today = local.date() == datetime.now().astimezone().date()
        return local.strftime("%H:%M" if today else "%Y-%m-%d %H:%M")


class Lock:
    """A lock file that this session holds."""

    def __init__(self, path: Path, holder: Holder) -> None:
        self.path = path
        self.holder = holder
        self._released = threading.Event()
        self._mutex = threading.Lock()
        self._kept = False

    def keep(self, on_lost: Callable[[Holder | None], None]) -> None:
        """Beat on a thread of its own until the release, or until somebody else has it, who is then told.

        Nothing happens where it beats already.
        """
        if self._kept:
            return
        self._kept = True

        def work() -> None:
            while not self._released.wait(BEAT_SECONDS):
                if not self.beat():
                    on_lost(_read(self.path))
                    return

        threading.Thread(target=work, name="lock", daemon=True).start()

    def mine(self) -> bool:
        """Whether nobody took it over; a disk that cannot be asked does not count as somebody."""
        return self._named() in (self.holder.session.id, "")

    def beat(self) -> bool:
        """Show that the holder is alive. Returns whether the lock is still held."""
        with self._mutex:
            named = self._named()
            # Not over one that cannot be read now: it may be somebody else's.
            if named == self.holder.session.id and not self._released.is_set():
                with suppress(OSError):
                    # Written, not touched: the time is then that of the disk's own clock. Where somebody reads it just
                    # now, the next beat does: waiting would write over whoever takes it over meanwhile.
                    _put(self.path, self.holder, 0.0)
        return named in (self.holder.session.id, "")

    def release(self) -> None:
        """Let the image go."""
        self._released.set()

        def let_go() -> None:
            # Looked at each time: whoever takes it over meanwhile keeps it.
            if self._named() == self.holder.session.id:
                self.path.unlink()

        # A beat that had begun would put the file back.
        with self._mutex, suppress(OSError):
            patiently(let_go, MOMENT_S)

    def _named(self) -> str:
        """Return whose session the file names: this one where there is no file, "" where it cannot be read."""
        found = _read(self.path)
        return self.holder.session.id if found is None else found.session.id


def lock_path(mask_path: Path) -> Path:
    """Return where the lock of a mask lies."""
    return mask_path.with_suffix(".lock")


def holder_of(path: Path, me: PaintingSession) -> Holder | None:
    """Return who else holds a lock file; None where nobody does, or whoever did is gone."""
    found = _read(path)
    return None if found is None else _holding(found, path, me)


def _holding(found: Holder, path: Path, me: PaintingSession) -> Holder | None:
    """Return whom a lock file names, None where that is this session or one that is gone."""
    if found.session.id == me.id:
        return None
    alive = found.session.alive()
    return found if alive or (alive is None and not _old(path)) else None


def held_elsewhere(path: Path) -> Holder | None:
    """Return who holds a lock file in another run of the program; None where nobody does, or whoever did is gone."""
    found = holder_of(path, PaintingSession.new())
    return None if found is None or found.session.here() else found


def holders_in(folder: Path, me: PaintingSession) -> dict[str, Holder]:
    """Return who else holds which masks of a folder: stem of the mask → holder."""
    try:
        paths = [folder / listed(path.name) for path in folder.iterdir() if path.suffix == ".lock"]
    except OSError:
        return {}
    found = {path.stem: holder_of(path, me) for path in paths}
    return {stem: holder for stem, holder in found.items() if holder is not None}


def left_behind(path: Path, me: PaintingSession) -> Holder | None:
    """Return whose program ended without letting a lock file go."""
    found = _read(path)
    gone = found is not None and found.session.id != me.id and holder_of(path, me) is None
    return found if gone else None


def held_by_me(path: Path, me: PaintingSession) -> bool:
    """Whether this session holds a lock file."""
    found = _read(path)
    return found is not None and found.session.id == me.id


def acquire(path: Path, me: PaintingSession, person: str | None) -> Lock | Holder:
    """Take a lock file, also a stale one; return who holds it where it cannot be had.

    The folder is made when it is missing. Raises `OSError` where the file cannot be written.
    """
    mine = Lock(path, Holder(person or "", datetime.now(UTC), me))
    path.parent.mkdir(exist_ok=True)
    for _try in range(_TRIES):
        if not path.exists():
            with suppress(FileExistsError):
                _make(path, mine.holder)
                return mine
        got = holder_of(path, me) or _take_stale(path, mine)
        if got is not None:
            return got
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))


def _take_stale(path: Path, mine: Lock) -> Lock | Holder | None:
    """Put a lock file in place of one that nobody holds; None where it is gone meanwhile, and free to be made."""
    me = mine.holder.session
    # One at a time: of two who find it stale at the same moment the second would write over the first.
    turn = acquire(path.with_name(f".{path.name}.turn"), me, mine.holder.person)
    if isinstance(turn, Holder):
        return turn
    try:
        found = _read(path)
        other = None if found is None else _holding(found, path, me)
        # Where it was let go meanwhile, whoever makes it first has it, and is not written over.
        if found is None or other is not None or _read(path) != found:
            return other
        _put(path, mine.holder)
        return mine
    finally:
        turn.release()


@contextmanager
def held(path: Path, patience: float = 0.0) -> Iterator[Holder | None]:
    """Hold a lock file while something is written; gives who still has it after `patience` seconds, else None.

    Where no lock can be written there is none: what is wrong there is said of the file that it is for.
    """
    me, end = PaintingSession.new(), time.monotonic() + patience
    got: Lock | Holder | None = None
    with suppress(OSError):
        while isinstance(got := acquire(path, me, None), Holder) and time.monotonic() < end:
            time.sleep(0.02)
    try:
        yield got if isinstance(got, Holder) else None
    finally:
        if isinstance(got, Lock):
            got.release()


def take_by_force(path: Path, me: PaintingSession, person: str | None) -> Lock:
    """Take a lock file from whoever holds it. Raises `LockError` where it cannot be written."""
    holder = Holder(person or "", datetime.now(UTC), me)
    try:
        _put(path, holder)
    except OSError as error:
        raise LockError(
            _("{name} cannot be taken over ({reason}): check that you may write in its folder.").format(
                name=path.stem, reason=reason_of(error)
            )
        ) from error
    return Lock(path, holder)


def _make(path: Path, holder: Holder) -> None:
    """Write a lock file that is not there yet. Raises `OSError`, among them `FileExistsError`."""
    temporary = _temporary(path, holder)
    try:
        temporary.write_bytes(_text(holder))
        try:
            # With all of it at once: an empty one, as a crash may leave, is that of somebody unknown.
            os.link(temporary, path)
        except FileExistsError:
            raise
        except OSError:
            _make_without_links(path, holder)
    finally:
        _clear(temporary)


def _make_without_links(path: Path, holder: Holder) -> None:
    with patiently(lambda: path.open("xb"), MOMENT_S) as stream:
        try:
            stream.write(_text(holder))
            stream.flush()
        except OSError:
            with suppress(OSError):
                path.unlink()
            raise


def _temporary(path: Path, holder: Holder) -> Path:
    return path.with_name(f".{path.name}.{holder.session.id}.tmp")


def _put(path: Path, holder: Holder, patience: float = MOMENT_S) -> None:
    temporary = _temporary(path, holder)
    try:
        temporary.write_bytes(_text(holder))
        patiently(lambda: os.replace(temporary, path), patience)
    finally:
        _clear(temporary)


def _clear(temporary: Path) -> None:
    with suppress(OSError):
        patiently(partial(temporary.unlink, missing_ok=True), MOMENT_S)


def _text(holder: Holder) -> bytes:
    since = holder.since.isoformat(timespec="seconds")
    return json.dumps(
        {"person": holder.person, "since": since, "session": asdict(holder.session)}, ensure_ascii=False
    ).encode()


def _read(path: Path) -> Holder | None:
    """Return who a lock file names; None where there is none, and a nameless holder where it cannot be read."""
    try:
        with patiently(lambda: path.open("rb"), MOMENT_S) as stream:
            found = json.loads(stream.read(_MAX_BYTES))
        since = datetime.fromisoformat(found["since"])
        if since.tzinfo is None:
            raise ValueError("a time without a zone")
        # Not every time is one here, too: on Windows none before 1970 is.
        since.astimezone()
        return Holder(str(found["person"])[:100], since, PaintingSession.of(found["session"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, OverflowError, KeyError, TypeError, RecursionError):
        # Somebody is about to write it, or did long ago: its age tells.
        with suppress(OSError):
            since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            return Holder("", since, PaintingSession("", "", 0, 0.0))
        return None


def _old(path: Path) -> bool:
    """Whether a file was last written `STALE_SECONDS` ago, by the clock of its disk, which may be another machine's."""
    probe = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        written = path.stat().st_mtime
        try:
            probe.touch()
            now = probe.stat().st_mtime
        except OSError:
            now = datetime.now().timestamp()
        return now - written > STALE_SECONDS
    except OSError:
        return True
    finally:
        _clear(probe)


def _started(process: int) -> float:
    """Return when a process started, in seconds, by a clock that nobody sets. Raises `psutil.Error`."""
    made: float = psutil.Process(process).create_time()
    # Linux tells the time since the system started, and psutil adds when that was by the clock of now.
    return made - psutil.boot_time() if psutil.LINUX else made


def _machine(session: str) -> str:
    """Return this machine as a hash that differs from session to session, so that it tells nothing by itself."""
    return hashlib.sha256(f"{session} {_machine_facts()}".encode()).hexdigest()


@cache
def _machine_facts() -> str:
    facts = [platform.node(), str(uuid.getnode())]
    # Containers share names and addresses, but not these.
    with suppress(OSError):
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
        facts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(facts)
