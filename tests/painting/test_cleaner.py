from queue import Queue

import numpy as np
import pytest

from allxai_desktop.painting.cleaner import Cleaner
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.painting.tiles import Tiles


class Setting:
    """A cleaner whose results wait until they are fetched."""

    def __init__(self, codes):
        self.model = PaintModel(np.array(codes, np.uint8))
        self._calls = Queue()
        self.cleaner = Cleaner(self.model, self._calls.put)
        self.previews, self.done = [], []
        self.cleaner.previewed.connect(self.previews.append)
        self.cleaner.done.connect(lambda *told: self.done.append(told))

    def fetch(self):
        """Run what the worker delivers, up to the end of one task."""
        while self.cleaner._tasks.running:
            self._calls.get(timeout=20)()


@pytest.fixture
def start():
    made = []

    def make(codes):
        made.append(Setting(codes))
        return made[-1]

    yield make
    for setting in made:
        setting.cleaner.close()


def test_an_action_is_one_undo_step_and_tells_how_much_it_changed(start):
    setting = start([[0, 0, 0], [0, 1, 0]])
    setting.cleaner.run("grow")
    setting.fetch()
    assert setting.model.codes.tolist() == [[0, 1, 0], [1, 1, 1]]
    assert setting.done == [("grow", 3)]
    setting.model.undo()
    assert np.count_nonzero(setting.model.codes) == 1


def test_seeds_grow_over_the_image_and_change_nothing_without_one(start):
    setting = start([[1, 0, 0, 5]])
    setting.cleaner.run("seeds")
    setting.fetch()
    assert setting.done == [("seeds", 0)]
    image = np.full((1, 4, 3), 200, np.uint8)
    image[:, 3] = 10
    setting.cleaner._pixels = lambda: image
    setting.cleaner.run("seeds")
    setting.fetch()
    assert setting.model.codes.tolist() == [[1, 1, 1, 5]]
    setting.model.undo()
    assert setting.model.codes.tolist() == [[1, 0, 0, 5]]


def test_locks_and_only_over_are_honoured(start):
    setting = start([[0, 4, 5], [0, 1, 0]])
    setting.model.locked = {4}
    setting.cleaner.run("grow")
    setting.fetch()
    assert setting.model.codes.tolist() == [[0, 4, 5], [1, 1, 1]]
    setting.model.only_over = 5
    setting.cleaner.run("grow")
    setting.fetch()
    assert setting.model.codes.tolist() == [[0, 4, 1], [1, 1, 1]]


def test_a_preview_changes_nothing_and_shows_what_would_change(start):
    setting = start([[4, 0], [1, 0]])
    setting.model.locked = {4}
    setting.cleaner.preview("grow")
    setting.fetch()
    assert setting.previews[0] is None
    assert setting.previews[1].tolist() == [3]
    assert not setting.model.can_undo
    setting.cleaner.preview(None)
    assert setting.previews[-1] is None


def test_what_was_painted_meanwhile_stays(start):
    setting = start([[0, 0], [1, 0]])
    setting.cleaner.run("rest")
    setting.model.apply(np.array([0]), 2)
    setting.fetch()
    assert setting.model.codes.tolist() == [[2, 5], [1, 5]]


def test_a_stroke_in_hand_is_a_step_of_its_own(start):
    setting = start([[0, 0, 0], [0, 1, 0]])
    setting.cleaner.run("grow")
    setting.model.begin_stroke()
    setting.model.apply(np.array([0]), 2)
    setting.fetch()
    setting.model.undo()
    assert setting.model.codes.tolist() == [[2, 0, 0], [0, 1, 0]]


def test_the_mask_of_a_slide_is_refused_with_a_sentence(start):
    setting, refused = start([[0]]), []
    setting.model.new_image(Tiles((2, 3)))
    setting.cleaner.refused.connect(refused.append)
    setting.cleaner.run("grow")
    assert len(refused) == 1
    assert not setting.cleaner.running


def test_an_action_on_another_image_is_dropped(start):
    setting = start([[0, 0]])
    setting.cleaner.run("rest")
    setting.model.new_image(np.zeros((1, 2), np.uint8))
    setting.fetch()
    assert not setting.model.codes.any()


def test_what_runs_can_be_cancelled(start):
    setting = start([[0, 0]])
    told = []
    setting.cleaner.running_changed.connect(told.append)
    setting.cleaner.run("rest")
    assert setting.cleaner.running
    setting.cleaner.cancel()
    setting.fetch()
    assert told == [True, False]
    assert not setting.model.codes.any()


def test_a_preview_does_not_count_as_running(start):
    setting = start([[0, 0]])
    told = []
    setting.cleaner.running_changed.connect(told.append)
    setting.cleaner.preview("rest")
    assert not setting.cleaner.running
    setting.cleaner.run("rest")
    assert setting.cleaner.running
    setting.fetch()
    assert told[-2:] == [True, False]
    assert (setting.model.codes == 5).all()


def test_a_preview_does_not_end_what_runs(start):
    setting = start([[0, 0]])
    setting.cleaner.run("rest")
    setting.cleaner.preview("grow")
    setting.cleaner.preview(None)
    setting.fetch()
    assert (setting.model.codes == 5).all()


def test_every_class_or_the_active_one(start):
    setting = start([[5, 5, 5, 5], [5, 1, 4, 5], [5, 5, 5, 5]])
    setting.cleaner.below = 2
    setting.cleaner.run("remove-islands")
    setting.fetch()
    assert setting.model.codes[1].tolist() == [5, 5, 4, 5]
    setting.cleaner.every_class = True
    setting.cleaner.run("remove-islands")
    setting.fetch()
    assert setting.model.codes[1].tolist() == [5, 5, 5, 5]
    setting.cleaner.run("shrink")
    setting.fetch()
    assert (setting.model.codes == 5).all()


def test_the_size_stays_within_its_range(start):
    cleaner = start([[0]]).cleaner
    cleaner.below = 0
    assert cleaner.below == 2
    cleaner.below = 10**6
    assert cleaner.below == 9999
