"""The plugin in stock napari: manifest, widget, reader, writer and sample data."""

import gc
import importlib
import inspect
import weakref

import napari
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from npe2 import PluginManager, PluginManifest
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QOpenGLContext
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from tablet import ERASER, tablet

from allxai_desktop.images import image_from_array
from allxai_desktop.masks.npz import MaskError, load_mask, save_mask
from allxai_desktop.proposing.proposal import Proposal
from napari_allxai_annotate._reader import get_reader
from napari_allxai_annotate._sample import open_sample
from napari_allxai_annotate._writer import write_mask
from napari_allxai_annotate.shared import ViewerPainting
from napari_allxai_annotate.widget import AnnotateWidget

pytestmark = pytest.mark.slow

CODES = np.array([[0, 1, 2], [3, 4, 5]], np.uint8)


def pixels(*shape, value=9):
    return np.full((*shape, 3), value, np.uint8)


# The manifest


@pytest.fixture(scope="module")
def manifest(checkout):
    return PluginManifest.from_file(checkout / "resources" / "napari.yaml")


def test_the_manifest_is_valid_and_named_as_the_distribution(manifest):
    manifest.validate_imports()
    assert manifest.name == "allxai-desktop"
    # Not where it lies: in a second working tree the one installed is that of the first.
    assert PluginManifest.from_distribution("allxai-desktop").model_dump() == manifest.model_dump()


def test_every_command_loads(manifest):
    for command in manifest.contributions.commands:
        module, name = command.python_name.split(":")
        assert callable(getattr(importlib.import_module(module), name)), command.id


def test_napari_can_hand_its_viewer_to_every_widget(manifest):
    # It does so to classes only, and knows the parameter by this name; to a function it hands nothing.
    commands = {command.id: command for command in manifest.contributions.commands}
    for widget in manifest.contributions.widgets:
        module, name = commands[widget.command].python_name.split(":")
        made = getattr(importlib.import_module(module), name)
        assert isinstance(made, type)
        assert "napari_viewer" in inspect.signature(made.__init__).parameters


# The reader


def test_the_reader_gives_codes_and_colours(tmp_path):
    save_mask(tmp_path / "cell.npz", CODES)
    (data, settings, kind) = get_reader(str(tmp_path / "cell.npz"))(str(tmp_path / "cell.npz"))[0]
    layer = Labels(data, **settings)
    assert (kind, layer.name) == ("labels", "cell")
    assert layer.data.tolist() == CODES.tolist()
    assert np.allclose(layer.get_color(4), [213 / 255, 94 / 255, 0, 1])


def test_the_reader_leaves_other_files_to_others(tmp_path):
    np.savez(tmp_path / "other.npz", data=CODES)
    (tmp_path / "text.npz").write_text("no archive")
    for name in ("other.npz", "text.npz", "missing.npz"):
        assert get_reader(str(tmp_path / name)) is None


def test_the_reader_refuses_a_wrong_mask_in_one_sentence(tmp_path):
    path = str(tmp_path / "float.npz")
    np.savez(path, mask=CODES.astype(float))
    with pytest.raises(MaskError, match=r"float\.npz"):
        get_reader(path)(path)


# The writer


def test_the_writer_writes_what_numpy_reads(tmp_path):
    path = str(tmp_path / "cell.npz")
    assert write_mask(path, CODES.astype(np.int64), {"name": "cell"}) == [path]
    with np.load(path) as written:
        assert written["mask"].tolist() == CODES.tolist()
        assert written["mask"].dtype == np.uint8


def test_the_writer_keeps_the_identity_of_the_image(tmp_path):
    image = image_from_array(pixels(2, 3), "cell.png")
    write_mask(str(tmp_path / "cell.npz"), CODES, {"metadata": {"allxai_image": image}})
    assert load_mask(tmp_path / "cell.npz", image).warning is None


