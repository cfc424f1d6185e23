"""What is made of a journal file that is torn, damaged, or none."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.painting.history import Runs
from allxai_desktop.painting.tiles import Tiles
from allxai_desktop.study import journal_file
from allxai_desktop.study.journal_file import (
    NO_FILE,
    Head,
    JournalError,
    base_record,
    head_record,
    read_journal,
    stroke_record,
)
from allxai_desktop.study.locks import PaintingSession


@pytest.fixture
def path(tmp_path, strokes):
    """A journal with all strokes."""
    found = tmp_path / "cell.journal"
    head = head_record(Head("a" * 64, NO_FILE, 3, 4, PaintingSession.new()))
    found.write_bytes(head + b"".join(stroke_record(runs) for runs in strokes[0]))
    return found


def empty():
    return np.zeros((3, 4), np.uint8)


def test_a_torn_last_record_is_ignored(path, strokes):
    whole = path.read_bytes()
    begin, *ends = [end for _kind, _payload, end in journal_file._records(whole)]
    for length in range(begin, len(whole)):
        path.write_bytes(whole[:length])
        left = sum(end <= length for end in ends)
        recorded = read_journal(path)
        assert len(recorded.strokes) == left
        assert not recorded.damaged
        assert np.array_equal(
            recorded.painted(empty(), None, 0)[0], strokes[1][left - 1] if left else empty()
        )


def test_damage_ends_what_is_read_and_is_told(path, strokes):
    data = bytearray(path.read_bytes())
    ends = [end for kind, _payload, end in journal_file._records(bytes(data)) if kind == b"S"]
    # The last class of the second stroke becomes another one, before the four bytes of its checksum.
    data[ends[1] - 5] ^= 1
    path.write_bytes(data)
    recorded = read_journal(path)
    assert recorded.damaged
    assert len(recorded.strokes) == 1


def test_strokes_that_do_not_find_what_they_changed_are_of_another_mask(path):
    with pytest.raises(JournalError):
        read_journal(path).painted(np.full((3, 4), 3, np.uint8), None, 0)


def test_fills_of_a_large_image_are_laid_over_a_mask_part_by_part(path):
    side = 2000
    one, full = np.array([0], np.int64), np.array([side * side], np.int64)
    fills = [Runs(one, full, np.uint8([code]), np.uint8([code + 1]), "human") for code in range(5)]
    recorded = replace(read_journal(path), strokes=fills)
    tracemalloc.start()
    laid = recorded.laid_over(np.zeros((side, side), np.uint8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (laid == 5).all()
    # All indices of one fill alone take 32 MB.
    assert peak < 100e6


@pytest.mark.parametrize("data", [b"", b"H", b"\0" * 100, b"no journal at all, but some text"])
def test_a_file_without_a_head_is_no_journal(path, data):
    path.write_bytes(data)
    with pytest.raises(JournalError):
        read_journal(path)


def test_a_record_of_another_kind_ends_what_is_read(path, strokes):
    path.write_bytes(path.read_bytes() + journal_file._record(b"X", b""))
    recorded = read_journal(path)
    assert recorded.damaged
    assert len(recorded.strokes) == len(strokes[0])


def test_a_file_that_is_too_large_is_not_read(path, monkeypatch):
    monkeypatch.setattr(journal_file, "_MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(JournalError, match="too large"):
        read_journal(path)


def test_what_strokes_start_from_is_read_whole_also_where_it_takes_several_bands(path):
    begun = Tiles((1100, 3))
    begun.flat[np.array([3 * 600, 3 * 1000 + 1, 3 * 1099 + 2])] = 2
    path.write_bytes(
        head_record(Head("a" * 64, NO_FILE, 1100, 3, PaintingSession.new())) + base_record(begun)
    )
    painted, _accepted = read_journal(path).painted(Tiles((1100, 3)), None, 0)
    assert np.array_equal(painted[:, :], begun[:, :])


@pytest.mark.parametrize("code", [1, 5])
def test_a_pixel_that_a_proposal_set_is_told_from_a_persons(path, code):
    model, made = PaintModel(empty()), []
    model.stroke_ended.connect(made.append)
    model.apply(np.array([0]), code)
    model.begin_stroke("proposal")
    model.apply(np.array([3]), code)
    model.end_stroke()
    head = head_record(Head("a" * 64, NO_FILE, 3, 4, PaintingSession.new()))
    path.write_bytes(head + b"".join(map(stroke_record, made)))
    painted, accepted = read_journal(path).painted(empty(), None, 0)
    assert np.flatnonzero(painted).tolist() == [0, 3]
    assert np.flatnonzero(accepted).tolist() == [3]


def hostile(*changes):
    starts, lengths, old, new = np.array([0, 4]), np.array([2, 3]), [0, 0], [1, 2]
    values = {"starts": starts, "lengths": lengths, "old": old, "new": new} | dict(changes)
    return b"".join(
        (
            np.asarray(values["starts"], "<i8").tobytes(),
            np.asarray(values["lengths"], "<i8").tobytes(),
            bytes(values["old"]),
            bytes(values["new"]),
        )
    )


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"x" * 17,
        hostile(("starts", [-1, 4])),
        hostile(("lengths", [2, 9])),
        hostile(("lengths", [2, 2**62])),
        hostile(("lengths", [0, 1])),
        hostile(("starts", [4, 0])),
        hostile(("lengths", [5, 1])),
        hostile(("new", [1, 6])),
    ],
)
def test_runs_that_leave_the_mask_meet_or_hold_no_class_are_damage(path, strokes, payload):
    path.write_bytes(path.read_bytes() + journal_file._record(b"S", payload))
    recorded = read_journal(path)
    assert recorded.damaged
    assert len(recorded.strokes) == len(strokes[0])
