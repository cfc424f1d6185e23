"""Masks in and out of the real window."""

import json

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog
from wheel import wheel

from allxai_desktop.app.exchange_dialogs import ReportDialog
from allxai_desktop.images import read_image
from allxai_desktop.masks.exported import Exported
from allxai_desktop.masks.formats import EXPORTS
from allxai_desktop.masks.npz import load_mask, save_mask

pytestmark = pytest.mark.slow

SIDE = 30
CODES = np.full((SIDE, SIDE), 5, np.uint8)
CODES[5:20, 5:20] = 2
CODES[10:15, 10:15] = 1


@pytest.fixture
def folder(tmp_path):
    """Two images, of which the first has a mask."""
    folder = tmp_path / "cells"
    folder.mkdir()
    for number, name in enumerate(("a.png", "b.png")):
        Image.new("RGB", (SIDE, SIDE), (250, 220, 200 + number)).save(folder / name)
    save_mask(folder / "masks" / "a.npz", CODES, image=read_image(folder / "a.png"))
    return folder


@pytest.fixture
def window(show_window, qtbot, folder):
    made = show_window()
    made.open_path(folder)
    qtbot.waitUntil(lambda: made.workspace.image is not None, timeout=20_000)
    return made


def action(window, text):
    found = [
        item
        for menu in window.menuBar().actions()
        if menu.menu() is not None
        for item in menu.menu().actions()
        if item.text().partition("\t")[0] == text
    ]
    (one,) = found
    return one


def choose_file(monkeypatch, path, chosen):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", staticmethod(lambda *args: (str(path), chosen)))


def choose_folder(monkeypatch, path):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", staticmethod(lambda *args: str(path)))


