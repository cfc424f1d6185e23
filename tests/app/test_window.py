"""The real window, driven by mouse and keys; what is checked is the state of the models."""

import gc
import re
import weakref
from pathlib import Path

import numpy as np
import pytest
from canvas import canvas_point
from fake_engine import FakeEngine
from PIL import Image
from qtpy.QtCore import QByteArray, QCoreApplication, QEvent, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDesktopServices, QDropEvent, QOpenGLContext
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLabel, QRadioButton
from tablet import ERASER, tablet

from allxai_desktop.app import menus
from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.errors import AllxaiError
from allxai_desktop.masks.npz import save_mask
from allxai_desktop.networks.domain import domain_warning
from allxai_desktop.networks.registry import network_card
from allxai_desktop.notice import Notice

pytestmark = pytest.mark.slow

SIDE = 40


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(("a.png", "b.png")):
        Image.new("RGB", (SIDE, SIDE), (250, 220, 200 + number)).save(tmp_path / name)
    return tmp_path


@pytest.fixture
def window(show_window):
    """The window over an engine whose maps grow from left to right, sure of the first class of each network."""
    return show_window(
        FakeEngine(
            lambda classes, _image: dict.fromkeys(classes, 0.1) | {classes[0]: 0.9},
            lambda image: np.tile(np.linspace(0, 1, SIDE, dtype=np.float32), (SIDE, 1)),
            lambda image: "An image from elsewhere." if image.name == "b.png" else None,
        )
    )


def open_with_map(window, folder, qtbot):
    window.open_path(folder)
    qtbot.waitUntil(lambda: window.session.result is not None, timeout=20_000)


@pytest.fixture
def cell(window, folder, qtbot):
    """The window on the first of two images, with its map."""
    open_with_map(window, folder, qtbot)
    window.activateWindow()
    # The first draw gives the camera its size: before it a click has no place in the image.
    qtbot.wait(300)
    return window


def stroke(window, *places, button=Qt.MouseButton.LeftButton):
    native = window.qt_viewer.canvas.native
    points = [canvas_point(window, *place) for place in places]
    QTest.mousePress(native, button, Qt.KeyboardModifier.NoModifier, points[0])
    for point in points[1:]:
        QTest.mouseMove(native, point)
    QTest.mouseRelease(native, button, Qt.KeyboardModifier.NoModifier, points[-1])


def key(window, name, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window.qt_viewer.canvas.native, name, modifier)


@pytest.mark.parametrize(
    ("name", "modifier"),
    [
        (Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier),
        (Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier),
        (Qt.Key.Key_7, Qt.KeyboardModifier.NoModifier),
    ],
)
def test_keys_of_napari_do_nothing_in_the_window(cell, name, modifier):
    layers = list(cell.viewer.layers)
    key(cell, name, modifier)
    assert list(cell.viewer.layers) == layers
    assert not cell.viewer.canvas.grid.enabled
    assert cell.canvas.mask_layer.mode == "pan_zoom"


def test_before_an_image_the_window_says_what_to_do(window):
    assert window.empty.isVisible()
    assert window.empty.open_image.isVisible()


def test_what_to_do_stays_until_an_image_could_be_read(window, tmp_path, qtbot):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"")
    window.open_path(broken)
    assert window.empty.title.text() == "Opening…"
    assert not window.empty.open_image.isVisible()
    qtbot.waitUntil(window.notices.isVisible)
    assert window.empty.open_image.isVisible()
    assert not window.viewer.canvas.overlays.scale_bar.visible


def test_a_folder_opens_with_prediction_and_map(cell):
    assert cell.workspace.image.name == "a.png"
    assert cell.overlay.map_layer.visible
    assert not cell.explain.warning.isVisible()


