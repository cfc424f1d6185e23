"""What is recorded of the work at an image: strokes, those that are taken back, and time."""

import numpy as np
import pytest
from PIL import Image
from study_desk import SIDE, A, R

from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.study import study_model
from allxai_desktop.study.folder import STUDY_FILE, Study
from allxai_desktop.study.people import Person
from allxai_desktop.study.store import STORE_FILE
from allxai_desktop.study.verify import verify


def test_opening_and_looking_write_nothing(desk):
    desk.open()
    desk.show(1)
    desk.close()
    assert not (desk.folder / STORE_FILE).exists()


def test_the_first_stroke_puts_an_image_in_progress(desk):
    desk.open()
    desk.study.person = A
    desk.paint(1, [0])
    assert desk.states() == ["in-progress", "to-do", "to-do"]
    assert desk.trail() == [("edit", "A07", "0.png")]


def test_undo_on_coming_back_voids_what_was_submitted(desk):
    desk.open()
    desk.study.person = A
    desk.paint(5)
    desk.enter()
    desk.pump.until(lambda: desk.space.index == 1)
    desk.show(0)
    desk.space.paint.undo()
    desk.settle()
    assert desk.states()[0] == "in-progress"
    assert desk.trail()[1:] == [("submit", "A07", "0.png"), ("edit", "A07", "0.png")]
    assert not load_mask(desk.folder / "masks" / "0.npz").codes.any()
    assert verify(Study.open(desk.folder)).problems == ()


def test_a_stroke_of_the_reviewer_that_is_taken_back_leaves_the_image_for_them_to_judge(submitted):
    submitted.paint(4, [0])
    assert submitted.states()[0] == "in-progress"
    submitted.space.paint.undo()
    submitted.show(1)
    submitted.show(0)
    submitted.settle()
    assert (submitted.states()[0], submitted.study.item(0).annotator) == ("submitted", "A07")
    assert submitted.study.reviewing
    assert submitted.trail()[-1] == ("undo", "R01", "0.png")


def test_a_stroke_that_is_taken_back_can_be_followed_by_the_judgement(submitted):
    submitted.paint(4, [0])
    submitted.space.paint.undo()
    submitted.settle()
    assert submitted.study.may_return()
    submitted.study.approve()
    submitted.settle()
    assert (submitted.states()[0], submitted.study.item(0).annotator) == ("approved", "A07")


def test_enter_after_a_stroke_that_is_taken_back_submits_nothing_for_the_reviewer(submitted):
    submitted.paint(4, [0])
    submitted.space.paint.undo()
    submitted.settle()
    submitted.enter()
    assert submitted.trail()[-2:] == [("edit", "R01", "0.png"), ("undo", "R01", "0.png")]


def test_a_stroke_after_one_that_was_taken_back_is_recorded_at_once(submitted):
    submitted.paint(4, [0])
    submitted.space.paint.undo()
    submitted.settle()
    submitted.paint(4, [0])
    assert submitted.states()[0] == "in-progress"


@pytest.mark.parametrize(
    ("next_person", "undone"), [(R, False), (None, False), (Person(A.name, "reviewer"), True)]
)
def test_only_who_painted_takes_it_back(desk, next_person, undone):
    desk.open()
    desk.study.person = A
    desk.paint(5)
    desk.study.person = next_person
    assert desk.space.paint.can_undo is undone


def test_a_stroke_is_recorded_before_it_is_known_that_one_was_taken_back(submitted):
    submitted.paint(4, [0])
    submitted.space.paint.undo()
    submitted.study._worker.wait()
    submitted.paint(4, [0])
    assert submitted.states()[0] == "in-progress"


def test_what_was_painted_before_another_person_came_stays_the_work_of_the_first(desk):
    desk.open()
    desk.study.person = A
    desk.paint(1, [0])
    desk.paint(2, [1])
    desk.study.person = R
    desk.show(1)
    assert desk.trail() == [("edit", "A07", "0.png")] * 2
    assert desk.study.item(0).annotator == "A07"


def test_the_time_of_an_image_is_kept_without_its_pauses(desk):
    desk.open()
    desk.study.person = A
    for now in (5, 20, 100):
        desk.now = now
        desk.paint(1 + now % 5, [now % 9])
    desk.now = 110
    desk.show(1)
    desk.settle()
    assert desk.study.item(0).state == "in-progress"
    assert desk.progress.items()["0.png"].seconds == 5 + 15 + 10


def test_the_image_that_is_submitted_first_in_a_folder_keeps_its_time(desk, monkeypatch):
    (desk.folder / STUDY_FILE).unlink()
    desk.open()
    desk.study.person = A
    desk.now = 5.0
    desk.paint()
    monkeypatch.setattr(study_model, "WAIT_S", 3600)
    desk.now = 20.0
    desk.study.enter()
    desk.pump.until(lambda: desk.space.index == 1)
    assert not (desk.folder / STORE_FILE).exists()
    desk.settle()
    assert desk.progress.items()["0.png"].seconds == 5 + 15


def test_an_early_stroke_is_recorded_as_an_edit_of_its_own_image(desk, monkeypatch):
    save_mask(desk.folder / "masks" / "0.npz", np.full((SIDE, SIDE), 5, np.uint8))
    desk.open()
    desk.study.person = A
    monkeypatch.setattr(study_model, "WAIT_S", 3600)
    desk.space.show(1)
    desk.pump.until(lambda: desk.space.index == 1)
    desk.space.paint.apply(np.arange(4), 5)
    desk.settle()
    assert [(entry.item, entry.mask_before) for entry in desk.progress.trail()] == [("1.png", None)]


def test_looking_on_at_the_last_image_after_it_is_submitted_takes_no_time(desk):
    for row in (1, 2):
        desk.progress.submit(A, f"{row}.png", None)
    desk.open()
    desk.study.person = A
    desk.now = 5.0
    desk.paint()
    desk.enter()
    for _second in range(40):
        desk.now += 1
        desk.study.touch()
    desk.show(1)
    assert desk.progress.items()["0.png"].seconds == 5


def test_looking_takes_no_time(submitted):
    submitted.now = 50.0
    before = submitted.progress.items()["0.png"].seconds
    submitted.show(1)
    submitted.settle()
    assert submitted.progress.items()["0.png"].seconds == before


def test_what_was_painted_last_is_recorded_when_the_window_closes(desk):
    desk.open()
    desk.study.person = A
    desk.paint(1, [0])
    desk.paint(2, [1])
    desk.close()
    assert [entry.action for entry in desk.progress.trail()] == ["edit", "edit"]
    assert verify(Study.open(desk.folder)).notes == ()


def test_what_was_painted_last_is_recorded_when_another_study_is_opened(desk, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    for number in range(2):
        Image.new("RGB", (SIDE, SIDE), (number, 9, 0)).save(other / f"{number}.png")
    desk.open()
    desk.study.person = A
    desk.paint(1, [0])
    desk.paint(2, [1])
    desk.space.open(other)
    desk.pump.until(lambda: desk.space.index is not None)
    desk.settle()
    assert [entry.action for entry in desk.progress.trail()] == ["edit", "edit"]
    assert desk.states() == ["to-do", "to-do"]
