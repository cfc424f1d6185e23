"""The colours of the window."""

import re

import pytest
from napari.utils.theme import get_theme
from qtpy.QtGui import QColor

from allxai_desktop.app.theme import THEMES, stylesheet


def luminance(color):
    """Relative luminance as WCAG 2.2 defines it."""
    levels = [
        level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4
        for level in QColor(color).getRgbF()[:3]
    ]
    return 0.2126 * levels[0] + 0.7152 * levels[1] + 0.0722 * levels[2]


@pytest.mark.parametrize("theme", THEMES)
def test_what_an_empty_field_says_can_be_read(theme):
    hint = re.search(r"placeholder-text-color: (#\w+)", stylesheet(theme))[1]
    dark, light = sorted((luminance(hint), luminance(get_theme(theme).primary.as_hex(format="long"))))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
