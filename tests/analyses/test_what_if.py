"""Taking part of an image out: strokes, what is explained, the comparison, and that nothing is written."""

import threading
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from allxai_desktop.analyses.what_if import REMOVED, WhatIf, compare, take_out
from allxai_desktop.images import image_from_array, pixel_sha256
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session
from allxai_desktop.study.workspace import Workspace

# Nucleus on the left, background on the right, one pixel without a label.
CODES = np.array([[1, 1, 5, 5], [1, 1, 5, 0]], np.uint8)
BLACK, WHITE = 0, 255


def cell():
    pixels = np.full((2, 4, 3), WHITE, np.uint8)
    pixels[:, :2] = BLACK
    return image_from_array(pixels, "cell.png")


@dataclass
class Prediction:
    """The first class has the share of black pixels as its probability and ten times that as its logit."""

    dark: float

    @property
    def probabilities(self):
        return {"blast": self.dark, "healthy": 1 - self.dark}

    @property
    def logits(self):
        return np.array([10 * self.dark, 5], np.float32)

    @property
    def predicted(self):
        return "blast" if self.dark >= 0.5 else "healthy"


@dataclass
class Explanation:
    relevance: np.ndarray
    prediction: Prediction
    target: str


class Engine:
    """Predicts by the share of black pixels, when `gate` lets it."""

    def __init__(self):
        self.seen = []
        self.gate = threading.Event()
        self.gate.set()

    def explain(self, image, choices, progress=None):
        self.seen.append(image)
        assert self.gate.wait(10)
        prediction = Prediction(float((image.pixels[..., 0] == BLACK).mean()))
        return Explanation(np.arange(8.0).reshape(2, 4), prediction, choices.target or "blast"), None


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def session(engine, pump):
    made = Session(PaintModel(CODES), engine, pump)
    made.choose(network="net", rule="mean")
    made.set_image(cell())
    pump.until(lambda: not made.busy)
    yield made
    engine.gate.set()
    made.close()


@pytest.fixture
def what_if(session, pump):
    made = WhatIf(session, pump)
    yield made
    made.close()


def explained(what_if):
    """Return a condition: the network has answered for the present region."""
    session = what_if.session
    return lambda: (
        what_if.variant is not None
        and np.array_equal(what_if.variant.region, what_if.region.codes == REMOVED)
        and not session.busy
        and session.result.before is not None
    )


def test_nobody_is_told_of_a_failure_as_it_is_made():
    session = Session(PaintModel())
    told = []
    session.failed.connect(told.append)
    WhatIf(session)
    session.close()
    assert told == []


def test_the_region_is_filled_with_the_background_and_the_rest_stays():
    region = np.zeros((2, 4), bool)
    region[0, :2] = True
    variant = take_out(cell(), region, CODES, "background")
    assert variant.image.pixels[..., 0].tolist() == [[255] * 4, [0, 0, 255, 255]]
    assert variant.image.sha256 == pixel_sha256(variant.image.pixels)
    assert variant.share == 0.25
    assert variant.removed == {"nucleus": 0.5, "background": 0.0}


def test_an_empty_region_is_no_variant():
    assert take_out(cell(), np.zeros((2, 4), bool), CODES, "blur") is None


def test_the_target_comes_first_and_each_class_once():
    found = compare(Prediction(0.75), Prediction(0.25), None)
    assert [change.key for change in found.changes] == ["blast", "healthy"]
    blast = found.changes[0]
    assert (blast.probability_before, blast.probability_after) == (0.75, 0.25)
    assert (blast.logit_before, blast.logit_after) == (7.5, 2.5)
    assert (found.predicted_before, found.predicted_after) == ("blast", "healthy")
    assert [change.key for change in compare(Prediction(0.75), Prediction(0.5), "healthy").changes] == [
        "healthy",
        "blast",
    ]


@pytest.mark.parametrize(
    ("after", "verdict"), [(0.25, "other"), (0.625, "less"), (0.875, "more"), (0.75, "alike")]
)
def test_the_verdict(after, verdict):
    assert compare(Prediction(0.75), Prediction(after), "healthy").verdict == verdict


def test_taking_a_class_out_shows_what_the_network_makes_of_the_rest(what_if, pump):
    what_if.remove_class("nucleus")
    assert what_if.active
    pump.until(explained(what_if))
    assert what_if.variant.removed == {"nucleus": 1.0, "background": 0.0}
    blast = what_if.comparison.changes[0]
    assert (blast.probability_before, blast.probability_after) == (0.5, 0.0)
    assert what_if.comparison.predicted_after == "healthy"
    assert what_if.session.result.explanation.prediction.dark == 0.0


def test_the_map_of_the_image_stays_until_the_other_is_there(what_if, pump):
    first = what_if.session.result
    shown = []
    what_if.session.result_changed.connect(shown.append)
    what_if.remove_class("nucleus")
    pump.until(explained(what_if))
    assert shown == [what_if.session.result]
    assert first is not what_if.session.result


def test_leaving_brings_the_result_of_the_image_back_at_once(what_if, pump):
    first = what_if.session.result
    what_if.remove_class("nucleus")
    pump.until(explained(what_if))
    what_if.active = False
    assert what_if.session.result is first
    assert what_if.variant is None
    assert what_if.comparison is None


def test_the_strokes_wait_for_the_next_time(what_if, pump):
    what_if.remove_class("nucleus")
    what_if.active = False
    what_if.active = True
    pump.until(explained(what_if))
    assert what_if.variant.share == 0.5


