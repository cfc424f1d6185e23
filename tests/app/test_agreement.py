"""A second annotation and an adjudication in the real window."""

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from allxai_desktop.agreement.plan import SecondPlan, second_path
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.study.folder import Study
from allxai_desktop.study.people import Person

pytestmark = pytest.mark.slow

SIDE = 30
CODES = np.full((SIDE, SIDE), 5, np.uint8)
CODES[5:20, 5:20] = 1


@pytest.fixture
def study(tmp_path):
    """Three images with masks by A01, all drawn for A02, who has annotated the first two, the second otherwise."""
    folder = tmp_path / "cells"
    folder.mkdir()
    for number in range(3):
        path = folder / f"cell_{number + 1}.png"
        Image.new("RGB", (SIDE, SIDE), (250, 220, 200 + number)).save(path)
        save_mask(folder / "masks" / f"{path.stem}.npz", CODES, image=read_image(path), annotator="A01")
    study = Study.open(folder)
    SecondPlan(study).start("A02", 1, 0)
    for number, item in enumerate(study.items[:2]):
        codes = np.roll(CODES, 3 * number, axis=0)
        save_mask(second_path(study, item, "A02"), codes, image=read_image(item.image_path))
    return study


@pytest.fixture
def window(show_window, qtbot, study):
    made = show_window()
    made.session.live = False
    made.open_path(study.folder)
    qtbot.waitUntil(lambda: made.workspace.image is not None, timeout=20_000)
    made.agreement.open()
    qtbot.waitUntil(lambda: made.agreement.model.result is not None, timeout=20_000)
    return made


