"""The choice of the images, and what is said of them."""

import pytest
from PIL import Image
from qtpy.QtWidgets import QFileDialog

from napari_allxai_train.data_box import OWN_MAP, DataBox
from napari_allxai_train.data_page import SHARE, DataPage


@pytest.fixture
def box(setting, qtbot):
    made = DataBox(setting.model.data)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def page(setting, qtbot):
    made = DataPage(setting.model.data)
    qtbot.addWidget(made)
    made.show()
    return made


def open_images(setting, qtbot, path=None):
    setting.model.data.open(path or setting.images)
    qtbot.waitUntil(lambda: not setting.model.data.looking)


def test_before_a_choice_both_say_what_to_do(box, page):
    assert box.summary.text() == "Choose a folder or a table, or drop it here."
    assert page.empty.isVisible()
    assert page.empty.text().startswith("Choose the images to learn from, or drop them here")
    assert not box.pattern.isVisible()


def test_a_folder_is_summed_up(box, page, setting, qtbot, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: str(setting.images))
    box.folder.click()
    qtbot.waitUntil(lambda: setting.model.data.data is not None)
    assert box.summary.text() == "6 images · 2 classes · subjects not known"
    rows = [(page.table.item(row, 0).text(), page.table.item(row, 1).text()) for row in range(2)]
    assert rows == [("atypical", "3"), ("typical", "3")]
    assert page.table.item(0, 2).data(SHARE) == 1.0
    assert page.table.isColumnHidden(3)
    assert not box.error.isVisible()


def test_a_table_is_opened(box, setting, qtbot, monkeypatch):
    table = setting.images / "list.csv"
    table.write_text(
        "file,class,subject\ntypical/0.png,t,1\ntypical/1.png,t,2\natypical/0.png,a,3\natypical/1.png,a,3\n"
    )
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(table), ""))
    box.table.click()
    qtbot.waitUntil(lambda: setting.model.data.data is not None)
    assert box.summary.text() == "4 images · 2 classes · 3 subjects"


def test_a_cancelled_dialog_changes_nothing(box, setting, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: "")
    box.folder.click()
    assert setting.model.data.path is None


def test_a_pattern_shows_the_subjects_of_each_class(box, page, setting, qtbot):
    open_images(setting, qtbot)
    box.pattern.setText("^(\\d)")
    box.pattern.editingFinished.emit()
    assert box.summary.text() == "6 images · 2 classes · 3 subjects"
    assert not page.table.isColumnHidden(3)
    assert page.table.item(1, 3).text() == "3"


def test_a_wrong_pattern_is_told_beside_it(box, setting, qtbot):
    open_images(setting, qtbot)
    box.pattern.setText("(")
    box.pattern.editingFinished.emit()
    assert box.error.isVisible()
    assert box.error.text().startswith("The pattern ( is no regular expression")


def test_a_class_map_from_a_file_is_read(box, setting, qtbot, tmp_path, monkeypatch):
    open_images(setting, qtbot)
    path = tmp_path / "own.toml"
    path.write_text('title = "Own"\n[classes]\nall = ["typical", "atypical"]\n')
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(path), ""))
    rows = [box.maps._rows[row][0] for row in range(box.maps.count())]
    box.maps.setCurrentIndex(rows.index(OWN_MAP))
    box.maps.activated.emit(rows.index(OWN_MAP))
    assert box.summary.text() == "6 images · 1 class · subjects not known"
    assert box.maps.currentText() == "own.toml"


def test_a_folder_that_cannot_be_used_is_one_sentence(box, page, setting, qtbot, tmp_path):
    open_images(setting, qtbot, tmp_path / "nothing")
    assert box.error.text().endswith("choose a folder that you may open.")
    assert page.empty.text() == box.error.text()


def test_masks_are_proposed_for_images_without_classes(box, setting, qtbot, tmp_path, monkeypatch):
    assert not box.propose.isVisible()
    open_images(setting, qtbot, setting.images / "typical")
    assert box.propose.isVisible()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: str(tmp_path / "masks"))
    box.propose.click()
    qtbot.waitUntil(lambda: setting.model.data.data is not None)
    assert box.summary.text() == "3 images · with masks · subjects not known"
    assert not box.propose.isVisible()


def test_images_that_are_left_out_are_named_with_the_reason(box, page, setting, qtbot):
    (setting.images / "typical" / "9.png").write_bytes(b"nothing")
    open_images(setting, qtbot)
    assert box.summary.text().endswith("1 left out")
    assert page.skipped_title.text() == "Left out: 1"
    assert page.skipped.item(0).text().startswith("typical/9.png: 9.png is not a PNG")


def test_notes_are_shown(page, setting, qtbot):
    Image.new("RGB", (40, 30), (200, 10, 10)).save(setting.images / "typical" / "large.png")
    open_images(setting, qtbot)
    assert page.notes.text().startswith("The images have 2 sizes, from 24×24 to 40×30")
