"""A field in the real window, driven by mouse and keys."""

import numpy as np
import pytest
import tifffile
from canvas import canvas_point
from drawn import disc
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from allxai_desktop.app.settings import WindowSettings
from allxai_desktop.slides import pyramid

pytestmark = pytest.mark.slow

NO, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CELLS = ((300, 400), (900, 1300))


def draw():
    pixels = np.full((1100, 1600, 3), (240, 236, 220), np.uint8)
    for row, column, diameter, color in (
        *((row, column, 70, (225, 165, 150)) for row in (100, 600) for column in (200, 1000)),
        *((row, column, 100, (110, 60, 150)) for row, column in CELLS),
    ):
        disc(pixels, row, column, diameter, color)
    return pixels


@pytest.fixture
def window(show_window, qtbot, tmp_path):
    (tmp_path / "study").mkdir()
    Image.fromarray(draw()).save(tmp_path / "study" / "field.png")
    window = show_window()
    window.open_path(tmp_path / "study")
    qtbot.waitUntil(lambda: len(window.fields.model.marks) == 2, timeout=30_000)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    # The first draw gives the camera its size: before it a click has no place in the image.
    qtbot.wait(300)
    return window


def click(window, place, modifier=NO):
    native = window.qt_viewer.canvas.native
    QTest.mouseClick(native, Qt.MouseButton.LeftButton, modifier, canvas_point(window, *place))


def key(window, name):
    QTest.keyClick(window.qt_viewer.canvas.native, name)


def test_tab_reaches_the_bar_of_a_field_and_space_takes_its_cells(window, qtbot):
    bar = window.fields.bar
    QTest.mouseClick(bar.predict, Qt.MouseButton.LeftButton)
    assert not bar.predict.hasFocus()
    window.viewer.mouse_over_canvas = False
    bar.take_all.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(bar.take_all, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.fields.model.taken == 2, timeout=30_000)


def test_from_the_field_to_its_crops_and_back(window, qtbot):
    fields = window.fields
    assert fields.bar.isVisible()
    assert fields.bar.text.text() == "2 white cells · 0 taken"
    assert np.allclose(fields.marks.rings.data, CELLS, atol=3)
    camera = window.viewer.scene.camera
    camera.zoom *= 1.5
    zoom = camera.zoom

    click(window, CELLS[0])
    qtbot.waitUntil(lambda: fields.model.home == "field.png" and window.session.result is not None)
    assert not window.paint.codes.any()
    window.what_if.active = True
    qtbot.waitUntil(lambda: window.what_if_banner.width() > fields.bar.width())
    window.what_if.active = False
    assert len(fields.marks.rings.data) == 0
    assert window.viewer.scene.camera.zoom > zoom
    assert window.canvas.gestures.enabled

    key(window, Qt.Key.Key_V)
    qtbot.waitUntil(lambda: fields.model.taken == 1)
    assert fields.bar.text.text() == "2 white cells · 1 taken"
    assert window.viewer.scene.camera.zoom == zoom

    click(window, (550, 700), SHIFT)
    qtbot.waitUntil(lambda: fields.model.home == "field.png")
    assert window.study_panel.model.rowCount() == 3

    key(window, Qt.Key.Key_V)
    qtbot.waitUntil(lambda: fields.model.taken == 2)
    fields.bar.take_all.click()
    qtbot.waitUntil(lambda: fields.model.taken == 3)
    assert window.study_panel.model.rowCount() == 4

    key(window, Qt.Key.Key_V)
    assert window.session.image is window.workspace.image
    assert not fields.bar.isVisible()
    click(window, (550, 700))
    assert window.paint.codes.any()


