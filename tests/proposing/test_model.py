import threading
from queue import Queue

import numpy as np
import pytest

from allxai_desktop.errors import AllxaiError
from allxai_desktop.images import image_from_array
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.proposing import model as module
from allxai_desktop.proposing.model import ProposalModel
from allxai_desktop.proposing.proposal import Proposal

SHAPE = (4, 6)
FIRST = np.repeat(np.array([[1, 1, 2, 2, 5, 5]], np.uint8), 4, axis=0)


class Learner:
    """Proposes nucleus, cytoplasm and background in strips; once taught, the code of the last pixel everywhere.

    A correction is the code that it proposes in place of the strips.
    """

    def __init__(self, image):
        self.taught = []
        self.correction = None
        self.gate = threading.Event()
        self.gate.set()

    def corrected(self, correction):
        self.correction = correction
        return self

    def start(self):
        first = FIRST.copy() if self.correction is None else np.full(SHAPE, self.correction, np.uint8)
        source = "classical" if self.correction is None else "study"
        return Proposal(first, np.full(SHAPE, 0.9, np.float32), source)

    def update(self, codes, person):
        assert self.gate.wait(20)
        self.taught.append(np.where(person, codes, 0))
        newest = np.full(SHAPE, codes[person][-1], np.uint8)
        return Proposal(newest, np.zeros(SHAPE, np.float32), "classifier")


class Speckled(Learner):
    """Proposes background with one pixel of nucleus, whatever it learns."""

    def start(self):
        codes = np.full(SHAPE, 5, np.uint8)
        codes[1, 2] = 1
        return Proposal(codes, np.zeros(SHAPE, np.float32), "network")

    def update(self, codes, person):
        return self.start()


class Setting:
    def __init__(self, codes=None, make=Learner, **options):
        self.calls = Queue()
        self.learners = []
        self.paint = PaintModel(np.zeros(SHAPE, np.uint8) if codes is None else codes)
        self.proposals = ProposalModel(self.paint, self.calls.put, self.learner(make), **options)
        self.seen = []
        self.proposals.proposal_changed.connect(
            lambda proposal: self.seen.append(None if proposal is None else proposal.source)
        )
        self.image = image_from_array(np.zeros((*SHAPE, 3), np.uint8), "cell.png")

    def learner(self, make):
        def made(image):
            self.learners.append(make(image))
            return self.learners[-1]

        return made

    def open(self):
        self.proposals.set_image(self.image)
        self.settle()

    def settle(self):
        while self.proposals.busy:
            self.calls.get(timeout=20)()
        while not self.calls.empty():
            self.calls.get()()


@pytest.fixture
def setting():
    made = Setting()
    yield made
    made.proposals.close()


@pytest.fixture
def opened(setting):
    setting.open()
    return setting


def at(*indices):
    return np.array(indices, np.int64)


def test_a_proposal_comes_on_opening(setting):
    busy = []
    setting.proposals.busy_changed.connect(busy.append)
    setting.open()
    assert setting.seen == ["classical"]
    assert busy == [True, False]
    assert (setting.proposals.ghost().reshape(SHAPE) == FIRST).all()


def test_a_proposal_has_no_specks_but_those_that_a_person_painted():
    setting = Setting(make=Speckled)
    setting.open()
    assert (setting.proposals.ghost() == 5).all()
    setting.paint.apply(at(0), 4)
    setting.settle()
    assert setting.proposals.accept_all() == 23
    assert (setting.paint.codes.reshape(-1) == [4] + [5] * 23).all()
    setting.proposals.close()


def test_what_the_study_teaches_corrects_the_proposal_that_is_shown(opened):
    opened.proposals.set_correction(4)
    opened.settle()
    assert opened.seen == ["classical", "study"]
    assert (opened.proposals.ghost() == 4).all()


