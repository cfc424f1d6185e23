"""The panel in a viewer of napari's own kind."""

import gc
import weakref

import numpy as np
import pytest
from fake_engine import FakeEngine
from napari.components import ViewerModel
from qtpy.QtWidgets import QWidget

from allxai_desktop.networks.user import complete_card, save_network
from napari_allxai_explain.widget import ExplainWidget


@pytest.fixture
def viewer(qapp):
    return ViewerModel()


@pytest.fixture
def widget(qtbot, viewer):
    made = ExplainWidget(viewer, FakeEngine())
    qtbot.addWidget(made)
    yield made
    made.release()


def test_without_an_image_it_says_what_to_do(widget):
    assert not widget.panel.isEnabled()
    assert not widget.hint.isHidden()


def test_an_image_that_is_opened_is_explained(widget, viewer, qtbot):
    viewer.add_image(np.zeros((5, 6, 3), np.uint8), rgb=True)
    qtbot.waitUntil(lambda: widget.session.result is not None)
    assert widget.panel.isEnabled()
    assert widget.overlay.map_layer.data.shape == (5, 6)
    # Removing the image must not make the map the next one.
    assert widget.overlay.map_layer not in widget.painting.candidates()


def test_who_annotates_knows_of_the_map_until_it_is_gone(widget, viewer, qtbot):
    canvas = widget.painting.canvas
    viewer.add_image(np.zeros((5, 6, 3), np.uint8), rgb=True)
    qtbot.waitUntil(lambda: widget.session.result is not None)
    assert canvas.map_shown
    widget.release()
    assert not canvas.map_shown


def test_it_counts_the_mask_that_is_painted(widget, viewer, qtbot):
    viewer.add_image(np.zeros((5, 6, 3), np.uint8), rgb=True)
    qtbot.waitUntil(lambda: widget.session.result is not None)
    widget.painting.model.apply(np.arange(6), 2)
    assert widget.session.shares["cytoplasm"].pixels == 6


def test_a_panel_that_was_closed_is_let_go_with_its_maps(viewer):
    widget = ExplainWidget(viewer, FakeEngine())
    gone = weakref.ref(widget)
    widget.release()
    del widget
    gc.collect()
    assert gone() is None


def test_a_viewer_that_is_closed_as_a_whole_is_left(qtbot, viewer):
    window = QWidget()
    widget = ExplainWidget(viewer, FakeEngine())
    widget.setParent(window)
    viewer.add_image(np.zeros((5, 6, 3), np.uint8), rgb=True)
    qtbot.waitUntil(lambda: widget.session.result is not None)
    painting, gone = widget.painting, []
    widget.destroyed.connect(lambda: gone.append(True))
    window.deleteLater()
    qtbot.waitUntil(lambda: bool(gone))
    # Deleted widgets that still followed would raise at each of these.
    viewer.layers.clear()
    painting.image_changed.emit(None)
    qtbot.wait(50)
    assert [type(layer).__name__ for layer in viewer.layers] == []


def test_released_it_leaves_the_image_and_the_mask(widget, viewer, qtbot):
    viewer.add_image(np.zeros((5, 6, 3), np.uint8), rgb=True)
    qtbot.waitUntil(lambda: widget.session.result is not None)
    widget.release()
    assert [type(layer).__name__ for layer in viewer.layers] == ["Image", "Labels"]


def test_a_network_that_is_saved_is_offered_at_once(widget, user_networks, qtbot):
    given = {"input_size": [32, 32], "sha256": "0" * 64}
    save_network(complete_card("mine", "two-conv", ["ill", "well"], given), "weights.safetensors", b"")
    qtbot.waitUntil(lambda: "mine" in widget.panel.cards)
    assert widget.panel.network.itemText(widget.panel.network.count() - 1) == "mine"