def test_painting_by_key_and_mouse_moves_the_shares_and_reaches_the_file(cell, folder, qtbot):
    key(cell, Qt.Key.Key_2)
    assert cell.paint.active == 2
    stroke(cell, (20, 10), (20, 30))
    assert cell.paint.codes[20, 10] == cell.paint.codes[20, 30] == 2
    shares = cell.session.shares["cytoplasm"]
    assert shares.area_share == 1.0
    assert shares.relevant > 0
    assert cell.explain.table.shares.share(1) == shares
    painted = cell.paint.codes.copy()
    key(cell, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: cell.workspace.saved == "saved")
    assert np.array_equal(np.load(folder / "masks" / "a.npz")["mask"], painted)


def test_painted_beside_a_mask_that_does_not_fit_the_list_shows_how_far_it_is(window, folder, qtbot):
    save_mask(folder / "masks" / "a.npz", np.ones((5, 5), np.uint8))
    open_with_map(window, folder, qtbot)
    rows = window.study_panel.model
    qtbot.waitUntil(lambda: rows.index(0).data() == "a.png\n✖ mask does not fit\n", timeout=20_000)
    window.paint.apply(np.arange(SIDE * SIDE // 2), 2)
    qtbot.waitUntil(lambda: rows.index(0).data() == "a.png\n✎ in progress\n50 % · …-2.npz", timeout=20_000)
    assert (folder / "masks" / "a-2.npz").exists()


def test_undo_takes_back_a_whole_stroke_and_redo_makes_it_again(cell):
    stroke(cell, (20, 5), (20, 20), (30, 30))
    painted = cell.paint.codes.copy()
    key(cell, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not cell.paint.codes.any()
    assert cell.session.shares["nucleus"].pixels == 0
    key(cell, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert np.array_equal(cell.paint.codes, painted)


def test_the_shares_follow_while_the_button_is_still_down(cell):
    native = cell.qt_viewer.canvas.native
    QTest.mousePress(
        native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, canvas_point(cell, 10, 10)
    )
    first = cell.session.shares["nucleus"].pixels
    QTest.mouseMove(native, canvas_point(cell, 10, 30))
    second = cell.session.shares["nucleus"].pixels
    QTest.mouseRelease(
        native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, canvas_point(cell, 10, 30)
    )
    assert 0 < first < second


def test_the_right_button_erases(cell):
    stroke(cell, (20, 10), (20, 30))
    stroke(cell, (20, 10), (20, 30), button=Qt.MouseButton.RightButton)
    assert not cell.paint.codes.any()


def test_the_eraser_of_a_pen_erases(cell):
    place = QPointF(canvas_point(cell, 20, 10))
    stroke(cell, (20, 10), (20, 30))
    tablet(cell.qt_viewer.canvas.native, QEvent.Type.TabletPress, ERASER, place)
    stroke(cell, (20, 10), (20, 30))
    assert not cell.paint.codes.any()


def test_a_stroke_ends_when_another_window_comes_up(cell):
    native = cell.qt_viewer.canvas.native
    place = canvas_point(cell, 10, 10)
    QTest.mousePress(native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert cell.paint.in_stroke
    QApplication.sendEvent(native, QEvent(QEvent.Type.WindowDeactivate))
    assert not cell.paint.in_stroke


def test_painting_never_asks_the_network(cell, qtbot):
    before = cell.session._engine.calls
    stroke(cell, (20, 10), (20, 30))
    qtbot.wait(100)
    assert cell.session._engine.calls == before


def test_digits_typed_into_a_field_stay_there(cell):
    cell.study_panel.search.setFocus()
    QTest.keyClicks(cell.study_panel.search, "5")
    assert cell.study_panel.search.text() == "5"
    assert cell.paint.active == 1


def test_another_explainer_brings_another_map(cell, qtbot):
    box = cell.explain.explainer
    box.setCurrentIndex(next(row for row in range(box.count()) if box.itemText(row) == "Gradient"))
    box.activated.emit(box.currentIndex())
    qtbot.waitUntil(lambda: cell.session.result.choices.explainer == "gradient")
    assert cell.overlay.map_layer.contrast_limits == [-1.0, 1.0]


def test_another_rule_changes_what_is_relevant(cell, qtbot):
    cell.session.choose(rule="top-q", q=0.25)
    qtbot.waitUntil(lambda: cell.session.result.choices.rule == "top-q")
    assert cell.session.result.relevant.sum() == SIDE * SIDE // 4
    assert cell.explain.fraction.isVisible()


def test_the_next_image_comes_with_its_own_mask_map_and_warning(cell, qtbot):
    stroke(cell, (20, 10), (20, 30))
    key(cell, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: cell.session.result is not None and cell.workspace.index == 1)
    assert not cell.paint.codes.any()
    assert not cell.paint.can_undo
    assert cell.explain.warning.isVisible()
    assert "An image from elsewhere." in cell.explain.warning.text()


def test_a_broken_image_is_told_and_the_window_goes_on(cell, tmp_path, qtbot):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    cell.open_path(broken)
    qtbot.waitUntil(cell.notices.isVisible)
    assert "broken.png" in cell.notices.text()
    assert cell.workspace.image.name == "a.png"


def test_what_is_dropped_is_opened(window, folder, qtbot):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(folder / "b.png"))])
    event = QDropEvent(
        QPointF(300, 300),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.qt_viewer.dropEvent(event)
    qtbot.waitUntil(lambda: window.workspace.image is not None)
    assert window.workspace.image.name == "b.png"
    assert window.settings.last_folder == str(folder)


def test_what_was_opened_is_in_the_menu_the_last_first(window, folder, qtbot):
    for path in (folder, folder / "b.png", folder / "moved away"):
        window.open_path(path)
    assert window.settings.recent == [str(folder / "b.png"), str(folder)]
    file_menu = window.menuBar().actions()[0].menu()
    recent = next(action.menu() for action in file_menu.actions() if action.text() == "Open recent")
    recent.aboutToShow.emit()
    assert [action.text().split("\t")[0] for action in recent.actions()] == ["b.png", folder.name]
    recent.actions()[1].trigger()
    qtbot.waitUntil(lambda: window.workspace.image is not None, timeout=20_000)
    assert window.workspace.study.folder == folder
    assert window.settings.recent == [str(folder), str(folder / "b.png")]
    for number in range(10):
        window.settings.remember(folder / str(number))
    assert window.settings.recent[::7] == [str(folder / "9"), str(folder / "2")]


def test_a_study_that_is_opened_by_its_file_is_known_by_its_folder(window, folder):
    (folder / "study.toml").write_text('title = "Cells"\n')
    window.open_path(folder / "study.toml")
    assert window.settings.recent == [str(folder)]


def test_brightness_changes_what_is_shown_and_nothing_else(cell, qtbot):
    before = cell.workspace.image.pixels.copy()
    cell.view_bar.brightness.setValue(-100)
    qtbot.waitUntil(lambda: cell.canvas.image_layer.data.max() < before.max())
    assert np.array_equal(cell.workspace.image.pixels, before)


def test_the_language_switches_live(cell):
    cell.viewer.cursor.position = (3, 2)
    assert cell.status.cursor_text.text().startswith("2, 3 · Unlabelled · relevance")
    cell.set_language("es")
    assert cell.status.cursor_text.text().startswith("2, 3 · Sin etiquetar · relevancia")
    assert cell.explain.title.text() == "Explicar"
    assert cell.annotate.title.text() == "Anotar"
    assert cell.menuBar().actions()[0].text() == "&Archivo"


def test_no_text_is_cut_at_the_smallest_size_in_spanish(cell, qtbot):
    cell.resize(1366, 738)
    cell.set_language("es")
    qtbot.wait(100)
    cut = [
        label.text()
        for label in cell.findChildren(QLabel)
        if label.isVisible() and not label.wordWrap() and label.sizeHint().width() > label.width() + 1
    ]
    assert cut == []


def test_every_control_has_a_name_and_a_tip(cell):
    boxes = (
        cell.explain.network,
        cell.explain.explainer,
        cell.explain.target,
        cell.explain.rule,
        cell.explain.opacity,
    )
    assert all(box.accessibleName() and box.toolTip() for box in boxes)


def scrolls(window):
    """Return whether the panels have too little room."""
    return window.docks.panels.widget().verticalScrollBar().maximum() > 0


def test_both_panels_are_seen_whole_at_the_smallest_size(cell, qtbot):
    cell.resize(1366, 738)
    qtbot.wait(100)
    assert cell.height() <= 738
    assert not scrolls(cell)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("network", "brightness"), [("pbc-mobilenet-v1", 0), ("pbc-mobilenet-v1", 1), ("cnmc-mobilenet-v1", 1)]
)
def test_every_class_is_seen_below_a_warning_at_the_smallest_size(
    show_window, folder, qtbot, network, brightness, language
):
    card, warned = network_card(network), []
    window = show_window(
        FakeEngine(warning=lambda image: domain_warning(card, image.pixels * brightness) if warned else None)
    )
    window.set_language(language)
    open_with_map(window, folder, qtbot)
    qtbot.wait(300)
    warned.append(True)
    window.session.choose(explainer="layer-cam")
    qtbot.waitUntil(window.explain.warning.isVisible, timeout=20_000)
    qtbot.wait(300)
    table = window.explain.table
    assert not scrolls(window)
    last = table.visualRect(table.model().index(len(CLASSES) - 1, 0))
    # A region "contains" any rectangle that it meets.
    assert table.viewport().visibleRegion().boundingRect().contains(last)
    shown = window.explain.cards[window.session.choices.network]
    assert window.explain.warning.toolTip() == shown.domain_description


def test_the_panels_keep_their_height_where_an_explainer_on_demand_is_chosen(cell, qtbot):
    cell.set_language("es")
    for explainer in ("lime", "grad-cam", "lime"):
        cell.session.choose(explainer=explainer)
        qtbot.wait(200)
        assert not scrolls(cell)


def test_a_layer_that_is_removed_leaves_the_graphics_card_by_the_canvas(cell):
    found = []
    cell.viewer.layers.events.removed.connect(lambda _event: found.append(QOpenGLContext.currentContext()))
    layer = cell.viewer.add_image(np.zeros((4, 5)))
    canvas = cell.qt_viewer.canvas.native
    canvas.doneCurrent()
    cell.viewer.layers.remove(layer)
    assert found == [canvas.context()]


def test_the_canvas_is_not_blank(cell):
    assert np.ptp(cell.qt_viewer.screenshot(flash=False)[..., :3]) > 0


def test_closing_stops_every_worker(window, folder, qtbot):
    window.open_path(folder)
    qtbot.waitUntil(lambda: window.session.result is not None, timeout=20_000)
    window.close()
    assert window.session._worker._shutdown


def opened_and_closed(new_window, folder, qtbot):
    window = new_window(folder)
    window.show()
    open_with_map(window, folder, qtbot)
    window.close()
    window.deleteLater()
    return weakref.ref(window)


def test_a_window_that_is_closed_leaves_the_memory(new_window, folder, qtbot):
    # In a call of its own: napari looks through the variables of all callers for the name of a layer, and Python
    # keeps such a copy of them for as long as the call lasts.
    left = opened_and_closed(new_window, folder, qtbot)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert left() is None


def test_the_layers_of_napari_open_from_the_menu(cell, qtbot):
    cell.docks.layers.toggleViewAction().trigger()
    qtbot.wait(300)
    assert cell.docks.layers.widget().layout().count() == 3
    assert cell.docks.layers.widget().height() > 100
    cell.docks.layers.toggleViewAction().trigger()
    assert not cell.docks.layers.isVisible()


def test_a_size_from_another_screen_leaves_the_window_wide_enough_for_its_docks(window, qtbot):
    window.show()
    state = window.saveState(1)
    window.settings.set_layout(QByteArray(b"of a screen of another width"), state)
    window.resize(900, 600)
    window.docks.restore()
    screen = QApplication.primaryScreen().availableGeometry()
    assert window.width() == min(1600, screen.width())


def test_the_tools_of_napari_are_for_the_layer_in_hand(cell, qtbot):
    cell.docks.layers.toggleViewAction().trigger()
    for button in cell.docks.layers.findChildren(QRadioButton):
        if button.isVisible():
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)
            assert button.mode == cell.canvas.mask_layer.mode


def test_the_tools_of_napari_delete_layers_but_those_of_image_and_mask(cell, qtbot):
    cell.docks.layers.toggleViewAction().trigger()
    buttons, layers, own = cell.qt_viewer.layerButtons, cell.viewer.layers, cell.canvas.own_layers
    added = cell.viewer.add_points()
    layers.selection = {added, *own}
    QTest.mouseClick(buttons.deleteButton, Qt.MouseButton.LeftButton)
    assert added not in layers
    assert cell.canvas.own_layers == own
    assert layers.selection == set(own)
    QTest.keyClick(cell.qt_viewer.layers, Qt.Key.Key_Delete)
    assert len(own) == 2
    assert set(own) <= set(layers)


def test_no_menu_of_napari_converts_or_merges_the_layers_of_image_and_mask(cell, qtbot):
    cell.docks.layers.toggleViewAction().trigger()
    rows = cell.qt_viewer.layers
    qtbot.waitUntil(lambda: rows.viewport().height() > 50)
    menus = []

    def close_menu():
        if (menu := QApplication.activePopupWidget()) is not None:
            menus.append(menu)
            menu.close()

    QTimer.singleShot(300, close_menu)
    place = rows.visualRect(rows.model().index(0, 0)).center()
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.RightButton, pos=place)
    qtbot.wait(500)
    assert not menus