def test_back_at_a_field_with_a_long_name_the_window_is_as_wide_as_before(show_window, qtbot, tmp_path):
    (tmp_path / "study").mkdir()
    Image.fromarray(draw()).save(tmp_path / "study" / f"field_{'0' * 120}.png")
    window = show_window()
    window.resize(1366, 768)
    window.open_path(tmp_path / "study")
    fields = window.fields.model
    qtbot.waitUntil(lambda: len(fields.marks) == 2, timeout=30_000)
    fields.take_all()
    qtbot.waitUntil(lambda: fields.taken == 2, timeout=30_000)
    window.workspace.show(1)
    qtbot.waitUntil(lambda: fields.home is not None, timeout=30_000)
    assert window.width() == 1366
    window.workspace.show(0)
    qtbot.waitUntil(lambda: window.fields.bar.take_all.isVisible(), timeout=30_000)
    assert window.width() == 1366


def test_the_size_of_crops_is_read_in_full_where_room_is_scarce(window, qtbot):
    bar = window.fields.bar
    bar.resize(bar.minimumSizeHint())
    qtbot.waitUntil(lambda: bar.side.width() >= bar.side.sizeHint().width())


def test_what_the_network_sees_is_written_at_each_cell(window, qtbot):
    fields = window.fields
    fields.bar.predict.click()
    qtbot.waitUntil(
        lambda: not fields.model.busy and all(mark.seen for mark in fields.model.marks), timeout=60_000
    )
    card = window.explain.cards[window.session.choices.network]
    titles = {card.class_title(mark.seen.key) for mark in fields.model.marks}
    # Drawn cells are none that the network was trained on.
    assert {text.split("\n")[0] for text in fields.marks.texts.features["seen"]} == {f"⚠ {t}" for t in titles}
    assert "do not rely on its answer" in window.notices.text()


@pytest.fixture
def slide(tmp_path, monkeypatch):
    """A pyramid with levels of 1, 1/2 and 1/4, too large for memory by the limits of this test."""
    monkeypatch.setattr(pyramid, "MAX_PIXELS", 1_000_000)
    monkeypatch.setattr(pyramid, "MAX_OVERVIEW", 120_000)
    path = tmp_path / "slide.tif"
    with tifffile.TiffWriter(path) as tif:
        for step in (1, 2, 4):
            tif.write(draw()[::step, ::step], photometric="rgb", tile=(128, 128), compression="zlib")
    return path


def test_a_large_image_is_seen_and_cut_in_full(window, qtbot, slide):
    fields = window.fields
    window.open_path(slide)
    qtbot.waitUntil(
        lambda: window.workspace.image.name == "slide.tif" and len(fields.model.marks) == 2, timeout=30_000
    )
    layer, overview = fields.detail.layer, window.canvas.image_layer
    assert [level.shape for level in layer.data] == [(1100, 1600, 3), (550, 800, 3), (275, 400, 3)]
    assert overview.data.shape == (275, 400, 3)
    # Both reach from the outer edge of the first pixel to that of the last.
    edges = [
        np.array([one.data_to_world((-0.5, -0.5)), one.data_to_world((shape[0] - 0.5, shape[1] - 0.5))])
        for one, shape in ((layer, (1100, 1600)), (overview, (275, 400)))
    ]
    assert np.allclose(*edges)
    layers = list(window.viewer.layers)
    assert layers.index(overview) < layers.index(layer) < layers.index(window.canvas.mask_layer)
    ring = fields.marks.rings.data_to_world(fields.marks.rings.data[0])
    assert np.allclose(ring, layer.data_to_world(CELLS[0]), atol=6)

    fields.model.side = 257
    click(window, layer.data_to_world(CELLS[1]))
    qtbot.waitUntil(lambda: fields.model.home == "slide.tif")
    row, column, side = window.workspace.item.at
    assert side == 257
    assert np.array_equal(window.workspace.image.pixels, draw()[row : row + 257, column : column + 257])
    assert fields.detail.layer is None


def test_the_size_of_crops_is_remembered(window):
    fields = window.fields
    fields.bar.side.setValue(257)
    assert fields.model.side == 257
    assert WindowSettings().crop_side == 257
    fields.bar.side.setValue(fields.bar.side.minimum())
    assert fields.model.side is None
    assert WindowSettings().crop_side is None
