"""A study in the real window, worked through by two people."""

from threading import Event, current_thread, main_thread

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QProgressDialog

from allxai_desktop.app import image_import, study_list
from allxai_desktop.files import WriteError
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.study.audit import mask_sha256, write_csv
from allxai_desktop.study.folder import Study
from allxai_desktop.study.people import Person
from allxai_desktop.study.progress import Progress
from allxai_desktop.study.store import StudyStore
from allxai_desktop.study.verify import verify

pytestmark = pytest.mark.slow

SIDE = 40
A, R = Person("A07"), Person("R01", "reviewer")


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        Image.new("RGB", (SIDE, SIDE), (250, 220, 200 + number)).save(tmp_path / f"{number}.png")
    (tmp_path / "study.toml").write_text('title = "Three"\n')
    return tmp_path


@pytest.fixture
def window(show_window, qtbot, folder):
    made = show_window()
    made.session.live = False
    made.open_path(folder)
    qtbot.waitUntil(lambda: made.workspace.index == 0, timeout=20_000)
    made.activateWindow()
    # The first draw gives the camera its size: before it a click has no place in the image.
    qtbot.wait(300)
    return made


def paint(window):
    window.paint.apply(np.arange(SIDE * SIDE), 5)


def enter(window, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window, Qt.Key.Key_Return, modifier)


def show(window, qtbot, row):
    window.workspace.show(row)
    qtbot.waitUntil(lambda: window.workspace.index == row, timeout=20_000)


def test_the_list_follows_what_others_submit_and_leaves_what_one_does_in_it(
    show_window, qtbot, folder, monkeypatch
):
    monkeypatch.setattr(study_list, "OTHERS_MS", 50)
    for number in range(3, 30):
        Image.new("RGB", (SIDE, SIDE)).save(folder / f"{number}.png")
    window = show_window()
    window.session.live = False
    window.open_path(folder)
    qtbot.waitUntil(lambda: window.workspace.index == 0, timeout=20_000)
    panel = window.study_panel
    panel.search.setText(".pn")
    # Well above the end, which moves while the window takes its size.
    scroll = panel.list.verticalScrollBar()
    qtbot.waitUntil(lambda: scroll.maximum() > 10)
    scroll.setValue(5)
    codes = np.full((SIDE, SIDE), 5, np.uint8)
    save_mask(folder / "masks" / "2.npz", codes)
    Progress(StudyStore(folder)).submit(A, "2.png", mask_sha256(codes))
    qtbot.waitUntil(lambda: panel.progress_text.text() == "1 of 30 painted, 1 submitted")
    assert panel.shown.index(2, 0).data().splitlines()[1] == "▲ submitted"
    assert panel.search.text() == ".pn"
    assert scroll.value() == 5
    assert [index.row() for index in panel.list.selectedIndexes()] == [0]