def test_what_the_study_taught_before_corrects_the_next_proposal(setting):
    setting.proposals.set_correction(4)
    setting.open()
    assert setting.seen == ["study"]


def test_a_correction_begins_anew_with_the_strokes_that_were_painted(opened):
    opened.paint.apply(at(23), 2)
    opened.settle()
    opened.proposals.set_correction(4)
    opened.settle()
    assert opened.seen == ["classical", "classifier", "classifier"]
    assert len(opened.learners) == 1
    assert [taught[3, 5] for taught in opened.learners[0].taught] == [2, 2]


def test_a_complete_mask_gets_a_proposal_only_once_something_is_erased():
    setting = Setting(np.full(SHAPE, 5, np.uint8))
    setting.open()
    assert setting.learners == []
    setting.paint.apply(at(0), 0)
    setting.settle()
    assert setting.seen == ["classical", "classifier"]
    assert np.flatnonzero(setting.proposals.ghost()).tolist() == [0]
    setting.proposals.close()


def test_what_is_labelled_already_teaches_at_once():
    codes = np.zeros(SHAPE, np.uint8)
    codes[0, 0] = 3
    setting = Setting(codes)
    setting.open()
    assert setting.seen == ["classical", "classifier"]
    assert setting.learners[0].taught[0][0, 0] == 3
    setting.proposals.close()


def test_each_stroke_of_a_person_is_learned_from(opened):
    opened.paint.apply(at(23), 2)
    opened.settle()
    assert opened.seen == ["classical", "classifier"]
    assert opened.proposals.ghost().tolist() == [2] * 23 + [0]


def test_strokes_wait_for_the_one_that_is_learned_from_and_are_taken_in_together(opened):
    learner = opened.learners[0]
    learner.gate.clear()
    for index in (1, 2, 3):
        opened.paint.apply(at(index), 4)
    learner.gate.set()
    opened.settle()
    assert [np.count_nonzero(taught) for taught in learner.taught] == [1, 3]


def test_without_a_persons_pixel_it_is_the_first_proposal_again(opened):
    opened.paint.apply(at(23), 2)
    opened.settle()
    opened.paint.undo()
    opened.settle()
    assert opened.seen == ["classical", "classifier", "classical"]
    assert len(opened.learners[0].taught) == 1


def test_the_ghost_shows_only_what_accepting_would_change(opened):
    opened.paint.apply(at(0, 1), 4)
    opened.settle()
    opened.paint.begin_stroke("proposal")
    opened.paint.apply(at(2), 4)
    opened.paint.apply(at(3), 5)
    opened.paint.end_stroke()
    assert opened.proposals.ghost(at(0, 1, 2, 3, 4)).tolist() == [0, 0, 0, 4, 4]
    opened.paint.apply(at(3), 0)
    assert opened.proposals.ghost(at(3)).tolist() == [4]


def test_accepting_all_is_one_step_and_never_over_a_persons_pixels(opened):
    opened.paint.apply(at(0, 1), 2)
    opened.paint.undo()
    opened.paint.redo()
    opened.settle()
    assert opened.proposals.accept_all() == 22
    assert not opened.paint.person[1:].any()
    assert (opened.paint.codes == 2).all()
    opened.settle()
    assert len(opened.learners[0].taught) == 1
    opened.paint.undo()
    assert np.flatnonzero(opened.paint.codes).tolist() == [0, 1]


def test_a_newer_proposal_takes_the_place_of_what_was_accepted(opened):
    opened.proposals.accept_all()
    opened.paint.apply(at(0), 4)
    opened.settle()
    assert opened.proposals.accept_all() == 23
    assert (opened.paint.codes == 4).all()


def test_accepting_honours_locks_and_only_over(opened):
    opened.proposals.accept_class(1)
    opened.paint.set_locked(1, True)
    opened.paint.only_over = 0
    opened.paint.apply(at(2), 3)
    opened.settle()
    assert opened.proposals.accept_all() == 15
    assert (opened.paint.codes[:, :2] == 1).all()


