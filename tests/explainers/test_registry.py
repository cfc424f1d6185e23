"""The list of explainers and the checking of their settings."""

import subprocess
import sys

import pytest

from allxai_desktop.explainers.registry import EXPLAINERS, ExplainerError, complete_settings, explainer


def test_the_four_explainers_are_listed_under_their_own_names():
    assert {"gradient", "abs-gradient", "gradient-x-input", "grad-cam"} <= set(EXPLAINERS)
    assert all(name == info.name for name, info in EXPLAINERS.items())


def test_listing_them_does_not_import_torch():
    code = "import sys, allxai_desktop.explainers.registry; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_colour_maps_are_those_of_the_papers():
    assert EXPLAINERS["grad-cam"].default_colormap == "jet"
    assert EXPLAINERS["gradient"].default_colormap == "seismic"


def test_settings_left_out_take_their_defaults():
    assert complete_settings(EXPLAINERS["grad-cam"], {}) == {"recipe": "standard"}
    assert complete_settings(EXPLAINERS["grad-cam"], {"recipe": "matlab"}) == {"recipe": "matlab"}


def test_an_unknown_explainer_is_named():
    with pytest.raises(ExplainerError, match="“lrp”: choose one of gradient"):
        explainer("lrp")


def test_an_unknown_setting_is_named():
    with pytest.raises(ExplainerError, match="Gradient has no setting “recipe”; its settings are: –"):
        complete_settings(EXPLAINERS["gradient"], {"recipe": "matlab"})


def test_a_wrong_value_is_named_with_the_right_ones():
    with pytest.raises(ExplainerError, match="cannot be “keras”: choose one of standard, matlab"):
        complete_settings(EXPLAINERS["grad-cam"], {"recipe": "keras"})
