"""The proposal from the opening of an image to the file of its mask, in the real window."""

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QStyle, QStyleOptionViewItem

from allxai_desktop.app.settings import WindowSettings
from allxai_desktop.errors import AllxaiError
from allxai_desktop.masks.npz import load_mask
from allxai_desktop.proposing.proposal import Proposal
from allxai_desktop.proposing.proposer import Proposer
from allxai_desktop.study.people import Person

pytestmark = pytest.mark.slow

SIDE = 30


class Halves:
    """Proposes cytoplasm above background, surely; what is painted changes nothing."""

    def __init__(self, image):
        self.codes = np.full(image.pixels.shape[:2], 5, np.uint8)
        self.codes[: SIDE // 2] = 2

    def corrected(self, correction):
        return self

    def start(self):
        return Proposal(self.codes, np.zeros(self.codes.shape, np.float32), "network")

    def update(self, codes, person):
        return self.start()


class Broken(Halves):
    def start(self):
        raise AllxaiError("The network does not fit.")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "cells"
    folder.mkdir()
    for number, name in enumerate(("a.png", "b.png")):
        Image.new("RGB", (SIDE, SIDE), (250, 220, 200 + number)).save(folder / name)
    return folder


@pytest.fixture
def window(show_window):
    made = show_window(proposals=True)
    made.proposals.model._make = Halves
    return made


def opened(window, folder, qtbot):
    window.open_path(folder)
    qtbot.waitUntil(
        lambda: window.workspace.image is not None and not window.proposals.model.busy, timeout=20_000
    )
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)


def key(window, name):
    QTest.keyClick(window.qt_viewer.canvas.native, name)


def test_accepted_with_one_key_corrected_with_one_stroke_and_told_apart_in_the_file(window, folder, qtbot):
    opened(window, folder, qtbot)
    key(window, "Y")
    window.paint.apply(np.arange(SIDE), 1)
    qtbot.waitUntil(lambda: window.workspace.saved == "saved", timeout=20_000)
    mask = load_mask(folder / "masks" / "a.npz")
    assert np.unique(mask.codes, return_counts=True)[1].tolist() == [SIDE, 14 * SIDE, 15 * SIDE]
    assert mask.meta["accepted_proposal_share"] == pytest.approx(29 / 30)
    assert not mask.accepted[0].any()
    assert mask.accepted[1:].all()


def test_each_image_has_its_own_and_a_complete_one_none(window, folder, qtbot):
    opened(window, folder, qtbot)
    key(window, "Y")
    window.workspace.step(1)
    qtbot.waitUntil(
        lambda: window.workspace.index == 1 and window.proposals.model.proposal is not None, timeout=20_000
    )
    assert window.proposals.ghost.layer.visible
    assert not window.paint.codes.any()
    window.workspace.step(-1)
    qtbot.waitUntil(lambda: window.workspace.index == 0, timeout=20_000)
    qtbot.wait(50)
    assert window.proposals.model.proposal is None
    assert not window.proposals.ghost.layer.visible


def test_switched_off_it_stays_so_in_the_next_session(window, folder, qtbot):
    opened(window, folder, qtbot)
    key(window, "G")
    assert not WindowSettings().proposals
    key(window, "G")
    assert WindowSettings().proposals


def test_switched_off_nothing_is_learnt_for_it(window, folder, qtbot):
    opened(window, folder, qtbot)
    key(window, "G")
    assert not window.proposals.lessons.active
    key(window, "G")
    assert window.proposals.lessons.active


def test_for_a_mask_that_is_complete_nothing_is_learnt(window, folder, qtbot):
    opened(window, folder, qtbot)
    key(window, "Y")
    assert window.proposals.lessons.active
    for by in (1, -1):
        shown = window.workspace.index + by
        window.workspace.step(by)
        qtbot.waitUntil(
            lambda shown=shown: window.workspace.index == shown and not window.proposals.model.busy,
            timeout=20_000,
        )
    assert not window.proposals.lessons.active
    window.paint.apply(np.arange(SIDE), 0)
    assert window.proposals.lessons.active


def click_eye(window, layer, qtbot):
    window.docks.layers.show()
    rows = window.qt_viewer.layers
    (row,) = rows.model().match(rows.model().index(0, 0), Qt.ItemDataRole.DisplayRole, layer.name)
    rows.scrollTo(row)
    qtbot.wait(50)
    option = QStyleOptionViewItem()
    rows.initViewItemOption(option)
    option.rect = rows.visualRect(row)
    rows.itemDelegateForIndex(row).initStyleOption(option, row)
    eye = rows.style().subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, option, rows)
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=eye.center())


def test_the_eye_of_the_map_in_the_list_of_layers_brings_the_stripes_back(window, folder, qtbot):
    opened(window, folder, qtbot)
    qtbot.waitUntil(lambda: window.session.result is not None, timeout=20_000)
    background = 5
    assert background not in window.proposals.ghost.layer.data
    click_eye(window, window.overlay.map_layer, qtbot)
    assert not window.view.map_visible
    assert background in window.proposals.ghost.layer.data
    click_eye(window, window.overlay.map_layer, qtbot)
    assert window.view.map_visible
    assert background not in window.proposals.ghost.layer.data


def test_a_failure_is_told_and_painting_goes_on(window, folder, qtbot):
    window.proposals.model._make = Broken
    opened(window, folder, qtbot)
    assert window.notices.isVisible()
    assert "The network does not fit." in window.notices.text()
    window.paint.apply(np.arange(SIDE), 1)
    assert np.count_nonzero(window.paint.codes) == SIDE


def test_what_was_submitted_teaches_the_proposal_of_the_next_image(window, folder, qtbot):
    window.desk.model.person = Person("A07")
    window.proposals.model._make = Proposer
    opened(window, folder, qtbot)
    window.paint.apply(np.arange(SIDE * SIDE), 4)
    key(window, Qt.Key.Key_Return)
    qtbot.waitUntil(
        lambda: (
            window.workspace.index == 1
            and window.proposals.model.proposal is not None
            and window.proposals.model.proposal.source == "study"
        ),
        timeout=20_000,
    )
