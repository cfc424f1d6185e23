"""The whole panel and its window: from images to figures, driven by its buttons."""

import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QFileDialog
from wheel import wheel

from napari_allxai_train.window import TrainWindow


@pytest.fixture
def window(setting, qtbot):
    made = TrainWindow(setting.model, setting.dispatch)
    qtbot.addWidget(made)
    made.open()
    yield made
    setting.trainer.gate.set()
    made.close()
    made.release()


def drop(panel, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    panel.dropEvent(event)


def make_ready(window, setting, qtbot):
    drop(window.panel, setting.images)
    qtbot.waitUntil(lambda: setting.model.data.data is not None)
    setting.model.choose(positive="atypical")


def test_nothing_can_be_started_before_there_are_images(window):
    panel = window.panel
    assert not panel.start.isEnabled()
    assert panel.missing.text() == "Choose the images to learn from."


def test_a_folder_that_is_dropped_is_read_and_can_be_learnt(window, setting, qtbot):
    panel = window.panel
    drop(panel, setting.images)
    qtbot.waitUntil(lambda: setting.model.data.data is not None)
    assert setting.model.choices.positive == "atypical"
    assert panel.start.isEnabled()
    assert not panel.missing.isVisible()
    setting.model.choose(positive=None)
    assert panel.missing.text().startswith("Choose the positive class")
    assert not panel.start.isEnabled()


def test_the_wheel_over_the_choices_changes_none(window, setting):
    before = setting.model.choices
    wheel(window.panel.preset_box.preset, -1)
    wheel(window.panel.preset_box.epochs, 1)
    assert setting.model.choices == before


def test_what_is_said_beside_the_preset_is_not_said_twice(window, setting, qtbot):
    make_ready(window, setting, qtbot)
    setting.model.choose(preset="thesis-1-vgg16")
    assert window.panel.preset_box.reason.isVisible()
    assert not window.panel.missing.isVisible()
    assert window.panel.start.toolTip() == window.panel.preset_box.reason.text()


def test_a_run_goes_from_start_to_its_figures(window, setting, qtbot):
    panel = window.panel
    make_ready(window, setting, qtbot)
    setting.trainer.gate.clear()
    panel.start.click()
    assert panel.tabs.currentWidget() is panel.run_page
    assert not panel.preset_box.isEnabled()
    assert (panel.start.isVisible(), panel.cancel.isVisible()) == (False, True)
    setting.trainer.gate.set()
    qtbot.waitUntil(lambda: not setting.model.running)
    assert panel.tabs.currentWidget() is panel.result_page
    assert panel.preset_box.isEnabled()


def test_a_stopped_run_can_go_on(window, setting, qtbot):
    panel = window.panel
    make_ready(window, setting, qtbot)
    setting.trainer.gate.clear()
    panel.start.click()
    qtbot.waitUntil(lambda: len(setting.model.records) == 1)
    panel.cancel.click()
    assert panel.run_page.error.text().startswith("The run was stopped.")
    assert panel.resume.isVisible()
    setting.trainer.gate.set()
    panel.resume.click()
    qtbot.waitUntil(lambda: not setting.model.running)
    assert [request.resume for request in setting.trainer.requests] == [False, True]
    assert not panel.resume.isVisible()


def test_the_run_outlives_the_closed_window(window, setting, qtbot):
    make_ready(window, setting, qtbot)
    setting.trainer.gate.clear()
    window.panel.start.click()
    qtbot.waitUntil(lambda: len(setting.model.records) == 1)
    window.close()
    setting.trainer.gate.set()
    qtbot.waitUntil(lambda: not setting.model.running)
    window.open()
    assert setting.model.report is not None
    assert window.panel.tabs.currentWidget() is window.panel.result_page


def test_a_mistake_is_reached_from_the_matrix(window, setting, qtbot):
    make_ready(window, setting, qtbot)
    window.panel.start.click()
    qtbot.waitUntil(lambda: not setting.model.running)
    window.panel.result_page.mistakes_asked.emit(1, 0)
    assert window.panel.tabs.currentWidget() is window.panel.mistakes_page


def test_an_earlier_run_is_shown(window, setting, qtbot, monkeypatch):
    make_ready(window, setting, qtbot)
    window.panel.start.click()
    qtbot.waitUntil(lambda: not setting.model.running)
    path = setting.model.folder / "evaluation.json"
    setting.model.report = None
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(path), ""))
    window.panel.former.click()
    qtbot.waitUntil(lambda: setting.model.report is not None)
    assert setting.model.report.images == 4


def test_a_file_that_is_no_report_is_told_until_something_else_is_shown(window, setting, qtbot, tmp_path):
    panel = window.panel
    make_ready(window, setting, qtbot)
    (tmp_path / "other.json").write_text("[]")
    setting.model.open_report(tmp_path / "other.json")
    qtbot.waitUntil(panel.notice.isVisible)
    assert panel.notice.text().startswith("other.json is no evaluation")
    panel.start.click()
    assert not panel.notice.isVisible()


def test_the_preview_is_drawn_when_its_tab_is_opened(window, setting, qtbot):
    panel = window.panel
    make_ready(window, setting, qtbot)
    assert panel.preview.strips == []
    panel.tabs.setCurrentWidget(panel.preview_page)
    qtbot.waitUntil(lambda: bool(panel.preview.strips))
    first = panel.preview_page.file.text()
    panel.preview_page.next.click()
    qtbot.waitUntil(lambda: panel.preview_page.file.text() != first)
    panel.preview_page.previous.click()
    qtbot.waitUntil(lambda: panel.preview_page.file.text() == first)


def test_the_time_is_said_once_the_images_are_read(window, setting, qtbot):
    make_ready(window, setting, qtbot)
    qtbot.waitUntil(lambda: "takes about" in window.panel.preset_box.card.text(), timeout=30_000)


@pytest.mark.parametrize("size", [(1240, 700), (1024, 640)])
def test_nothing_reaches_beyond_the_window(window, setting, qtbot, size):
    make_ready(window, setting, qtbot)
    window.resize(*size)
    qtbot.wait(50)
    panel = window.panel
    assert (window.width(), window.height()) == size
    for button in (panel.start, panel.former, panel.tabs):
        corner = button.mapTo(window, button.rect().bottomRight())
        assert window.rect().contains(corner)