@pytest.mark.parametrize("labels", [CODES + 1, -CODES.astype(int), np.zeros((2, 3, 4), np.uint8)])
def test_the_writer_refuses_labels_that_are_no_classes(tmp_path, labels):
    with pytest.raises(MaskError, match="classes 0 to 5"):
        write_mask(str(tmp_path / "cell.npz"), labels, {"name": "Labels"})
    assert list(tmp_path.iterdir()) == []


# The sample study


def test_the_sample_study_opens_as_layers():
    viewer = ViewerModel()
    for data, settings, kind in open_sample():
        getattr(viewer, f"add_{kind}")(data, **settings)
    assert len(viewer.layers) == 24
    assert [layer.name for layer in viewer.layers if layer.visible] == [
        viewer.layers[-2].name,
        f"Mask of {viewer.layers[-2].name}",
    ]


# The image and mask that the widgets share


@pytest.fixture
def viewer(qapp):
    return ViewerModel()


@pytest.fixture
def painting(viewer):
    made = ViewerPainting.of(viewer)
    yield made
    made.release()


def test_without_an_image_there_is_nothing_to_paint(painting):
    assert painting.image is None
    assert painting.model.shape == (0, 0)


def test_an_image_that_is_opened_gets_a_mask(viewer, painting, qtbot):
    layer = viewer.add_image(pixels(4, 5), rgb=True, name="cell.png")
    qtbot.waitUntil(lambda: painting.image is not None)
    assert painting.image.name == "cell.png"
    assert painting.canvas.image_layer is layer
    assert [one.name for one in viewer.layers] == ["cell.png", "Mask of cell.png"]


def test_a_labels_layer_that_fits_is_the_start(viewer):
    viewer.add_image(pixels(2, 3), rgb=True)
    labels = viewer.add_labels(CODES.astype(np.int32))
    painting = ViewerPainting.of(viewer)
    assert painting.model.codes.tolist() == CODES.tolist()
    assert painting.canvas.mask_layer is labels
    painting.release()


@pytest.mark.parametrize("labels", [np.full((2, 3), 9), np.zeros((3, 3), int)])
def test_a_labels_layer_that_does_not_fit_is_left_alone(viewer, labels):
    viewer.add_image(pixels(2, 3), rgb=True)
    other = viewer.add_labels(labels)
    painting = ViewerPainting.of(viewer)
    assert painting.canvas.mask_layer is not other
    assert not painting.model.codes.any()
    painting.release()


def test_a_mask_opened_after_the_image_takes_the_place_of_an_empty_one(viewer, painting, qtbot):
    viewer.add_image(pixels(2, 3), rgb=True, name="cell.png")
    qtbot.waitUntil(lambda: painting.image is not None)
    opened = viewer.add_labels(CODES, name="from file")
    qtbot.waitUntil(lambda: painting.canvas.mask_layer is opened)
    assert painting.model.codes.tolist() == CODES.tolist()
    assert len(viewer.layers) == 2


def test_a_painted_mask_is_never_replaced(viewer, painting, qtbot):
    viewer.add_image(pixels(2, 3), rgb=True, name="cell.png")
    qtbot.waitUntil(lambda: painting.image is not None)
    painting.model.apply(np.array([0]), 1)
    viewer.add_labels(CODES, name="from file")
    qtbot.wait(20)
    assert painting.model.codes.tolist() == [[1, 0, 0], [0, 0, 0]]


def test_each_image_keeps_its_own_mask(viewer, painting, qtbot):
    first = viewer.add_image(pixels(2, 3), rgb=True, name="first")
    qtbot.waitUntil(lambda: painting.image is not None)
    second = viewer.add_image(pixels(2, 3, value=1), rgb=True, name="second")
    painting.model.apply(np.array([0]), 1)
    painting.choose(second)
    assert not painting.model.codes.any()
    painting.model.apply(np.array([5]), 4)
    painting.choose(first)
    assert painting.model.codes.tolist() == [[1, 0, 0], [0, 0, 0]]
    assert viewer.layers["Mask of second"].data.tolist() == [[0, 0, 0], [0, 0, 4]]


