"""Qt's own texts, and napari's, in the language of the program."""

import pint
from qtpy.QtWidgets import QDialogButtonBox

from allxai_desktop.app.canvas_view import short_pixels
from allxai_desktop.app.qt_texts import QtTexts


def test_the_buttons_of_qt_follow_the_language(qtbot):
    texts = QtTexts()
    found = []
    for code in ("es", "en"):
        texts.set_language(code)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        qtbot.addWidget(box)
        found.append(box.buttons()[0].text().replace("&", ""))
    texts.close()
    assert found == ["Cancelar", "Cancel"]


def test_the_scale_bar_counts_px():
    short_pixels()
    registry = pint.get_application_registry()
    assert [f"{75 * registry(unit):g~#P}" for unit in ("pixel", "micrometer")] == ["75 px", "75 µm"]