def click(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def press(window, key):
    window.activateWindow()
    QTest.keyClick(window, key)


def adjudicate(window, qtbot):
    panel = window.agreement.agreement_window
    panel.adjudicator.setText("R01")
    click(panel.adjudicate_now)
    qtbot.waitUntil(lambda: window.agreement.adjudication is not None, timeout=20_000)
    panel.hide()
    return window.agreement.adjudication


def test_who_has_a_second_annotation_to_do_is_led_to_it(show_window, qtbot, study):
    window = show_window()
    window.session.live = False
    window.desk.model.person = Person("A02")
    window.open_path(study.folder)
    notices = window.notices
    qtbot.waitUntil(lambda: notices.text() == "An image waits for your second annotation.", timeout=20_000)
    window.desk.model.person = Person("A01")
    assert notices.isHidden()
    window.desk.model.person = Person("A02")
    qtbot.waitUntil(notices.isVisible, timeout=20_000)
    click(notices._action)
    qtbot.waitUntil(lambda: window.workspace.image.name == "cell_3.png", timeout=20_000)
    assert window.agreement.bar.text.text().startswith("Second annotation by A02")
    assert not window.paint.codes.any()
    window.agreement.leave()
    qtbot.waitUntil(notices.isVisible, timeout=20_000)
    assert notices.text() == "An image waits for your second annotation."
    window.agreement.open()
    # It is said anew, for the window asks who works here.
    qtbot.waitUntil(notices.isVisible, timeout=20_000)
    click(window.agreement.agreement_window.take_back)
    qtbot.waitUntil(notices.isHidden, timeout=20_000)


def test_the_second_annotator_sees_no_first_mask_and_goes_back_to_the_study(window, qtbot, study):
    panel = window.agreement.agreement_window
    click(panel.annotate)
    qtbot.waitUntil(lambda: window.workspace.image.name == "cell_3.png", timeout=20_000)
    assert window.agreement.bar.isVisible()
    assert window.agreement.bar.text.text().startswith("Second annotation by A02")
    assert not window.paint.codes.any()
    window.agreement.open()
    assert not panel.isVisible()
    assert window.notices.text().startswith("Agreement is shown once you are back in the study")
    window.desk.model.person = Person("A02")
    window.paint.apply(np.arange(SIDE * SIDE), 5)
    window.desk.model.enter()
    qtbot.waitUntil(lambda: window.desk.model.item(2).state == "submitted", timeout=20_000)
    click(window.agreement.bar.back)
    qtbot.waitUntil(lambda: window.workspace.study.folder == study.folder, timeout=20_000)
    qtbot.waitUntil(lambda: window.workspace.image.name == "cell_1.png", timeout=20_000)
    assert not window.agreement.bar.isVisible()
    qtbot.waitUntil(lambda: panel.seconds.item(0).text() == "A02: 3 of 3 annotated", timeout=20_000)
    found = load_mask(second_path(study, study.items[2], "A02"))
    assert (found.codes == 5).all()
    assert found.meta["annotator"] == "A02"
    assert (load_mask(study.items[2].mask_path).codes == CODES).all()


def test_nobody_annotates_in_the_name_of_another(window):
    window.workspace.person = Person("A01")
    click(window.agreement.agreement_window.annotate)
    assert window.agreement.agreement_window.message.text().startswith("You are A01, and this is for A02")
    assert not window.agreement.bar.isVisible()


def test_who_signs_in_beside_the_open_window_is_the_one_who_decides(window):
    panel = window.agreement.agreement_window
    window.desk.model.person = Person("A01")
    click(panel.annotate)
    assert panel.message.isVisible()
    window.desk.model.person = Person("A02")
    assert panel.adjudicator.text() == "A02"
    assert not panel.message.isVisible()


def test_who_signs_in_amid_what_another_annotates_is_back_in_the_study(window, qtbot, study):
    click(window.agreement.agreement_window.annotate)
    qtbot.waitUntil(lambda: window.workspace.image.name == "cell_3.png", timeout=20_000)
    window.desk.model.person = Person("A02")
    assert window.agreement.bar.isVisible()
    window.desk.model.person = Person("R01", "reviewer")
    qtbot.waitUntil(lambda: window.workspace.study.folder == study.folder, timeout=20_000)
    qtbot.waitUntil(lambda: not window.agreement.bar.isVisible(), timeout=20_000)
    qtbot.waitUntil(lambda: "is not yours" in window.notices.text(), timeout=20_000)


def test_who_signs_in_amid_an_adjudication_does_not_go_on_with_it(window, qtbot, study):
    adjudicate(window, qtbot)
    window.desk.model.person = Person("R02", "reviewer")
    qtbot.waitUntil(lambda: window.workspace.study.folder == study.folder, timeout=20_000)
    qtbot.waitUntil(lambda: window.agreement.adjudication is None, timeout=20_000)


def test_an_adjudication_is_walked_through_by_key_and_kept(window, qtbot, study):
    model = adjudicate(window, qtbot)
    assert window.workspace.image.name == "cell_2.png"
    assert [region.size for region in model.regions] == [45, 45]
    assert window.viewer.layers[-1] is window.agreement._layer.layer
    press(window, Qt.Key.Key_Right)
    assert [model.decision(number) for number in (0, 1)] == ["second", "open"]
    press(window, Qt.Key.Key_Up)
    press(window, Qt.Key.Key_Down)
    press(window, Qt.Key.Key_Left)
    assert [model.decision(number) for number in (0, 1)] == ["second", "first"]
    assert "All regions are decided" in window.agreement.bar.place.text()
    click(window.agreement.bar.back)
    qtbot.waitUntil(lambda: window.agreement.adjudication is None, timeout=20_000)
    qtbot.waitUntil(lambda: window.agreement.model.ranked[0].open_share == 0, timeout=20_000)
    final = load_mask(study.folder / "final" / "cell_2.npz", read_image(study.items[1].image_path))
    assert final.meta["annotator"] == "R01"
    assert (final.codes[5:8, 5:20] == 5).all()
    assert (final.codes[20:23, 5:20] == 5).all()
    assert (load_mask(study.items[1].mask_path).codes == CODES).all()
    assert len(window.viewer.layers) == 2


def test_a_side_is_chosen_by_a_click_and_a_stroke_of_ones_own_counts(window, qtbot):
    model = adjudicate(window, qtbot)
    bar = window.agreement.bar
    assert bar.choose["first"].text() == "← Nucleus"
    assert bar.choose["second"].text() == "Background →"
    window.paint.apply(model.regions[0].indices, 2)
    assert model.decision(0) == "own"
    click(bar.next)
    assert model.current == 1
    click(bar.rest["first"])
    assert [model.decision(number) for number in (0, 1)] == ["own", "first"]


def test_the_next_image_is_one_without_a_final_mask_then_one_with_open_regions(window, qtbot):
    adjudicate(window, qtbot)
    click(window.agreement.bar.next_image)
    qtbot.waitUntil(lambda: window.workspace.image.name == "cell_1.png", timeout=20_000)
    assert window.agreement.bar.place.text() == "The two masks are the same."
    # The first one was left with its regions open.
    click(window.agreement.bar.next_image)
    qtbot.waitUntil(lambda: window.workspace.image.name == "cell_2.png", timeout=20_000)
    click(window.agreement.bar.next_image)
    qtbot.waitUntil(lambda: window.notices.text() == "No other image has regions to decide.", timeout=20_000)
    assert window.agreement.bar.place.text().endswith("2 regions are open")


def test_another_folder_ends_the_adjudication(window, qtbot, tmp_path):
    adjudicate(window, qtbot)
    other = tmp_path / "other"
    other.mkdir()
    for number in range(2):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(other / f"{number}.png")
    window.open_path(other)
    qtbot.waitUntil(lambda: window.workspace.image.name == "0.png", timeout=20_000)
    assert window.agreement.adjudication is None
    assert not window.agreement.bar.isVisible()
    assert window.agreement.model.study.folder == other


def test_the_map_is_out_of_the_way_while_one_decides(window, qtbot):
    window.view.outline_visible = False
    adjudicate(window, qtbot)
    assert (window.view.map_visible, window.view.outline_visible) == (False, False)
    # The next start knows nothing of it.
    assert (window.settings.map_visible, window.settings.outline_visible) == (True, False)
    click(window.agreement.bar.back)
    qtbot.waitUntil(lambda: window.agreement.adjudication is None, timeout=20_000)
    assert (window.view.map_visible, window.view.outline_visible) == (True, False)


def test_the_window_closes_in_the_middle_of_an_adjudication(window, qtbot):
    adjudicate(window, qtbot)
    window.close()
    assert window.agreement.adjudication is None
