"""The live session: generations, cache, stale results, and shares that follow the brush."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from allxai_desktop import session as session_module
from allxai_desktop.errors import AllxaiError
from allxai_desktop.images import image_from_array
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Demand, Session

RELEVANCE = np.array([[0, 1], [2, 3]], np.float32)


class FakeEngine:
    """Answers with `RELEVANCE`, when `gate` lets it, and counts how often it was asked."""

    def __init__(self):
        self.calls = []
        self.gate = threading.Event()
        self.gate.set()
        self.error = None
        self.undefined = None

    def explain(self, image, choices, progress):
        network, explainer, target = choices.network, choices.explainer, choices.target
        self.calls.append((network, explainer, target))
        if explainer == "lime":
            progress(0.25)
        assert self.gate.wait(10)
        if explainer == "lime":
            progress(0.75)
        if self.error:
            raise self.error
        relevance = None if self.undefined else RELEVANCE
        explanation = SimpleNamespace(
            relevance=relevance,
            target=target or "blast",
            explainer=explainer,
            undefined=self.undefined,
            prediction=f"seen {image.pixels.max()}",
        )
        return explanation, "outside" if network == "other" else None

    def preview(self, image, choices):
        explanation = SimpleNamespace(
            relevance=None, undefined="Press Compute.", prediction=f"seen {image.pixels.max()}", seconds=0.5
        )
        return explanation, None


@pytest.fixture
def setting(pump):
    engine, paint = FakeEngine(), PaintModel(np.array([[1, 1], [2, 5]], np.uint8))
    session = Session(paint, engine, pump)
    session.choose(network="net", rule="mean")
    yield SimpleNamespace(session=session, engine=engine, pump=pump, paint=paint)
    engine.gate.set()
    session.close()


def image(value=0):
    return image_from_array(np.full((2, 2, 3), value, np.uint8), "cell.png")


def test_shares_of_the_mask_alone_are_known_before_any_map(setting):
    setting.session.set_image(image())
    shares = setting.session.shares
    assert shares["nucleus"].area_share == 0.5
    assert shares["nucleus"].relevant is None


def test_result_brings_the_relevance_of_each_class(setting):
    setting.session.set_image(image())
    setting.pump.run_one()
    # Mean 1.5: the pixels with 2 (cytoplasm) and 3 (background) are above it.
    shares = setting.session.shares
    assert [shares[key].relevant for key in ("nucleus", "cytoplasm", "background")] == [0, 1, 1]
    assert shares["cytoplasm"].relevant_share == 0.5
    assert shares["cytoplasm"].enrichment == 2.0


def test_a_stroke_moves_the_shares_without_asking_the_network(setting):
    setting.session.set_image(image())
    setting.pump.run_one()
    setting.paint.begin_stroke()
    setting.paint.apply(np.array([3]), 1)
    assert setting.session.shares["nucleus"].pixels == 3
    assert setting.session.shares["nucleus"].relevant_share == 0.5
    setting.paint.end_stroke()
    setting.paint.undo()
    assert setting.session.shares["nucleus"].relevant_share == 0.0
    assert len(setting.engine.calls) == 1


def test_strokes_made_while_the_network_computes_are_counted(setting):
    setting.engine.gate.clear()
    setting.session.set_image(image())
    setting.paint.apply(np.array([3]), 1)
    setting.engine.gate.set()
    setting.pump.run_one()
    assert setting.session.shares["nucleus"].pixels == 3
    assert setting.session.shares["nucleus"].relevant == 1


def test_a_result_of_an_older_generation_is_dropped(setting):
    setting.engine.gate.clear()
    setting.session.set_image(image())
    setting.session.choose(explainer="gradient")
    setting.engine.gate.set()
    setting.pump.run_one()
    assert setting.session.result is None
    setting.pump.run_one()
    assert setting.session.result.choices.explainer == "gradient"


def test_every_change_raises_the_generation(setting):
    before = setting.session.generation
    setting.session.set_image(image())
    setting.session.choose(target="blast")
    setting.session.choose(target="blast")
    assert setting.session.generation == before + 2


def test_the_same_question_is_answered_from_the_cache(setting):
    setting.session.set_image(image())
    setting.pump.run_one()
    setting.session.choose(rule="positive-mass")
    setting.pump.run_one()
    setting.session.choose(target="blast")
    setting.pump.run_one()
    assert setting.engine.calls == [("net", "grad-cam", None)]
    assert setting.session.shares["background"].relevant_share == pytest.approx(0.5)


def test_another_image_is_another_question(setting):
    setting.session.set_image(image())
    setting.pump.run_one()
    setting.session.set_image(image(7))
    assert setting.session.result is None
    setting.pump.run_one()
    assert len(setting.engine.calls) == 2


def test_the_maps_of_the_images_seen_first_are_forgotten_beyond_a_bound(setting, monkeypatch):
    monkeypatch.setattr(session_module, "CACHE_BYTES", 2 * RELEVANCE.nbytes)
    for value in (0, 1, 2, 1, 0):
        setting.session.set_image(image(value))
        setting.pump.run_one()
    # The last of them alone was asked for again.
    assert len(setting.engine.calls) == 4


def test_another_network_forgets_the_target_and_brings_its_warning(setting):
    setting.session.choose(target="blast")
    setting.session.set_image(image())
    setting.pump.run_one()
    setting.session.choose(network="other")
    setting.pump.run_one()
    assert setting.session.choices.target is None
    assert setting.session.result.domain_warning == "outside"


def test_an_undefined_map_has_no_relevance_of_any_class(setting):
    setting.engine.undefined = "constant"
    setting.session.set_image(image())
    setting.pump.run_one()
    assert setting.session.result.relevant is None
    assert setting.session.shares["nucleus"].relevant is None


def test_a_failure_is_told_in_its_own_words_and_the_mask_is_still_counted(setting):
    setting.engine.error = AllxaiError("Choose another network.")
    told = []
    setting.session.failed.connect(told.append)
    setting.session.set_image(image())
    setting.pump.run_one()
    assert told == ["Choose another network."]
    assert not setting.session.busy
    assert setting.session.shares["nucleus"].pixels == 2


def test_an_unexpected_failure_does_not_end_the_worker(setting, caplog):
    setting.engine.error = ZeroDivisionError()
    told = []
    setting.session.failed.connect(told.append)
    setting.session.set_image(image())
    setting.pump.run_one()
    setting.engine.error = None
    setting.session.choose(explainer="gradient")
    setting.pump.run_one()
    assert len(told) == 1
    assert setting.session.result is not None


def test_switched_off_it_waits_until_it_is_live_again(setting):
    setting.session.set_live(False)
    setting.session.set_image(image())
    assert not setting.session.busy
    setting.session.set_live(True)
    setting.pump.run_one()
    assert setting.session.result is not None


def test_switched_off_what_is_shown_is_outdated_by_other_choices_only(setting):
    setting.session.set_image(image())
    setting.pump.run_one()
    setting.session.set_live(False)
    assert not setting.session.outdated
    setting.session.choose(network="other")
    assert setting.session.outdated
    setting.session.choose(network="net")
    assert not setting.session.outdated


def test_a_variant_is_explained_beside_the_prediction_for_the_image_itself(setting):
    setting.session.set_image(image(1))
    setting.pump.run_one()
    first = setting.session.result
    setting.session.set_variant(image(2))
    assert setting.session.result is first
    setting.pump.run_one()
    result = setting.session.result
    assert (result.before, result.explanation.prediction) == ("seen 1", "seen 2")
    assert first.before is None
    assert len(setting.engine.calls) == 2


def test_the_way_back_from_a_variant_is_at_once_and_asks_nothing(setting):
    setting.session.set_image(image(1))
    setting.pump.run_one()
    first = setting.session.result
    setting.session.set_variant(image(2))
    setting.pump.run_one()
    setting.session.set_live(False)
    setting.session.set_variant(None)
    assert setting.session.result is first
    assert setting.session.shares["background"].relevant == 1
    assert len(setting.engine.calls) == 2


def test_the_way_back_shows_no_map_of_other_choices(setting):
    setting.session.set_image(image(1))
    setting.pump.run_one()
    setting.session.set_variant(image(2))
    setting.pump.run_one()
    setting.session.choose(network="other")
    setting.pump.run_one()
    assert setting.session.result.before == "seen 1"
    setting.session.set_variant(None)
    assert setting.session.result is None
    setting.pump.run_one()
    assert setting.session.result.explanation.prediction == "seen 1"
    assert len(setting.engine.calls) == 4


def test_another_image_ends_a_variant(setting):
    told = []
    setting.session.image_changed.connect(told.append)
    setting.session.set_image(image(1))
    setting.pump.run_one()
    setting.session.set_variant(image(2))
    setting.pump.run_one()
    other = image(3)
    setting.session.set_image(other)
    assert told[-1] is other
    setting.pump.run_one()
    assert (setting.session.result.before, setting.session.result.explanation.prediction) == (None, "seen 3")


def test_strokes_on_the_mask_are_counted_over_a_variant(setting):
    setting.session.set_image(image(1))
    setting.pump.run_one()
    setting.session.set_variant(image(2))
    setting.paint.apply(np.array([3]), 1)
    setting.pump.run_one()
    assert setting.session.shares["nucleus"].pixels == 3
    setting.session.set_variant(None)
    assert setting.session.shares["nucleus"].pixels == 3


@pytest.fixture
def lime(setting):
    """The session with an image and an explainer on demand, whose prediction is shown."""
    setting.session.choose(explainer="lime")
    setting.session.set_image(image(7))
    assert setting.session.demand is Demand.PENDING
    setting.pump.run_one()
    return setting


def computed(setting):
    setting.session.compute()
    for _ in ("a quarter", "three quarters", "the map"):
        setting.pump.run_one()


def test_on_demand_there_is_a_prediction_and_no_map_until_it_is_asked_for(lime):
    assert lime.session.demand is Demand.PENDING
    assert not lime.session.busy
    assert lime.engine.calls == []
    assert lime.session.result.explanation.prediction == "seen 7"
    assert lime.session.result.relevant is None
    assert lime.session.shares["nucleus"].relevant is None


def test_the_time_that_the_map_will_take_is_told_from_one_pass(lime):
    # 300 samples of half a second.
    assert lime.session.expected_seconds == 150
    lime.session.choose(settings=(("samples", 20),))
    assert lime.session.expected_seconds == 10
    lime.session.choose(explainer="gradient")
    assert lime.session.expected_seconds is None


def test_asked_for_it_is_computed_with_progress(lime):
    told, states = [], []
    lime.session.progress_changed.connect(told.append)
    lime.session.demand_changed.connect(states.append)
    computed(lime)
    assert told == [0.25, 0.75]
    assert states == [Demand.COMPUTING, Demand.NONE]
    assert lime.session.shares["background"].relevant == 1
    lime.session.compute()
    assert lime.engine.calls == [("net", "lime", None)]


def test_strokes_made_while_a_map_on_demand_is_computed_are_counted(lime):
    lime.engine.gate.clear()
    lime.session.compute()
    lime.paint.apply(np.array([3]), 1)
    lime.engine.gate.set()
    for _ in range(3):
        lime.pump.run_one()
    assert lime.session.shares["nucleus"].relevant == 1


def test_cancelled_it_can_be_asked_for_again(lime):
    lime.engine.gate.clear()
    lime.session.compute()
    lime.pump.run_one()
    lime.session.cancel()
    assert lime.session.demand is Demand.PENDING
    lime.engine.gate.set()
    # What was cancelled delivers nothing; the prediction comes again.
    lime.pump.run_one()
    assert lime.session.result.relevant is None
    assert not lime.session.busy
    computed(lime)
    assert lime.session.result.relevant is not None


def test_a_newer_choice_cancels_it(lime):
    lime.engine.gate.clear()
    lime.session.compute()
    lime.pump.run_one()
    lime.session.choose(explainer="gradient")
    assert lime.session.demand is Demand.NONE
    lime.engine.gate.set()
    lime.pump.run_one()
    assert lime.session.result.choices.explainer == "gradient"


def test_once_computed_it_is_shown_at_once_when_it_is_chosen_again(lime):
    computed(lime)
    lime.session.choose(explainer="gradient")
    lime.pump.run_one()
    lime.session.choose(explainer="lime")
    assert lime.session.demand is Demand.NONE
    lime.pump.run_one()
    assert lime.session.result.relevant is not None
    assert [call[1] for call in lime.engine.calls] == ["lime", "gradient"]


def test_another_image_has_to_be_asked_for(lime):
    computed(lime)
    lime.session.set_image(image(8))
    assert lime.session.demand is Demand.PENDING
    lime.pump.run_one()
    assert lime.session.result.explanation.prediction == "seen 8"


def test_another_rule_does_not_stop_it_and_holds_when_it_is_done(lime):
    lime.engine.gate.clear()
    lime.session.compute()
    lime.pump.run_one()
    lime.session.choose(rule="positive-mass")
    assert lime.session.demand is Demand.COMPUTING
    lime.engine.gate.set()
    for _ in ("three quarters", "the map by the old rule", "by the new one"):
        lime.pump.run_one()
    assert lime.session.result.choices.rule == "positive-mass"
    assert lime.session.shares["background"].relevant_share == pytest.approx(0.5)
    assert len(lime.engine.calls) == 1


def test_a_failure_on_demand_can_be_tried_again(lime):
    lime.engine.error = AllxaiError("Choose fewer samples.")
    computed(lime)
    assert lime.session.demand is Demand.PENDING
    lime.engine.error = None
    computed(lime)
    assert lime.session.demand is Demand.NONE


def test_not_live_it_is_still_computed_when_asked_for(setting):
    setting.session.set_live(False)
    setting.session.set_image(image())
    setting.session.choose(explainer="lime")
    assert setting.session.demand is Demand.PENDING
    computed(setting)
    assert setting.session.result.relevant is not None


def test_the_prediction_before_a_variant_costs_no_map_on_demand(lime):
    lime.session.set_variant(image(9))
    lime.pump.run_one()
    result = lime.session.result
    assert (result.before, result.explanation.prediction) == ("seen 7", "seen 9")
    assert lime.engine.calls == []


def test_closed_it_delivers_no_map_on_demand(lime):
    lime.session.compute()
    lime.session.close()
    assert lime.session.result.relevant is None
