"""The trust model: figures that follow the session, checks that run one after another and grow old."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from allxai_desktop.analyses.stability import Stability
from allxai_desktop.analyses.trust import TrustModel, verdicts
from allxai_desktop.errors import AllxaiError
from allxai_desktop.images import image_from_array
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session

RELEVANCE = np.array([[3, 1], [-5, 4]], np.float32)


class FakeEngine:
    """Explains every image with `RELEVANCE`."""

    undefined = None

    def explain(self, image, choices, progress):
        relevance = None if self.undefined else RELEVANCE
        explanation = SimpleNamespace(
            relevance=relevance,
            undefined=self.undefined,
            target=choices.target or "blast",
            explainer=choices.explainer,
            settings={},
            prediction=None,
            conservation=0.5 if choices.explainer == "deep-taylor" else None,
        )
        return explanation, None


class FakeChecker:
    """Answers each check with what was asked, when `gate` lets it."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.asked = []
        self.error = None

    def run(self, check, subject, progress):
        self.asked.append((check, subject.explainer))
        progress(0.5)
        assert self.gate.wait(10)
        progress(0.75)
        if self.error:
            raise self.error
        return f"{check} of {subject.explainer}"

    def twin(self, subject):
        return "the same" if subject.explainer == "lrp-z" else None


@pytest.fixture
def setting(pump):
    engine, checker = FakeEngine(), FakeChecker()
    session = Session(PaintModel(np.array([[1, 5], [5, 4]], np.uint8)), engine, pump)
    model = TrustModel(session, pump, checker)
    session.choose(network="net", explainer="gradient")
    yield SimpleNamespace(session=session, model=model, checker=checker, engine=engine, pump=pump)
    checker.gate.set()
    model.close()
    session.close()


def show(setting, value=0, **choices):
    setting.session.set_image(image_from_array(np.full((2, 2, 3), value, np.uint8), "cell.png"))
    choose(setting, **choices)


def choose(setting, **choices):
    if choices:
        setting.session.choose(**choices)
    setting.pump.until(lambda: not setting.session.busy)


def finish(setting):
    setting.pump.until(lambda: setting.model.running is None)


def test_without_a_map_it_says_what_to_do_and_runs_nothing(setting):
    setting.model.run()
    assert setting.model.missing.startswith("There is no map yet")
    assert setting.model.running is None
    assert setting.model.outside is None
    assert setting.model.conservation is None


def test_an_undefined_map_says_why(setting):
    setting.engine.undefined = "The score is negative."
    show(setting)
    assert setting.model.missing == "The score is negative."
    assert setting.model.subject is None


def test_conservation_is_told_where_it_is_promised(setting):
    show(setting)
    assert setting.model.missing is None
    assert setting.model.conservation is None
    choose(setting, explainer="deep-taylor")
    assert setting.model.conservation.figure == "ΣR ÷ logit = 0.50"


def test_outside_is_the_share_of_the_positive_relevance(setting):
    show(setting)
    # Of 3 + 1 + 4, 1 lies on background and 4 on a red cell.
    assert setting.model.outside_share.relevance == pytest.approx(5 / 8)
    assert setting.model.outside_share.area == pytest.approx(3 / 4)


def test_outside_follows_the_brush_and_its_undo(setting):
    show(setting)
    told = []
    setting.model.figures_changed.connect(lambda: told.append(setting.model.outside_share))
    setting.session.paint.begin_stroke()
    setting.session.paint.apply(np.array([3]), 2)
    setting.session.paint.end_stroke()
    assert told[-1].relevance == pytest.approx(1 / 8)
    assert told[-1].area == pytest.approx(1 / 2)
    setting.session.paint.undo()
    assert told[-1].relevance == pytest.approx(5 / 8)


def test_the_rule_of_the_shares_does_not_move_it(setting):
    show(setting, rule="top-q")
    assert setting.model.outside_share.relevance == pytest.approx(5 / 8)


def test_all_checks_run_one_after_another(setting):
    show(setting)
    setting.model.run()
    assert setting.model.running == "faithfulness"
    assert setting.model.waiting == ("stability", "randomisation")
    finish(setting)
    assert [state.result for state in setting.model.checks.values()] == [
        "faithfulness of gradient",
        "stability of gradient",
        "randomisation of gradient",
    ]