def test_the_class_picked_with_a_tool_of_napari_can_be_compared_by_qt(cell):
    cell.canvas.mask_layer.selected_label = np.uint8(3)
    assert type(cell.paint.active) is int
    assert cell.paint.active == 3


def test_a_number_being_typed_gives_the_keys_back_over_the_canvas(cell):
    cell.session.choose(rule="top-q")
    cell.viewer.mouse_over_canvas = False
    cell.explain.fraction.setFocus()
    assert cell.explain.fraction.hasFocus()
    cell.viewer.mouse_over_canvas = True
    assert not cell.explain.fraction.hasFocus()


def test_a_search_gives_the_keys_back_over_the_canvas(cell):
    cell.viewer.mouse_over_canvas = False
    cell.study_panel.search.setFocus()
    assert cell.study_panel.search.hasFocus()
    cell.viewer.mouse_over_canvas = True
    assert not cell.study_panel.search.hasFocus()


def test_the_annotate_menu_marks_class_and_tool(cell):
    cell.paint.active, cell.paint.tool = 2, "fill"
    menu = cell.menuBar().actions()[3].menu()
    menu.aboutToShow.emit()
    checked = [action.text() for action in menu.actions() if action.isChecked()]
    assert checked == ["Cytoplasm\t2", "Fill a region of one class\tF"]


