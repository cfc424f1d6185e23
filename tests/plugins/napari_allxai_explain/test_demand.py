"""The row of an explainer on demand, over a session whose engine waits for the test."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from allxai_desktop.explainers.registry import EXPLAINERS
from allxai_desktop.images import image_from_array
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Demand, Session
from napari_allxai_explain.demand import DemandRow
from napari_allxai_widgets.dispatch import Dispatcher


class FakeEngine:
    """One pass takes half a second; a map on demand tells 40 %, and is done when `gate` lets it."""

    def __init__(self):
        self.gate = threading.Event()

    def preview(self, image, choices):
        return SimpleNamespace(relevance=None, undefined="press", seconds=0.5), None

    def explain(self, image, choices, progress):
        if EXPLAINERS[choices.explainer].on_demand:
            progress(0.4)
            assert self.gate.wait(10)
            progress(1.0)
        relevance = np.arange(4, dtype=np.float32).reshape(2, 2)
        return SimpleNamespace(relevance=relevance, undefined=None, target="blast", seconds=12.3), None


@pytest.fixture
def row(qtbot):
    session = Session(PaintModel(np.ones((2, 2), np.uint8)), FakeEngine(), Dispatcher())
    made = DemandRow(session)
    qtbot.addWidget(made)
    session.choose(network="net")
    session.set_image(image_from_array(np.zeros((2, 2, 3), np.uint8), "cell.png"))
    qtbot.waitUntil(lambda: not session.busy)
    yield made
    made.disconnect_session()
    session._engine.gate.set()
    session.close()


def choose(row, qtbot, name):
    row.session.choose(explainer=name)
    qtbot.waitUntil(lambda: not row.session.busy)


def test_it_is_there_for_explainers_on_demand_only(row, qtbot):
    assert row.isHidden()
    choose(row, qtbot, "lime")
    assert not row.isHidden()
    assert row.info.text() == "takes about 2 min"


def test_compute_then_cancel_then_compute(row, qtbot):
    choose(row, qtbot, "lime")
    assert row.cancel.isHidden()
    row.compute.click()
    assert row.session.demand is Demand.COMPUTING
    qtbot.waitUntil(lambda: row.progress.value() == 40)
    assert row.compute.isHidden()
    row.cancel.click()
    assert row.session.demand is Demand.PENDING
    assert row.progress.value() == 0
    row.session._engine.gate.set()
    row.compute.click()
    qtbot.waitUntil(lambda: row.session.demand is Demand.NONE)
    assert row.session.result.explanation.relevance is not None
    assert row.compute.isHidden()
    assert row.info.text() == "computed in 12.3 s"


def test_each_setting_is_changed_by_a_field_of_its_kind(row, qtbot):
    choose(row, qtbot, "occlusion")
    fields = row.form.fields
    assert fields["window"].value() == 0.125
    fields["window"].setValue(0.25)
    fields["baseline"].setCurrentIndex(1)
    fields["baseline"].activated.emit(1)
    assert row.session.choices.settings == (("window", 0.25), ("baseline", "blurred"))
    fields["window"].setValue(0.125)
    fields["baseline"].setCurrentIndex(0)
    fields["baseline"].activated.emit(0)
    assert row.session.choices.settings == ()


def test_the_fields_follow_the_explainer(row, qtbot):
    choose(row, qtbot, "lime")
    row.form.fields["samples"].setValue(100)
    assert row.session.expected_seconds == 50
    choose(row, qtbot, "smoothgrad")
    assert list(row.form.fields) == ["samples", "noise"]
    assert row.form.fields["samples"].value() == 25


def test_every_setting_can_be_shown(row, qtbot):
    for name in [name for name, info in EXPLAINERS.items() if info.on_demand]:
        choose(row, qtbot, name)
        assert list(row.form.fields) == list(EXPLAINERS[name].settings)
