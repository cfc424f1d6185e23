import pytest
from fake_engine import FakeEngine
from qtpy.QtWidgets import QWidget

from allxai_desktop.networks.registry import list_networks
from allxai_desktop.painting.engine import PaintModel
from allxai_desktop.session import Session
from allxai_desktop.tasks import at_once
from napari_allxai_explain.comparing import Comparing
from napari_allxai_explain.panel import ExplainPanel
from napari_allxai_explain.view import ExplainView


@pytest.fixture
def panel(qtbot):
    session = Session(PaintModel(), FakeEngine())
    made = ExplainPanel(session, ExplainView(), list_networks()[:1])
    qtbot.addWidget(made)
    yield made
    made.disconnect_session()
    session.close()


@pytest.fixture
def owner(qtbot):
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def comparing(panel, owner):
    made = Comparing(panel, owner, at_once)
    yield made
    made.close()


def test_the_panel_opens_one_window_over_that_of_the_owner(panel, owner, comparing):
    panel.compare.click()
    window = comparing.window
    assert window.isVisible()
    assert window.parent() is owner
    window.close()
    panel.compare.click()
    assert comparing.window is window
    assert window.isVisible()


def test_networks_that_come_later_are_offered_in_the_window(panel, comparing):
    first, second = list_networks()[:2]
    comparing.set_networks([first, second])
    assert comparing.window is None
    comparing.open()
    assert list(comparing.window.model.cards) == [first.name]
    comparing.set_networks([first, second])
    assert list(comparing.window.model.cards) == [first.name, second.name]
