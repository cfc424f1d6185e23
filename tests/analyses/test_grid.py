"""The cells of a comparison on a made-up engine, with numbers worked out by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from allxai_desktop.analyses import grid_cells
from allxai_desktop.analyses.grid import Cell, ComparisonChoices, Method, methods
from allxai_desktop.analyses.grid_cells import compute_cells, new_grid
from allxai_desktop.errors import AllxaiError
from allxai_desktop.explainers.explain import Explanation
from allxai_desktop.images import image_from_array
from allxai_desktop.tasks import Cancelled

GRADIENT, CAM, DEEP_TAYLOR = Method("gradient"), Method("grad-cam"), Method("deep-taylor")
TIMES_INPUT, LRP = Method("gradient-x-input"), Method("lrp-z")
# Two classes, a row each.
CODES = np.array([[1, 1, 1, 1], [5, 5, 5, 5]], np.uint8)
MAP = np.array([[4, 3, 0, 0], [1, 0, 0, -2]], np.float32)
CHOICES = ComparisonChoices(networks=("a", "b"), methods=(GRADIENT, CAM), rule="mean", colormap="seismic")


def card(name, *classes):
    return SimpleNamespace(name=name, classes=classes or ("x", "y"), title=name)


CARDS = [card("a"), card("b")]


class FakeEngine:
    """The map is `MAP`, ten times as strong on network b; gradient of b fails with `failure`."""

    def __init__(self, failure=None, twins=()):
        self.failure = failure
        self.twins = twins
        self.asked = []

    def explain(self, image, network, method, target, progress):
        self.asked.append((network, method.name, target))
        progress(0.5)
        if self.failure is not None and (network, method) == ("b", GRADIENT):
            raise self.failure
        prediction = SimpleNamespace(probabilities={"x": 0.75, "y": 0.25}, predicted="x")
        factor = 10 if network == "b" else 1
        undefined = "The logit is not above 0." if method == DEEP_TAYLOR else None
        relevance = None if undefined else MAP * np.float32(factor)
        return Explanation(
            relevance, undefined, target or "x", 1.0, 0.75, prediction, method.name, {}, None, 0.1
        )

    def warning(self, image, network):
        return "An image from elsewhere." if network == "b" else None

    def twin(self, network, method):
        return "The same map." if method == LRP and network in self.twins else None


def image(shape=CODES.shape):
    return image_from_array(np.zeros((*shape, 3), np.uint8), "cell.png")


def computed(choices=CHOICES, engine=None, **keywords):
    made = new_grid(image(), CODES, CARDS, choices)

    def add(cell: Cell):
        made.cells[cell.network, cell.method] = cell

    compute_cells(made, CODES, engine or FakeEngine(), add, **keywords)
    return made


def test_a_map_that_blew_up_is_named():
    grid = computed()
    assert grid.map_doubts(CAM) == []
    cell = grid.cells["b", CAM]
    grid.cells["b", CAM] = replace(cell, explanation=replace(cell.explanation, conservation=4.4e21))
    (doubt,) = grid.map_doubts(CAM)
    assert doubt.startswith("b: The pixels' relevance adds up to 4.4e+21 of the score")


def test_every_explainer_is_computed_on_every_network_network_by_network():
    engine = FakeEngine()
    computed(replace(CHOICES, target="y"), engine)
    assert engine.asked == [
        ("a", "gradient", "y"),
        ("a", "grad-cam", "y"),
        ("b", "gradient", "y"),
        ("b", "grad-cam", "y"),
    ]


def test_the_shares_under_a_map_follow_the_rule():
    # Above the mean of the positive part, 1: the pixels of 4 and 3, both of them nucleus.
    shares = computed().cells["a", GRADIENT].shares
    assert shares["nucleus"].relevant == 2
    assert (shares["nucleus"].relevant_share, shares["background"].relevant_share) == (1.0, 0.0)
    assert computed().areas["background"].area_share == 0.5


def test_a_row_has_one_scale_that_reaches_to_its_strongest_map():
    made = computed()
    assert made.limits(made.cells["a", GRADIENT]) == made.limits(made.cells["b", GRADIENT]) == (-40.0, 40.0)


def test_each_map_may_have_a_scale_of_its_own():
    made = computed(replace(CHOICES, shared_scale=False))
    assert made.limits(made.cells["a", GRADIENT]) == (-4.0, 4.0)
    assert made.limits(made.cells["b", GRADIENT]) == (-40.0, 40.0)


def test_jet_runs_from_the_lowest_to_the_highest_value():
    made = computed(replace(CHOICES, colormap="jet"))
    assert made.row_limits(GRADIENT) == (-20.0, 40.0)


def test_our_own_colours_do_not_reach_to_the_one_strongest_pixel():
    made = new_grid(
        image((40, 25)), np.ones((40, 25), np.uint8), CARDS[:1], replace(CHOICES, colormap="auto")
    )
    relevance = np.ones((40, 25), np.float32)
    relevance[:2, 0] = 100, -100
    found = Explanation(relevance, None, "x", 1.0, 0.5, None, "gradient", {}, None, 0.1)
    cells = []
    compute_cells(
        made,
        np.ones((40, 25), np.uint8),
        FakeEngine(),
        cells.append,
        known={("a", method): found for method in CHOICES.methods},
    )
    # Two of a thousand pixels are strong; a CAM, which is smooth, is drawn whole.
    assert [cell.extent for cell in cells] == [(-1.0, 1.0), (-100.0, 100.0)]


def test_what_fails_is_a_sentence_in_its_own_cell():
    made = computed(engine=FakeEngine(AllxaiError("Choose another class.")))
    failed = made.cells["b", GRADIENT]
    assert (failed.problem, failed.explanation, failed.shares) == ("Choose another class.", None, {})
    assert len(made.cells) == 4
    assert made.limits(failed) is None
    assert made.row_limits(GRADIENT) == (-4.0, 4.0)


def test_an_unforeseen_error_is_logged_and_stays_in_its_cell(caplog):
    made = computed(engine=FakeEngine(ZeroDivisionError("deep inside")))
    assert made.cells["b", GRADIENT].problem.startswith("The explanation failed")
    assert made.cells["b", CAM].problem is None
    assert "deep inside" in caplog.text


def test_an_undefined_map_says_why_and_still_brings_the_prediction():
    made = computed(replace(CHOICES, methods=(DEEP_TAYLOR,)))
    assert made.cells["a", DEEP_TAYLOR].problem == "The logit is not above 0."
    assert made.prediction("a").predicted == "x"
    assert made.row_limits(DEEP_TAYLOR) is None


def test_a_map_that_is_not_finite_is_refused_in_its_cell():
    made = new_grid(image(), CODES, CARDS[:1], replace(CHOICES, methods=(GRADIENT,)))
    broken = Explanation(MAP * np.nan, None, "x", 1.0, 0.5, None, "gradient", {}, None, 0.1)
    cells = []
    compute_cells(made, CODES, FakeEngine(), cells.append, known={("a", GRADIENT): broken})
    assert "not numbers" in cells[0].problem
    assert cells[0].explanation.relevance is None
    assert cells[0].explanation.undefined == cells[0].problem


def test_the_warning_of_a_network_belongs_to_its_column():
    made = computed()
    assert [made.warning(name) for name in ("a", "b")] == [None, "An image from elsewhere."]


def test_a_map_that_is_known_is_not_computed_again():
    first = computed()
    engine = FakeEngine()
    known = {("a", GRADIENT): first.cells["a", GRADIENT].explanation}
    made = computed(engine=engine, known=known)
    assert ("a", "gradient", None) not in engine.asked
    assert made.cells["a", GRADIENT].shares == first.cells["a", GRADIENT].shares


def test_progress_grows_to_one_through_the_cells():
    told = []
    computed(progress=told.append)
    assert told == [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0]


def test_what_progress_raises_ends_the_work():
    def progress(share):
        if share > 0.25:
            raise Cancelled

    engine = FakeEngine()
    with pytest.raises(Cancelled):
        computed(engine=engine, progress=progress)
    assert len(engine.asked) == 2


def test_large_images_keep_every_nth_pixel_and_count_them_all(monkeypatch):
    monkeypatch.setattr(grid_cells, "MAX_SIDE", 2)
    made = computed()
    assert made.step == 2
    assert made.pixels.shape == (1, 2, 3)
    assert made.codes.tolist() == [[1, 1]]
    cell = made.cells["a", GRADIENT]
    assert cell.explanation.relevance.tolist() == [[4.0, 0.0]]
    assert cell.extent == (-2.0, 4.0)
    assert cell.shares["nucleus"].relevant == 2


def test_many_cells_share_the_room_for_pixels(monkeypatch):
    # Four cells of eight pixels in the room of eight: every second pixel each way.
    monkeypatch.setattr(grid_cells, "MAX_PIXELS", 8)
    assert new_grid(image(), CODES, CARDS, CHOICES).step == 2


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"rule": "best"}, "best"),
        ({"rule": "top-q", "q": 2.0}, "top-q"),
        ({"colormap": "viridis", "rule": "red-channel"}, "viridis"),
        ({"methods": (Method("tea-leaves"),)}, "tea-leaves"),
        ({"methods": (Method("grad-cam", (("recipe", "soup"),)),)}, "soup"),
    ],
)
def test_a_wrong_choice_is_refused_before_anything_is_computed(changes, word):
    with pytest.raises(AllxaiError, match=word):
        new_grid(image(), CODES, CARDS, replace(CHOICES, **changes))


def test_variants_are_listed_after_their_explainer_with_their_setting():
    listed = methods()
    matlab = Method("grad-cam", (("recipe", "matlab"),))
    assert listed.index(matlab) == listed.index(CAM) + 1
    assert matlab.title == "Grad-CAM (matlab)"


def test_without_labels_there_are_no_shares():
    made = new_grid(image(), np.zeros_like(CODES), CARDS, CHOICES)
    assert not made.labelled
    assert computed().labelled


def test_explainers_that_are_the_same_on_every_network_are_one_row():
    choices = replace(CHOICES, methods=(GRADIENT, TIMES_INPUT, LRP))
    made = computed(choices, FakeEngine(twins=("a", "b")))
    assert made.rows() == [GRADIENT, TIMES_INPUT]
    assert made.title(TIMES_INPUT) == "Gradient × Input = LRP-z"
    assert made.title(GRADIENT) == "Gradient"
    assert made.twin_notes() == ["The same map."]


def test_the_same_on_one_network_only_they_keep_their_rows():
    choices = replace(CHOICES, methods=(TIMES_INPUT, LRP))
    made = computed(choices, FakeEngine(twins=("b",)))
    assert made.rows() == [TIMES_INPUT, LRP]
    assert made.title(TIMES_INPUT) == "Gradient × Input"
    assert made.twin_notes() == ["b: The same map."]


def test_without_gradient_x_input_there_is_nothing_to_be_the_same_as():
    made = computed(replace(CHOICES, methods=(LRP,)), FakeEngine(twins=("a", "b")))
    assert made.rows() == [LRP]