def test_strokes_that_come_while_the_network_computes_are_explained_together(what_if, engine, pump):
    engine.gate.clear()
    what_if.active = True
    what_if.region.begin_stroke()
    what_if.region.apply(np.array([0]), REMOVED)
    pump.until(lambda: what_if.session.busy)
    for pixel in (1, 4, 5):
        what_if.region.apply(np.array([pixel]), REMOVED)
    what_if.region.end_stroke()
    pump.until(lambda: what_if.variant.share == 0.5)
    engine.gate.set()
    pump.until(explained(what_if))
    # The image itself, one pixel out, all four out.
    assert [int((image.pixels[..., 0] == BLACK).sum()) for image in engine.seen] == [4, 3, 0]


def test_a_moving_brush_does_not_starve_the_answer(what_if, engine, pump):
    """A result for a stroke is shown although the next stroke has begun."""
    engine.gate.clear()
    what_if.remove_class("nucleus")
    pump.until(lambda: what_if.session.busy)
    what_if.region.apply(np.array([2]), REMOVED)
    pump.until(lambda: what_if.variant.share == 5 / 8)
    engine.gate.set()
    shown = []
    what_if.session.result_changed.connect(shown.append)
    pump.until(explained(what_if))
    assert len(shown) == 2


def test_undo_and_clear_are_steps_of_the_region_alone(what_if, pump):
    what_if.remove_class("nucleus")
    what_if.clear()
    assert not what_if.region.codes.any()
    what_if.region.undo()
    assert np.count_nonzero(what_if.region.codes) == 4
    what_if.region.undo()
    assert not what_if.region.codes.any()
    pump.until(lambda: what_if.session.result.before is None and not what_if.session.busy)
    assert not what_if.session.paint.can_undo


def test_nothing_out_compares_the_image_with_itself(what_if):
    what_if.active = True
    (blast,) = what_if.comparison.changes
    assert blast.probability_before == blast.probability_after == 0.5


def test_another_fill_is_explained_at_once(what_if, pump):
    what_if.remove_class("nucleus")
    pump.until(explained(what_if))
    before = what_if.variant
    what_if.fill = "blur"
    pump.until(lambda: what_if.variant is not before)
    assert what_if.variant.image.pixels[0, 0, 0] < WHITE
    with pytest.raises(ValueError, match="no fill"):
        what_if.fill = "noise"


def test_another_network_is_compared_with_its_own_answer_for_the_image(what_if, engine, pump):
    what_if.remove_class("nucleus")
    pump.until(explained(what_if))
    what_if.session.choose(network="other")
    pump.until(lambda: not what_if.session.busy)
    assert what_if.comparison.changes[0].probability_before == 0.5
    assert [image.pixels[0, 0, 0] for image in engine.seen] == [BLACK, WHITE, WHITE, BLACK]


def test_the_shares_go_on_counting_the_mask(what_if, pump):
    what_if.remove_class("nucleus")
    pump.until(explained(what_if))
    assert what_if.session.shares["nucleus"].pixels == 4
    # Above the mean of 0…7: two pixels of the nucleus and one of the background.
    assert what_if.session.shares["nucleus"].relevant == 2


def test_another_image_ends_it_and_forgets_the_region(what_if, session, pump):
    what_if.remove_class("nucleus")
    pump.until(explained(what_if))
    told = []
    what_if.active_changed.connect(told.append)
    session.set_image(cell())
    assert told == [False]
    assert not what_if.region.codes.any()
    assert not what_if.region.can_undo
    pump.until(lambda: not session.busy)
    assert session.result.before is None


def test_without_an_image_there_is_nothing_to_take_out(what_if, session):
    session.set_image(None)
    what_if.remove_class("nucleus")
    assert not what_if.active


def test_without_live_the_part_is_out_and_the_network_waits(what_if, session, pump):
    session.set_live(False)
    what_if.remove_class("nucleus")
    pump.until(lambda: what_if.variant is not None)
    assert not session.busy
    session.set_live(True)
    pump.until(explained(what_if))


def test_closing_leaves_the_session_on_the_image(what_if, session, pump):
    what_if.remove_class("nucleus")
    pump.until(explained(what_if))
    what_if.close()
    assert session.result.before is None


def test_neither_file_nor_mask_nor_history_changes(tmp_path, pump):
    engine = Engine()
    session = Session(PaintModel(), engine, pump)
    session.choose(network="net", rule="mean")
    workspace, what_if = Workspace(session, pump), WhatIf(session, pump)
    folder = tmp_path / "study"
    folder.mkdir()
    Image.fromarray(cell().pixels).save(folder / "cell.png")
    engine.explain = lambda image, choices, progress: (
        Explanation(np.arange(8.0).reshape(2, 4), Prediction(0.5), "blast"),
        None,
    )
    workspace.open(folder)
    pump.until(lambda: session.result is not None)
    workspace.paint.apply(np.arange(4), 1)
    pump.until(lambda: workspace.saved == "saved")
    before = {path: path.read_bytes() for path in folder.rglob("*.*") if path.suffix != ".lock"}
    codes = workspace.paint.codes.copy()
    saves = []
    workspace.saved_changed.connect(saves.append)
    what_if.remove_class("nucleus")
    pump.until(explained(what_if))
    what_if.region.undo()
    what_if.region.redo()
    pump.until(explained(what_if))
    workspace.export(tmp_path / "out.npz")
    pump.until((tmp_path / "out.npz").exists)
    assert saves == []
    assert np.array_equal(np.load(tmp_path / "out.npz")["mask"], codes)
    what_if.close()
    assert workspace.close()
    session.close()
    # The lock, which is there while the image is open, is gone.
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before
    assert np.array_equal(workspace.paint.codes, codes)
    workspace.paint.undo()
    assert not workspace.paint.codes.any()
