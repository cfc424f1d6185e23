import numpy as np
import pytest

from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.painting.history import Edit, merge


def at(*indices):
    return np.array(indices, np.int64)


@pytest.fixture
def model():
    return PaintModel(np.zeros((2, 3), np.uint8))


def test_apply_paints_and_tells_what_changed(model):
    seen = []
    model.edited.connect(lambda *change: seen.append([part.tolist() for part in change]))
    assert model.apply(at(1, 4), 2) == 2
    assert model.codes.tolist() == [[0, 2, 0], [0, 2, 0]]
    assert seen == [[[1, 4], [0, 0], [2, 2]]]


def test_pixels_that_have_the_code_already_are_no_change(model):
    model.apply(at(1), 2)
    seen = []
    model.edited.connect(lambda *change: seen.append(change[0].tolist()))
    assert model.apply(at(0, 1), 2) == 1
    assert model.apply(at(0, 1), 2) == 0
    assert seen == [[0]]


def test_a_pixel_given_twice_is_counted_once(model):
    assert model.apply(at(4, 1, 4), 3) == 2


def test_each_pixel_may_have_its_own_code(model):
    model.apply(at(0, 2, 5), np.array([1, 2, 3], np.uint8))
    assert model.codes.tolist() == [[1, 0, 2], [0, 0, 3]]


def test_locked_classes_are_not_painted_over(model):
    model.apply(at(0), 1)
    model.set_locked(1, True)
    model.apply(at(0, 1), 2)
    model.apply(at(0, 1), 0)
    model.apply(at(1), 1)
    assert model.codes.tolist() == [[1, 1, 0], [0, 0, 0]]
    model.set_locked(1, False)
    model.apply(at(0), 2)
    assert model.codes[0, 0] == 2


@pytest.mark.parametrize(("only_over", "expected"), [(None, [5, 5, 5]), (0, [5, 1, 2]), (2, [0, 1, 5])])
def test_only_over(only_over, expected):
    model = PaintModel(np.array([[0, 1, 2]], np.uint8))
    model.only_over = only_over
    model.apply(at(0, 1, 2), 5)
    assert model.codes.tolist() == [expected]


def test_a_stroke_is_one_undo_step(model):
    model.begin_stroke()
    model.apply(at(0, 1), 1)
    model.apply(at(1, 2), 1)
    model.end_stroke()
    model.undo()
    assert not model.codes.any()
    assert not model.can_undo
    model.redo()
    assert model.codes.tolist() == [[1, 1, 1], [0, 0, 0]]


def test_undo_in_mid_stroke_takes_the_stroke_back(model):
    model.apply(at(5), 4)
    model.begin_stroke()
    model.apply(at(0, 1), 1)
    model.undo()
    assert not model.in_stroke
    assert model.codes.tolist() == [[0, 0, 0], [0, 0, 4]]
    model.redo()
    assert model.codes.tolist() == [[1, 1, 0], [0, 0, 4]]


@pytest.mark.parametrize("what", ["begin_stroke", "redo", "forget_steps"])
def test_a_stroke_in_hand_ends_and_is_told_of_before_what_else_is_done(model, what):
    ended = []
    model.apply(at(0), 1)
    model.undo()
    model.stroke_ended.connect(lambda runs: ended.append(runs.unpack().indices.tolist()))
    model.begin_stroke()
    model.apply(at(1, 2), 3)
    getattr(model, what)()
    assert ended == [[1, 2]]
    assert model.codes.tolist() == [[0, 3, 3], [0, 0, 0]]
    assert not model.can_redo
    assert model.can_undo == (what != "forget_steps")


def test_a_stroke_that_a_lock_keeps_from_painting_anything_is_told_of(model):
    model.apply(at(0, 1), 2)
    told = []
    model.held_back.connect(lambda: told.append("held back"))
    model.apply(at(0, 1), 2)
    assert told == []
    model.set_locked(2, True)
    model.apply(at(0, 1), 3)
    assert told == ["held back"]
    model.begin_stroke()
    model.apply(at(0, 1), 3)
    model.apply(at(1, 2), 3)
    model.end_stroke()
    assert told == ["held back"]


