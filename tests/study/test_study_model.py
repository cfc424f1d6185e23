"""Working through a study, without a window."""

import errno
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from study_desk import SIDE, A, Desk, R

from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import MaskError, load_mask, save_mask
from allxai_desktop.study import study_model
from allxai_desktop.study.audit import mask_sha256
from allxai_desktop.study.folder import Study
from allxai_desktop.study.locks import PaintingSession, acquire, lock_path
from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import Comment, Progress
from allxai_desktop.study.store import STORE_FILE, ReadOnlyError, StudyStore
from allxai_desktop.study.verify import verify
from allxai_desktop.study.workspace import Workspace

NOTHING_LEFT = "Nothing is left to paint: every image is submitted, somebody else's, or cannot be read."


def test_enter_submits_a_complete_mask_and_shows_the_next_image(desk):
    desk.open()
    desk.study.person = A
    desk.paint()
    desk.enter()
    desk.pump.until(lambda: desk.space.index == 1)
    desk.settle()
    assert desk.states() == ["submitted", "to-do", "to-do"]
    assert desk.trail() == [("edit", "A07", "0.png"), ("submit", "A07", "0.png")]
    assert load_mask(desk.folder / "masks" / "0.npz").codes.all()
    assert verify(Study.open(desk.folder)).problems == ()


def test_the_next_image_is_shown_before_the_last_one_is_recorded_and_closing_records_it(desk, monkeypatch):
    desk.open()
    desk.study.person = A
    desk.paint()
    # Nothing is recorded until somebody waits for it.
    monkeypatch.setattr(study_model, "WAIT_S", 600)
    desk.study.enter()
    desk.pump.until(lambda: desk.space.index == 1)
    assert desk.trail() == [("edit", "A07", "0.png")]
    desk.close()
    assert desk.trail() == [("edit", "A07", "0.png"), ("submit", "A07", "0.png")]


def test_the_next_image_is_read_ahead_before_the_records_are_read(desk, monkeypatch):
    monkeypatch.setattr(study_model, "WAIT_S", 60)
    asked = []
    monkeypatch.setattr(desk.space, "prefetch", asked.append)
    desk.space.open(desk.folder)
    desk.pump.until(lambda: desk.space.index == 0)
    assert asked == [1]


def test_enter_passes_over_an_image_that_cannot_be_read(desk):
    (desk.folder / "1.png").write_bytes(b"no image")
    desk.open()
    desk.study.person = A
    desk.paint()
    desk.enter()
    desk.pump.until(lambda: desk.space.index == 2)
    desk.settle()
    desk.paint()
    desk.enter()
    desk.enter()
    assert desk.states() == ["submitted", "to-do", "submitted"]
    broken = "1.png is not a PNG, JPEG, BMP, TIFF or GIF image: export it as one of these."
    assert desk.notices == [broken, NOTHING_LEFT, NOTHING_LEFT]


def test_who_goes_back_to_an_image_that_cannot_be_read_is_not_led_on(desk):
    for number in (1, 2):
        (desk.folder / f"{number}.png").write_bytes(b"no image")
    desk.open()
    desk.study.person = A
    desk.paint()
    desk.enter()
    desk.pump.until(lambda: NOTHING_LEFT in desk.notices)
    desk.settle()
    desk.notices.clear()
    desk.space.show(2)
    desk.pump.until(lambda: desk.notices)
    assert desk.notices == ["2.png is not a PNG, JPEG, BMP, TIFF or GIF image: export it as one of these."]


def test_a_reviewer_is_led_past_an_image_that_cannot_be_read(desk):
    desk.open()
    desk.study.person = A
    for row in range(3):
        desk.show(row)
        desk.paint()
        desk.enter()
    desk.show(0)
    desk.study.person = R
    (desk.folder / "1.png").write_bytes(b"no image")
    desk.study.approve()
    desk.pump.until(lambda: desk.space.index == 2)
    desk.settle()
    assert desk.states() == ["approved", "submitted", "submitted"]