def click(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(
    ("typed", "chosen", "written"),
    [
        ("cell.npz", "COCO (*.json)", "cell.json"),
        ("cell", "OME-TIFF labels (*.ome.tif)", "cell.ome.tif"),
        ("cell.ome.tif", "PNG with a palette (*.png)", "cell.png"),
        ("cell.v2", "NumPy, one file an image (*.npz)", "cell.v2.npz"),
    ],
)
def test_the_mask_that_is_shown_goes_out_in_the_chosen_format(
    window, qtbot, tmp_path, monkeypatch, typed, chosen, written
):
    choose_file(monkeypatch, tmp_path / typed, chosen)
    action(window, "Export mask…").trigger()
    qtbot.waitUntil(lambda: "exported" in window.notices.text(), timeout=20_000)
    assert window.notices.text() == f"Mask exported as {written}."
    assert (tmp_path / written).is_file()


def test_a_file_that_the_dialog_did_not_ask_about_is_not_written_over(window, qtbot, tmp_path, monkeypatch):
    (tmp_path / "cell.png").write_bytes(b"the image")
    choose_file(monkeypatch, tmp_path / "cell.npz", "PNG with a palette (*.png)")
    action(window, "Export mask…").trigger()
    qtbot.waitUntil(lambda: "exported" in window.notices.text(), timeout=20_000)
    assert window.notices.text() == "Mask exported as cell-2.png."
    assert (tmp_path / "cell.png").read_bytes() == b"the image"


def test_a_study_goes_out_into_a_folder_of_its_own(window, qtbot, tmp_path, monkeypatch):
    choose_folder(monkeypatch, tmp_path)
    action(window, "Export study…").trigger()
    dialog = window.exchange.dialog
    dialog.format.setCurrentIndex(list(EXPORTS).index("coco"))
    dialog.rename.setChecked(True)
    click(dialog.go)
    qtbot.waitUntil(lambda: window.exchange.dialog is None, timeout=20_000)
    assert window.notices.text() == "1 mask exported. 1 image has no mask. Folder: masks-coco."
    content = json.loads((tmp_path / "masks-coco" / "masks.json").read_text())
    assert [image["file_name"] for image in content["images"]] == ["image_0001.png"]


def test_a_final_mask_that_is_not_finished_is_named(window, qtbot, tmp_path, folder, monkeypatch):
    save_mask(folder / "final" / "a.npz", np.eye(SIDE, dtype=np.uint8))
    choose_folder(monkeypatch, tmp_path)
    window.exchange.export_study()
    dialog = window.exchange.dialog
    dialog.final.setChecked(True)
    click(dialog.go)
    qtbot.waitUntil(lambda: window.exchange.dialog is None, timeout=20_000)
    assert "The final mask of a.png has open regions or cannot be read" in window.notices.text()


def test_a_stroke_that_is_not_saved_yet_goes_out_too(window, qtbot, tmp_path, monkeypatch):
    choose_folder(monkeypatch, tmp_path)
    window.exchange.export_study()
    window.paint.begin_stroke()
    window.paint.apply(np.arange(40), 4)
    window.paint.end_stroke()
    dialog = window.exchange.dialog
    dialog.format.setCurrentIndex(list(EXPORTS).index("png"))
    click(dialog.go)
    qtbot.waitUntil(lambda: window.exchange.dialog is None, timeout=20_000)
    written = np.asarray(Image.open(tmp_path / "masks-png" / "a.png"))
    assert written.reshape(-1)[:41].tolist() == [4] * 40 + [5]


def test_a_folder_that_cannot_be_written_is_told_in_the_dialog(window, qtbot, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    choose_folder(monkeypatch, tmp_path / "file")
    window.exchange.export_study()
    dialog = window.exchange.dialog
    click(dialog.go)
    qtbot.waitUntil(dialog.message.isVisible, timeout=20_000)
    assert dialog.message.text().startswith("masks-npz could not be written")
    assert dialog.go.isEnabled()


def test_imported_masks_are_in_the_list_and_on_the_canvas(window, qtbot, tmp_path, monkeypatch):
    new = tmp_path / "new"
    new.mkdir()
    for name, values in (("a.png", [4, 5]), ("b.png", [128, 5])):
        Image.fromarray(np.repeat(np.array([values], np.uint8), SIDE, 0).repeat(SIDE // 2, 1)).save(
            new / name
        )
    choose_folder(monkeypatch, new)
    action(window, "Import masks…").trigger()
    dialog = window.exchange.dialog
    assert not dialog.go.isEnabled()
    assert not dialog.progress.isVisible()
    click(dialog.folder)
    qtbot.waitUntil(lambda: list(dialog.meanings) == ["4", "5", "128"], timeout=20_000)
    assert [box.currentText() for box in dialog.meanings.values()] == [
        "Red blood cell",
        "Background",
        "choose…",
    ]
    # Whoever scrolls past the labels gives none another class.
    wheel(dialog.meanings["4"], -1)
    assert dialog.meanings["4"].currentText() == "Red blood cell"
    assert not dialog.go.isEnabled()
    dialog.meanings["128"].setCurrentIndex(dialog.meanings["128"].findData(2))
    dialog.replace.setChecked(True)
    click(dialog.go)
    qtbot.waitUntil(lambda: window.exchange.dialog is None, timeout=20_000)
    qtbot.waitUntil(lambda: window.paint.codes[0, 0] == 4, timeout=20_000)
    qtbot.waitUntil(window.notices.isVisible, timeout=20_000)
    assert window.notices.text() == "2 masks imported."
    qtbot.waitUntil(lambda: window.study_panel.model.painted() == 2, timeout=20_000)
    assert set(load_mask(window.workspace.study.items[1].mask_path).codes.flat) == {2, 5}


def test_what_was_imported_is_told_after_what_there_is_to_say_about_the_image(window, qtbot, folder):
    save_mask(folder / "masks" / "a-2.npz", CODES, image=window.workspace.image)
    (folder / "b-mask").mkdir()
    EXPORTS["png"].write_image(folder / "b-mask" / "b.png", Exported(CODES, window.workspace.image, "b"))
    window.exchange.import_masks()
    dialog = window.exchange.dialog
    dialog.choose(folder / "b-mask" / "b.png")
    qtbot.waitUntil(dialog.go.isEnabled, timeout=20_000)
    click(dialog.go)
    qtbot.waitUntil(lambda: window.exchange.dialog is None, timeout=20_000)
    qtbot.waitUntil(lambda: window.notices.text() == "1 mask imported.", timeout=20_000)
    qtbot.wait(200)
    assert window.notices.text() == "1 mask imported."


def test_all_that_could_not_be_imported_is_read_on_demand(window, qtbot, folder):
    new = folder / "new"
    new.mkdir()
    for name in ("b.png", "c.png"):
        Image.new("L", (SIDE + 1, SIDE), 1).save(new / name)
    window.exchange.import_masks()
    dialog = window.exchange.dialog
    dialog.choose(new)
    qtbot.waitUntil(dialog.go.isEnabled, timeout=20_000)
    click(dialog.go)
    qtbot.waitUntil(lambda: window.notices.text().endswith("(and 1 more)"), timeout=20_000)
    click(window.notices._action)
    told = window.findChild(ReportDialog)
    assert told.windowTitle() == "0 masks imported."
    first, second = told.text.toPlainText().splitlines()
    assert "b.png" in first
    assert "c" in second
    told.reject()


def test_masks_that_are_there_are_kept_and_it_is_said(window, qtbot, tmp_path):
    EXPORTS["png"].write_image(tmp_path / "a.png", Exported(CODES, window.workspace.image, "a"))
    window.exchange.import_masks()
    dialog = window.exchange.dialog
    dialog.choose(tmp_path / "a.png")
    qtbot.waitUntil(dialog.go.isEnabled, timeout=20_000)
    click(dialog.go)
    qtbot.waitUntil(lambda: window.exchange.dialog is None, timeout=20_000)
    assert window.notices.text() == "0 masks imported. 1 image kept the mask that it had."
    assert window.paint.codes.tolist() == CODES.tolist()


def test_a_file_that_is_no_mask_is_told_in_the_dialog(window, qtbot, tmp_path):
    window.exchange.import_masks()
    dialog = window.exchange.dialog
    (tmp_path / "notes.txt").touch()
    dialog.choose(tmp_path / "notes.txt")
    qtbot.waitUntil(dialog.message.isVisible, timeout=20_000)
    assert dialog.message.text().startswith("notes.txt is no mask that this program reads")
    click(dialog.stop)
    assert window.exchange.dialog is None


def test_the_window_closes_over_an_open_dialog(window):
    window.exchange.export_study()
    window.close()
    assert window.exchange.dialog is None