def test_the_log_or_its_folder_is_opened_from_the_menu(window, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(Path(url.toLocalFile())))
    monkeypatch.setattr(menus, "log_file", lambda: tmp_path / "allxai.log")
    entry = next(a for a in window.menuBar().actions()[-1].menu().actions() if a.text() == "Program log")
    entry.trigger()
    (tmp_path / "allxai.log").write_text("What went wrong.", "utf-8")
    entry.trigger()
    assert opened == [tmp_path, tmp_path / "allxai.log"]


def test_undo_in_the_menu_takes_a_corner_back_like_its_key(cell):
    stroke(cell, (20, 10), (20, 30))
    cell.paint.tool = "polygon"
    for place in ((5, 5), (5, 10)):
        stroke(cell, place)
    undo = cell.menuBar().actions()[1].menu().actions()[0]
    undo.trigger()
    assert cell.paint.codes.any()
    undo.trigger()
    assert not cell.canvas.gestures.drawing
    undo.trigger()
    assert not cell.paint.codes.any()


def test_the_question_mark_shows_every_key_in_the_language_of_the_window(cell):
    sheet = cell.key_sheet
    key(cell, "?")
    assert sheet.isVisible()
    texts = " ".join(column.text() for column in sheet.columns)
    for sequence in ("Ctrl+S", "PgDown", "Ctrl+0", "Ctrl+Z", "Space"):
        assert len(re.findall(f">{re.escape(sequence)}</", texts)) == 1
    assert "Brush" in texts
    # A key of one letter is a small place to click.
    assert texts.count("href='fill'") == 2
    cell.set_language("es")
    assert "Pincel" in " ".join(column.text() for column in sheet.columns)
    cell.set_language("en")
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()