def test_an_image_that_can_be_read_again_waits_again(desk):
    whole = (desk.folder / "1.png").read_bytes()
    (desk.folder / "1.png").write_bytes(b"no image")
    desk.open()
    failed = []
    desk.space.item_failed.connect(failed.append)
    desk.space.show(1)
    desk.pump.until(lambda: failed)
    assert desk.study.next_row(reviewing=False) == 2
    (desk.folder / "1.png").write_bytes(whole)
    desk.show(1)
    desk.show(0)
    assert desk.study.next_row(reviewing=False) == 1


def test_images_whose_folder_was_gone_for_a_moment_still_wait(desk):
    images, away = desk.folder / "images", desk.folder / "away"
    images.mkdir()
    for path in desk.folder.glob("*.png"):
        path.rename(images / path.name)
    desk.open()
    desk.study.person = A
    desk.paint()
    images.rename(away)
    desk.enter()
    desk.pump.until(lambda: desk.notices)
    assert desk.notices == ["1.png was not found: it may have been moved or renamed."]
    away.rename(images)
    desk.enter()
    desk.pump.until(lambda: desk.space.index == 1)


def test_an_image_on_a_disk_that_does_not_answer_is_said_to_be_unreadable(desk, monkeypatch):
    def no_answer(*_arguments, **_options):
        raise OSError(errno.ENOTCONN, "the share is gone")

    desk.open()
    monkeypatch.setattr(Path, "stat", no_answer)
    desk.space.show(1)
    desk.pump.until(lambda: desk.notices)
    assert desk.notices == ["1.png could not be read (the share is gone): check the disk or the connection."]


def test_what_is_found_stops_the_first_enter_and_the_second_overrules_it(desk):
    desk.open()
    desk.study.person = A
    desk.paint()
    desk.paint(1, [0])
    desk.enter()
    assert [finding.place for finding in desk.study.findings] == [(0, 0)]
    assert desk.space.index == 0
    desk.enter()
    desk.pump.until(lambda: desk.space.index == 1)
    desk.settle()
    assert desk.progress.trail()[-1].detail == "overruled: speck of nucleus, 1 px at row 0, column 0"
    assert desk.study.findings == ()


def test_a_mask_in_which_nothing_is_painted_is_not_submitted_by_any_enter(desk):
    desk.open()
    desk.study.person = A
    desk.enter()
    desk.enter()
    assert desk.states() == ["to-do"] * 3
    assert desk.space.index == 0
    assert desk.notices == ["Nothing is painted yet: paint, or press Y to accept the proposal."] * 2


def test_what_is_found_goes_as_it_is_mended_and_is_not_overruled_by_the_way(desk):
    desk.open()
    desk.study.person = A
    desk.paint()
    desk.paint(1, [0, 21])
    desk.enter()
    desk.paint(5, [21])
    assert [finding.place for finding in desk.study.findings] == [(0, 0)]
    desk.enter()
    assert desk.space.index == 0
    assert len(desk.study.findings) == 1


def test_whoever_did_not_say_who_they_are_is_asked_and_the_mask_is_saved(desk):
    asked = []
    desk.study.person_asked.connect(lambda: asked.append(True))
    desk.open()
    desk.paint()
    desk.enter()
    assert asked == [True]
    assert desk.space.index == 0
    assert not desk.space.unsaved()
    assert desk.states()[0] == "in-progress"


def test_a_plain_folder_becomes_a_study_when_something_is_submitted(desk):
    (desk.folder / "study.toml").unlink()
    desk.open()
    desk.study.person = A
    desk.paint()
    assert not (desk.folder / STORE_FILE).exists()
    desk.enter()
    desk.settle()
    assert (desk.folder / STORE_FILE).exists()
    assert desk.states()[0] == "submitted"


def test_an_image_alone_is_checked_and_saved_and_gets_no_database(desk):
    (desk.folder / "study.toml").unlink()
    desk.open(desk.folder / "1.png")
    desk.study.person = A
    desk.paint()
    desk.enter()
    assert desk.notices == ["1.png is complete and saved."]
    desk.close()
    assert (desk.folder / "masks" / "1.npz").exists()
    assert not (desk.folder / STORE_FILE).exists()


def test_enter_goes_by_what_is_submitted_or_somebody_elses(desk):
    save_mask(desk.folder / "masks" / "1.npz", np.ones((SIDE, SIDE), np.uint8))
    desk.progress.edited(Person("B2"), "1.png", None, "aa")
    desk.open()
    desk.study.person = A
    assert desk.study.next_row(False) == 2
    desk.show(2)
    assert desk.study.next_row(False) == 0