def test_undo_is_exact_under_locks_set_later(model):
    model.apply(at(0), 1)
    model.set_locked(1, True)
    model.only_over = 5
    model.undo()
    assert model.codes[0, 0] == 0


def test_a_new_stroke_forgets_what_could_be_redone(model):
    model.apply(at(0), 1)
    model.undo()
    model.apply(at(1), 1)
    assert not model.can_redo


def test_undo_and_redo_without_history_do_nothing(model):
    seen = []
    model.edited.connect(lambda *change: seen.append(change))
    model.undo()
    model.redo()
    assert seen == []


def test_a_stroke_that_changes_nothing_is_no_step(model):
    ended = []
    model.stroke_ended.connect(lambda: ended.append(1))
    model.begin_stroke()
    model.apply(at(0), 0)
    model.end_stroke()
    assert not model.can_undo
    assert ended == []


def test_stroke_ended_follows_strokes_undo_and_redo(model):
    ended = []
    model.stroke_ended.connect(lambda: ended.append(model.codes[0, 0]))
    model.apply(at(0), 1)
    model.undo()
    model.redo()
    assert ended == [1, 0, 1]


def test_following_every_edit_gives_the_same_mask():
    rng = np.random.default_rng(3)
    model = PaintModel(rng.integers(0, 6, (9, 9)).astype(np.uint8))
    followed = model.codes.copy().reshape(-1)

    def follow(indices, old, new):
        assert (followed[indices] == old).all()
        followed[indices] = new

    model.edited.connect(follow)
    start = model.codes.copy()
    for _ in range(30):
        model.begin_stroke()
        for _ in range(3):
            model.apply(rng.integers(0, 81, 20), int(rng.integers(0, 6)))
        model.end_stroke()
    painted = model.codes.copy()
    assert (followed.reshape(9, 9) == painted).all()
    while model.can_undo:
        model.undo()
    assert (model.codes == start).all()
    while model.can_redo:
        model.redo()
    assert (followed.reshape(9, 9) == painted).all()


def test_merged_edits_keep_the_first_old_and_the_last_new_code():
    def codes(*values):
        return np.array(values, np.uint8)

    first = Edit(at(1, 2, 3), codes(0, 0, 0), codes(1, 1, 1))
    second = Edit(at(2, 3, 4), codes(1, 1, 5), codes(0, 2, 2))
    step = merge([first, second])
    assert step.indices.tolist() == [1, 3, 4]
    assert step.old.tolist() == [0, 0, 5]
    assert step.new.tolist() == [1, 2, 2]


def test_history_is_bounded_by_memory_and_keeps_the_last_step():
    model = PaintModel(np.zeros((1, 100), np.uint8), history_bytes=40)
    for index in range(10):
        model.apply(at(index), 1)
    undone = 0
    while model.can_undo:
        model.undo()
        undone += 1
    assert undone == 2
    small = PaintModel(np.zeros((1, 100), np.uint8), history_bytes=1)
    small.apply(at(0, 2, 4), 1)
    assert small.can_undo


def test_new_image_forgets_history_and_the_open_stroke(model):
    model.begin_stroke()
    model.apply(at(0), 1)
    model.new_image(np.full((4, 4), 3, np.uint8))
    assert not model.in_stroke
    assert not model.can_undo
    assert model.codes.shape == (4, 4)


def test_new_image_copies(model):
    codes = np.zeros((2, 2), np.uint8)
    model.new_image(codes)
    model.apply(at(0), 1)
    assert codes[0, 0] == 0


@pytest.mark.parametrize(
    "codes", [np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.int32), np.full((2, 2), 6, np.uint8)]
)
def test_new_image_refuses_what_is_no_mask(model, codes):
    with pytest.raises(ValueError, match="codes 0 to 5"):
        model.new_image(codes)


