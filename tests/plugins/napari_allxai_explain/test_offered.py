from types import SimpleNamespace

import pytest

from allxai_desktop.errors import AllxaiError
from allxai_desktop.networks import user
from allxai_desktop.tasks import at_once
from napari_allxai_explain import offered as module
from napari_allxai_explain.offered import OfferedNetworks


@pytest.fixture
def offered():
    """One whose panel and window note what they are given; `told` are its sentences, `changes` how often it changed."""
    panel, window, told, changes = [], [], [], []
    made = OfferedNetworks(
        SimpleNamespace(set_networks=panel.append),
        SimpleNamespace(set_networks=window.append),
        at_once,
        told.append,
    )
    made.changed.connect(lambda: changes.append(None))
    yield SimpleNamespace(made=made, panel=panel, window=window, told=told, changes=changes)
    made.close()


def test_a_network_that_is_saved_is_offered_in_the_panel_and_the_window(offered, monkeypatch):
    monkeypatch.setattr(module, "list_networks", lambda: ["mine"])
    user.events.saved.emit("mine")
    assert offered.panel == offered.window == [["mine"]]
    assert len(offered.changes) == 1


def test_networks_that_cannot_be_read_are_said_and_those_before_stay(offered, monkeypatch):
    def damaged():
        raise AllxaiError("A network is damaged.")

    monkeypatch.setattr(module, "list_networks", damaged)
    offered.made.read_again()
    assert offered.told == ["A network is damaged."]
    assert offered.panel == offered.window == offered.changes == []