def test_the_end_is_told(desk):
    desk.open()
    desk.study.person = A
    for row in range(3):
        desk.pump.until(lambda row=row: desk.space.index == row)
        desk.settle()
        desk.paint()
        desk.enter()
    assert desk.notices[-1].startswith("Nothing is left to paint")
    assert desk.states() == ["submitted"] * 3


def test_a_reviewer_approves_and_the_next_submitted_image_comes(submitted):
    submitted.progress.submit(A, "2.png", None)
    submitted.show(1)
    submitted.show(0)
    submitted.study.approve()
    submitted.pump.until(lambda: submitted.space.index == 2)
    assert submitted.states() == ["approved", "to-do", "submitted"]


def test_an_annotator_approves_nothing(submitted):
    submitted.study.person = Person("B2")
    submitted.study.approve()
    submitted.settle()
    assert submitted.notices == ["Only a reviewer approves or returns: change your role in “Who are you”."]
    assert submitted.states()[0] == "submitted"


def test_a_returned_image_comes_back_with_its_comment(submitted):
    submitted.study.send_back((2, 3), "Too wide")
    submitted.settle()
    assert submitted.states()[0] == "returned"
    assert submitted.study.item(0).comments == (Comment("R01", 2, 3, "Too wide"),)
    submitted.study.person = A
    submitted.show(2)
    assert submitted.study.next_row(False) == 0


def test_a_returned_image_is_submitted_as_it_was_at_the_second_enter_only(submitted):
    submitted.study.send_back((2, 3), "Too wide")
    submitted.settle()
    submitted.study.person = A
    submitted.show(0)
    submitted.enter()
    assert submitted.states()[0] == "returned"
    assert submitted.notices[-1].startswith("This image was returned, and its mask is as it was: mend it, or")
    submitted.enter()
    assert submitted.states()[0] == "submitted"


def test_a_returned_image_that_is_mended_is_submitted_at_once(submitted):
    submitted.study.send_back((2, 3), "Too wide")
    submitted.settle()
    submitted.study.person = A
    submitted.show(0)
    submitted.paint(4)
    submitted.enter()
    assert submitted.states()[0] == "submitted"


def test_a_later_edit_voids_the_approval_and_says_so(submitted):
    submitted.study.approve()
    submitted.settle()
    submitted.show(0)
    submitted.study.person = A
    submitted.paint(1, [3])
    assert submitted.states()[0] == "in-progress"
    assert "The approval of 0.png is void, for its mask was changed." in submitted.notices


def test_an_approved_mask_changed_outside_is_void_when_it_is_opened(submitted):
    submitted.study.approve()
    submitted.settle()
    submitted.show(1)
    save_mask(submitted.folder / "masks" / "0.npz", np.ones((SIDE, SIDE), np.uint8))
    submitted.show(0)
    assert submitted.states()[0] == "in-progress"
    assert submitted.trail()[-1] == ("found", "R01", "0.png")


def test_a_mask_that_is_not_the_submitted_one_can_be_shown_anew_and_judged(submitted):
    codes = np.ones((SIDE, SIDE), np.uint8)
    save_mask(submitted.folder / "masks" / "0.npz", codes)
    submitted.progress.edited(A, "0.png", None, mask_sha256(codes))
    submitted.progress.submit(A, "0.png", mask_sha256(codes))
    told = []
    submitted.space.noticed.connect(told.append)
    submitted.study.approve()
    submitted.settle()
    (notice,) = told
    assert notice.text == "The mask of 0.png is not the one that was submitted: look at it again."
    notice.action[1]()
    submitted.pump.until(lambda: submitted.space.paint.codes[0, 0] == 1)
    submitted.settle()
    submitted.study.approve()
    submitted.settle()
    assert submitted.states()[0] == "approved"


