import threading

import numpy as np
import pytest

from allxai_desktop.masks.npz import MaskError
from allxai_desktop.study import autosave
from allxai_desktop.study.autosave import Autosaver


def codes(value):
    return np.full((2, 3), value, np.uint8)


def on_disk(path):
    return int(np.load(path)["mask"][0, 0])


@pytest.fixture
def events():
    return []


@pytest.fixture
def saver(events):
    saver = Autosaver(
        on_saved=lambda path: events.append(("saved", path.name)),
        on_error=lambda path, error: events.append(("error", str(error))),
    )
    yield saver
    saver.close(5)


class Gate:
    """Stands in for `save_mask`: each write waits for its permit, and fails while `error` is set."""

    def __init__(self, monkeypatch):
        self.permits, self.entered, self.written, self.error = (
            threading.Semaphore(0),
            threading.Event(),
            [],
            None,
        )
        monkeypatch.setattr(autosave, "save_mask", self)

    def __call__(self, path, codes, **facts):
        self.entered.set()
        assert self.permits.acquire(timeout=5)
        if self.error is not None:
            raise self.error
        self.written.append((path.name, int(codes[0, 0])))


@pytest.fixture
def gate(monkeypatch, saver):
    return Gate(monkeypatch)


def test_a_state_reaches_the_disk(saver, tmp_path, events):
    saver.submit(tmp_path / "masks" / "a.npz", codes(3), annotator="A07")
    assert saver.flush(5)
    assert on_disk(tmp_path / "masks" / "a.npz") == 3
    assert "A07" in str(np.load(tmp_path / "masks" / "a.npz")["meta_json"])
    assert events == [("saved", "a.npz")]


def test_codes_may_be_asked_for_later(saver, tmp_path):
    saver.submit(tmp_path / "a.npz", lambda: codes(4))
    assert saver.flush(5)
    assert on_disk(tmp_path / "a.npz") == 4


def test_only_the_newest_waiting_state_is_written(saver, gate, tmp_path):
    saver.submit(tmp_path / "a.npz", codes(1))
    assert gate.entered.wait(5)
    for value in (2, 3, 4):
        saver.submit(tmp_path / "a.npz", codes(value))
    saver.submit(tmp_path / "b.npz", codes(5))
    gate.permits.release(3)
    assert saver.flush(5)
    assert gate.written == [("a.npz", 1), ("a.npz", 4), ("b.npz", 5)]


def test_a_state_that_waits_for_later_ones_is_not_put_off_by_them(saver, tmp_path):
    path = tmp_path / "a.npz"
    saver.submit(path, codes(1), within=1000)
    due = saver._waiting[path].due
    saver.submit(path, codes(2), within=2000)
    assert saver._waiting[path].due == due
    assert not path.exists()
    assert saver.flush(20)
    assert on_disk(path) == 2


def test_a_slow_disk_does_not_hold_up_the_caller(saver, gate, tmp_path):
    saver.submit(tmp_path / "a.npz", codes(1))
    saver.submit(tmp_path / "a.npz", codes(2))
    assert not saver.flush(0.01)
    assert saver.unsaved(tmp_path / "a.npz")[0][0, 0] == 2
    gate.permits.release(2)
    assert saver.flush(5)
    assert saver.unsaved(tmp_path / "a.npz") is None


def test_a_failure_is_told_once_and_tried_again(saver, gate, tmp_path, events):
    gate.permits.release(100)
    gate.error = MaskError("a.npz was not saved because the disk is full.")
    saver.submit(tmp_path / "a.npz", codes(1))
    assert not saver.flush(5)
    assert not saver.flush(5)
    assert events == [("error", "a.npz was not saved because the disk is full.")]
    assert saver.unsaved(tmp_path / "a.npz")[0][0, 0] == 1
    gate.error = None
    saver.submit(tmp_path / "b.npz", codes(2))
    assert saver.flush(5)
    assert gate.written == [("a.npz", 1), ("b.npz", 2)]
    assert events[1:] == [("saved", "a.npz"), ("saved", "b.npz")]


def test_a_newer_state_replaces_the_one_that_failed(saver, gate, tmp_path, events):
    gate.permits.release(100)
    gate.error = MaskError("full.")
    saver.submit(tmp_path / "a.npz", codes(1))
    assert not saver.flush(5)
    saver.submit(tmp_path / "a.npz", codes(2))
    assert not saver.flush(5)
    assert events == [("error", "full."), ("error", "full.")]
    gate.error = None
    assert saver.flush(5)
    assert gate.written == [("a.npz", 2)]


def test_a_fault_of_the_program_is_told_in_a_sentence_and_saving_goes_on(saver, gate, tmp_path, events):
    gate.permits.release(100)
    gate.error = MemoryError()
    saver.submit(tmp_path / "a.npz", codes(1))
    assert not saver.flush(5)
    assert events == [("error", "a.npz was not saved: see the log, and export the mask.")]
    gate.error = None
    assert saver.flush(5)


def test_a_listener_that_fails_does_not_end_the_saving(tmp_path):
    def fail(path):
        raise KeyError(path)

    saver = Autosaver(on_saved=fail)
    saver.submit(tmp_path / "a.npz", codes(1))
    saver.submit(tmp_path / "b.npz", codes(2))
    assert saver.close(5)
    assert on_disk(tmp_path / "b.npz") == 2


def test_closing_writes_what_waits(saver, tmp_path):
    saver.submit(tmp_path / "a.npz", codes(1))
    saver.submit(tmp_path / "a.npz", codes(2))
    assert saver.close(5)
    assert on_disk(tmp_path / "a.npz") == 2
    with pytest.raises(RuntimeError, match="closed"):
        saver.submit(tmp_path / "a.npz", codes(3))


@pytest.mark.parametrize(
    ("patient", "beats", "waits"),
    [(True, 2, 3), (True, 0, 1), (False, 2, 1)],
    ids=["goes on", "stuck", "hurried"],
)
def test_who_is_patient_waits_for_as_long_as_the_saving_goes_on(
    saver, gate, tmp_path, monkeypatch, patient, beats, waits
):
    saver.submit(tmp_path / "a.npz", codes(1))
    assert gate.entered.wait(5)
    waited = []

    def out_of_time(_condition, timeout):
        waited.append(timeout)
        if len(waited) <= beats:
            saver.beat()
        return False

    with monkeypatch.context() as patched:
        patched.setattr(saver._changed, "wait_for", out_of_time)
        assert not saver.flush(30, patient=patient)
    assert waited == [30] * waits
    gate.permits.release()


def test_nobody_waits_for_a_saver_that_is_closed(saver, gate, tmp_path):
    saver.submit(tmp_path / "a.npz", codes(1))
    assert gate.entered.wait(5)
    ended = []
    waiting = threading.Thread(target=lambda: ended.append(saver.flush()))
    waiting.start()
    assert not saver.close(0)
    waiting.join(5)
    assert ended == [False]
    gate.permits.release()


def test_many_states_from_many_threads_end_with_the_last(saver, tmp_path):
    def paint(name):
        for value in (1, 2, 3, 4, 5) * 20:
            saver.submit(tmp_path / name, codes(value))

    threads = [threading.Thread(target=paint, args=(f"{n}.npz",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert saver.flush(10)
    assert [on_disk(tmp_path / f"{n}.npz") for n in range(4)] == [5] * 4
