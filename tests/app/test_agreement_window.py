"""The window of second annotations over its model."""

import numpy as np
import pytest
from napari.qt import get_qapp
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog

from allxai_desktop.agreement.model import AgreementModel
from allxai_desktop.agreement.plan import SecondPlan, second_folder, second_path
from allxai_desktop.app.agreement_window import AgreementWindow
from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask, save_mask
from allxai_desktop.study.folder import Study
from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import Progress
from allxai_desktop.study.store import StudyStore
from napari_allxai_widgets.dispatch import Dispatcher

SIDE = 20
CODES = np.full((SIDE, SIDE), 5, np.uint8)
CODES[5:15, 5:15] = 1


@pytest.fixture
def study(tmp_path):
    """Four images with masks by A01; nobody has annotated any of them twice."""
    folder = tmp_path / "cells"
    folder.mkdir()
    for number in range(4):
        path = folder / f"cell_{number + 1}.png"
        Image.new("RGB", (SIDE, SIDE), (250, 220, number)).save(path)
        save_mask(folder / "masks" / f"{path.stem}.npz", CODES, image=read_image(path), annotator="A01")
    return Study.open(folder)


@pytest.fixture
def twice(study):
    """The same, and two of them annotated by A02: as A01 did, and two rows lower."""
    SecondPlan(study).start("A02", 1, 0)
    for number, item in enumerate(study.items[:2]):
        codes = np.roll(load_mask(item.mask_path).codes, 2 * number, axis=0)
        save_mask(second_path(study, item, "A02"), codes, image=read_image(item.image_path))
    return study


@pytest.fixture
def open_window(qtbot):
    get_qapp()
    opened = []

    def open_one(study):
        model = AgreementModel(Dispatcher())
        model.set_study(study)
        window = AgreementWindow(model)
        qtbot.addWidget(window)
        opened.append(window)
        window.open()
        qtbot.waitUntil(lambda: not model.runner.running, timeout=20_000)
        return window

    yield open_one
    for window in opened:
        window.release()
        window.model.close()


def click(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def texts(table, row):
    return [table.item(row, column).text() for column in range(table.columnCount())]


def test_images_are_drawn_for_a_second_annotator(open_window, study):
    window = open_window(study)
    assert not window.annotate.isEnabled()
    window.person.setText("A02")
    window.share.setValue(50)
    click(window.draw)
    assert window.seconds.item(0).text() == "A02: 0 of 2 annotated"
    assert len(SecondPlan(study).all()) == 2
    asked = []
    window.annotate_asked.connect(asked.append)
    click(window.annotate)
    assert asked == ["A02"]


def test_images_that_were_drawn_for_the_wrong_person_are_taken_back(open_window, study):
    window = open_window(study)
    assert not window.take_back.isEnabled()
    window.person.setText("A02")
    click(window.draw)
    click(window.take_back)
    assert window.seconds.count() == 0
    assert not window.take_back.isEnabled()
    assert SecondPlan(study).all() == []


def test_nothing_can_be_taken_back_where_all_that_is_left_is_begun(open_window, twice):
    states = Progress(StudyStore.open(second_folder(twice, "A02")))
    states.edited(Person("A02"), "cell_2.png", None, "b" * 64)
    window = open_window(twice)
    click(window.take_back)
    assert window.seconds.item(0).text() == "A02: 1 of 2 annotated"
    assert not window.take_back.isEnabled()


def test_a_wrong_pseudonym_is_told_in_the_window(open_window, study):
    window = open_window(study)
    window.person.setText("a@b.c")
    click(window.draw)
    assert window.message.isVisible()
    assert window.message.text().startswith("A pseudonym has 1 to 32 letters")
    window.person.setText("A02")
    click(window.draw)
    assert not window.message.isVisible()


def test_what_is_there_is_compared_when_the_window_opens(open_window, twice):
    window = open_window(twice)
    assert window.which.currentText() == "A01 – A02"
    assert texts(window.classes, 0)[:2] == ["Nucleus", "90.0\N{NO-BREAK SPACE}%"]
    assert texts(window.classes, 2)[1:] == ["–"] * 5
    assert [texts(window.images, row)[0] for row in range(2)] == ["cell_2.png", "cell_1.png"]
    assert texts(window.images, 0)[5] == "40"


def test_without_second_masks_the_window_says_what_to_do(open_window, study):
    window = open_window(study)
    assert window.extent.text() == "Annotate images a second time, then compare."
    assert not window.export.isEnabled()
    click(window.compare)


def test_the_comparison_with_the_proposal_has_nothing_to_adjudicate(open_window, twice, qtbot):
    window = open_window(twice)
    assert window.adjudicate_now.isEnabled()
    window.proposal.setChecked(True)
    window.measure()
    qtbot.waitUntil(lambda: window.which.count() == 2, timeout=30_000)
    window.model.show(1)
    assert texts(window.images, 0)[1] == "Proposal"
    assert not window.adjudicate_now.isEnabled()


def test_the_adjudicator_is_whoever_works_here(open_window, twice):
    window = open_window(twice)
    window.set_person("R01")
    assert (window.adjudicator.text(), window.adjudicator.isReadOnly()) == ("R01", True)
    window.set_person(None)
    assert not window.adjudicator.isReadOnly()


def test_an_adjudication_is_prepared_for_the_chosen_image(open_window, twice, qtbot):
    window = open_window(twice)
    prepared = []
    window.model.prepared.connect(prepared.append)
    click(window.adjudicate_now)
    qtbot.waitUntil(window.message.isVisible, timeout=20_000)
    assert window.message.text().startswith("Say who adjudicates first")
    window.adjudicator.setText("R01")
    click(window.adjudicate_now)
    qtbot.waitUntil(lambda: bool(prepared), timeout=20_000)
    assert prepared[0].pair.item.image_path.name == "cell_2.png"


def test_the_report_is_written_where_a_person_says(open_window, twice, qtbot, tmp_path, monkeypatch):
    window = open_window(twice)
    monkeypatch.setattr(
        QFileDialog, "getExistingDirectory", staticmethod(lambda *args: str(tmp_path / "out"))
    )
    click(window.export)
    qtbot.waitUntil(lambda: bool(window.written.text()), timeout=20_000)
    assert window.written.text() == "Written: agreement.csv, agreement.json, agreement.html."
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "agreement.csv",
        "agreement.html",
        "agreement.json",
    ]


def test_a_table_is_copied_for_a_spreadsheet(open_window, twice):
    window = open_window(twice)
    lines = window.images.as_text().split("\n")
    assert lines[0].split("\t")[:3] == ["Image", "Compared masks", "κ"]
    assert lines[1].split("\t")[0] == "cell_2.png"
