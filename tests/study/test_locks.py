"""Who holds an image, and when whoever did is gone."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import macos
import psutil
import pytest
import windows

from allxai_desktop.study import locks
from allxai_desktop.study.locks import (
    Holder,
    Lock,
    LockError,
    PaintingSession,
    acquire,
    held,
    held_by_me,
    holder_of,
    holders_in,
    left_behind,
    lock_path,
    take_by_force,
)


@pytest.fixture
def path(tmp_path):
    return lock_path(tmp_path / "masks" / "cell.npz")


def of_another_machine():
    return replace(PaintingSession.new(), machine="0" * 64)


def of_a_dead_process():
    """Return a session of this machine whose process has ended."""
    made = PaintingSession.new()
    return replace(made, started=made.started - 3600)


def test_the_first_has_it_and_the_second_sees_who(path):
    first, second = PaintingSession.new(), PaintingSession.new()
    assert isinstance(acquire(path, first, "A07"), Lock)
    held = acquire(path, second, "B01")
    assert isinstance(held, Holder)
    assert held.person == "A07"
    assert holder_of(path, second).person == "A07"
    assert holder_of(path, first) is None
    assert held_by_me(path, first)
    assert not held_by_me(path, second)


def test_who_is_killed_while_taking_a_lock_leaves_a_whole_one_or_none(path, monkeypatch):
    def killed(made, _path):
        assert json.loads(made.read_bytes())["person"] == "A07"
        raise SystemExit

    monkeypatch.setattr(os, "link", killed)
    with pytest.raises(SystemExit):
        acquire(path, PaintingSession.new(), "A07")
    assert not path.exists()


def test_a_disk_without_hard_links_has_locks_too(path, monkeypatch):
    def refused(*_paths):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    assert isinstance(acquire(path, PaintingSession.new(), "A07"), Lock)
    assert holder_of(path, PaintingSession.new()).person == "A07"
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_of_two_who_take_it_at_one_time_the_second_sees_who_was_quicker(path, monkeypatch):
    link = os.link

    def late(*places):
        monkeypatch.undo()
        acquire(path, PaintingSession.new(), "A07")
        link(*places)

    monkeypatch.setattr(os, "link", late)
    assert acquire(path, PaintingSession.new(), "B01").person == "A07"


def test_a_lock_that_somebody_deleted_is_there_again_after_the_next_beat(path):
    me = PaintingSession.new()
    lock = acquire(path, me, "A07")
    path.unlink()
    assert lock.mine()
    lock.beat()
    assert held_by_me(path, me)


def test_what_is_let_go_may_be_taken(path):
    acquire(path, PaintingSession.new(), "A07").release()
    assert not path.exists()
    assert isinstance(acquire(path, PaintingSession.new(), "B01"), Lock)


def test_the_lock_of_a_process_that_ended_is_free_and_says_whose_it_was(path):
    acquire(path, of_a_dead_process(), "A07")
    me = PaintingSession.new()
    assert holder_of(path, me) is None
    assert left_behind(path, me).person == "A07"
    assert isinstance(acquire(path, me, "B01"), Lock)
    assert held_by_me(path, me)
    assert left_behind(path, PaintingSession.new()) is None


def test_a_killed_process_is_dead(path):
    code = (
        "import sys, time; from pathlib import Path; from allxai_desktop.study.locks import PaintingSession, acquire\n"
        "acquire(Path(sys.argv[1]), PaintingSession.new(), 'A07'); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert holder_of(path, PaintingSession.new()).person == "A07"
        process.kill()
    assert holder_of(path, PaintingSession.new()) is None


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere the time at which a process started stays as it was")
def test_a_clock_that_is_set_back_ends_no_process(monkeypatch):
    session, booted = PaintingSession.new(), psutil.boot_time()
    # The system keeps how long it runs, so that by the new clock it started an hour before.
    monkeypatch.setattr("psutil._psplatform.boot_time", lambda: booted - 3600)
    assert psutil.boot_time() == booted - 3600
    assert session.alive()


def test_on_another_machine_only_silence_tells(path):
    acquire(path, of_another_machine(), "A07")
    me = PaintingSession.new()
    assert holder_of(path, me).person == "A07"
    long_ago = time.time() - locks.STALE_SECONDS - 5
    os.utime(path, (long_ago, long_ago))
    assert holder_of(path, me) is None
    # What asked the disk for its time is gone.
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_beat_keeps_a_lock_alive(path):
    session = of_another_machine()
    lock = acquire(path, session, "A07")
    long_ago = time.time() - locks.STALE_SECONDS - 5
    os.utime(path, (long_ago, long_ago))
    assert lock.beat()
    assert holder_of(path, PaintingSession.new()).person == "A07"


def test_a_beat_under_way_does_not_bring_back_a_lock_that_is_released(path, monkeypatch):
    lock = acquire(path, PaintingSession.new(), "A07")
    release, put = threading.Thread(target=lock.release), locks._put

    def put_late(*given):
        release.start()
        # It would be over by then, where it did not wait.
        release.join(0.2)
        put(*given)

    monkeypatch.setattr(locks, "_put", put_late)
    lock.beat()
    release.join()
    assert not path.exists()
    lock.beat()
    assert not path.exists()


def test_an_own_lock_that_cannot_be_read_counts_as_held_and_is_left_alone(path):
    lock = acquire(path, PaintingSession.new(), "A07")
    path.write_text("")
    assert lock.mine()
    assert lock.beat()
    lock.release()
    assert path.read_text() == ""


def test_the_clock_of_the_disk_counts_not_this_one(path, monkeypatch):
    acquire(path, of_another_machine(), "A07")

    class Wrong(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime(2100, 1, 1, tzinfo=zone)

    monkeypatch.setattr(locks, "datetime", Wrong)
    assert holder_of(path, PaintingSession.new()).person == "A07"


def test_whoever_lost_it_by_force_is_told_and_leaves_it_alone(path, monkeypatch):
    monkeypatch.setattr(locks, "BEAT_SECONDS", 0.01)
    lock, second = acquire(path, PaintingSession.new(), "A07"), PaintingSession.new()
    told = []
    take_by_force(path, second, "B01")
    lock.keep(told.append)
    deadline = time.monotonic() + 10
    while not told:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert told[0].person == "B01"
    assert not lock.mine()
    lock.release()
    assert held_by_me(path, second)


def test_a_lock_that_is_just_let_go_is_not_taken_from_whoever_was_quicker(path, monkeypatch):
    first, quicker = acquire(path, PaintingSession.new(), "A07"), PaintingSession.new()
    read = locks._read

    def read_late(asked):
        monkeypatch.setattr(locks, "_read", read)
        first.release()
        found = read(asked)
        acquire(path, quicker, "B01")
        return found

    monkeypatch.setattr(locks, "_read", read_late)
    assert acquire(path, PaintingSession.new(), "C01").person == "B01"
    assert held_by_me(path, quicker)


def test_a_lock_that_another_machine_lets_go_is_not_taken_from_whoever_was_quicker(path, monkeypatch):
    acquire(path, of_another_machine(), "A07")
    quicker, old = PaintingSession.new(), locks._old

    def let_go(asked):
        monkeypatch.setattr(locks, "_old", old)
        path.unlink()
        found = old(asked)
        acquire(path, quicker, "B01")
        return found

    monkeypatch.setattr(locks, "_old", let_go)
    assert acquire(path, PaintingSession.new(), "C01").person == "B01"
    assert held_by_me(path, quicker)


def test_of_two_who_find_a_stale_lock_at_one_time_the_second_sees_who_was_quicker(path, monkeypatch):
    acquire(path, of_a_dead_process(), "A07")
    quicker, put = PaintingSession.new(), locks._put

    def put_late(*given):
        monkeypatch.setattr(locks, "_put", put)
        seen.append(acquire(path, quicker, "B01"))
        put(*given)

    seen = []
    monkeypatch.setattr(locks, "_put", put_late)
    assert isinstance(acquire(path, PaintingSession.new(), "C01"), Lock)
    assert [holder.person for holder in seen] == ["C01"]
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_who_is_killed_while_taking_a_stale_lock_keeps_nobody_from_it(path):
    acquire(path, of_a_dead_process(), "A07")
    acquire(path.with_name(".cell.lock.turn"), of_a_dead_process(), "B01")
    me = PaintingSession.new()
    assert isinstance(acquire(path, me, "C01"), Lock)
    assert held_by_me(path, me)
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_lock_that_comes_and_goes_for_ever_is_an_error(path, monkeypatch):
    path.parent.mkdir()
    path.mkdir()
    monkeypatch.setattr(locks, "_read", lambda _path: None)
    with pytest.raises(OSError, match="busy"):
        acquire(path, PaintingSession.new(), "A07")


def test_what_is_written_at_one_time_is_written_one_after_the_other(path, monkeypatch):
    lock = acquire(path, PaintingSession.new(), "A07")
    monkeypatch.setattr(locks.time, "sleep", lambda _seconds: lock.release())
    with held(path, 10) as other:
        assert other is None
        assert path.exists()
    assert not path.exists()


def test_who_does_not_let_go_is_told_of_and_keeps_it(path):
    mine = PaintingSession.new()
    acquire(path, mine, "A07")
    with held(path) as other:
        assert other.person == "A07"
    assert held_by_me(path, mine)


def test_where_no_lock_can_be_written_none_is_held(tmp_path):
    (tmp_path / "masks").write_text("in the way")
    with held(tmp_path / "masks" / "cell.lock") as other:
        assert other is None


def test_a_lock_that_cannot_be_taken_by_force_says_why(tmp_path):
    (tmp_path / "masks").write_text("in the way")
    with pytest.raises(LockError, match="cell cannot be taken over"):
        take_by_force(tmp_path / "masks" / "cell.lock", PaintingSession.new(), "A07")


def test_the_file_names_no_machine_and_differs_from_session_to_session(path):
    first, second = PaintingSession.new(), PaintingSession.new()
    acquire(path, first, "A07")
    text = path.read_text()
    assert locks.platform.node() not in text
    assert set(json.loads(text)) == {"person", "since", "session"}
    assert first.machine != second.machine


SAID = (
    '{"person": "A07", "since": "2026-11-29T10:00:00%s", '
    '"session": {"id": "%s", "machine": "", "process": 1, "started": 0}}'
)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", '{"person": 1}', "null", "[" * 9999),
        pytest.param(SAID % ("", "0" * 16), id="a time without a zone"),
        pytest.param(SAID % ("Z", "../" + "0" * 16), id="a session that is no name"),
        pytest.param(
            (SAID % ("-14:00", "0" * 16)).replace("2026-11-29T10", "9999-12-31T23"),
            id="a time that is none here",
        ),
    ],
)
def test_a_lock_that_cannot_be_read_holds_until_it_is_old(path, text):
    path.parent.mkdir()
    path.write_text(text)
    me = PaintingSession.new()
    assert holder_of(path, me).name == "Somebody"
    long_ago = time.time() - locks.STALE_SECONDS - 5
    os.utime(path, (long_ago, long_ago))
    assert holder_of(path, me) is None


def test_a_folder_tells_who_holds_what_but_not_what_is_mine_or_left_behind(tmp_path):
    me = PaintingSession.new()
    acquire(tmp_path / "a.lock", PaintingSession.new(), "A07")
    acquire(tmp_path / "b.lock", me, "B01")
    acquire(tmp_path / "c.lock", of_a_dead_process(), "C02")
    assert {stem: holder.person for stem, holder in holders_in(tmp_path, me).items()} == {"a": "A07"}
    assert holders_in(tmp_path / "missing", me) == {}


def test_a_folder_that_cannot_be_written_raises(tmp_path):
    (tmp_path / "masks").write_text("in the way")
    with pytest.raises(OSError, match="masks"):
        acquire(tmp_path / "masks" / "cell.lock", PaintingSession.new(), "A07")


def test_a_lock_for_which_the_disk_has_no_room_is_nobodys(path, full_disk):
    me = PaintingSession.new()
    path.parent.mkdir()
    with full_disk(), pytest.raises(OSError, match="too large"):
        acquire(path, me, "A07")
    assert holder_of(path, me) is None


def test_an_earlier_day_is_shown_with_its_date():
    holder = Holder("A07", datetime(2020, 1, 2, 3, 4, tzinfo=UTC), PaintingSession.new())
    assert holder.time.startswith("2020-01-0")


def test_a_lock_that_somebody_reads_as_it_is_let_go_goes_then(path, monkeypatch):
    lock = acquire(path, PaintingSession.new(), "A07")
    windows.refused_at_first(monkeypatch, "unlink")
    lock.release()
    assert list(path.parent.iterdir()) == []


def test_a_lock_that_is_taken_over_as_it_is_let_go_stays(path, monkeypatch):
    lock = acquire(path, PaintingSession.new(), "A07")
    windows.refused_at_first(monkeypatch)
    unlink = os.unlink

    def taken(target, **options):
        if target == path:
            monkeypatch.setattr(os, "unlink", unlink)
            take_by_force(path, PaintingSession.new(), "B01")
            raise PermissionError(13, "The file is open in another program", str(target))
        unlink(target, **options)

    monkeypatch.setattr(os, "unlink", taken)
    lock.release()
    assert holder_of(path, PaintingSession.new()).person == "B01"


def test_a_lock_that_somebody_reads_as_it_beats_is_still_held(path, monkeypatch):
    lock = acquire(path, PaintingSession.new(), "A07")
    refused = windows.refused_at_first(monkeypatch, "replace")
    assert lock.beat()
    assert refused == ["replace"]
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    lock.release()


def test_who_holds_a_lock_is_read_once_it_was_replaced(path, monkeypatch):
    acquire(path, PaintingSession.new(), "A07")
    windows.not_opened_at_first(monkeypatch, "rb")
    assert holder_of(path, PaintingSession.new()).person == "A07"


def test_a_lock_that_is_still_being_deleted_is_made_then(path, monkeypatch):
    path.parent.mkdir()

    def link(_made, target):
        raise PermissionError(13, "Access is denied", str(target))

    windows.not_opened_at_first(monkeypatch, "xb")
    monkeypatch.setattr(os, "link", link)
    assert isinstance(acquire(path, PaintingSession.new(), "A07"), Lock)


def test_nothing_of_making_and_beating_stays_where_a_virus_scanner_looks_at_it(path, monkeypatch):
    windows.refused_at_first(monkeypatch, "unlink")
    lock = acquire(path, PaintingSession.new(), "A07")
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    lock.release()


def test_who_holds_an_image_whose_accents_macos_gives_apart_is_told(path, monkeypatch):
    acquire(path.with_name("célula.lock"), PaintingSession.new(), "A07")
    macos.accents_apart(monkeypatch)
    assert list(holders_in(path.parent, PaintingSession.new())) == ["célula"]
