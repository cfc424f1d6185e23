"""Masks that are still being saved when the window is closed."""

from threading import Event

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QProgressDialog, QPushButton

from allxai_desktop.app import saving
from allxai_desktop.study.keeper import MaskKeeper

SIDE = 40


@pytest.fixture
def go_on(monkeypatch):
    """What a mask that is half written waits for."""
    event, save = Event(), MaskKeeper.save

    def slow(keeper, path, codes, *, strokes, **facts):
        while not event.wait(0.02):
            event.tell(0.5)
        save(keeper, path, codes, strokes=strokes, **facts)

    monkeypatch.setattr(MaskKeeper, "save", slow)
    yield event
    event.set()


@pytest.fixture
def window(show_window, tmp_path, qtbot, go_on):
    folder = tmp_path / "cells"
    folder.mkdir()
    Image.new("RGB", (SIDE, SIDE)).save(folder / "a.png")
    window = show_window()
    go_on.tell = window.workspace._tell_progress
    window.open_path(folder)
    qtbot.waitUntil(lambda: window.workspace.image is not None, timeout=20_000)
    window.paint.apply(np.arange(SIDE), 1)
    return window


def when_asked(window, act):
    """Do something with the dialog as soon as it tells how far the saving is."""

    def look():
        dialog = window.findChild(QProgressDialog)
        if dialog is not None and dialog.value() == 50:
            clock.stop()
            act(dialog)

    clock = QTimer(window, interval=10)
    clock.timeout.connect(look)
    clock.start()


def on_disk(window):
    return np.load(window.workspace.mask_path)["mask"].reshape(-1)[:SIDE].tolist()


def test_closing_waits_with_progress_for_a_mask_that_takes_long(window, go_on):
    path = window.workspace.mask_path
    when_asked(window, lambda _dialog: go_on.set())
    assert window.close()
    assert np.load(path)["mask"].reshape(-1)[:SIDE].tolist() == [1] * SIDE


def test_who_does_not_want_to_wait_is_back_at_the_window_and_may_paint_on(window, go_on, qtbot):
    when_asked(window, lambda dialog: dialog.findChild(QPushButton).click())
    assert not window.close()
    assert window.isVisible()
    window.paint.apply(np.arange(SIDE), 2)
    go_on.set()
    qtbot.waitUntil(lambda: window.workspace.saved == "saved", timeout=20_000)
    assert on_disk(window) == [2] * SIDE


def test_a_mask_of_which_nothing_is_heard_any_more_is_asked_about_and_comes_back(
    window, go_on, monkeypatch, tmp_path
):
    monkeypatch.setattr(saving, "PATIENCE_S", 0)
    asked = []
    monkeypatch.setattr("allxai_desktop.app.window.may_lose_work", lambda window: asked.append(True) or True)
    assert window.workspace.kept
    assert window.close()
    assert asked == [True]
    assert len(list((tmp_path / "cells" / "masks").glob("*.journal"))) == 1