def test_from_open_to_approved_by_two_people(window, qtbot, folder):
    study, bar, who = window.desk.model, window.desk.bar, window.study_panel.who
    paint(window)
    enter(window)
    qtbot.waitUntil(who.form.isVisible)
    QTest.keyClicks(who.name, "A07")
    QTest.keyClick(who.name, Qt.Key.Key_Return)
    assert window.settings.person == A
    enter(window)
    qtbot.waitUntil(lambda: window.workspace.index == 1, timeout=20_000)
    qtbot.waitUntil(lambda: study.item(0).state == "submitted")

    study.person = R
    show(window, qtbot, 0)
    qtbot.waitUntil(bar.approve.isVisible)
    QTest.keyClick(window, Qt.Key.Key_Backspace, Qt.KeyboardModifier.ControlModifier)
    canvas = window.qt_viewer.canvas.native
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(canvas.width() // 2, canvas.height() // 2))
    qtbot.waitUntil(lambda: window.desk.pin.place is not None)
    assert window.paint.codes.min() == window.paint.codes.max() == 5
    assert all(abs(at - SIDE / 2) < 3 for at in window.desk.pin.place)
    QTest.keyClicks(bar.comment, "Too wide")
    QTest.keyClick(bar.comment, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: study.item(0).state == "returned")

    study.person = A
    show(window, qtbot, 1)
    show(window, qtbot, 0)
    qtbot.waitUntil(bar.after.isVisible)
    assert bar.text.text() == "R01: Too wide"
    assert len(window.desk.pins.marks) == 1
    window.paint.apply(np.arange(10 * SIDE), 4)
    enter(window)
    qtbot.waitUntil(lambda: study.item(0).state == "submitted")

    study.person = R
    show(window, qtbot, 0)
    enter(window, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: study.item(0).state == "approved")
    assert window.study_panel.model.data(window.study_panel.model.index(0)).split("\n")[1] == "✔ approved"
    assert not window.desk.pins.marks.size
    assert verify(Study.open(folder)).problems == ()


def test_a_long_comment_is_read_whole_beside_the_small_canvas(window, qtbot):
    study, bar = window.desk.model, window.desk.bar
    study.person = A
    paint(window)
    enter(window)
    qtbot.waitUntil(lambda: study.item(0).state == "submitted", timeout=20_000)
    study.person = R
    show(window, qtbot, 0)
    qtbot.waitUntil(bar.approve.isVisible)
    study.send_back((3, 3), "The border of the nucleus does not follow the membrane here. " * 8)
    qtbot.waitUntil(lambda: study.item(0).state == "returned")
    study.person = A
    show(window, qtbot, 1)
    show(window, qtbot, 0)
    qtbot.waitUntil(bar.after.isVisible)
    qtbot.wait(100)
    assert bar.text.height() >= bar.text.heightForWidth(bar.text.width()) > 60
    assert bar.visibleRegion().boundingRect().contains(bar.text.geometry())


def test_the_last_stroke_on_an_image_that_was_submitted_is_taken_back_by_the_key(window, qtbot):
    window.desk.model.person = A
    paint(window)
    window.paint.apply(np.arange(10 * SIDE), 4)
    enter(window)
    qtbot.waitUntil(lambda: window.workspace.index == 1, timeout=20_000)
    assert not window.annotate.undo.isEnabled()
    show(window, qtbot, 0)
    qtbot.waitUntil(lambda: window.desk.model.item(0).state == "submitted")
    assert window.annotate.undo.isEnabled()
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.paint.codes.min() == window.paint.codes.max() == 5
    assert window.canvas.mask_layer.data.max() == 5
    qtbot.waitUntil(lambda: window.desk.model.item(0).state == "in-progress")


def test_what_is_found_is_shown_in_place_and_left_by_the_way(window, qtbot):
    window.desk.model.person = A
    paint(window)
    window.paint.apply(np.array([0, SIDE * SIDE - 1]), 1)
    enter(window)
    bar = window.desk.bar
    qtbot.waitUntil(bar.isVisible)
    assert bar.text.text() == "1/2  A speck of nucleus: 1 px"
    assert window.desk.pins.center == (0, 0)
    QTest.mouseClick(bar.after, Qt.MouseButton.LeftButton)
    assert bar.text.text().startswith("2/2")
    assert window.desk.pins.center == (SIDE - 1, SIDE - 1)
    window.paint.apply(np.array([0]), 5)
    qtbot.waitUntil(lambda: len(window.desk.model.findings) == 1)
    QTest.mouseClick(bar.dismiss, Qt.MouseButton.LeftButton)
    assert not bar.isVisible()


def test_enter_closes_an_outline_that_is_drawn_and_submits_nothing(window, qtbot):
    window.desk.model.person = A
    paint(window)
    window.paint.tool = "polygon"
    gestures = window.canvas.gestures
    for point in ((5.0, 5.0), (5.0, 20.0), (20.0, 20.0)):
        gestures._outline.add(point, 1)
    enter(window)
    assert not gestures.drawing
    assert window.paint.codes[6, 10] == 1
    qtbot.wait(200)
    assert window.workspace.index == 0


def test_enter_in_a_field_stays_there(window, qtbot):
    paint(window)
    window.study_panel.search.setFocus()
    QTest.keyClick(window.study_panel.search, Qt.Key.Key_Return)
    qtbot.wait(200)
    assert not window.study_panel.who.form.isVisible()


def test_enter_in_the_box_of_the_role_takes_who_was_said_and_submits_nothing(window, qtbot):
    who = window.study_panel.who
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    who.ask()
    who.name.setText("R01")
    who.role.setCurrentIndex(1)
    who.role.setFocus()
    QTest.keyClick(who.role, Qt.Key.Key_Return)
    assert window.desk.model.person == Person("R01", "reviewer")
    assert not who.form.isVisible()
    who.ask()
    who.name.setText("R02")
    QTest.keyClick(who.name, Qt.Key.Key_Escape)
    assert window.desk.model.person == Person("R01", "reviewer")
    assert not who.form.isVisible()
    assert window.desk.model.findings == ()


def test_enter_does_nothing_with_a_pin_in_hand(window, qtbot):
    paint(window)
    window.desk.model.person = A
    enter(window)
    qtbot.waitUntil(lambda: window.workspace.index == 1, timeout=20_000)
    window.desk.model.person = R
    show(window, qtbot, 0)
    qtbot.waitUntil(window.desk.bar.approve.isVisible)
    window.desk.start_return()
    enter(window)
    assert window.notices.isHidden()
    window.desk.pin.cancel()
    enter(window)
    assert window.notices.text() == "Nothing is left to judge."


def test_a_form_that_closes_hands_the_keyboard_to_no_other_field(window, qtbot):
    who, bar, pin = window.study_panel.who, window.desk.bar, window.desk.pin
    who.ask()
    who.name.setText("R01")
    who.role.setFocus()
    QTest.keyClick(who.role, Qt.Key.Key_Return)
    assert window.focusWidget() is None
    pin.start()
    pin.place = 3, 4
    pin.changed.emit()
    assert bar.comment.hasFocus()
    QTest.keyClick(bar.comment, Qt.Key.Key_Escape)
    assert window.focusWidget() is None


def test_a_name_that_tells_too_much_is_refused_in_place(window, qtbot):
    who = window.study_panel.who
    who.ask()
    who.name.setText("maria@lab.org")
    QTest.mouseClick(who.done, Qt.MouseButton.LeftButton)
    assert "1 to 32 letters" in who.problem.text()
    assert window.desk.model.person is None


def test_the_row_in_work_stays_in_a_filtered_list(window, qtbot):
    panel = window.study_panel
    panel.states.setCurrentIndex(1)
    panel.states.activated.emit(1)
    window.desk.model.person = A
    window.paint.apply(np.array([0]), 1)
    qtbot.waitUntil(lambda: window.desk.model.item(0).state == "in-progress")
    qtbot.wait(200)
    assert window.workspace.index == 0
    assert panel.shown.rowCount() == 3


def test_the_arrow_keys_of_the_list_go_past_an_image_that_cannot_be_read(window, qtbot, folder):
    whole = (folder / "1.png").read_bytes()
    (folder / "1.png").write_bytes(b"no image")
    panel = window.study_panel
    QTest.keyClick(panel.list, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: window.workspace.unreadable == {1})
    assert [index.row() for index in panel.list.selectedIndexes()] == [0]
    QTest.keyClick(panel.list, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: window.workspace.index == 2, timeout=20_000)

    (folder / "1.png").write_bytes(whole)
    place = panel.list.visualRect(panel.shown.index(1, 0)).center()
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: window.workspace.index == 1, timeout=20_000)


