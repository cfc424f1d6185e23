import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from napari.qt import QtViewer
from napari.utils.colormaps import Colormap
from vispy.visuals.shaders.program import ModularProgram

from allxai_desktop.app.shader_programs import keep_programs

pytestmark = pytest.mark.slow

GREEN = Colormap([[0, 0, 0, 1], [0, 1, 0, 1]], name="green")
RED = Colormap([[0, 0, 0, 1], [1, 0, 0, 1]], name="red")
STEPS = Colormap([[0, 0, 0, 1], [1, 0, 0, 1], [0, 0, 1, 1]], name="steps", interpolation="zero")


@pytest.fixture
def show(qtbot):
    """Returns a function that draws a map of the values 0 and 1 and returns its layer and what takes its picture."""

    def make(colormap):
        keep_programs()
        view = QtViewer(ViewerModel())
        qtbot.addWidget(view)
        view.resize(300, 200)
        view.show()
        layer = view.viewer.add_layer(Image(np.eye(2, dtype=np.float32), colormap=colormap))
        layer.colorbar.visible = True
        return layer, lambda: np.asarray(view.screenshot(flash=False))

    return make


@pytest.fixture
def built(monkeypatch):
    """Returns the programs that were built since."""
    programs = []
    build = ModularProgram._build

    def count(program):
        programs.append(program)
        build(program)

    monkeypatch.setattr(ModularProgram, "_build", count)
    return programs


def test_other_colours_and_limits_build_no_program(show, built):
    layer, picture = show(GREEN)
    before = picture()
    built.clear()
    layer.colormap = RED
    layer.contrast_limits = (0, 2)
    assert (picture() != before).any()
    assert built == []


def test_what_is_drawn_with_a_kept_program_is_what_a_new_one_draws(show):
    layer, picture = show(GREEN)
    picture()
    layer.colormap = RED
    layer.contrast_limits = (0, 2)
    layer.gamma = 0.5
    other, expected = show(RED)
    other.contrast_limits = (0, 2)
    other.gamma = 0.5
    assert (picture() == expected()).all()


def test_colours_of_another_kind_get_a_program_of_their_own(show):
    layer, picture = show(GREEN)
    picture()
    layer.colormap = STEPS
    _other, expected = show(STEPS)
    assert (picture() == expected()).all()
