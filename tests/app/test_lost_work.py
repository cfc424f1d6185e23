"""What is asked before a window is closed whose mask could not be saved."""

import numpy as np
import pytest
from PIL import Image
from qtpy.QtWidgets import QMessageBox


@pytest.fixture
def window(show_window, tmp_path, qtbot):
    folder = tmp_path / "cells"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 40)).save(folder / name)
    # A file where the folder should be: refused for every user, root too.
    (folder / "masks").write_text("in the way")
    # Else it would not be closed, and follow what later tests do.
    window = show_window(before_close=lambda _window: (folder / "masks").unlink())
    window.open_path(folder)
    qtbot.waitUntil(lambda: window.workspace.image is not None, timeout=20_000)
    window.paint.apply(np.arange(40), 1)
    qtbot.waitUntil(lambda: window.workspace.saved == "failed", timeout=20_000)
    return window


def asked_on_closing(window, monkeypatch):
    asked = []

    def answer(box):
        asked.append((box.text(), [button.text() for button in box.buttons()]))
        box.button(QMessageBox.StandardButton.Cancel).click()

    with monkeypatch.context() as patch:
        patch.setattr(QMessageBox, "exec", answer)
        assert not window.close()
    return asked


def test_the_mask_shown_that_could_not_be_saved_can_be_exported(window, monkeypatch):
    [(text, buttons)] = asked_on_closing(window, monkeypatch)
    assert text == "Masks that could not be saved: a.png"
    assert "Export mask…" in buttons


def test_for_the_mask_of_another_image_no_export_of_the_one_shown_is_offered(window, monkeypatch, qtbot):
    window.workspace.step(1)
    qtbot.waitUntil(lambda: window.workspace.image.name == "b.png", timeout=20_000)
    [(text, buttons)] = asked_on_closing(window, monkeypatch)
    assert text == "Masks that could not be saved: a.png"
    assert "Export mask…" not in buttons


def test_of_very_many_masks_the_question_names_ten(window, monkeypatch):
    names = [f"{number}.png" for number in range(60)]
    with monkeypatch.context() as patch:
        patch.setattr(type(window.workspace), "unsaved_names", names)
        [(text, _buttons)] = asked_on_closing(window, monkeypatch)
    assert text.endswith("8.png, 9.png and 50 more")
