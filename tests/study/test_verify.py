import sqlite3
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.study.audit import append, mask_sha256
from allxai_desktop.study.folder import Study
from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import PART, Comment, Progress
from allxai_desktop.study.store import STORE_FILE, StudyStore
from allxai_desktop.study.verify import verify

A, R = Person("A07"), Person("R01", "reviewer")
CODES = np.full((2, 3), 5, np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Return a study of an image approved and one in progress."""
    for name in ("a.png", "b.png"):
        Image.new("RGB", (3, 2)).save(tmp_path / name)
    progress, mask = Progress(StudyStore.open(tmp_path)), mask_sha256(CODES)
    for stem in "ab":
        save_mask(tmp_path / "masks" / f"{stem}.npz", CODES)
    progress.edited(A, "a.png", None, mask)
    progress.submit(A, "a.png", mask)
    progress.approve(R, "a.png", mask)
    progress.edited(None, "b.png", None, mask)
    return tmp_path


def tamper(folder, *statements):
    with closing(sqlite3.connect(folder / STORE_FILE)) as db:
        for name in ("update", "delete"):
            db.execute(f"DROP TRIGGER trail_{name}")
        for statement in statements:
            db.execute(statement)
        db.commit()


def test_an_honest_study_holds(folder):
    found = verify(Study.open(folder))
    assert (found.entries, found.masks, found.problems, found.notes) == (4, 2, (), ())
    assert found.hashes == tuple(entry.hash for entry in Progress(StudyStore.open(folder)).trail())


def test_a_study_without_a_trail_has_nothing_to_check(tmp_path):
    Image.new("RGB", (3, 2)).save(tmp_path / "a.png")
    assert verify(Study.open(tmp_path)).entries == 0
    assert not (tmp_path / STORE_FILE).exists()


def test_the_first_broken_entry_is_named(folder):
    tamper(folder, "UPDATE trail SET person = 'X' WHERE seq IN (2, 3)")
    (sentence,) = verify(Study.open(folder)).problems
    assert sentence.startswith("Entry 2 (submitted, a.png, X, ")


def test_entries_taken_from_the_end_are_told(folder):
    tamper(folder, "DELETE FROM trail WHERE seq = 4", "DELETE FROM items WHERE item = 'b.png'")
    assert verify(Study.open(folder)).problems == ("The last entry was taken away.",)


@pytest.mark.parametrize("change", ["state = 'approved'", "annotator = 'B'", "mask_sha256 = 'ff'"])
def test_a_list_that_says_other_than_the_trail_is_told(folder, change):
    tamper(folder, f"UPDATE items SET {change} WHERE item = 'b.png'")
    assert verify(Study.open(folder)).problems[0].startswith("The list has b.png as ")


def test_an_image_that_the_list_has_lost_is_told(folder):
    tamper(folder, "DELETE FROM items WHERE item = 'a.png'")
    assert verify(Study.open(folder)).problems == ("The list has a.png as to do, and the trail does not.",)


@pytest.mark.parametrize("change", ["UPDATE comments SET text = 'fine'", "DELETE FROM comments"])
def test_a_comment_that_says_other_than_the_trail_is_told(folder, change):
    mask = mask_sha256(CODES)
    Progress(StudyStore.open(folder)).send_back(R, "a.png", mask, Comment("R01", 1, 2, "look"))
    assert verify(Study.open(folder)).problems == ()
    tamper(folder, change)
    assert verify(Study.open(folder)).problems == ("The comments on a.png are not those of the trail.",)


def test_comments_are_done_with_when_the_mask_is_submitted_again(folder):
    progress, mask = Progress(StudyStore.open(folder)), mask_sha256(CODES)
    progress.send_back(R, "a.png", mask, Comment("R01", 1, 2, "look"))
    progress.submit(A, "a.png", mask)
    assert verify(Study.open(folder)).problems == ()


def test_an_image_that_was_exchanged_under_its_mask_is_told(folder):
    save_mask(folder / "masks" / "a.npz", CODES, image=read_image(folder / "a.png"))
    assert verify(Study.open(folder)).problems == ()
    Image.new("RGB", (3, 2), "red").save(folder / "a.png")
    assert verify(Study.open(folder)).problems == (
        "The image a.png is not the one that its mask was painted on.",
    )


def test_an_approved_mask_that_was_changed_is_told(folder):
    save_mask(folder / "masks" / "a.npz", CODES - 1)
    assert verify(Study.open(folder)).problems == ("The mask a.npz is not the one that was approved.",)


def test_an_approved_mask_that_is_gone_is_told(folder):
    (folder / "masks" / "a.npz").unlink()
    assert verify(Study.open(folder)).problems == ("The mask a.npz is missing.",)


def test_what_was_submitted_with_nothing_painted_is_told(folder):
    Image.new("RGB", (3, 2)).save(folder / "c.png")
    progress = Progress(StudyStore.open(folder))
    progress.submit(A, "c.png", None)
    sentence = "c.png was submitted with nothing painted in it: paint it, and submit it again."
    assert verify(Study.open(folder)).problems == (sentence,)
    progress.edited(None, "c.png", None, None, found=True)
    assert verify(Study.open(folder)).problems == ()


def test_a_mask_in_progress_is_painted_on(folder):
    save_mask(folder / "masks" / "b.npz", CODES - 1)
    found = verify(Study.open(folder))
    assert (found.problems, found.notes) == ((), ("b.png was painted on since its last entry.",))


def test_an_approval_by_who_painted_is_no_step(folder):
    # As a program would that writes a sound chain and ignores the rules.
    from allxai_desktop.study import audit
    from allxai_desktop.study.progress import PART

    with StudyStore.open(folder).writing(PART) as db:
        mask = mask_sha256(CODES)
        said = {"person": "A07", "role": "reviewer", "item": "a.png", "mask_before": mask, "mask_after": mask}
        audit.append(db, action="return", **said)
    (sentence,) = verify(Study.open(folder)).problems
    assert sentence.startswith("Entry 5 (returned, a.png, A07, ")
    assert sentence.endswith("is a step that may not be taken.")


def test_a_returned_mask_that_is_painted_on_keeps_its_comments(folder):
    progress, mask = Progress(StudyStore.open(folder)), mask_sha256(CODES)
    progress.submit(A, "b.png", mask)
    progress.send_back(R, "b.png", mask, Comment("R01", 1, 2, "See here."))
    painted = np.full((2, 3), 4, np.uint8)
    save_mask(folder / "masks" / "b.npz", painted)
    progress.edited(A, "b.png", mask, mask_sha256(painted))
    assert verify(Study.open(folder)).problems == ()


def test_strokes_that_were_taken_back_hold_and_a_mask_that_was_not_there_is_no_step(folder):
    progress, mask = Progress(StudyStore.open(folder)), mask_sha256(CODES)
    progress.edited(R, "a.png", None, "b" * 64)
    progress.edited(R, "a.png", None, mask)
    assert progress.items()["a.png"].state == "submitted"
    assert verify(Study.open(folder)).problems == ()
    with progress.store.writing(PART) as db:
        append(
            db, person="A07", role="annotator", item="b.png", action="undo", mask_before=mask, mask_after=mask
        )
    (sentence,) = verify(Study.open(folder)).problems
    assert sentence.startswith("Entry 7 (taken back, b.png, A07, ")
    assert sentence.endswith("is a step that may not be taken.")
