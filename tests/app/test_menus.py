"""What is in the menu bar on each system."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QMenu

from allxai_desktop import keys
from allxai_desktop.app import menus


@pytest.fixture
def window(show_window):
    return show_window()


def entries(menu: QMenu) -> Iterator[QAction]:
    for action in menu.actions():
        yield action
        if action.menu() is not None:
            action.menu().aboutToShow.emit()
            yield from entries(action.menu())


def entry(window, text: str) -> QAction:
    return next(action for action in entries(window.menuBar()) if action.text().startswith(text))


def test_on_macos_no_entry_takes_the_key_that_it_only_tells(window, monkeypatch):
    window.settings.remember(Path("/disk/cells"))
    monkeypatch.setattr(keys, "MAC", True)
    monkeypatch.setattr(menus, "MAC", True)
    window.menus.retranslate()
    # Qt takes what follows a tab there for the shortcut of the entry.
    assert not [action.text() for action in entries(window.menuBar()) if "\t" in action.text()]
    assert entry(window, "Undo").text() == "Undo (Ctrl+Z)"
    assert entry(window, "Undo").shortcut().isEmpty()
    assert entry(window, "Fill holes").text() == "Fill holes (Shift+F)"
    assert entry(window, "cells").text() == f"cells ({Path('/disk')})"
    assert entry(window, "Save the mask").text() == "Save the mask"
    assert entry(window, "Save the mask").shortcut().toString() == "Ctrl+S"


def test_a_disk_that_was_opened_is_called_by_its_path(window):
    window.settings.remember(Path("/"))
    assert entry(window, str(Path("/"))).text() == f"{Path('/')}\t{Path('/')}"


def test_elsewhere_an_entry_tells_its_key_at_the_right(window):
    assert entry(window, "Undo").text() == "Undo\tCtrl+Z"
    assert entry(window, "Save the mask").text() == "Save the mask\tCtrl+S"


@pytest.mark.parametrize(("language", "quit_", "about"), [("en", "Quit", "About"), ("es", "Salir", "Acerca")])
def test_macos_finds_the_entries_for_its_own_menu_in_each_language(window, language, quit_, about):
    window.set_language(language)
    assert entry(window, quit_).menuRole() == QAction.MenuRole.QuitRole
    assert entry(window, about).menuRole() == QAction.MenuRole.AboutRole