def test_enter_is_the_sheets_own_while_it_is_shown(cell):
    key(cell, "?")
    for _key in range(2):
        QTest.keyClick(cell.focusWidget(), Qt.Key.Key_Tab)
    QTest.keyClick(cell.focusWidget(), Qt.Key.Key_Return)
    assert cell.key_sheet.message.text() == "Press the new key for “Nucleus”, or Esc."


def test_a_key_is_changed_by_a_click_and_the_new_key(cell, tmp_path, monkeypatch):
    monkeypatch.setattr("allxai_desktop.keys.user_file", lambda: tmp_path / "config" / "keys.json")
    sheet = cell.key_sheet
    key(cell, "?")
    QTest.mouseClick(
        sheet.columns[1], Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(6, 30)
    )
    assert sheet.isVisible()
    sheet.columns[0].linkActivated.emit("fill")
    # The key of another action does nothing but say so.
    QTest.keyClick(sheet, "E")
    assert "E is the key of" in sheet.message.text()
    assert cell.paint.tool == "brush"
    # An accent by itself can be no shortcut.
    QTest.keyClick(sheet, Qt.Key.Key_Dead_Acute)
    QTest.keyClick(sheet, "J")
    assert ">J</a>" in "".join(column.text() for column in sheet.columns)
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    key(cell, "F")
    assert cell.paint.tool == "brush"
    key(cell, "J")
    assert cell.paint.tool == "fill"
    assert cell.annotate.tools["fill"].toolTip().endswith("(J)")
    key(cell, "?")
    sheet.message.linkActivated.emit("reset")
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    key(cell, "B")
    key(cell, "F")
    assert cell.paint.tool == "fill"


