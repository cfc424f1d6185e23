"""Which images of a study are learnt from, and when."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from psygnal import Signal

from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.proposing import lesson_model, proposer
from allxai_desktop.proposing.lesson_model import LessonModel
from allxai_desktop.proposing.lessons import Lesson
from allxai_desktop.study.folder import StudyItem
from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import ItemProgress


class Space:
    item_shown = Signal(int)

    def __init__(self, items):
        self.study = SimpleNamespace(items=items)
        self.index = None


class FakeStudy:
    item_changed = Signal(int)

    def __init__(self, items):
        self.workspace = Space(items)
        self.states = ["to-do"] * len(items)
        self.person = Person("A07")
        self.annotator = "A07"
        self.mask = "a"
        self.looked_at = 0

    def item(self, row):
        self.looked_at += 1
        return ItemProgress(self.states[row], self.annotator, mask_sha256=self.mask)

    def show(self, row):
        self.workspace.index = row
        self.workspace.item_shown.emit(row)

    def become(self, row, state):
        self.states[row] = state
        self.item_changed.emit(row)


def a_lesson():
    ones = np.ones((1, 1), np.float32)
    return Lesson(ones, np.zeros((1, 5), np.float32), np.array([0]), ones[0])


class Desk:
    def __init__(self, pump, count=30):
        self.pump, self.asked, self.told = pump, [], []
        self.study = FakeStudy([StudyItem(str(row), Path(f"{row}.png"), Path()) for row in range(count)])
        self.model = LessonModel(self.study, pump, self.teach)
        self.model.correction_changed.connect(self.told.append)

    def teach(self, item):
        self.asked.append(int(item.stem))
        return a_lesson()

    def settle(self):
        self.pump.until(lambda: not self.model.busy)


@pytest.fixture
def desk(pump):
    made = Desk(pump)
    yield made
    made.model.close()


@pytest.fixture
def taught(desk):
    """The same: image 2 is submitted, 3 is shown, and what there was to learn is learnt."""
    desk.study.states[2] = "submitted"
    desk.study.show(3)
    desk.settle()
    return desk


def test_nothing_is_learnt_where_nothing_is_finished(desk):
    desk.study.show(3)
    desk.settle()

    assert desk.asked == []
    assert desk.told == []


def test_an_image_that_is_submitted_is_learnt_from_in_the_next(desk):
    desk.study.show(3)
    desk.study.become(2, "submitted")
    desk.settle()

    assert desk.asked == [2]
    assert desk.told == [desk.model.correction]
    assert desk.model.correction is not None


def test_the_image_that_is_shown_teaches_nothing_about_itself(desk):
    desk.study.show(3)
    desk.study.become(3, "submitted")
    desk.settle()

    assert desk.asked == []


def test_the_nearest_ten_are_learnt_from(desk):
    desk.study.states = ["approved"] * 30
    desk.study.show(4)
    desk.settle()

    assert desk.asked == [3, 5, 2, 6, 1, 7, 0, 8, 9, 10]


def test_a_lesson_is_learnt_once(desk):
    desk.study.states[2] = desk.study.states[6] = "submitted"
    for row in (3, 4, 5):
        desk.study.show(row)
        desk.settle()

    assert sorted(desk.asked) == [2, 6]


def test_the_same_images_in_another_order_teach_nothing_new(desk):
    desk.study.states[2] = desk.study.states[6] = "submitted"
    for row in (3, 5):
        desk.study.show(row)
        desk.settle()

    assert len(desk.told) == 1


def test_a_nearer_image_that_is_submitted_takes_the_place_of_the_farthest(desk):
    desk.study.states[6:] = ["submitted"] * 24
    desk.study.show(4)
    desk.settle()
    desk.study.become(2, "approved")
    desk.settle()

    assert desk.asked == [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 2]
    assert len(desk.told) == 2


def test_a_study_with_thousands_of_images_is_not_looked_through_for_each_of_them(pump):
    study = FakeStudy([StudyItem(str(row), Path(f"{row}.png"), Path()) for row in range(2000)])
    model = LessonModel(study, pump, lambda _item: a_lesson())
    study.show(0)
    study.looked_at = 0
    study.states = ["in-progress"] * 1000 + ["approved"] * 1000
    for row in range(2000):
        study.item_changed.emit(row)

    # Each once, and all a few times for the ten that are nearest.
    assert study.looked_at < 50_000
    model.close()


def test_nothing_is_learnt_while_no_correction_is_wanted(desk):
    desk.model.active = False
    desk.study.states[2] = "submitted"
    desk.study.show(3)
    desk.settle()
    assert desk.asked == []

    desk.model.active = True
    desk.settle()
    assert desk.asked == [2]


def test_what_another_study_taught_is_forgotten_also_while_no_correction_is_wanted(taught):
    taught.model.active = False
    taught.study.states[2] = "to-do"
    taught.study.show(0)

    assert taught.model.correction is None


def test_what_others_submit_teaches_from_the_next_image_on(taught):
    taught.study.annotator = "B02"
    taught.study.become(4, "submitted")
    taught.settle()
    assert taught.asked == [2]
    taught.study.show(5)
    taught.settle()
    assert taught.asked == [2, 4]


def test_another_mask_is_another_lesson(taught):
    taught.study.mask = "b"
    taught.study.become(2, "submitted")
    taught.settle()

    assert taught.asked == [2, 2]


def test_what_is_returned_is_unlearnt(taught):
    taught.study.become(2, "returned")
    taught.settle()

    assert taught.model.correction is None
    assert taught.told[1:] == [None]


def correction_by(folder, pump):
    """What an image that was submitted, `0.png` with the mask `0.npz`, teaches about another."""
    study = FakeStudy([StudyItem(str(row), folder / f"{row}.png", folder / "0.npz") for row in range(2)])
    study.states[0] = "submitted"
    model = LessonModel(study, pump)
    study.show(1)
    pump.until(lambda: not model.busy)
    model.close()
    return model.correction


def write_finished(folder, pixels, codes):
    Image.fromarray(pixels).save(folder / "0.png")
    save_mask(folder / "0.npz", codes, image=read_image(folder / "0.png"))


def test_an_image_that_cannot_be_read_teaches_nothing(pump, tmp_path):
    assert correction_by(tmp_path, pump) is None


def test_a_mask_that_was_cut_off_teaches_nothing(pump, tmp_path):
    write_finished(tmp_path, np.zeros((24, 24, 3), np.uint8), np.full((24, 24), 5, np.uint8))
    mask = tmp_path / "0.npz"
    mask.write_bytes(mask.read_bytes()[:100])

    assert correction_by(tmp_path, pump) is None


def test_a_finished_image_is_read_with_its_mask(pump, tmp_path, monkeypatch):
    monkeypatch.setattr(proposer, "five_class_network", lambda: None)
    pixels = np.full((24, 24, 3), 230, np.uint8)
    pixels[6:18, 6:18] = (80, 40, 130)
    write_finished(tmp_path, pixels, np.where(pixels[..., 0] < 100, np.uint8(1), np.uint8(5)))

    assert correction_by(tmp_path, pump) is not None


def test_a_mask_larger_than_what_gets_a_proposal_teaches_nothing(pump, tmp_path, monkeypatch):
    monkeypatch.setattr(lesson_model, "LARGEST", 24 * 24 - 1)
    write_finished(tmp_path, np.zeros((24, 24, 3), np.uint8), np.full((24, 24), 5, np.uint8))

    assert correction_by(tmp_path, pump) is None