def test_what_was_not_judged_is_not_shown_anew_in_another_study(submitted, tmp_path_factory):
    save_mask(submitted.folder / "masks" / "0.npz", np.ones((SIDE, SIDE), np.uint8))
    other = tmp_path_factory.mktemp("other")
    Image.new("RGB", (SIDE, SIDE)).save(other / "0.png")
    told = []
    submitted.space.noticed.connect(told.append)
    submitted.progress.edited(A, "0.png", None, "0" * 64)
    submitted.progress.submit(A, "0.png", "0" * 64)
    submitted.study._worker.pause(60)
    submitted.study.approve()
    submitted.space.open(other)
    submitted.pump.until(lambda: submitted.space.study.folder == other and submitted.space.index == 0)
    submitted.settle()
    (notice,) = told
    assert notice.text == "The mask of 0.png is not the one that was submitted: look at it again."
    assert notice.action is None


def test_what_is_submitted_while_it_is_read_stays_submitted(submitted):
    submitted.show(1)
    held = threading.Event()
    submitted.study._worker.run(held.wait, lambda _done: None, lambda: True)
    submitted.space.show(0)
    submitted.pump.until(lambda: submitted.space.index == 0)
    codes = np.ones((SIDE, SIDE), np.uint8)
    save_mask(submitted.folder / "masks" / "0.npz", codes)
    submitted.progress.edited(A, "0.png", None, mask_sha256(codes))
    submitted.progress.submit(A, "0.png", mask_sha256(codes))
    held.set()
    submitted.settle()
    assert submitted.states()[0] == "submitted"
    assert submitted.trail()[-1] == ("submit", "A07", "0.png")


def test_a_copy_that_is_gone_on_with_is_not_taken_for_a_change_of_the_mask(submitted):
    path = submitted.folder / "masks" / "0.npz"
    theirs = acquire(lock_path(path), PaintingSession("0" * 16, "elsewhere", 1, 0.0), "A07")
    submitted.show(1)
    submitted.show(0)
    submitted.paint(1, [3])
    assert submitted.space.mask_path == path.with_name("0-2.npz")
    submitted.show(1)
    submitted.show(0)
    assert submitted.space.paint.codes[0, 3] == 1
    assert submitted.states()[0] == "submitted"
    theirs.release()


def test_an_approved_mask_changed_outside_is_void_when_the_list_sees_it(submitted):
    submitted.study.approve()
    submitted.settle()
    submitted.show(1)
    known = submitted.study.item(0).mask_sha256
    submitted.study.seen_on_disk(0, "an older one")
    submitted.settle()
    assert submitted.states()[0] == "approved"
    save_mask(submitted.folder / "masks" / "0.npz", np.ones((SIDE, SIDE), np.uint8))
    submitted.study.seen_on_disk(0, "another")
    submitted.settle()
    assert submitted.states()[0] == "in-progress"
    assert submitted.study.item(0).mask_sha256 != known


@pytest.fixture
def empty(desk):
    """Return a desk with its second image submitted and approved although nothing is painted in it."""
    progress = Progress(StudyStore.open(desk.folder))
    progress.submit(A, "1.png", None)
    progress.approve(R, "1.png", None)
    desk.open()
    return desk


def test_an_empty_mask_that_an_earlier_version_submitted_is_not_finished_once_it_is_opened(empty):
    empty.show(1)
    assert empty.states()[1] == "in-progress"
    assert "The approval of 1.png is void, for nothing is painted in it." in empty.notices
    empty.study.person = A
    empty.paint()
    empty.enter()
    assert empty.states()[1] == "submitted"
    assert verify(Study.open(empty.folder)).problems == ()


def test_an_empty_mask_that_an_earlier_version_submitted_is_not_finished_once_the_list_sees_it(empty):
    empty.study.seen_on_disk(1, None)
    empty.settle()
    assert empty.states()[1] == "in-progress"
    assert empty.trail()[-1] == ("found", "", "1.png")


def test_enter_on_a_submitted_image_goes_on(submitted):
    submitted.study.person = A
    submitted.enter()
    submitted.pump.until(lambda: submitted.space.index == 1)
    assert submitted.states()[0] == "submitted"


