"""The comparison as a window sees it: what is computed when, and what is out of date."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from allxai_desktop.analyses import figure
from allxai_desktop.analyses.comparison import Comparison
from allxai_desktop.analyses.grid import Method
from allxai_desktop.errors import AllxaiError
from allxai_desktop.explainers.explain import Explanation
from allxai_desktop.explainers.registry import EXPLAINERS
from allxai_desktop.images import image_from_array
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session

GRADIENT, CAM = Method("gradient"), Method("grad-cam")
CARDS = [
    SimpleNamespace(name="cells", classes=("monocyte", "lymphocyte", "other")),
    SimpleNamespace(name="few", classes=("lymphocyte", "monocyte")),
    SimpleNamespace(name="disease", classes=("ill", "healthy")),
    SimpleNamespace(name="fourth", classes=("monocyte",)),
]


class FakeEngine:
    """Remembers what it was asked; waits for `gate` where it is closed."""

    def __init__(self):
        self.asked = []
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()

    def explain(self, image, network, method, target, progress):
        self.asked.append((network, method.name))
        self.waiting.set()
        self.gate.wait(10)
        relevance = np.arange(4, dtype=np.float32).reshape(2, 2)
        prediction = SimpleNamespace(probabilities={"monocyte": 1.0}, predicted="monocyte")
        return Explanation(
            relevance, None, target or "monocyte", 1.0, 1.0, prediction, method.name, {}, None, 0.1
        )

    def warning(self, image, network):
        return None

    def twin(self, network, method):
        return None


@pytest.fixture
def session():
    made = Session(PaintModel(np.array([[1, 1], [5, 5]], np.uint8)), object())
    made.set_image(image_from_array(np.zeros((2, 2, 3), np.uint8), "a.png"))
    yield made
    made.close()


@pytest.fixture
def setting(session):
    engine = FakeEngine()
    made = Comparison(session, CARDS, engine)
    made.choose(networks=("cells", "few"), methods=(GRADIENT, CAM))
    ended = threading.Event()
    made.runner.finished.connect(lambda _result: ended.set())

    def wait():
        assert ended.wait(10)
        ended.clear()

    yield SimpleNamespace(model=made, engine=engine, session=session, wait=wait)
    engine.gate.set()
    made.close()


def test_at_first_the_first_networks_and_all_live_explainers_are_chosen(session):
    made = Comparison(session, CARDS, FakeEngine())
    assert made.choices.networks == ("cells", "few", "disease")
    assert [method.name for method in made.choices.methods] == [
        name for name, info in EXPLAINERS.items() if not info.on_demand
    ]
    made.close()


def test_a_network_that_is_added_can_be_chosen(session):
    made = Comparison(session, CARDS[:1], FakeEngine())
    heard = []
    made.choices_changed.connect(heard.append)
    made.set_networks(CARDS[:2])
    assert list(made.cards) == ["cells", "few"]
    assert heard == [made.choices]
    assert made.choices.networks == ("cells",)
    made.close()


def test_a_network_that_is_removed_is_not_chosen_any_more(session):
    made = Comparison(session, CARDS[:2], FakeEngine())
    made.set_networks(CARDS[1:2])
    assert list(made.cards) == ["few"]
    assert made.choices.networks == ("few",)
    made.close()


def test_nothing_is_computed_before_it_is_asked_for(setting):
    assert setting.engine.asked == []
    assert setting.model.grid is None


def test_each_cell_is_told_as_it_is_ready(setting):
    told = []
    setting.model.cell_ready.connect(lambda cell: told.append((cell.network, cell.method)))
    setting.model.update()
    setting.wait()
    assert told == [("cells", GRADIENT), ("cells", CAM), ("few", GRADIENT), ("few", CAM)]
    assert set(setting.model.grid.cells) == set(told)


def test_another_network_computes_its_own_column_only(setting):
    setting.model.update()
    setting.wait()
    setting.engine.asked.clear()
    setting.model.choose(networks=("cells", "few", "disease"))
    setting.wait()
    assert setting.engine.asked == [("disease", "gradient"), ("disease", "grad-cam")]
    assert len(setting.model.grid.cells) == 6


def test_another_rule_computes_no_map(setting):
    setting.model.update()
    setting.wait()
    setting.engine.asked.clear()
    setting.model.choose(rule="top-q", q=0.25)
    setting.wait()
    assert setting.engine.asked == []
    # One pixel of four, the last one: background.
    shares = setting.model.grid.cells["few", CAM].shares
    assert (shares["nucleus"].relevant, shares["background"].relevant) == (0, 1)


def test_another_target_computes_everything(setting):
    setting.model.update()
    setting.wait()
    setting.engine.asked.clear()
    setting.model.choose(target="lymphocyte")
    setting.wait()
    assert len(setting.engine.asked) == 4
    assert setting.model.grid.cells["few", CAM].explanation.target == "lymphocyte"


def test_a_target_has_to_be_a_class_of_all_networks(setting):
    assert setting.model.common_classes == ("monocyte", "lymphocyte")
    setting.model.choose(target="lymphocyte")
    setting.model.choose(networks=("cells", "disease"))
    assert setting.model.common_classes == ()
    assert setting.model.choices.target is None


def test_a_stroke_makes_it_outdated_until_the_update(setting):
    told = []
    setting.model.outdated_changed.connect(told.append)
    setting.session.paint.apply(np.array([3]), 1)
    assert told == []
    setting.model.update()
    setting.wait()
    setting.session.paint.apply(np.array([2]), 1)
    setting.model.update()
    setting.wait()
    assert told == [True, False]
    assert setting.model.grid.areas["nucleus"].area_share == 1.0


def test_another_image_makes_it_outdated_and_is_computed_anew(setting):
    setting.model.update()
    setting.wait()
    setting.session.set_image(image_from_array(np.ones((2, 2, 3), np.uint8), "b.png"))
    assert setting.model.outdated
    assert setting.model.grid.image.name == "a.png"
    setting.engine.asked.clear()
    setting.model.update()
    setting.wait()
    assert setting.model.grid.image.name == "b.png"
    assert len(setting.engine.asked) == 4


def test_the_cells_that_are_ready_stay_when_the_rest_is_cancelled(setting):
    cells, third = [], threading.Event()

    def on_cell(cell):
        cells.append(cell)
        if len(cells) == 2:
            setting.engine.gate.clear()
            setting.engine.waiting.clear()

    setting.model.cell_ready.connect(on_cell)
    setting.model.update()
    while len(cells) < 2:
        third.wait(0.01)
    assert setting.engine.waiting.wait(10)
    setting.model.cancel()
    setting.engine.gate.set()
    assert not setting.model.runner.running
    assert {("cells", GRADIENT), ("cells", CAM)} <= set(setting.model.grid.cells)


def test_cleared_it_takes_no_late_cell(setting):
    setting.engine.gate.clear()
    setting.model.update()
    assert setting.engine.waiting.wait(10)
    told = []
    setting.model.cell_ready.connect(told.append)
    setting.model.clear()
    setting.engine.gate.set()
    setting.model.close()
    assert told == []
    assert setting.model.grid is None


def test_a_rule_that_cannot_be_is_told(setting):
    told = []
    setting.model.failed.connect(told.append)
    setting.model.choose(rule="top-q", q=7.0)
    setting.model.update()
    assert len(told) == 1
    assert "top-q" in told[0]


def test_the_export_says_where_or_why_not(setting, monkeypatch):
    written = []

    def save(path, grid, name):
        if path == "full":
            raise AllxaiError("The disk is full.")
        written.append((path, len(grid.cells), name))

    monkeypatch.setattr(figure, "save_figure", save)
    setting.model.update()
    setting.wait()
    told, ended = [], threading.Event()
    setting.model.exported.connect(lambda path: (told.append(path), ended.set()))
    setting.model.failed.connect(lambda text: (told.append(text), ended.set()))
    for path in ("a.png", "full"):
        ended.clear()
        setting.model.export(path, "Cell 1")
        assert ended.wait(10)
    assert told == ["a.png", "The disk is full."]
    assert written == [("a.png", 4, "Cell 1")]