def test_a_map_with_signs_and_a_stack_are_no_images_to_paint(viewer, painting):
    viewer.add_image(np.linspace(-1, 1, 20).reshape(4, 5))
    viewer.add_image(np.zeros((2, 4, 5), np.uint8))
    assert painting.candidates() == []


def test_grey_fractions_come_after_other_images(viewer, painting):
    low = viewer.add_image(pixels(4, 5), rgb=True)
    grey = viewer.add_image(np.linspace(0, 1, 20).reshape(4, 5))
    assert painting.candidates() == [low, grey]
    painting.choose(grey)
    assert painting.image.pixels[3, 4].tolist() == [255, 255, 255]


def test_a_removed_image_is_followed_by_the_next(viewer, painting, qtbot):
    viewer.add_image(pixels(4, 5), rgb=True, name="next")
    viewer.add_image(pixels(2, 3), rgb=True, name="cell.png")
    qtbot.waitUntil(lambda: painting.image is not None and painting.image.name == "cell.png")
    viewer.layers.selection = set(viewer.layers[-2:])
    viewer.layers.remove_selected()
    qtbot.waitUntil(lambda: painting.image.name == "next")
    assert [layer.name for layer in viewer.layers] == ["next", "Mask of next"]


def test_the_pixel_size_comes_from_the_scale_in_micrometres(viewer, painting, qtbot):
    viewer.add_image(pixels(4, 5), rgb=True, scale=(0.5, 0.5), units=("um", "um"))
    qtbot.waitUntil(lambda: painting.image is not None)
    assert painting.image.pixel_size_um == 0.5


def test_widgets_of_one_viewer_share_and_the_last_one_gives_back(viewer):
    before = list(viewer.mouse_drag_callbacks)
    first, second = ViewerPainting.of(viewer), ViewerPainting.of(viewer)
    assert first is second
    first.release()
    assert list(viewer.mouse_drag_callbacks) != before
    second.release()
    assert list(viewer.mouse_drag_callbacks) == before


# The widget in a real napari


@pytest.fixture
def stock(qtbot):
    PluginManager.instance().discover()
    viewer = napari.Viewer(show=True)
    qtbot.wait(50)
    yield viewer
    viewer.close()


def test_from_the_menu_to_a_painted_sample(stock, qtbot):
    stock.open_sample("allxai-desktop", "sample-study")
    dock, widget = stock.window.add_plugin_dock_widget("allxai-desktop", "Annotate cell classes")
    assert widget.image.count() == 12
    # Every mask of the sample is complete.
    assert all(row.share.text().endswith("%") for row in widget.panel.rows)
    painting = widget.painting
    qtbot.waitUntil(lambda: painting.canvas.gestures.enabled)
    assert painting.image.name == stock.layers[-2].name
    widget.image.setCurrentIndex(3)
    widget.image.activated.emit(3)
    assert painting.image.name == widget.image.currentText()
    assert {layer.name for layer in stock.layers if layer.visible} == {
        painting.image.name,
        f"Mask of {painting.image.name}",
    }
    painting.model.apply(np.arange(painting.model.codes.size), 5)
    assert widget.panel.rows[4].share.text() == "100.0 %"
    stock.window.remove_dock_widget(dock)
    qtbot.wait(20)
    assert widget.painting is None
    assert not painting.canvas.gestures.enabled


def test_a_layer_that_is_removed_leaves_the_graphics_card_by_the_canvas(stock):
    found = []
    stock.layers.events.removed.connect(lambda _event: found.append(QOpenGLContext.currentContext()))
    stock.add_image(pixels(4, 5), rgb=True)
    stock.window.add_plugin_dock_widget("allxai-desktop", "Annotate cell classes")
    canvas = stock.window._qt_viewer.canvas.native
    canvas.doneCurrent()
    stock.layers.pop(0)
    assert found == [canvas.context()]


