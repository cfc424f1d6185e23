"""Qt's own texts, and napari's, in the language of the program."""

import pint
from qtpy.QtWidgets import QDialogButtonBox, QFileDialog

from allxai_desktop.app.canvas_view import short_pixels
from allxai_desktop.app.qt_texts import QtTexts
from allxai_desktop.i18n import set_language


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


def test_the_file_dialog_is_in_one_language(qtbot):
    set_language("es")
    texts = QtTexts()
    texts.set_language("es")
    dialog = QFileDialog()
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    qtbot.addWidget(dialog)
    found = [dialog.labelText(label).replace("&", "") for label in QFileDialog.DialogLabel]
    texts.close()
    set_language("en")
    assert found == ["Buscar en:", "Nombre de fichero:", "Tipo de ficheros:", "Abrir", "Cancelar"]


def test_the_scale_bar_counts_px():
    short_pixels()
    registry = pint.get_application_registry()
    assert [f"{75 * registry(unit):g~#P}" for unit in ("pixel", "micrometer")] == ["75 px", "75 µm"]
