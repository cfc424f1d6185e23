import pytest

from allxai_desktop.study.people import Person
from allxai_desktop.study.states import ACTIONS, SIGNS, STATES, STEPS, TITLES, StateError, step

A, R = Person("A07"), Person("R01", "reviewer")


@pytest.mark.parametrize(
    ("before", "action", "who", "after"),
    [
        ("to-do", "edit", A, "in-progress"),
        ("to-do", "submit", A, "submitted"),
        ("in-progress", "submit", A, "submitted"),
        ("submitted", "approve", R, "approved"),
        ("submitted", "return", R, "returned"),
        ("approved", "return", R, "returned"),
        ("returned", "submit", A, "submitted"),
        ("approved", "edit", A, "in-progress"),
        ("approved", "edit", R, "in-progress"),
        ("submitted", "found", A, "in-progress"),
    ],
)
def test_what_leads_where(before, action, who, after):
    assert step(before, action, who, "A07") == after


def test_there_is_no_other_step():
    assert {pair for pair in STEPS if pair[1] not in ("edit", "found")} == {
        ("to-do", "submit"),
        ("in-progress", "submit"),
        ("returned", "submit"),
        ("submitted", "approve"),
        ("submitted", "return"),
        ("approved", "return"),
    }


@pytest.mark.parametrize("action", ["approve", "return"])
def test_an_annotator_judges_nothing(action):
    with pytest.raises(StateError, match="Only a reviewer"):
        step("submitted", action, Person("A08"), "A07")


@pytest.mark.parametrize("action", ["approve", "return"])
def test_nobody_judges_a_mask_of_their_own(action):
    with pytest.raises(StateError, match="R01 painted this image"):
        step("submitted", action, R, "R01")


def test_what_was_not_submitted_is_not_approved():
    with pytest.raises(StateError, match="in progress: only what was submitted can be approved"):
        step("in-progress", "approve", R, "A07")


def test_nothing_is_submitted_twice():
    with pytest.raises(StateError, match="approved: it is submitted already"):
        step("approved", "submit", A, "A07")


def test_every_state_has_a_word_and_a_sign_of_its_own():
    assert set(TITLES) == set(SIGNS) == set(STATES)
    assert len(set(SIGNS.values())) == len(STATES)
    assert {action for _state, action in STEPS} == set(ACTIONS) - {"undo"}


def test_without_a_name_one_may_edit_and_no_more():
    assert step("to-do", "edit", None, None) == "in-progress"
    with pytest.raises(StateError, match="Say who you are"):
        step("in-progress", "submit", None, None)