def test_pen_and_lost_releases_are_seen_to_as_long_as_the_widget_is_there(stock, qtbot):
    stock.add_image(pixels(40, 50), rgb=True)
    dock, widget = stock.window.add_plugin_dock_widget("allxai-desktop", "Annotate cell classes")
    painting, canvas = widget.painting, stock.window._qt_viewer.canvas.native
    qtbot.waitUntil(lambda: painting.canvas.gestures.enabled)
    qtbot.wait(100)
    place = canvas.rect().center()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert painting.model.in_stroke
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.WindowDeactivate))
    assert not painting.model.in_stroke
    tablet(canvas, QEvent.Type.TabletPress, ERASER, QPointF(place))
    assert painting.canvas.gestures.pen_erases
    stock.window.remove_dock_widget(dock)
    qtbot.wait(20)
    tablet(canvas, QEvent.Type.TabletRelease, ERASER, QPointF(place))
    # Nobody hears of it any more.
    assert painting.canvas.gestures.pen_erases


def test_the_widget_says_what_to_do_without_an_image(viewer, qtbot):
    widget = AnnotateWidget(viewer)
    qtbot.addWidget(widget)
    assert not widget.hint.isHidden()
    assert not widget.panel.isEnabled()
    viewer.add_image(pixels(4, 5), rgb=True)
    qtbot.waitUntil(widget.panel.isEnabled)
    assert widget.hint.isHidden()
    widget.release()


def test_why_a_stroke_paints_nothing_is_said_in_napari(viewer, qtbot, monkeypatch):
    told = []
    monkeypatch.setattr("napari_allxai_annotate.shared.show_info", told.append)
    widget = AnnotateWidget(viewer)
    qtbot.addWidget(widget)
    viewer.add_image(pixels(4, 5), rgb=True)
    qtbot.waitUntil(widget.panel.isEnabled)
    widget.painting.model.set_locked(0, True)
    widget.painting.model.apply(np.array([0]), 1)
    widget.release()
    assert told == ["Nothing was painted: all that could change there is locked."]


class Nucleus:
    """Proposes nucleus everywhere."""

    def __init__(self, image):
        self.shape = image.pixels.shape[:2]

    def corrected(self, correction):
        return self

    def start(self):
        return Proposal(np.ones(self.shape, np.uint8), np.zeros(self.shape, np.float32), "network")


def test_a_proposal_comes_when_it_is_asked_for_and_goes_with_the_widget(viewer, qtbot):
    widget = AnnotateWidget(viewer)
    qtbot.addWidget(widget)
    viewer.add_image(pixels(4, 5), rgb=True, name="first")
    second = viewer.add_image(pixels(4, 5), rgb=True, name="second")
    qtbot.waitUntil(widget.panel.isEnabled)
    widget.proposals._make = Nucleus
    widget.proposals.visible = True
    qtbot.waitUntil(lambda: not widget.proposals.busy)
    widget.painting.choose(viewer.layers["first"])
    qtbot.waitUntil(lambda: not widget.proposals.busy)
    widget.painting.choose(second)
    qtbot.waitUntil(lambda: not widget.proposals.busy)
    names = [layer.name for layer in viewer.layers]
    assert names.index("Proposal") == names.index("Mask of second") - 1
    assert widget.proposals.accept_all() == 20
    assert viewer.layers["Mask of second"].data.all()
    widget.release()
    assert "Proposal" not in viewer.layers


def test_a_panel_that_was_closed_is_let_go(qapp):
    widget = AnnotateWidget(ViewerModel())
    gone = weakref.ref(widget)
    widget.release()
    widget.release()
    del widget
    gc.collect()
    assert gone() is None


def test_a_napari_closed_as_a_whole_leaves_nothing_behind(stock, qtbot):
    stock.add_image(pixels(4, 5), rgb=True)
    _dock, widget = stock.window.add_plugin_dock_widget("allxai-desktop", "Annotate cell classes")
    qtbot.waitUntil(lambda: widget.panel.shortcuts is not None)
    painting = widget.painting
    stock.close()
    qtbot.waitUntil(lambda: widget.painting is None)
    painting.model.new_image(np.zeros((2, 2), np.uint8))