def test_a_click_asks_again_for_an_image_that_could_not_be_read(window, qtbot, folder):
    whole = (folder / "1.png").read_bytes()
    (folder / "1.png").write_bytes(b"no image")
    panel = window.study_panel
    place = panel.list.visualRect(panel.shown.index(1, 0)).center()
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: window.workspace.unreadable == {1})
    (folder / "1.png").write_bytes(whole)
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: window.workspace.index == 1, timeout=20_000)


def test_images_are_taken_into_a_new_study_and_it_is_opened(window, qtbot, tmp_path):
    for name in ("monday", "tuesday"):
        (tmp_path / "in" / name).mkdir(parents=True)
        Image.new("RGB", (SIDE, SIDE), (len(name), 0, 0)).save(tmp_path / "in" / name / "a.png")
    window.desk.images.start(tmp_path / "new", tmp_path / "in")
    qtbot.waitUntil(lambda: window.workspace.study.folder == tmp_path / "new", timeout=20_000)
    qtbot.waitUntil(lambda: window.workspace.index == 0, timeout=20_000)
    assert len(window.workspace.study.items) == 2
    told = "Images taken in: 2. Already there: 0. With another name here, for theirs was taken: 1."
    qtbot.waitUntil(lambda: window.notices.text() == told, timeout=20_000)


def test_one_dialog_tells_how_far_the_images_are(window, qtbot, tmp_path, monkeypatch):
    def endless(_folder, _source, progress):
        while not Event().wait(0.01):
            progress(0.5)

    monkeypatch.setattr(image_import, "import_images", endless)
    monkeypatch.setattr(image_import, "SHOWN_AFTER_MS", 0)

    def shown():
        return [dialog for dialog in window.findChildren(QProgressDialog) if dialog.isVisible()]

    window.desk.images.start(tmp_path / "new", tmp_path)
    qtbot.waitUntil(lambda: len(shown()) == 1)
    window.desk.images.start(tmp_path / "newer", tmp_path)
    qtbot.waitUntil(lambda: len(shown()) == 1)
    shown()[0].canceled.emit()
    qtbot.waitUntil(lambda: not shown())
    assert not window.desk.images.tasks.running