def test_the_mask_cannot_be_written_around_the_model(model):
    with pytest.raises(ValueError, match="read-only"):
        model.codes[0, 0] = 1


def propose(model, indices, code):
    model.begin_stroke("proposal")
    changed = model.apply(indices, code)
    model.end_stroke()
    return changed


def test_what_is_loaded_and_what_a_person_paints_is_a_persons(model):
    loaded = PaintModel(np.array([[0, 3]], np.uint8))
    assert (loaded.person.tolist(), loaded.labelled) == ([[False, True]], 1)
    model.apply(at(1, 4), 2)
    propose(model, at(5), 2)
    assert model.person.tolist() == [[False, True, False], [False, True, False]]
    model.apply(at(1), 0)
    assert model.person.tolist() == [[False, False, False], [False, True, False]]


def test_what_was_accepted_in_another_session_still_is_no_persons(model):
    model.new_image(np.array([[0, 3, 3, 2]], np.uint8), np.array([[True, True, False, False]]))
    assert model.person.tolist() == [[False, False, True, True]]
    assert model.accepted.tolist() == [[False, True, False, False]]


def test_a_proposal_leaves_a_persons_pixels_alone(model):
    model.apply(at(0), 1)
    assert propose(model, at(0, 1), 2) == 1
    assert propose(model, at(0, 1), 3) == 1
    assert model.codes.tolist() == [[1, 3, 0], [0, 0, 0]]


def test_painting_what_a_proposal_set_makes_it_a_persons_even_in_the_same_class(model):
    propose(model, at(0, 1), 2)
    assert model.apply(at(0), 2) == 1
    assert model.person.tolist()[0] == [True, False, False]
    assert model.apply(at(0), 2) == 0


def test_what_a_proposal_set_is_known_however_often_a_person_painted_over_their_own(model):
    model.apply(at(0), 1)
    model.apply(at(0), 2)
    propose(model, at(1, 2), 3)
    assert model.accepted.tolist() == [[False, True, True], [False, False, False]]


@pytest.mark.parametrize("what", ["undo", "redo", "forget_steps"])
def test_who_shows_the_steps_is_told_where_they_change(model, what):
    model.apply(at(0), 1)
    model.apply(at(1), 1)
    model.undo()
    told = []
    model.history_changed.connect(lambda: told.append((model.can_undo, model.can_redo)))
    getattr(model, what)()
    assert told == [{"undo": (False, True), "redo": (True, False), "forget_steps": (False, False)}[what]]


def test_undo_and_redo_bring_back_whose_a_pixel_was(model):
    propose(model, at(0, 1), 2)
    model.begin_stroke()
    model.apply(at(0), 2)
    model.apply(at(1), 4)
    model.end_stroke()
    model.apply(at(0), 0)
    model.undo()
    assert model.person.tolist()[0] == [True, True, False]
    model.undo()
    assert model.codes.tolist()[0] == [2, 2, 0]
    assert not model.person.any()
    model.redo()
    assert model.person.tolist()[0] == [True, True, False]


def test_a_replaced_stroke_of_a_person_brings_back_whose_a_pixel_was(model):
    propose(model, at(0, 1), 2)
    model.begin_stroke()
    model.replace_stroke(at(0, 1), 2)
    model.replace_stroke(at(1), 2)
    model.end_stroke()
    assert model.person.tolist()[0] == [False, True, False]


def test_what_a_proposal_set_follows_each_edit(model):
    assert model.accepted is None
    propose(model, at(0, 1), 2)
    model.apply(at(0, 5), 3)
    assert model.accepted.tolist() == [[False, True, False], [False, False, False]]
    model.apply(at(1), 3)
    assert model.accepted is None
    model.undo()
    model.undo()
    assert model.accepted.tolist() == [[True, True, False], [False, False, False]]


def test_whose_a_pixel_is_cannot_be_written_around_the_model(model):
    with pytest.raises(ValueError, match="read-only"):
        model.person[0, 0] = True


