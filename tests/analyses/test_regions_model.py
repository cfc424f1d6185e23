"""The model of the panel: what it shows while image, mask and choices change under it."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from allxai_desktop.analyses.regions import RegionShapley
from allxai_desktop.analyses.regions_model import RegionsModel
from allxai_desktop.errors import AllxaiError
from allxai_desktop.images import image_from_array
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session
from allxai_desktop.tasks import Cancelled

NETWORK, OTHER = "pbc-mobilenet-v1", "pbc-googlenet"


class Answers:
    """Answers each question when `gate` lets it; the predicted class is the monocyte."""

    def __init__(self):
        self.questions = []
        self.gate = threading.Event()
        self.gate.set()
        self.error = None
        self.ended = threading.Semaphore(0)

    def __call__(self, question, progress):
        self.questions.append(question)
        try:
            progress(0.5)
            assert self.gate.wait(10)
            progress(0.75)
            if self.error:
                raise self.error
        finally:
            self.ended.release()
        target = question.target or "monocyte"
        return RegionShapley(
            {"nucleus": 2.0}, target, "monocyte", 3.0, 1.0, question.fill, question.network, 0.0, 0.1
        )


def image(value=0):
    return image_from_array(np.full((2, 2, 3), value, np.uint8), "cell.png")


@pytest.fixture
def setting(pump):
    paint = PaintModel(np.array([[1, 1], [2, 5]], np.uint8))
    session, answers = Session(paint), Answers()
    session.set_live(False)
    model = RegionsModel(session, pump, answers)
    yield SimpleNamespace(session=session, paint=paint, model=model, answers=answers, pump=pump)
    answers.gate.set()
    model.close()
    session.close()


@pytest.fixture
def asked(setting):
    """With an image and a network, asked once and answered."""
    setting.session.choose(network=NETWORK)
    setting.session.set_image(image())
    setting.model.compute()
    setting.pump.until(lambda: setting.model.state != "computing")
    assert setting.model.state == "result"
    return setting


def test_it_says_what_is_missing_and_computes_nothing_before(setting):
    model, missing = setting.model, []
    missing.append(model.missing)
    setting.session.set_image(image())
    missing.append(model.missing)
    setting.paint.apply(np.arange(4), 0)
    setting.session.choose(network=NETWORK)
    missing.append(model.missing)
    model.compute()
    assert missing == ["image", "network", "labels"]
    assert model.state == "empty"
    setting.paint.apply(np.arange(1), 3)
    assert model.missing is None


def test_a_result_arrives_with_progress(setting):
    shares, states = [], []
    setting.session.choose(network=NETWORK)
    setting.session.set_image(image())
    setting.model.progressed.connect(shares.append)
    setting.model.changed.connect(lambda: states.append(setting.model.state))
    setting.model.compute()
    setting.pump.until(lambda: setting.model.state != "computing")
    assert shares == [0, 0.5, 0.75]
    assert states == ["computing", "result"]
    assert setting.model.result.values == {"nucleus": 2.0}
    assert setting.model.target_title == "Monocyte"


def test_it_is_asked_about_the_mask_as_it_was_at_the_start(setting):
    setting.session.choose(network=NETWORK, target="lymphocyte")
    setting.session.set_image(image())
    setting.answers.gate.clear()
    setting.model.compute()
    setting.paint.apply(np.array([3]), 1)
    setting.answers.gate.set()
    setting.pump.until(lambda: setting.model.state != "computing")
    (question,) = setting.answers.questions
    assert question.codes.tolist() == [[1, 1], [2, 5]]
    assert (question.network, question.target, question.fill) == (NETWORK, "lymphocyte", "background")
    assert (setting.model.state, setting.model.outdated) == ("stale", ("mask",))


def test_a_stroke_makes_it_out_of_date_and_undoing_it_does_not(asked):
    asked.paint.begin_stroke()
    asked.paint.apply(np.array([3]), 1)
    assert asked.model.outdated == ("mask",)
    asked.paint.end_stroke()
    assert asked.model.state == "stale"
    asked.paint.undo()
    assert (asked.model.state, asked.model.outdated) == ("result", ())


@pytest.mark.parametrize(
    ("change", "part"), [({"network": OTHER}, "network"), ({"target": "lymphocyte"}, "target")]
)
def test_another_choice_makes_it_out_of_date_until_it_is_taken_back(asked, change, part):
    asked.session.choose(**change)
    assert asked.model.outdated == (part,)
    asked.session.choose(network=NETWORK, target=None)
    assert asked.model.state == "result"


def test_choosing_the_predicted_class_by_its_name_changes_nothing(asked):
    asked.session.choose(target="monocyte")
    assert asked.model.state == "result"


def test_another_fill_makes_it_out_of_date(asked):
    asked.model.fill = "blur"
    assert asked.model.outdated == ("fill",)
    asked.model.compute()
    asked.pump.until(lambda: asked.model.state != "computing")
    assert asked.model.result.fill == "blur"


def test_another_image_hides_it_and_the_way_back_shows_it_again(asked):
    codes = asked.paint.codes.copy()
    asked.paint.new_image(np.ones((2, 2), np.uint8))
    asked.session.set_image(image(9))
    assert (asked.model.state, asked.model.result) == ("empty", None)
    asked.paint.new_image(codes)
    asked.session.set_image(image())
    assert asked.model.state == "result"


def test_another_image_ends_the_computation(setting):
    setting.session.choose(network=NETWORK)
    setting.session.set_image(image())
    setting.answers.gate.clear()
    setting.model.compute()
    assert setting.model.state == "computing"
    setting.session.set_image(image(9))
    assert setting.model.state == "empty"


def test_cancelled_it_keeps_the_result_before(asked):
    stopped = []
    answers = asked.answers

    def watched(question, progress):
        try:
            return answers(question, progress)
        except Cancelled:
            stopped.append(question)
            raise

    asked.model._answer = watched
    answers.gate.clear()
    asked.model.fill = "blur"
    asked.model.compute()
    asked.pump.until(lambda: len(answers.questions) == 2)
    asked.model.cancel()
    assert (asked.model.state, asked.model.result.fill) == ("stale", "background")
    answers.gate.set()
    asked.model.close()
    assert len(stopped) == 1


def test_a_failure_is_told_in_its_own_words_until_the_next_start(setting):
    setting.session.choose(network=NETWORK)
    setting.session.set_image(image())
    setting.answers.error = AllxaiError("Choose another network.")
    setting.model.compute()
    setting.pump.until(lambda: setting.model.state != "computing")
    assert (setting.model.state, setting.model.message) == ("empty", "Choose another network.")
    setting.answers.error = None
    setting.model.compute()
    assert setting.model.message == ""


def test_automatic_it_follows_the_image_and_each_stroke_when_it_ends(setting):
    setting.session.choose(network=NETWORK)
    setting.model.automatic = True
    setting.session.set_image(image())
    setting.pump.until(lambda: setting.model.state == "result")
    setting.paint.begin_stroke()
    setting.paint.apply(np.array([3]), 1)
    assert setting.model.state == "stale"
    setting.paint.apply(np.array([2]), 1)
    setting.paint.end_stroke()
    setting.pump.until(lambda: setting.model.state == "result")
    assert [question.codes.tolist() for question in setting.answers.questions] == [
        [[1, 1], [2, 5]],
        [[1, 1], [1, 1]],
    ]


def test_automatic_it_does_not_repeat_what_failed_or_was_cancelled(setting):
    setting.answers.error = AllxaiError("Choose another network.")
    setting.session.choose(network=NETWORK)
    setting.model.automatic = True
    setting.session.set_image(image())
    setting.pump.until(lambda: setting.model.state != "computing")
    assert len(setting.answers.questions) == 1
    setting.model.fill = "blur"
    assert setting.model.state == "computing"
    setting.model.cancel()
    assert setting.model.state == "empty"


def test_a_brush_event_under_an_outdated_result_tells_nobody(asked):
    asked.paint.begin_stroke()
    asked.paint.apply(np.array([3]), 1)
    told = []
    asked.model.changed.connect(lambda: told.append(1))
    asked.paint.apply(np.array([2]), 1)
    assert told == []
