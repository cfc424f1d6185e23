"""The bar of notices."""

import pytest
from napari._qt.qt_event_loop import get_qapp
from qtpy.QtGui import QPalette

from allxai_desktop.app.notices import NoticeBar
from allxai_desktop.app.theme import stylesheet
from allxai_desktop.notice import Notice


@pytest.fixture
def bar(qtbot):
    get_qapp()
    made = NoticeBar()
    made.setStyleSheet(stylesheet("dark"))
    qtbot.addWidget(made)
    return made


def test_each_level_has_its_own_colour_of_the_text(bar):
    colours = {}
    for level in ("info", "warning", "error", "warning"):
        bar.hide()
        bar.show_notice(Notice(level, "A sentence."))
        colours.setdefault(level, set()).add(bar._label.palette().color(QPalette.ColorRole.WindowText).name())
    assert colours["warning"] == {"#000000"}
    assert colours["error"] == {"#ffffff"}


def test_a_notice_with_an_action_stays_until_it_was_read(bar):
    done = []
    bar.show_notice(Notice("error", "Refused.", ("Go there", lambda: done.append(True))))
    bar.leave()
    bar.show_notice(Notice("info", "Something else."))
    assert bar.text() == "Refused."
    bar.show_notice(Notice("warning", "Mind the gap."))
    assert bar.text() == "Mind the gap."
    bar.leave()
    assert bar.text() == "Refused."
    bar._action.click()
    assert done
    assert bar.isHidden()


def test_closing_a_notice_with_an_action_is_reading_it(bar):
    bar.show_notice(Notice("error", "Refused.", ("Go there", lambda: None)))
    bar._close.click()
    assert bar.isHidden()


def test_what_is_not_true_any_more_goes_read_or_not(bar):
    refused = Notice("error", "Refused.", ("Go there", lambda: None))
    for shown in (refused, Notice("warning", "Mind the gap.")):
        bar.show_notice(refused)
        bar.show_notice(shown)
        bar.withdraw(refused)
        bar.leave()
        assert bar.isHidden()


def test_what_is_said_of_an_image_goes_with_it(bar):
    bar.show_notice(Notice("error", "This one cannot be read."))
    bar.leave()
    assert bar.isHidden()


def test_what_is_said_twice_is_read_once(bar):
    for _time in range(2):
        bar.show_notice(Notice("error", "Refused.", ("Go there", lambda: None)))
    bar._action.click()
    assert bar.isHidden()


def test_what_is_to_be_seen_with_an_image_waits_for_it(bar):
    bar.show_with_image(Notice("info", "3 masks were imported."))
    assert bar.isHidden()
    bar.image_shown()
    assert bar.text() == "3 masks were imported."
    bar.leave()
    bar.image_shown()
    assert bar.isHidden()