def test_the_sheet_of_keys_fits_a_small_window_in_both_languages(cell):
    for language in ("es", "en"):
        cell.set_language(language)
        size = cell.key_sheet.sizeHint()
        assert size.width() <= 1366
        assert size.height() <= 738


def test_the_map_lies_under_the_mask(cell):
    layers = cell.viewer.layers
    assert layers.index(cell.overlay.map_layer) < layers.index(cell.canvas.mask_layer)


def test_the_canvas_knows_whether_a_map_is_seen(cell):
    assert cell.canvas.map_shown
    cell.view.map_visible = False
    assert not cell.canvas.map_shown


def test_the_key_of_the_map_and_its_box_are_one_state(cell):
    key(cell, "M")
    assert not cell.explain.map.isChecked()
    assert not cell.overlay.map_layer.visible
    QTest.mouseClick(cell.explain.map, Qt.MouseButton.LeftButton)
    assert cell.view.map_visible
    assert cell.overlay.map_layer.visible


def test_the_next_start_shows_the_map_as_it_was_left(window, new_window, tmp_path):
    window.view.map_visible = False
    again = new_window(tmp_path)
    assert (again.view.map_visible, again.view.outline_visible) == (False, True)
    assert not again.explain.map.isChecked()
    again.close()


def test_a_notice_moves_nothing_of_the_image(cell, qtbot):
    native, camera = cell.qt_viewer.canvas.native, cell.viewer.scene.camera
    before = native.size(), native.mapToGlobal(QPoint(0, 0)), camera.center, camera.zoom
    cell.notices.show_notice(Notice("error", "A long sentence about what went wrong. " * 9))
    qtbot.wait(50)
    assert cell.notices.isVisible()
    assert (native.size(), native.mapToGlobal(QPoint(0, 0)), camera.center, camera.zoom) == before


