import numpy as np
import pytest

from allxai_desktop.agreement.adjudication import Adjudication, agreed
from allxai_desktop.agreement.pictures import EDGE
from napari_allxai_annotate.disagreements import DisagreementLayer

pytestmark = pytest.mark.slow

SHAPE = (40, 60)
FIRST = np.full(SHAPE, 5, np.uint8)
FIRST[5:15, 5:15] = 1
SECOND = np.full(SHAPE, 5, np.uint8)
SECOND[30:34, 50:55] = 2


@pytest.fixture
def made(window):
    window.model.new_image(agreed(FIRST, SECOND))
    window.show_image(pixel_size_um=0.5)
    model = Adjudication(window.model, FIRST, SECOND)
    layer = DisagreementLayer(window.viewer, model, lambda: window.canvas.image_layer)
    yield model, layer
    layer.close()
    model.close()


def test_what_is_open_is_hatched_over_the_image_and_the_mask_stays_active(window, made):
    _model, shown = made
    drawn = shown.layer.data
    # The large region is looked at: a rim around it, and its pixels to be seen.
    assert (drawn[4, 5:15] == EDGE).all()
    assert not drawn[5:15, 5:15].any()
    assert np.count_nonzero(drawn) == 40 + 20
    assert shown.layer.scale.tolist() == [0.5, 0.5]
    assert window.viewer.layers.selection.active is window.canvas.mask_layer


def test_what_is_chosen_is_hatched_no_more_and_the_next_one_is_rimmed(made):
    model, shown = made
    model.choose("first")
    assert not shown.layer.data[4:16, 4:16].any()
    assert (shown.layer.data[29, 50:55] == EDGE).all()
    assert not shown.layer.data[30:34, 50:55].any()


def test_what_is_passed_over_is_striped_again(made):
    model, shown = made
    before = shown.layer.data.copy()
    model.step(1)
    assert np.count_nonzero(shown.layer.data[5:15, 5:15]) == 100
    model.step(1)
    assert (shown.layer.data == before).all()


def test_the_view_goes_to_the_region_that_is_looked_at(window, made):
    model, _shown = made
    model.step(1)
    # The middle of an image that is no larger than the view, in µm.
    assert window.viewer.scene.camera.center[-2:] == pytest.approx((9.75, 14.75))
    assert window.viewer.scene.camera.zoom == pytest.approx(min(window.viewer.canvas.size) / 30)


def test_closed_it_takes_its_layer_away(window, made):
    _model, shown = made
    shown.close()
    assert shown.layer not in window.viewer.layers
    assert window.viewer.layers.selection.active is window.canvas.mask_layer