def test_accepting_a_class_leaves_the_others(opened):
    assert opened.proposals.accept_class(2) == 8
    assert np.unique(opened.paint.codes[:, 2:4]).tolist() == [2]
    assert np.count_nonzero(opened.paint.codes) == 8


def test_accepting_with_a_brush_is_one_step_for_a_drag(opened):
    opened.paint.begin_stroke("proposal")
    opened.proposals.accept_at(at(0, 1, 2))
    opened.proposals.accept_at(at(2, 3))
    opened.paint.end_stroke()
    assert opened.paint.codes[0].tolist() == [1, 1, 2, 2, 0, 0]
    opened.paint.undo()
    assert not opened.paint.codes.any()
    assert opened.proposals.accept_at(at(5)) == 1
    assert not opened.paint.in_stroke


def test_what_is_not_shown_is_neither_computed_nor_accepted():
    setting = Setting(visible=False)
    setting.open()
    assert (setting.learners, setting.proposals.accept_all()) == ([], 0)
    setting.proposals.visible = True
    setting.settle()
    assert setting.seen == ["classical"]
    setting.proposals.visible = False
    assert setting.proposals.accept_all() == 0
    assert setting.proposals.next_unsure() is None
    setting.paint.apply(at(0), 2)
    assert not setting.proposals.busy
    setting.proposals.visible = True
    setting.settle()
    assert setting.seen == ["classical", "classifier"]
    setting.proposals.close()


def test_another_image_drops_the_proposal_and_what_is_still_being_made(opened):
    opened.learners[0].gate.clear()
    opened.paint.apply(at(0), 2)
    opened.proposals.set_image(None)
    opened.learners[0].gate.set()
    assert opened.seen == ["classical", None]
    opened.paint.new_image(np.zeros(SHAPE, np.uint8))
    opened.open()
    assert opened.seen == ["classical", None, "classical"]
    assert (opened.proposals.ghost().reshape(SHAPE) == FIRST).all()


def test_a_mask_of_another_size_ends_the_proposal(opened):
    opened.paint.new_image(np.zeros((2, 2), np.uint8))
    assert opened.proposals.proposal is None
    assert opened.proposals.ghost().tolist() == [0, 0, 0, 0]


def test_an_image_that_is_too_large_gets_none(setting, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 23)
    setting.open()
    assert setting.proposals.too_large
    assert setting.learners == []


def test_a_failure_is_told_once_for_an_image():
    class Broken(Learner):
        def start(self):
            raise AllxaiError("No network fits.")

    setting = Setting(make=Broken)
    told = []
    setting.proposals.failed.connect(told.append)
    setting.open()
    setting.paint.apply(at(0), 2)
    setting.settle()
    assert told == ["No network fits."]
    assert len(setting.learners) == 1
    setting.proposals.close()


def test_the_unsure_regions_are_gone_through_in_turn(opened, monkeypatch):
    assert [region.size for region in opened.proposals.unsure] == [24]
    assert opened.proposals.next_unsure().size == 24
    monkeypatch.setattr(module.places, "unsure_regions", lambda doubt, known: (at(1), at(2)))
    opened.paint.apply(at(0), 2)
    opened.settle()
    assert [opened.proposals.next_unsure().tolist() for _round in range(3)] == [[1], [2], [1]]


def test_the_unlabelled_regions_are_gone_through_in_turn_and_again():
    codes = np.full(SHAPE, 5, np.uint8)
    codes[0, 0] = codes[3, 4:] = 0
    setting = Setting(codes, visible=False)
    found = [setting.proposals.next_unlabelled() for _round in range(3)]
    assert [region.tolist() for region in found] == [[0], [22, 23], [0]]
    setting.paint.apply(at(0, 22, 23), 1)
    assert setting.proposals.next_unlabelled() is None
    setting.proposals.close()