def test_a_folder_without_images_is_told(window, qtbot, tmp_path):
    (tmp_path / "empty").mkdir()
    window.desk.images.start(tmp_path / "new", tmp_path / "empty")
    qtbot.waitUntil(lambda: "holds no images" in window.notices.text())


def test_the_audit_trail_is_shown_and_saved(window, qtbot, folder, monkeypatch):
    window.desk.model.person = A
    window.paint.apply(np.array([0]), 1)
    qtbot.waitUntil(lambda: window.desk.model.item(0).state == "in-progress")
    window.desk.show_trail()
    qtbot.waitUntil(lambda: window.desk.trail is not None and window.desk.trail.isVisible())
    trail = window.desk.trail
    cells = [trail.model.data(trail.model.index(0, column)) for column in (0, 2, 3, 4, 5)]
    assert cells == [1, "A07", "Annotator", "0.png", "painted"]
    assert trail.verdict.text() == "✔ 1 entry, and the chain holds."
    monkeypatch.setattr(
        "allxai_desktop.app.trail_window.QFileDialog.getSaveFileName", lambda *_: (str(folder / "t"), "")
    )
    writing = []
    monkeypatch.setattr(
        "allxai_desktop.app.trail_window.write_csv",
        lambda *given: writing.append(current_thread()) or write_csv(*given),
    )
    QTest.mouseClick(trail.export, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.notices.text() == "Saved as t.csv.")
    assert (folder / "t.csv").read_text().splitlines()[1].startswith("1,")
    assert main_thread() not in writing


def test_what_became_of_the_saved_audit_trail_is_told_also_in_another_study(
    window, qtbot, tmp_path, monkeypatch
):
    def refused(_path, _entries):
        assert go_on.wait(10)
        raise WriteError("The table is open in another program.")

    go_on = Event()
    monkeypatch.setattr("allxai_desktop.app.trail_window.write_csv", refused)
    monkeypatch.setattr(
        "allxai_desktop.app.trail_window.QFileDialog.getSaveFileName", lambda *_: (str(tmp_path / "t"), "")
    )
    window.paint.apply(np.array([0]), 1)
    qtbot.waitUntil(lambda: window.desk.model.item(0).state == "in-progress")
    window.desk.show_trail()
    qtbot.waitUntil(lambda: window.desk.trail is not None and window.desk.trail.isVisible())
    window.desk.trail.export.click()
    (tmp_path / "other").mkdir()
    Image.new("RGB", (10, 10)).save(tmp_path / "other" / "o.png")
    window.open_path(tmp_path / "other")
    qtbot.waitUntil(lambda: window.workspace.study.folder == tmp_path / "other")
    go_on.set()
    qtbot.waitUntil(lambda: window.notices.text() == "The table is open in another program.")


def test_the_audit_trail_fits_the_screen_and_tab_goes_on_from_its_table(window, qtbot):
    window.paint.apply(np.array([0]), 1)
    qtbot.waitUntil(lambda: window.desk.model.item(0).state == "in-progress")
    window.desk.show_trail()
    qtbot.waitUntil(lambda: window.desk.trail is not None and window.desk.trail.isVisible())
    trail = window.desk.trail
    trail.close()
    trail.resize(trail.screen().availableGeometry().width() + 400, 300)
    window.desk.show_trail()
    qtbot.waitUntil(trail.isVisible)
    assert trail.width() < trail.screen().availableGeometry().width()
    trail.activateWindow()
    trail.table.setFocus()
    qtbot.waitUntil(trail.table.hasFocus)
    QTest.keyClick(trail.table, Qt.Key.Key_Tab)
    assert trail.export.hasFocus()


def test_a_smaller_study_opens_while_the_list_shows_one_state(window, qtbot, tmp_path):
    panel = window.study_panel
    panel.states.setCurrentIndex(panel.states.findData("to-do"))
    panel.states.activated.emit(panel.states.currentIndex())
    panel.search.setText("n")
    (tmp_path / "small").mkdir()
    Image.new("RGB", (SIDE, SIDE), (240, 220, 200)).save(tmp_path / "small" / "one.png")
    window.open_path(tmp_path / "small")
    qtbot.waitUntil(lambda: window.workspace.item.image_path.name == "one.png", timeout=20_000)
    assert panel.shown.rowCount() == 1
    assert (panel.search.text(), panel.states.currentIndex()) == ("", 0)
