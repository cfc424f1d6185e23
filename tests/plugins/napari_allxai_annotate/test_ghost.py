from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import Qt

from allxai_desktop.painting.engine import PaintModel

pytestmark = pytest.mark.slow


@pytest.fixture
def proposed(window, qtbot):
    """Return the window with a proposal on its canvas."""
    window.proposals.visible = True
    window.proposals.set_image(SimpleNamespace(pixels=np.zeros((*window.model.shape, 3), np.uint8)))
    settled(window, qtbot)
    return window


def settled(window, qtbot):
    qtbot.waitUntil(lambda: not window.proposals.busy)


def key(window, qtbot, key):
    qtbot.keyClick(window.view.canvas.native, key)


def drawn(window):
    """Return the ghost as it is drawn, (H, W)."""
    return np.asarray(window.ghost.layer.data)


def test_the_ghost_lies_under_the_mask_and_cannot_be_painted(proposed):
    layers = proposed.viewer.layers
    assert layers.index(proposed.ghost.layer) == layers.index(proposed.canvas.mask_layer) - 1
    assert layers.selection.active is proposed.canvas.mask_layer
    assert not proposed.ghost.layer.editable


def test_the_ghost_is_striped_in_the_colours_of_the_classes_and_shows_edges_whole(proposed):
    shown = drawn(proposed)
    assert set(np.unique(shown)) == {0, 1, 5}
    assert (shown[:, :30] != 5).all()
    assert 0.2 < np.mean(shown[:, :29] > 0) < 0.5
    assert np.mean(shown[:, 30:] > 0) < np.mean(shown[:, :29] > 0) / 2
    assert (shown[:, 29] == 1).all()


