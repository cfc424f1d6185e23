import gc
import sys
import threading
from pathlib import Path
from shutil import copytree
from threading import Thread

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QPushButton

from allxai_desktop.app import main
from allxai_desktop.app.main import keep_what_is_there, open_first
from allxai_desktop.app.settings import last_opened


@pytest.fixture
def starting():
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("starting")
def test_what_the_start_made_is_not_searched_for_garbage_again():
    made = [[]]

    keep_what_is_there()

    later = [[]]
    searched = [id(one) for one in gc.get_objects()]
    assert gc.isenabled()
    assert id(made) not in searched
    assert id(later) in searched


@pytest.mark.usefixtures("starting")
@pytest.mark.parametrize("console", [True, False])
def test_why_no_window_opened_is_in_the_log_and_said_where_there_is_no_console(
    tmp_path, monkeypatch, caplog, console
):
    def start(_path):
        error = OSError("[WinError 126] The specified module could not be found: torch/lib/c10.dll")
        error.winerror = 126
        raise error

    shown = []
    monkeypatch.setattr(main, "start", start)
    monkeypatch.setattr(main, "show_box", shown.append)
    monkeypatch.setattr("allxai_desktop.app.log.log_file", lambda: tmp_path / "allxai.log")
    if not console:
        monkeypatch.setattr("sys.stderr", None)
    with pytest.raises(OSError, match="WinError 126"):
        main.run()
    assert "WinError 126" in caplog.text
    there = (
        f"AllXAI Desktop could not be opened. The details are in {tmp_path / 'allxai.log'}. torch cannot be"
    )
    assert [text[: len(there)] for text in shown] == ([] if console else [there])


@pytest.mark.usefixtures("starting")
def test_why_no_window_opened_is_said_also_where_no_log_can_be_written(monkeypatch):
    def refused(path, **_given):
        raise PermissionError(13, "Permission denied", path.name)

    shown = []
    monkeypatch.setattr(Path, "mkdir", refused)
    monkeypatch.setattr(main, "show_box", shown.append)
    monkeypatch.setattr("sys.stderr", None)
    with pytest.raises(PermissionError):
        main.run()
    assert ["Permission denied" in text for text in shown] == [True]


@pytest.mark.parametrize(
    "run", [lambda work: Thread(target=work).start(), lambda work: QTimer.singleShot(0, work)]
)
def test_what_nobody_foresaw_is_written_down_and_said_from_each_thread(
    show_window, tmp_path, monkeypatch, caplog, qtbot, run
):
    def work():
        return 1 / 0

    window = show_window()
    monkeypatch.setattr("allxai_desktop.app.log.log_file", lambda: tmp_path / "allxai.log")
    for module in (sys, threading):
        monkeypatch.setattr(module, "excepthook", module.excepthook)
    main.report_to(window)
    run(work)
    qtbot.waitUntil(lambda: str(tmp_path / "allxai.log") in window.notices.text())
    assert "ZeroDivisionError" in caplog.text


def test_the_folder_that_was_opened_last_is_opened_again(tmp_path):
    (tmp_path / "a.png").touch()
    (tmp_path / "study").mkdir()
    opened = [str(tmp_path / "a.png"), str(tmp_path / "study"), str(tmp_path)]
    assert last_opened(opened) == (str(tmp_path / "study"), None)
    assert last_opened([]) == (None, None)


@pytest.mark.parametrize("name", ["moved", 300 * "n"])
def test_a_folder_that_is_not_there_or_cannot_be_asked_for_is_told_apart(tmp_path, name):
    gone = str(tmp_path / name)
    assert last_opened([gone, str(tmp_path)]) == (str(tmp_path), gone)
    assert last_opened([str(tmp_path), gone]) == (str(tmp_path), None)
    assert last_opened([gone]) == (None, gone)


def test_what_is_not_there_is_offered_beside_what_is_opened_in_its_place(show_window, tmp_path, qtbot):
    folder, gone = tmp_path / "other", tmp_path / "share" / "study"
    folder.mkdir()
    Image.fromarray(np.full((40, 40, 3), 200, np.uint8)).save(folder / "a.png")
    window = show_window()
    open_first(window, str(folder), str(gone))
    qtbot.waitUntil(lambda: "study was opened last" in window.notices.text(), timeout=20_000)
    assert window.workspace.study.folder == folder
    gone.parent.mkdir()
    copytree(folder, gone)
    window.notices.findChild(QPushButton).click()
    qtbot.waitUntil(lambda: window.workspace.study.folder == gone, timeout=20_000)