def test_enter_again_before_the_first_is_recorded_submits_once(desk, monkeypatch):
    for name in ("1.png", "2.png"):
        (desk.folder / name).unlink()
    desk.open()
    desk.study.person = A
    desk.paint()
    monkeypatch.setattr(study_model, "WAIT_S", 600)
    for _time in range(2):
        desk.study.enter()
        desk.study._check.wait()
        desk.pump.run()
    desk.settle()
    assert desk.trail() == [("edit", "A07", "0.png"), ("submit", "A07", "0.png")]
    assert desk.notices == [NOTHING_LEFT]


def test_approving_twice_before_the_next_image_is_there_approves_once(submitted):
    submitted.study.approve()
    submitted.study.approve()
    submitted.settle()
    submitted.study.approve()
    submitted.settle()
    assert [entry[0] for entry in submitted.trail()] == ["edit", "submit", "approve"]
    assert set(submitted.notices) == {"Nothing is left to judge."}


def test_a_folder_that_may_not_be_written_says_so_once(desk, monkeypatch):
    def refuse(store, part):
        raise ReadOnlyError("may not be written")

    monkeypatch.setattr(StudyStore, "writing", refuse)
    desk.open()
    desk.study.person = A
    desk.paint(1, [0])
    desk.show(1)
    desk.paint(1, [0])
    assert desk.notices == ["may not be written"]
    assert desk.space.paint.codes[0, 0] == 1


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (True, "Its mask is not saved yet, but your strokes are kept: submit it again once it is saved."),
        (False, "Its mask could not be saved."),
    ],
)
def test_a_mask_that_was_not_saved_is_not_submitted(desk, monkeypatch, kept, reason):
    monkeypatch.setattr(Workspace, "kept", kept)
    desk.open()
    desk.study.person = A
    desk.paint()
    monkeypatch.setattr("allxai_desktop.study.keeper.put_mask", _full)
    desk.paint(4)
    desk.enter()
    desk.settle()
    assert desk.states()[0] == "in-progress"
    assert desk.notices[-1] == f"0.png was not submitted. {reason}"


def test_that_a_mask_was_not_submitted_is_taken_back_once_it_is(desk, monkeypatch):
    unsaid = []
    desk.study.unsaid.connect(lambda notice: unsaid.append(notice.text))
    desk.open()
    desk.study.person = A
    desk.paint()
    with monkeypatch.context() as full:
        full.setattr("allxai_desktop.study.keeper.put_mask", _full)
        desk.paint(4)
        desk.enter()
        desk.settle()
    assert unsaid == []
    desk.show(0)
    desk.paint(5)
    desk.enter()
    desk.settle()
    assert desk.states()[0] == "submitted"
    assert unsaid == [text for text in desk.notices if text.startswith("0.png was not submitted")]


def _full(path, _data):
    raise MaskError(f"{path.name} cannot be written: the disk is full.")


def test_from_a_refused_submission_it_is_one_step_back_to_the_image(desk, monkeypatch):
    told = []
    desk.space.noticed.connect(told.append)
    desk.open()
    desk.study.person = A
    desk.paint()
    monkeypatch.setattr("allxai_desktop.study.submitting.hash_on_disk", lambda _item: "another")
    desk.enter()
    desk.pump.until(lambda: desk.space.index == 1)
    desk.settle()
    label, go = told[-1].action
    assert label == "Go there"
    go()
    desk.pump.until(lambda: desk.space.index == 0)


def test_a_refused_submission_leads_back_from_another_study(desk, monkeypatch, tmp_path):
    told = []
    desk.space.noticed.connect(told.append)
    desk.open()
    first = desk.space.study
    desk.show(2)
    desk.study.person = A
    desk.paint()
    monkeypatch.setattr("allxai_desktop.study.submitting.hash_on_disk", lambda _item: "another")
    desk.enter()
    second = tmp_path / "second"
    second.mkdir()
    Image.new("RGB", (SIDE, SIDE)).save(second / "9.png")
    desk.open(second)
    desk.pump.until(lambda: desk.space.image.name == "9.png")
    told[-1].action[1]()
    desk.pump.until(lambda: desk.space.image.name == "2.png")
    assert desk.space.study.folder == first.folder