def test_over_a_map_the_ghost_is_dashed_edges_and_the_background_has_none(proposed):
    proposed.canvas.map_shown = True
    shown = drawn(proposed)
    assert set(np.unique(shown)) == {0, 1}
    assert np.flatnonzero(shown.any(axis=0)).tolist() == [29]
    assert np.flatnonzero(shown[:, 29]).tolist() == [row for row in range(40) if row // 6 % 2 == 0]
    proposed.canvas.map_shown = False
    assert set(np.unique(drawn(proposed))) == {0, 1, 5}


def test_painting_takes_the_ghost_away_and_erasing_brings_it_back(proposed, mouse, qtbot):
    before = drawn(proposed).copy()
    proposed.model.brush_size = 10
    mouse.press(20, 15)
    assert not drawn(proposed)[16:24, 12:18].any()
    mouse.release(20, 15)
    settled(proposed, qtbot)
    proposed.model.undo()
    settled(proposed, qtbot)
    assert (drawn(proposed) == before).all()


def test_the_ghost_follows_what_is_learned(proposed, mouse, qtbot):
    mouse.click(20, 15)
    settled(proposed, qtbot)
    assert set(np.unique(drawn(proposed))) == {0, 2}
    assert proposed.panel.ghost_row.source.text() == "learned"


def test_keys_accept_all_and_the_class_in_hand(proposed, qtbot):
    key(proposed, qtbot, "T")
    assert (proposed.model.codes[:, :30] == 1).all()
    assert not proposed.model.codes[:, 30:].any()
    key(proposed, qtbot, "Y")
    assert (proposed.model.codes[:, 30:] == 5).all()
    assert not drawn(proposed).any()
    assert not proposed.model.person.any()


def test_a_brush_accepts_what_it_is_drawn_over(proposed, mouse, qtbot):
    key(proposed, qtbot, "D")
    proposed.model.brush_size = 4
    mouse.drag((20, 28), (20, 32))
    codes = proposed.model.codes
    assert (codes[20, 27:34] == [1, 1, 1, 5, 5, 5, 5]).all()
    assert not codes[30].any()
    proposed.model.undo()
    assert not codes.any()


def test_a_key_hides_the_ghost_and_shows_it_again(proposed, qtbot):
    key(proposed, qtbot, "G")
    assert not proposed.ghost.layer.visible
    assert not len(proposed.ghost.view.sides)
    key(proposed, qtbot, "G")
    assert proposed.ghost.layer.visible
    assert len(proposed.ghost.view.sides)


def test_another_image_has_no_ghost_until_its_proposal_comes_and_the_layer_stays(proposed, qtbot):
    layer = proposed.ghost.layer
    proposed.proposals.set_image(None)
    assert not layer.visible
    proposed.model.new_image(np.zeros((20, 80), np.uint8))
    proposed.show_image("wide.png", pixel_size_um=0.5)
    proposed.proposals.set_image(SimpleNamespace(pixels=np.zeros((20, 80, 3), np.uint8)))
    settled(proposed, qtbot)
    assert proposed.ghost.layer is layer
    assert (layer.visible, layer.data.shape, tuple(layer.scale)) == (True, (20, 80), (0.5, 0.5))


def test_a_layer_that_was_removed_is_made_again(proposed, qtbot):
    proposed.viewer.layers.remove(proposed.ghost.layer)
    assert proposed.ghost.layer is None
    proposed.model.apply(np.array([0]), 2)
    settled(proposed, qtbot)
    assert proposed.ghost.layer in proposed.viewer.layers


def test_going_to_what_is_seen_outlines_it_and_leaves_the_camera(proposed, qtbot):
    camera = proposed.viewer.scene.camera
    before = camera.center, camera.zoom
    key(proposed, qtbot, "N")
    assert (camera.center, camera.zoom) == before
    sides = proposed.canvas.gestures.view.sides
    assert (sides.min(axis=0) > [5, 20]).all()
    assert (sides.max(axis=0) < [25, 40]).all()
    proposed.model.apply(np.array([0]), 2)
    assert not len(proposed.canvas.gestures.view.sides)


def test_going_to_a_speck_brings_it_near(proposed, qtbot):
    codes = np.full(proposed.model.shape, 5, np.uint8)
    codes[35, 50] = 0
    proposed.model.new_image(codes)
    camera = proposed.viewer.scene.camera
    camera.zoom = 2
    key(proposed, qtbot, "U")
    assert camera.zoom == 8
    assert camera.center[-2:] == (35, 50)


def test_what_cannot_be_gone_to_is_said(proposed, qtbot):
    told = []
    proposed.ghost.told.connect(told.append)
    proposed.model.apply(np.arange(proposed.model.codes.size), 5)
    settled(proposed, qtbot)
    key(proposed, qtbot, "U")
    key(proposed, qtbot, "N")
    assert told == ["Every pixel has a class.", "The proposal is sure everywhere."]


def test_nothing_of_the_mask_is_changed_by_keys_while_a_region_is_painted(proposed, qtbot):
    told = []
    proposed.ghost.told.connect(told.append)
    proposed.model.apply(np.array([50]), 2)
    settled(proposed, qtbot)
    before = proposed.model.codes.copy()
    proposed.canvas.gestures.region = PaintModel(np.zeros(before.shape, np.uint8))
    for name in "YT":
        key(proposed, qtbot, name)
    qtbot.keyClick(proposed.view.canvas.native, "B", Qt.KeyboardModifier.ShiftModifier)
    assert told == ["The proposal is for the mask: leave What if first (Esc)."] * 2
    assert not proposed.panel.clean.isEnabled()
    proposed.canvas.gestures.region = None
    assert (proposed.model.codes == before).all()
    assert proposed.panel.clean.isEnabled()


def test_why_there_is_nothing_to_accept_is_said(proposed, qtbot):
    told = []
    proposed.ghost.told.connect(told.append)
    proposed.proposals.visible = False
    key(proposed, qtbot, "Y")
    proposed.proposals.visible = True
    proposed.proposals.set_image(None)
    key(proposed, qtbot, "Y")
    assert told == [
        "The proposal is switched off: G shows it.",
        "There is no proposal for this mask.",
    ]


def test_the_row_offers_only_what_there_is_to_accept(proposed, qtbot):
    row = proposed.panel.ghost_row
    buttons = [row.buttons["accept-all"], row.buttons["accept-class"], row.accept]
    assert all(button.isEnabled() for button in buttons)
    assert row.source.text() == "by the network"
    qtbot.mouseClick(row.show_proposal, Qt.MouseButton.LeftButton)
    assert not proposed.proposals.visible
    assert not any(button.isEnabled() for button in buttons)
    assert row.source.text() == ""


def test_the_row_says_that_an_image_is_too_large(proposed, monkeypatch):
    monkeypatch.setattr("allxai_desktop.proposing.model.LARGEST", 10)
    proposed.proposals.set_image(SimpleNamespace(pixels=np.zeros((*proposed.model.shape, 3), np.uint8)))
    assert proposed.panel.ghost_row.source.text() == "too large"


def test_buttons_of_the_row_do_what_their_keys_do(proposed, qtbot):
    row = proposed.panel.ghost_row
    qtbot.mouseClick(row.accept, Qt.MouseButton.LeftButton)
    assert proposed.model.tool == "accept"
    qtbot.mouseClick(row.buttons["accept-all"], Qt.MouseButton.LeftButton)
    assert proposed.model.codes.all()
    assert row.buttons["accept-all"].toolTip() == "Accept the whole proposal (Y)"


def test_what_was_outlined_to_be_found_goes_with_its_image(proposed, qtbot):
    key(proposed, qtbot, "N")
    assert len(proposed.canvas.gestures.view.sides)
    proposed.model.new_image(np.zeros(proposed.model.shape, np.uint8))
    assert not len(proposed.canvas.gestures.view.sides)