def test_all_checks_are_those_without_a_result(setting):
    show(setting)
    setting.model.run("stability")
    finish(setting)
    assert setting.model.missing_checks == ("faithfulness", "randomisation")
    setting.model.run()
    finish(setting)
    assert [check for check, _explainer in setting.checker.asked] == [
        "stability",
        "faithfulness",
        "randomisation",
    ]


def test_one_check_can_be_run_alone_and_queues_once(setting):
    show(setting)
    setting.model.run("stability")
    setting.model.run("stability")
    setting.model.run("randomisation")
    setting.model.run("randomisation")
    finish(setting)
    assert setting.checker.asked == [("stability", "gradient"), ("randomisation", "gradient")]
    assert setting.model.checks["faithfulness"].result is None


def test_progress_is_told(setting):
    show(setting)
    told = []
    setting.model.progressed.connect(told.append)
    setting.model.run("stability")
    finish(setting)
    assert told == [0.0, 0.5, 0.75]


def test_another_map_makes_results_outdated_and_coming_back_renews_them(setting):
    show(setting)
    setting.model.run("stability")
    finish(setting)
    choose(setting, explainer="grad-cam")
    state = setting.model.checks["stability"]
    assert state.result == "stability of gradient"
    assert state.outdated
    choose(setting, explainer="gradient")
    assert not setting.model.checks["stability"].outdated
    choose(setting, target="other")
    assert setting.model.checks["stability"].outdated


def test_the_rule_and_a_stroke_leave_results_as_they_are(setting):
    show(setting)
    setting.model.run("stability")
    finish(setting)
    choose(setting, rule="mean")
    setting.session.paint.apply(np.array([3]), 2)
    assert not setting.model.checks["stability"].outdated


def test_results_of_another_image_are_not_shown(setting):
    show(setting)
    setting.model.run("stability")
    finish(setting)
    show(setting, value=7)
    assert setting.model.checks["stability"].result is None
    show(setting, value=0)
    assert setting.model.checks["stability"].result == "stability of gradient"


def test_another_map_cancels_what_runs(setting):
    show(setting)
    setting.checker.gate.clear()
    setting.model.run()
    choose(setting, explainer="grad-cam")
    setting.checker.gate.set()
    assert setting.model.running is None
    assert setting.model.waiting == ()
    # A check that is asked for afterwards ends after the one that was cancelled.
    setting.model.run("stability")
    finish(setting)
    assert setting.model.checks["faithfulness"].result is None
    assert setting.model.checks["stability"].result == "stability of grad-cam"


def test_cancel_drops_what_waits_too(setting):
    show(setting)
    setting.checker.gate.clear()
    setting.model.run()
    setting.model.cancel()
    setting.checker.gate.set()
    assert setting.model.running is None
    assert setting.model.waiting == ()


def test_an_error_is_told_and_the_next_check_runs(setting):
    show(setting)
    setting.checker.error = AllxaiError("Choose another network.")
    setting.model.run("stability")
    finish(setting)
    assert setting.model.checks["stability"].error == "Choose another network."
    setting.checker.error = None
    setting.model.run("stability")
    finish(setting)
    assert setting.model.checks["stability"].error is None


def test_the_twin_of_a_map_comes_with_it(setting):
    show(setting, explainer="lrp-z")
    setting.pump.until(lambda: setting.model.twin is not None)
    assert setting.model.twin == "the same"
    choose(setting, explainer="gradient")
    assert setting.model.twin is None


def test_faithfulness_has_a_sentence_a_curve():
    curves = SimpleNamespace(
        deletion=np.array([1.0, 0]),
        deletion_auc=0.1,
        insertion_auc=0.1,
        random_aucs=np.array([0.4, 0.6]),
    )
    assert [verdict.level for verdict in verdicts("faithfulness", curves)] == ["good", "poor"]
    assert [verdict.level for verdict in verdicts("stability", Stability((1.0,), (1.0,)))] == ["good"]
