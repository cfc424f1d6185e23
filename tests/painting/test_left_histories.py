"""Coming back to a mask: its history is there where the mask is as it was left."""

from pathlib import Path

import numpy as np
import pytest

from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.painting.tiles import Tiles

A, B, C = Path("a.npz"), Path("b.npz"), Path("c.npz")
EMPTY = np.zeros((1, 10), np.uint8)


def at(*indices):
    return np.array(indices, np.int64)


def propose(model, indices, code):
    model.begin_stroke("proposal")
    model.apply(indices, code)
    model.end_stroke()


@pytest.fixture
def left():
    """Return a model at an empty mask B that left A: a proposal on pixels 0 and 1, then a person on 1 and 2."""
    model = PaintModel()
    model.new_image(EMPTY, None, A)
    propose(model, at(0, 1), 2)
    model.apply(at(1, 2), 3)
    model.new_image(EMPTY, None, B)
    return model


def come_back(model, codes, accepted=()):
    proposed = np.zeros(EMPTY.shape, bool)
    proposed[0, list(accepted)] = True
    model.new_image(np.array([codes], np.uint8), proposed, A)


AS_LEFT = [2, 3, 3, 0, 0, 0, 0, 0, 0, 0]


def test_a_mask_as_it_was_left_is_undone_and_redone_exactly(left):
    assert not left.can_undo
    come_back(left, AS_LEFT, [0])
    left.undo()
    assert left.codes.tolist() == [[2, 2, 0, 0, 0, 0, 0, 0, 0, 0]]
    assert left.person.tolist() == [[False] * 10]
    left.undo()
    assert left.codes.tolist() == EMPTY.tolist()
    assert not left.can_undo
    left.redo()
    left.redo()
    assert left.codes.tolist() == [AS_LEFT]
    assert left.person.tolist() == [[False, True, True, *[False] * 7]]


def test_what_was_undone_before_leaving_can_be_redone_after(left):
    left.apply(at(9), 1)
    left.undo()
    left.new_image(EMPTY, None, C)
    left.new_image(EMPTY, None, B)
    assert not left.can_undo
    left.redo()
    assert left.codes.tolist() == [[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]]


def test_the_history_tells_of_itself_once_the_mask_is_there(left):
    told = []
    left.history_changed.connect(lambda: told.append((left.can_undo, left.codes[0, 0])))
    come_back(left, AS_LEFT, [0])
    assert told == [(True, 2)]


@pytest.mark.parametrize(
    ("codes", "accepted"),
    [([*AS_LEFT[:9], 4], [0]), (AS_LEFT, []), (AS_LEFT, [0, 2]), (AS_LEFT[:9], [])],
    ids=["another code", "a person's now", "a proposal's now", "another size"],
)
def test_a_mask_that_is_another_has_no_history_and_never_gets_it_back(left, codes, accepted):
    left.new_image(np.array([codes], np.uint8), np.isin(np.arange(len(codes)), accepted)[np.newaxis], A)
    assert not left.can_undo
    left.new_image(EMPTY, None, B)
    come_back(left, AS_LEFT, [0])
    assert not left.can_undo


def test_the_same_codes_of_another_file_have_no_history(left):
    accepted = np.zeros(EMPTY.shape, bool)
    accepted[0, 0] = True
    left.new_image(np.array([AS_LEFT], np.uint8), accepted, C)
    assert not left.can_undo
    left.new_image(np.array([AS_LEFT], np.uint8), accepted)
    assert not left.can_undo


def test_a_mask_without_a_file_is_not_kept():
    model = PaintModel(EMPTY)
    model.apply(at(0), 1)
    model.new_image(np.array([[1, *[0] * 9]], np.uint8), None, A)
    assert not model.can_undo


def test_half_a_stroke_on_leaving_leaves_no_history(left):
    left.apply(at(0), 1)
    left.begin_stroke()
    left.apply(at(1), 1)
    half = left.codes.copy()
    left.new_image(EMPTY, None, C)
    left.new_image(half, None, B)
    assert not left.can_undo


def test_another_person_takes_nothing_back(left):
    left.apply(at(0), 1)
    left.forget_steps()
    assert not left.can_undo
    come_back(left, AS_LEFT, [0])
    assert not left.can_undo


def test_they_are_bounded_with_their_masks_and_the_one_left_first_goes_first():
    # A stroke on one pixel takes 18 bytes, a mask of ten pixels 20.
    model = PaintModel(history_bytes=2 * (18 + 20))
    painted = np.array([[1, *[0] * 9]], np.uint8)
    for path in (A, B, C):
        model.new_image(EMPTY, None, path)
        model.apply(at(0), 1)
    model.new_image(EMPTY)
    found = []
    for path in (A, B, C):
        model.new_image(painted, None, path)
        found.append(model.can_undo)
    assert found == [False, True, True]


def test_one_too_large_alone_is_not_kept_and_drops_no_other():
    model = PaintModel(history_bytes=18 + 20)
    painted = np.array([[1, *[0] * 9]], np.uint8)
    model.new_image(EMPTY, None, A)
    model.apply(at(0), 1)
    model.new_image(np.zeros((1, 11), np.uint8), None, B)
    model.apply(at(0), 1)
    model.new_image(painted, None, A)
    assert model.can_undo
    model.new_image(np.array([[1, *[0] * 10]], np.uint8), None, B)
    assert not model.can_undo


def test_a_slide_that_is_come_back_to_is_undone():
    model = PaintModel()
    model.new_image(Tiles((700, 600)), None, A)
    model.apply(at(5, 699 * 600), 4)
    as_left = model.mask.copy()
    model.new_image(EMPTY, None, B)
    model.new_image(as_left, None, A)
    model.undo()
    assert not model.mask.any()
    model.redo()
    other = model.mask.copy()
    other.flat[at(5)] = 3
    model.new_image(other, None, A)
    assert not model.can_undo