def test_the_image_stays_whole_in_a_window_of_another_size(cell, qtbot):
    native = cell.qt_viewer.canvas.native
    width = native.width()
    cell.resize(1266, 738)
    qtbot.waitUntil(lambda: native.width() == width - 100)
    shorter = min(native.width(), native.height())
    assert cell.viewer.scene.camera.zoom == pytest.approx(0.95 * shorter / SIDE)


def test_an_image_that_cannot_be_read_is_stepped_over(cell, folder, qtbot):
    (folder / "az.png").write_bytes(b"")
    cell.open_path(folder)
    qtbot.waitUntil(lambda: cell.workspace.index == 0)
    key(cell, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: "az.png" in cell.notices.text() and cell.notices.isVisible())
    key(cell, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: cell.workspace.image.name == "b.png")
    # The sentence about the image before goes with it.
    assert not cell.notices.isVisible()


def test_the_sentence_about_a_save_that_failed_stays_until_it_is_saved(cell, folder, qtbot):
    masks = folder / "masks"
    masks.write_bytes(b"")
    stroke(cell, (20, 10), (20, 30))
    qtbot.waitUntil(lambda: cell.workspace.saved == "failed")
    assert cell.notices.isVisible()
    masks.unlink()
    stroke(cell, (30, 10), (30, 30))
    qtbot.waitUntil(lambda: cell.workspace.saved == "saved")
    assert not cell.notices.isVisible()
    assert np.array_equal(np.load(masks / "a.npz")["mask"], cell.paint.codes)


class FakeComparisonEngine:
    """Leaves every cell without a map."""

    def explain(self, image, network, method, target, progress):
        raise AllxaiError(f"No map of {image.name}.")

    def warning(self, image, network):
        return None

    def twin(self, network, method):
        return None


def test_the_menu_opens_the_comparison_of_the_image_that_is_shown(cell, qtbot, monkeypatch):
    monkeypatch.setattr("allxai_desktop.analyses.comparison.SharedEngine", FakeComparisonEngine)
    (action,) = (
        action
        for menu in cell.menuBar().actions()
        for action in menu.menu().actions()
        if action.text().partition("\t")[0] == "Compare…"
    )
    action.trigger()
    comparison = cell.comparing.window.model
    qtbot.waitUntil(lambda: not comparison.runner.running)
    assert cell.comparing.window.isVisible()
    assert {one.problem for one in comparison.grid.cells.values()} == {"No map of a.png."}
    cell.workspace.step(1)
    qtbot.waitUntil(lambda: comparison.outdated)
    cell.explain.compare.click()
    qtbot.waitUntil(lambda: not comparison.runner.running and not comparison.outdated)
    assert {one.problem for one in comparison.grid.cells.values()} == {"No map of b.png."}
    cell.set_language("es")
    assert cell.comparing.window.target.accessibleName() == "Clase objetivo"


def test_no_figure_is_written_over_an_image_of_the_study(cell, folder, qtbot, monkeypatch):
    monkeypatch.setattr("allxai_desktop.analyses.comparison.SharedEngine", FakeComparisonEngine)
    cell.comparing.open()
    window, path = cell.comparing.window, folder / "b.png"
    qtbot.waitUntil(lambda: not window.model.runner.running)
    before = path.read_bytes()
    window.model.export(str(path), "a.png")
    qtbot.waitUntil(
        lambda: window.message.text() == "b.png is one of the images or their masks: choose another name."
    )
    assert path.read_bytes() == before
