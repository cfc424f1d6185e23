import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from allxai_desktop.keys import KEYS
from allxai_desktop.painting.cleanup import NAMES


@pytest.fixture
def menu(window):
    window.model.apply(np.array([605]), 1)
    menu = window.panel.clean.entries
    menu.aboutToShow.emit()
    yield menu
    menu.cleaner.every_class, menu.cleaner.below = False, 64


def entry(menu, name):
    return next(action for action, found in menu.entries.items() if found == name)


def wait_done(qtbot, cleaner):
    return qtbot.waitUntil(lambda: not cleaner._tasks.running)


def test_an_entry_does_its_action(window, menu, qtbot, shown):
    entry(menu, "grow").trigger()
    wait_done(qtbot, menu.cleaner)
    assert np.count_nonzero(window.model.codes) == 5
    assert shown()
    window.model.undo()
    assert np.count_nonzero(window.model.codes) == 1


def test_while_it_runs_the_button_shows_it_and_the_menu_can_stop_it(window, menu):
    menu.cleaner.run("grow")
    menu.aboutToShow.emit()
    assert window.panel.clean.glyph == "busy"
    assert menu.stop.isVisible()
    menu.stop.trigger()
    menu.aboutToShow.emit()
    assert window.panel.clean.glyph == "clean"
    assert not menu.stop.isVisible()
    assert np.count_nonzero(window.model.codes) == 1


def test_pointing_at_an_entry_outlines_what_it_would_change(window, menu, qtbot):
    view = window.canvas.gestures.view
    entry(menu, "grow").hover()
    wait_done(qtbot, menu.cleaner)
    # Four single pixels, four sides each.
    assert len(view.sides) == 2 * 16
    assert np.count_nonzero(window.model.codes) == 1
    menu.aboutToHide.emit()
    assert len(view.sides) == 0


def test_a_key_does_its_action(window, menu, qtbot):
    qtbot.keyClick(window.view.canvas.native, ">")
    wait_done(qtbot, menu.cleaner)
    assert np.count_nonzero(window.model.codes) == 5


def test_settings_go_to_the_cleaner_and_come_back(menu):
    menu.every_class.trigger()
    menu.below.setValue(9)
    assert (menu.cleaner.every_class, menu.cleaner.below) == (True, 9)
    menu.cleaner.every_class, menu.cleaner.below = False, 30
    menu.aboutToShow.emit()
    assert (menu.every_class.isChecked(), menu.below.value()) == (False, 30)


def test_a_click_on_a_setting_leaves_the_menu_open(menu, qtbot):
    menu.popup(QPoint(0, 0))
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(menu.every_class).center())
    assert menu.isVisible()
    assert menu.cleaner.every_class
    menu.close()


def test_every_action_is_offered_with_its_key(menu):
    assert list(menu.entries.values()) == list(NAMES)
    for action, name in menu.entries.items():
        assert action.text() == f"{KEYS[name].title}\t{KEYS[name].sequence}"