def test_a_mask_beside_a_file_that_is_none_is_submitted_once_it_has_its_name(desk):
    masks = desk.folder / "masks"
    masks.mkdir()
    (masks / "0.npz").write_bytes(b"no mask")
    desk.open()
    desk.study.person = A
    desk.paint()
    desk.enter()
    assert desk.notices[-1] == (
        "What you paint is saved as 0-2.npz, beside 0.npz, and cannot be submitted so: "
        "leave the right one of the two with the name 0.npz, and open the study again."
    )
    assert desk.states()[0] == "to-do"
    desk.space.save()
    desk.pump.until(lambda: desk.space.saved == "saved")
    (masks / "0-2.npz").replace(masks / "0.npz")
    desk.open()
    desk.show(0)
    desk.enter()
    desk.pump.until(lambda: desk.states()[0] == "submitted")


def test_a_mask_that_was_changed_meanwhile_is_not_called_a_wrong_one(desk):
    desk.open()
    desk.study.person = A
    desk.paint()
    desk.space.save()
    desk.pump.until(lambda: desk.space.saved == "saved")
    theirs = np.full((SIDE, SIDE), 4, np.uint8)
    save_mask(desk.folder / "masks" / "0.npz", theirs, image=desk.space.image)
    desk.paint(3)
    desk.space.save()
    desk.pump.until(lambda: desk.space.mask_path.name == "0-2.npz")
    desk.enter()
    assert desk.notices[-1].startswith("What you paint is saved as 0-2.npz, beside 0.npz")
    assert (load_mask(desk.folder / "masks" / "0.npz", desk.space.image).codes == theirs).all()


def test_the_copy_beside_a_mask_that_somebody_paints_is_not_submitted(desk):
    (desk.folder / "masks").mkdir()
    lock = acquire(lock_path(desk.folder / "masks" / "0.npz"), PaintingSession.new(), "B02")
    desk.open()
    desk.study.person = A
    desk.enter()
    lock.release()
    assert desk.notices[-1] == (
        "B02 paints this image, and a copy, 0-2.npz, cannot be submitted: "
        "to submit yours, choose File › Take over this image."
    )
    assert desk.states()[0] == "to-do"


def test_a_field_whose_crops_are_painted_is_no_image_to_paint(desk):
    crop = sorted(path.name for path in desk.folder.glob("*.png"))[1]
    field = sorted(path.name for path in desk.folder.glob("*.png"))[0]
    entry = f'[[items]]\nimage = "{crop}"\nfield = "{field}"\nat = [0, 0, {SIDE}]\n'
    (desk.folder / "study.toml").write_text(entry, encoding="utf-8")
    desk.open()
    desk.study.person = A
    desk.enter()
    desk.pump.until(lambda: desk.space.index == 1)
    assert desk.states()[0] == "to-do"
    desk.show(2)
    assert desk.study.next_row(False) == 1


@pytest.fixture
def other(folder, pump):
    found = Desk(folder, pump)
    yield found
    found.close()


def test_who_only_looked_cannot_submit_what_somebody_else_painted_meanwhile(desk, other, folder):
    (folder / "masks").mkdir()
    codes, image = np.eye(SIDE, dtype=np.uint8), read_image(folder / "0.png")
    save_mask(folder / "masks" / "0.npz", codes, image=image)
    for one, name in ((desk, "A07"), (other, "B02")):
        one.open()
        one.study.person = Person(name)
    desk.paint()
    assert other.space.paint.codes.sum() == SIDE
    other.enter()
    other.enter()
    other.pump.until(lambda: other.space.index == 1)
    other.settle()
    assert other.notices == [
        "0.png was not submitted. Somebody else painted it after you opened it: look at it again."
    ]
    assert desk.trail() == [("edit", "A07", "0.png")]


def test_a_stroke_that_goes_into_a_copy_leaves_the_submitted_mask_as_it_is(desk, other, folder):
    for one, name in ((desk, "A07"), (other, "B02")):
        one.open()
        one.study.person = Person(name)
    desk.paint()
    desk.enter()
    desk.pump.until(lambda: desk.space.index == 1)
    desk.pump.until(lambda: not list(folder.rglob("*.lock")))
    other.paint(at=[0])
    other.show(1)
    assert "0-2.npz" in other.notices[0]
    assert desk.progress.items()["0.png"].state == "submitted"
    assert desk.trail() == [("edit", "A07", "0.png"), ("submit", "A07", "0.png")]