def test_swap_returns_to_the_class_before(model):
    model.active = 3
    model.active = 5
    model.swap_active()
    assert (model.active, model.previous) == (3, 5)
    model.swap_active()
    assert (model.active, model.previous) == (5, 3)


@pytest.mark.parametrize("tool", ["eraser", "accept"])
def test_choosing_a_class_leaves_what_does_not_paint_it_for_the_tool_before(model, tool):
    model.tool = "fill"
    model.tool = tool
    assert model.tool == tool
    model.active = model.active
    assert model.tool == "fill"


def test_brush_size_stays_within_its_range(model):
    model.brush_size = 0
    assert model.brush_size == 1
    model.brush_size = 999
    assert model.brush_size == 400
    model.step_brush_size(1)
    assert model.brush_size == 400


def test_brush_steps_grow_with_the_brush(model):
    model.brush_size = 1
    model.step_brush_size(2)
    assert model.brush_size == 3
    model.brush_size = 100
    model.step_brush_size(-1)
    assert model.brush_size == 90


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("active", 4),
        ("tool", "polygon"),
        ("brush_size", 40),
        ("locked", frozenset({2})),
        ("only_over", 0),
        ("mask_visible", False),
        ("mask_opacity", 0.25),
        ("mask_outline", True),
    ],
)
def test_each_setting_tells_of_its_change_once(model, name, value):
    seen = []
    getattr(model, f"{name}_changed").connect(seen.append)
    setattr(model, name, value)
    setattr(model, name, value)
    assert seen == [value]


def test_unknown_classes_and_tools_are_refused(model):
    with pytest.raises(ValueError, match="code 9"):
        model.active = 9
    with pytest.raises(ValueError, match="lasso"):
        model.tool = "lasso"


def test_an_open_stroke_can_be_replaced_and_writes_only_the_difference(model):
    model.apply(at(0), 4)
    model.begin_stroke()
    model.replace_stroke(at(0, 1, 2), 2)
    seen = []
    model.edited.connect(lambda *change: seen.append([part.tolist() for part in change]))
    model.replace_stroke(at(1, 3), 2)
    assert seen == [[[0, 2], [2, 2], [4, 0]], [[3], [0], [2]]]
    model.end_stroke()
    assert model.codes.tolist() == [[4, 2, 0], [2, 0, 0]]
    model.undo()
    assert model.codes.tolist() == [[4, 0, 0], [0, 0, 0]]


def test_a_replaced_stroke_honours_locks(model):
    model.apply(at(0), 4)
    model.locked = {4}
    model.begin_stroke()
    assert model.replace_stroke(at(0, 1), 2) == 1
    assert model.replace_stroke(at(0), 2) == 0
    model.end_stroke()
    assert model.codes.tolist() == [[4, 0, 0], [0, 0, 0]]
    assert model.can_undo


def test_without_a_stroke_there_is_nothing_to_replace(model):
    with pytest.raises(ValueError, match="no stroke"):
        model.replace_stroke(at(0), 2)


def test_each_class_has_a_tolerance_of_its_own(model):
    told = []
    model.tolerance_changed.connect(told.append)
    model.active = 4
    model.tolerance = 14
    model.active = 5
    assert model.tolerance == 10
    model.active = 4
    assert model.tolerance == 14
    assert told == [12, 14, 10, 14]


def test_the_tolerance_stays_within_its_range_and_steps_with_the_wand(model):
    model.tolerance = 1000
    assert model.tolerance == 100
    model.tolerance = 0
    assert model.tolerance == 1
    model.tool, size = "wand", model.brush_size
    model.step_size(3)
    assert (model.tolerance, model.brush_size) == (4, size)
    model.tool = "brush"
    model.step_size(1)
    assert (model.tolerance, model.brush_size) == (4, size + 1)


def test_what_erasing_leaves_is_unlabelled_or_a_class(model):
    model.active = 4
    model.toggle_erase_to()
    assert model.erase_to == 4
    model.toggle_erase_to()
    assert model.erase_to == 0
    with pytest.raises(ValueError, match="no class"):
        model.erase_to = 9
