from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from psygnal import Signal

from allxai_desktop.overlay import EDGE
from napari_allxai_explain.overlay import RelevanceOverlay
from napari_allxai_explain.view import ExplainView


class FakeSession:
    result_changed = Signal(object)
    result = None

    def give(self, relevance, explainer="gradient", relevant=None):
        explanation = SimpleNamespace(relevance=relevance, explainer=explainer)
        shown = relevant if relevant is not None or relevance is None else relevance > 0
        self.result = SimpleNamespace(explanation=explanation, relevant=shown)
        self.result_changed.emit(self.result)


@pytest.fixture
def setting(qapp):
    viewer, session, view = ViewerModel(), FakeSession(), ExplainView()
    image = viewer.add_layer(
        Image(np.zeros((2, 4, 3), np.uint8), rgb=True, scale=(0.5, 0.5), units=("um", "um"))
    )
    overlay = RelevanceOverlay(viewer, session, view, lambda: image)
    return SimpleNamespace(viewer=viewer, session=session, view=view, image=image, overlay=overlay)


MAP = np.array([[-1, 0, 1, 2], [-2, 0, 0, 0]], np.float32)


def test_a_signed_map_is_drawn_centred_on_zero(setting):
    setting.session.give(MAP)
    assert setting.overlay.map_layer.contrast_limits == [-2.0, 2.0]


def test_the_layers_lie_where_the_image_lies(setting):
    setting.session.give(MAP)
    assert setting.overlay.map_layer.scale.tolist() == [0.5, 0.5]
    assert setting.overlay.outline_layer.scale.tolist() == [0.5, 0.5]


def test_it_is_told_whether_a_map_is_seen(setting):
    told = []
    setting.overlay.map_shown.connect(told.append)
    setting.session.give(MAP)
    setting.view.map_visible = False
    setting.session.give(None)
    assert told == [True, False, False]


def test_the_painted_layer_stays_the_active_one(setting):
    setting.viewer.layers.selection.active = setting.image
    setting.session.give(MAP)
    assert setting.viewer.layers.selection.active is setting.image


def test_the_outline_marks_the_relevant_pixels(setting):
    relevant = np.zeros((6, 6), bool)
    relevant[2, 3] = True
    setting.session.give(relevant.astype(np.float32))
    assert np.argwhere(setting.overlay.outline_layer.data == EDGE).tolist() == [[2, 3]]


def test_the_next_map_of_the_same_image_uses_the_same_layers(setting):
    setting.session.give(MAP)
    layer = setting.overlay.map_layer
    setting.session.give(MAP * 2)
    assert setting.overlay.map_layer is layer
    assert layer.contrast_limits == [-4.0, 4.0]


def test_a_map_of_another_size_gets_layers_of_its_own(setting):
    setting.session.give(MAP)
    setting.session.give(np.ones((3, 3), np.float32))
    assert setting.overlay.map_layer.data.shape == (3, 3)
    assert len(setting.viewer.layers) == 3


def test_an_undefined_map_is_not_a_picture(setting):
    setting.session.give(MAP)
    setting.session.give(None)
    assert not setting.overlay.map_layer.visible
    assert not setting.overlay.outline_layer.visible


@pytest.mark.parametrize(
    ("layer", "name"), [("map_layer", "map_visible"), ("outline_layer", "outline_visible")]
)
def test_the_eye_of_a_layer_and_the_view_are_one_state(setting, layer, name):
    setting.session.give(MAP)
    eye = getattr(setting.overlay, layer)
    changes = []
    setting.view.events.connect(lambda info: changes.append((info.signal.name, info.args[0])))
    eye.visible = False
    eye.visible = True
    setattr(setting.view, name, False)
    assert not eye.visible
    assert changes == [(name, False), (name, True), (name, False)]


def test_it_is_told_that_an_eye_hides_the_map(setting):
    setting.session.give(MAP)
    told = []
    setting.overlay.map_shown.connect(told.append)
    setting.overlay.map_layer.visible = False
    assert told == [False]
    assert not setting.overlay.map_layer.colorbar.visible


def test_a_map_that_an_eye_hides_stays_hidden_with_the_next_result(setting):
    setting.session.give(MAP)
    setting.overlay.map_layer.visible = False
    setting.session.give(np.ones((3, 3), np.float32))
    assert not setting.overlay.map_layer.visible
    assert setting.overlay.outline_layer.visible


def test_without_a_map_no_eye_shows_the_one_before(setting):
    setting.session.give(MAP)
    setting.session.give(None)
    for layer in (setting.overlay.map_layer, setting.overlay.outline_layer):
        layer.visible = True
        assert not layer.visible
    assert (setting.view.map_visible, setting.view.outline_visible) == (True, True)


def test_released_it_takes_nothing_over_from_an_eye(setting):
    setting.session.give(MAP)
    setting.overlay.release()
    setting.overlay.map_layer.visible = False
    assert setting.view.map_visible


def test_opacity_colours_and_outline_follow_the_view(setting):
    setting.session.give(MAP)
    setting.view.opacity = 0.25
    setting.view.colormap = "seismic"
    setting.view.outline_visible = False
    assert setting.overlay.map_layer.opacity == 0.25
    assert setting.overlay.map_layer.colormap.name == "seismic signed"
    assert not setting.overlay.outline_layer.visible


def test_an_outline_that_is_everywhere_is_drawn_faintly(setting):
    setting.session.give(np.zeros((20, 20), np.float32), relevant=np.indices((20, 20)).sum(0) % 2 == 0)
    layer = setting.overlay.outline_layer
    assert [layer.get_color(layer.data[0, x]).tolist() for x in (0, 1)] == [
        pytest.approx([1, 1, 1, 0.2]),
        pytest.approx([0, 0, 0, 0.2]),
    ]
    setting.session.give(np.zeros((20, 20), np.float32), relevant=np.indices((20, 20))[0] == 0)
    assert layer.get_color(layer.data[0, 0])[3] == pytest.approx(0.9)


def test_a_map_of_the_same_kind_keeps_its_colours(setting):
    setting.session.give(MAP)
    changes = []
    setting.overlay.map_layer.events.colormap.connect(changes.append)
    setting.session.give(MAP * 2)
    assert changes == []
    setting.session.give(MAP, explainer="grad-cam")
    assert len(changes) == 1


def test_closing_takes_the_layers_away(setting):
    setting.session.give(MAP)
    setting.overlay.close()
    assert list(setting.viewer.layers) == [setting.image]
