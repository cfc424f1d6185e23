"""The figures of a run, and its misclassified images."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QDesktopServices
from qtpy.QtTest import QTest

from allxai_desktop.training.measuring.evaluation import Mistake
from napari_allxai_train.mistakes import MistakeList, MistakesPage
from napari_allxai_train.result_page import ResultPage


@pytest.fixture
def page(ready, qtbot):
    made = ResultPage(ready.model)
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    return made


@pytest.fixture
def gallery(ready, qtbot):
    made = MistakesPage(ready.model, ready.dispatch)
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    yield made
    made.disconnect_model()


def run(ready, qtbot):
    ready.model.start()
    qtbot.waitUntil(lambda: not ready.model.running)


def test_before_a_run_both_say_what_will_be_there(page, gallery):
    assert page.empty.isVisible()
    assert gallery.empty.text().startswith("At the end of a run")
    assert not page.offer.isVisible()


def test_the_figures_name_the_positive_class(page, ready, qtbot):
    run(ready, qtbot)
    text = page.figures.toPlainText().replace("\u00a0", " ")
    assert "Positive class: atypical" in text
    assert "Accuracy\n50.0 %" in text
    assert "Sensitivity\n50.0 %" in text
    assert "% FN of all\n25.0 %" in text
    assert page.warning.text() == "Subjects are not known."


def test_a_class_is_called_by_its_name_for_people(page, ready, write_report, qtbot, tmp_path):
    write_report(tmp_path / "run", class_titles={"en": {"typical": "Typical cell"}})
    ready.model.open_report(tmp_path / "run" / "evaluation.json")
    qtbot.waitUntil(lambda: "Typical cell" in page.figures.toPlainText())
    assert "atypical" in page.figures.toPlainText()


def test_tags_in_a_file_are_no_html(page, ready, write_report, qtbot, tmp_path):
    write_report(tmp_path / "run", class_titles={"en": {"typical": "<u>cell</u>"}})
    path = tmp_path / "run" / "evaluation.json"
    path.write_text(path.read_text().replace("Subjects are not known.", "<u>caution</u>"))
    ready.model.open_report(path)
    qtbot.waitUntil(lambda: "<u>cell</u>" in page.figures.toPlainText())
    assert page.warning.text() == "<u>caution</u>"
    assert page.warning.textFormat() == Qt.TextFormat.PlainText


def test_a_figure_without_an_interval_says_why(page, ready, qtbot):
    run(ready, qtbot)
    assert (
        "¹ No interval: a class comes from fewer than 5 groups (subjects, or images"
        in page.figures.toPlainText()
    )


def test_a_cell_of_the_matrix_asks_for_its_mistakes(page, gallery, ready, qtbot):
    page.mistakes_asked.connect(gallery.show_only)
    run(ready, qtbot)
    cell = page.matrix.cell(1, 0).center().toPoint()
    QTest.mouseClick(page.matrix, Qt.MouseButton.LeftButton, pos=cell)
    assert [mistake.file for mistake in gallery.images.mistakes] == ["atypical/1.png"]
    assert gallery.filter.currentText() == "atypical → typical"


def test_the_report_and_the_folder_are_opened(page, ready, qtbot, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    run(ready, qtbot)
    page.page.click()
    page.folder.click()
    assert opened[0] == (ready.model.folder / "evaluation.md").as_posix()
    assert opened[1].rstrip("/") == ready.model.folder.as_posix()


def test_a_network_is_offered_once(page, ready, qtbot):
    run(ready, qtbot)
    page.offer.click()
    qtbot.waitUntil(lambda: ready.model.network is not None)
    assert page.message.text() == "The explain panel now offers cells-net."
    assert not page.offer.isEnabled()


def test_the_surest_mistake_comes_first_with_its_picture(gallery, ready, qtbot):
    run(ready, qtbot)
    assert [mistake.file for mistake in gallery.images.mistakes] == ["typical/1.png", "atypical/1.png"]
    assert gallery.count.text() == "2 of 4 images, the surest first"
    first = gallery.images.index(0)
    assert first.data() == "typical\n→ atypical\n98.2\u00a0%"
    qtbot.waitUntil(lambda: first.data(Qt.ItemDataRole.DecorationRole) is not gallery.images._blank)


def test_a_picture_that_comes_after_the_list_was_narrowed_is_drawn_in_its_new_row(ready, qtbot):
    mistakes = [Mistake(f"{name}/1.png", "typical", "atypical", 1.0) for name in ("typical", "atypical")]
    calls = []
    images = MistakeList(calls.append)
    images.show_mistakes(ready.images, mistakes)
    images.data(images.index(1), Qt.ItemDataRole.DecorationRole)
    qtbot.waitUntil(lambda: bool(calls))
    images.show_mistakes(ready.images, mistakes[1:])
    changed = []
    images.dataChanged.connect(lambda first, _last: changed.append(first.row()))
    calls[0]()
    images.close()
    assert changed == [0]


def test_an_earlier_run_waits_for_its_images(gallery, ready, write_report, qtbot, tmp_path):
    setting = ready
    write_report(tmp_path / "old")
    setting.model.data.path = None
    setting.model.open_report(tmp_path / "old" / "evaluation.json")
    qtbot.waitUntil(lambda: setting.model.report is not None)
    assert gallery.count.text().endswith("Choose the images of this run on the left to see them.")
    gallery.list.setCurrentIndex(gallery.images.index(0))
    assert not gallery.explain.isEnabled()
    setting.model.data.open(setting.images)
    qtbot.waitUntil(lambda: gallery.images.root == setting.images)
    assert gallery.count.text() == "2 of 4 images, the surest first"


def test_a_picture_that_is_gone_leaves_a_blank(gallery, ready, qtbot):
    (ready.images / "typical" / "1.png").unlink()
    run(ready, qtbot)
    qtbot.waitUntil(lambda: "typical/1.png" in gallery.images._icons)
    assert gallery.images.rowCount() == 2


def test_explaining_a_mistake_offers_the_network_first(gallery, ready, qtbot):
    asked = []
    ready.model.explain_asked.connect(lambda path, network: asked.append((path, network)))
    run(ready, qtbot)
    assert not gallery.explain.isEnabled()
    gallery.list.setCurrentIndex(gallery.images.index(1))
    gallery.explain.click()
    qtbot.waitUntil(lambda: bool(asked))
    assert asked == [(ready.images / "atypical" / "1.png", "cells-net")]
    gallery.list.activated.emit(gallery.images.index(1))
    assert len(asked) == 2


def test_nothing_is_explained_where_the_network_cannot_be_offered(gallery, ready, qtbot):
    asked, failures = [], []
    ready.model.explain_asked.connect(lambda *found: asked.append(found))
    ready.model.failed.connect(failures.append)
    run(ready, qtbot)
    ready.trainer.offer_error = "The disk is full."
    ready.model.explain("atypical/1.png")
    qtbot.waitUntil(lambda: failures == ["The disk is full."])
    assert asked == []


def test_a_report_over_several_splits_has_no_network_to_offer(page, ready, write_report, qtbot, tmp_path):
    write_report(tmp_path / "each-subject")
    (tmp_path / "each-subject" / "card.json").unlink()
    ready.model.open_report(tmp_path / "each-subject" / "evaluation.json")
    qtbot.waitUntil(lambda: ready.model.report is not None)
    assert page.figures.isVisible()
    assert not page.offer.isVisible()
