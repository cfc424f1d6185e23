import pytest

from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import PART, ActiveTime, Comment, ItemProgress, Progress
from allxai_desktop.study.states import StateError
from allxai_desktop.study.store import StoreError, StudyStore

A, R = Person("A07"), Person("R01", "reviewer")
PIN = Comment("R01", 3, 4, "Too wide")


@pytest.fixture
def progress(tmp_path):
    return Progress(StudyStore.open(tmp_path))


def actions(progress):
    return [(entry.action, entry.person, entry.mask_before, entry.mask_after) for entry in progress.trail()]


def test_nothing_is_known_of_a_new_study(progress, tmp_path):
    assert progress.items() == {}
    assert progress.trail() == []
    assert list(tmp_path.iterdir()) == []


def test_from_the_first_stroke_to_approved(progress):
    progress.edited(A, "a.png", None, "m1")
    progress.submit(A, "a.png", "m2")
    progress.approve(R, "a.png", "m2")
    assert progress.items() == {"a.png": ItemProgress("approved", "A07", 0.0, "m2")}
    assert actions(progress) == [
        ("edit", "A07", None, "m1"),
        ("submit", "A07", "m1", "m2"),
        ("approve", "R01", "m2", "m2"),
    ]
    assert [entry.role for entry in progress.trail()] == ["annotator", "annotator", "reviewer"]


def test_the_first_entry_tells_the_mask_that_was_there(progress):
    progress.edited(A, "a.png", "m0", "m1")
    assert actions(progress) == [("edit", "A07", "m0", "m1")]


def test_an_edit_that_leaves_the_mask_as_it_was_is_no_entry(progress, tmp_path):
    progress.edited(A, "a.png", "m0", "m0")
    assert progress.trail() == []
    progress.edited(A, "a.png", "m0", "m1")
    progress.edited(A, "a.png", "m0", "m1")
    assert len(progress.trail()) == 1


def test_a_later_edit_voids_the_approval(progress):
    progress.submit(A, "a.png", "m1")
    progress.approve(R, "a.png", "m1")
    assert progress.edited(A, "a.png", "m1", "m2").state == "in-progress"
    assert progress.items()["a.png"].state == "in-progress"


def test_strokes_that_are_taken_back_leave_an_image_as_it_was_submitted(progress):
    progress.edited(A, "a.png", None, "m1")
    progress.submit(A, "a.png", "m1")
    progress.edited(R, "a.png", None, "m2")
    found = progress.edited(R, "a.png", None, "m1")
    assert (found.state, found.annotator, found.mask_sha256) == ("submitted", "A07", "m1")
    assert actions(progress)[2:] == [("edit", "R01", "m1", "m2"), ("undo", "R01", "m2", "m1")]
    assert progress.approve(R, "a.png", "m1").state == "approved"
    # An approval does not come back with the mask.
    progress.edited(A, "a.png", None, "m2")
    assert progress.edited(A, "a.png", None, "m1").state == "submitted"


def test_strokes_on_a_returned_image_that_are_taken_back_leave_it_returned(progress):
    progress.submit(A, "a.png", "m1")
    progress.send_back(R, "a.png", "m1", PIN)
    progress.edited(A, "a.png", None, "m2")
    found = progress.edited(A, "a.png", None, "m1")
    assert (found.state, found.comments) == ("returned", (PIN,))


def test_a_mask_that_comes_to_be_as_an_earlier_one_is_painted(progress):
    progress.submit(A, "a.png", "m1")
    progress.edited(A, "a.png", None, "m2")
    progress.submit(A, "a.png", "m2")
    progress.edited(R, "a.png", None, "m3")
    assert progress.edited(R, "a.png", None, "m1").state == "in-progress"
    assert actions(progress)[-1] == ("edit", "R01", "m3", "m1")


def test_a_mask_changed_by_other_means_voids_it_too_and_nobody_painted_it(progress):
    progress.submit(A, "a.png", "m1")
    progress.approve(R, "a.png", "m1")
    found = progress.edited(Person("B1"), "a.png", None, "m2", found=True)
    assert (found.state, found.annotator) == ("in-progress", "A07")
    assert actions(progress)[-1] == ("found", "B1", "m1", "m2")


def test_who_touches_the_mask_last_is_its_annotator(progress):
    progress.edited(A, "a.png", None, "m1")
    assert progress.edited(R, "a.png", None, "m2").annotator == "R01"
    progress.submit(R, "a.png", "m2")
    with pytest.raises(StateError, match="R01 painted this image"):
        progress.approve(R, "a.png", "m2")


def test_submitting_the_work_of_another_leaves_it_theirs(progress):
    progress.edited(A, "a.png", None, "m1")
    progress.submit(R, "a.png", "m1")
    assert progress.approve(R, "a.png", "m1").annotator == "A07"


def test_who_submits_what_nobody_is_known_to_have_painted_or_changed_it_has_painted_it(progress):
    progress.edited(None, "a.png", None, "m1")
    assert progress.submit(A, "a.png", "m1").annotator == "A07"
    progress.edited(Person("B02"), "b.png", None, "m1")
    assert progress.submit(A, "b.png", "m2").annotator == "A07"


def test_what_is_refused_leaves_no_trace(progress):
    progress.submit(A, "a.png", "m1")
    with pytest.raises(StateError):
        progress.approve(A, "a.png", "m1")
    assert len(progress.trail()) == 1
    assert progress.items()["a.png"].state == "submitted"


def test_only_the_mask_that_was_submitted_is_approved(progress):
    progress.submit(A, "a.png", "m1")
    with pytest.raises(StateError, match=r"a\.png is not the one that was submitted"):
        progress.approve(R, "a.png", "m2")


def test_a_returned_image_has_its_comment_until_it_is_submitted_again(progress):
    progress.submit(A, "a.png", "m1")
    assert progress.send_back(R, "a.png", "m1", PIN).comments == (PIN,)
    assert progress.items()["a.png"].comments == (PIN,)
    assert progress.trail()[-1].detail == "row 3, column 4: Too wide"
    assert progress.edited(A, "a.png", None, "m2").comments == (PIN,)
    assert progress.submit(A, "a.png", "m2").comments == ()


def test_what_was_overruled_is_in_the_trail(progress):
    progress.submit(A, "a.png", "m1", ("speck nucleus 1 px", "vacuole 2 px"))
    assert progress.trail()[-1].detail == "speck nucleus 1 px; vacuole 2 px"


def test_an_edit_by_nobody_is_recorded(progress):
    assert progress.edited(None, "a.png", None, "m1") == ItemProgress("in-progress", None, 0.0, "m1")
    assert actions(progress) == [("edit", "", None, "m1")]


def test_a_state_that_there_is_not_is_refused(progress):
    progress.edited(A, "a.png", None, "m1")
    with progress.store.writing(PART) as db:
        db.execute("UPDATE items SET state = 'sold'")
    with pytest.raises(StoreError, match="is damaged"):
        progress.items()


def test_the_time_adds_up(progress):
    progress.edited(A, "a.png", None, "m1")
    progress.add_time("a.png", 2.5)
    progress.add_time("a.png", 4)
    assert progress.items()["a.png"].seconds == 6.5


def test_where_nothing_was_recorded_no_time_is_kept(progress, tmp_path):
    progress.add_time("a.png", 2.5)
    assert list(tmp_path.iterdir()) == []


def test_pauses_of_more_than_a_minute_are_not_counted():
    time = ActiveTime()
    for now in (100, 130, 190, 251, 253):
        time.touch(now)
    assert time.take() == 30 + 60 + 2
    time.touch(1000)
    assert time.take() == 0
