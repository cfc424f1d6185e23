"""Edits of whole rows do what edits by indices do."""

import numpy as np
import pytest

from allxai_desktop.painting import history
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.painting.history import Edit, Runs, merge, pixels, rows

SHAPE = (9, 7)


@pytest.fixture
def by_rows(monkeypatch):
    """Take edits of more than three pixels for large ones."""
    monkeypatch.setattr(history, "LARGE", 3)


def at(*indices):
    return np.array(indices, np.int64)


def act(model, rng):
    """Do one random thing; equal generators do equal things."""
    model.locked = {int(rng.integers(0, 6))} if rng.random() < 0.3 else set()
    model.only_over = int(rng.integers(0, 6)) if rng.random() < 0.2 else None
    kind = rng.choice(["stroke", "stroke", "wand", "undo", "redo", "many", "window"])
    if kind in ("undo", "redo"):
        getattr(model, kind)()
        return
    model.begin_stroke("proposal" if rng.random() < 0.3 else "human")
    for _event in range(3):
        indices = rng.permutation(63)[: rng.integers(0, 64)]
        if kind != "stroke" or rng.random() < 0.7:
            indices = np.sort(indices)
        if kind == "wand":
            model.replace_stroke(np.sort(indices), 2)
        elif kind == "window":
            inside = rng.random((4, 5)) < 0.8
            model.apply_window(inside, (int(rng.integers(0, 6)), int(rng.integers(0, 3))), 4)
        elif kind == "many":
            model.apply(indices, rng.integers(0, 6, len(indices)).astype(np.uint8))
        else:
            model.apply(indices, int(rng.integers(0, 6)))
    model.end_stroke()


def played(seed):
    """Return all that can be seen of a model in a random session, and the mask that a follower of it has."""
    rng = np.random.default_rng(seed)
    model = PaintModel(rng.integers(0, 6, SHAPE).astype(np.uint8))
    followed = model.codes.copy().reshape(-1)
    seen, slices = [], []

    def follow(indices, old, new):
        assert (followed[indices] == old).all()
        followed[indices] = new
        slices.append(isinstance(indices, slice))

    def note(runs):
        seen.append([part.tolist() for part in (runs.starts, runs.lengths, runs.old, runs.new)])

    model.edited.connect(follow)
    model.stroke_ended.connect(note)
    for _turn in range(40):
        act(model, rng)
        seen += [model.codes.tolist(), model.person.tolist(), model.accepted is None]
    assert (followed.reshape(SHAPE) == model.codes).all()
    return seen, any(slices)


@pytest.mark.parametrize("seed", range(8))
def test_a_session_by_rows_is_the_same_as_by_indices(seed, monkeypatch):
    expected, had_rows = played(seed)
    assert not had_rows
    monkeypatch.setattr(history, "LARGE", 3)
    found, had_rows = played(seed)
    assert had_rows
    assert found == expected


def test_a_large_fill_is_told_by_its_rows(by_rows):
    model, seen = PaintModel(np.zeros((5, 4), np.uint8)), []
    model.edited.connect(lambda *change: seen.append(change))
    assert model.apply(at(5, 6, 9, 10), 2) == 4
    ((place, old, new),) = seen
    assert place == slice(4, 12)
    assert old.tolist() == [0] * 8
    assert new.tolist() == [0, 2, 2, 0, 0, 2, 2, 0]
    assert pixels(place).tolist() == list(range(4, 12))


def test_a_large_window_is_painted_by_its_rows(by_rows):
    model, seen = PaintModel(np.zeros((5, 4), np.uint8)), []
    model.edited.connect(lambda *change: seen.append(change[0]))
    inside = np.array([[True, True, False], [True, False, True]])
    assert model.apply_window(inside, (2, 1), 3) == 4
    assert model.codes.tolist() == [[0] * 4, [0] * 4, [0, 3, 3, 0], [0, 3, 0, 3], [0] * 4]
    assert seen == [slice(8, 16)]


def test_a_window_without_pixels_paints_nothing():
    assert PaintModel(np.zeros((5, 4), np.uint8)).apply_window(np.zeros((0, 0), bool), (0, 0), 3) == 0


@pytest.mark.parametrize(
    ("first", "last", "count", "whole"),
    [(5, 10, 4, slice(4, 12)), (5, 10, 3, None), (0, 19, 4, slice(0, 20)), (0, 39, 4, None)],
)
def test_rows_are_taken_for_many_pixels_that_lie_close(by_rows, first, last, count, whole):
    assert rows(first, last, count, 4) == whole


def test_runs_of_rows_leave_out_what_did_not_change():
    edit = Edit(slice(4, 8), np.array([0, 0, 1, 1], np.uint8), np.array([0, 2, 2, 1], np.uint8))
    runs = Runs.pack(edit)
    assert runs.starts.tolist() == [5, 6]
    assert runs.lengths.tolist() == [1, 1]
    assert (runs.old.tolist(), runs.new.tolist()) == ([0, 1], [2, 2])


def test_rows_are_merged_with_indices():
    first = Edit(slice(4, 8), np.array([0, 0, 1, 1], np.uint8), np.array([0, 2, 2, 1], np.uint8))
    second = Edit(at(6, 9), np.array([2, 0], np.uint8), np.array([1, 3], np.uint8))
    step = merge([first, second])
    assert step.indices.tolist() == [5, 9]
    assert (step.old.tolist(), step.new.tolist()) == ([0, 0], [2, 3])


@pytest.mark.parametrize(
    ("most", "expected"),
    [(2, [[0, 1], [2, 3], [4, 10], [11, 12]]), (4, [[0, 1, 2, 3], [4, 10, 11, 12]]), (9, None)],
)
def test_runs_are_unpacked_in_parts_that_together_are_the_edit(monkeypatch, most, expected):
    monkeypatch.setattr(history, "PART", most)
    runs = Runs(at(0, 10), at(5, 3), np.array([0, 1], np.uint8), np.array([2, 3], np.uint8), "human")
    parts, whole = list(runs.parts()), runs.unpack()
    assert [part.indices.tolist() for part in parts] == (expected or [whole.indices.tolist()])
    for name in ("indices", "old", "new"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert joined.tolist() == getattr(whole, name).tolist()


def test_of_steps_that_are_too_many_together_the_newest_stay():
    made = [Runs.pack(Edit(at(place), np.zeros(1, np.uint8), np.ones(1, np.uint8))) for place in range(5)]
    steps = history.History(3 * made[0].nbytes)
    for step in made:
        steps.push(step)
    assert [int(steps.undo().starts[0]) for _number in range(3)] == [4, 3, 2]
    assert not steps.can_undo
