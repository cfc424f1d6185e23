import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QComboBox, QLabel, QSlider, QSpinBox, QToolButton

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.keys import KEYS
from allxai_desktop.painting.engine import TOOLS

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def controls(panel):
    kinds = (QAbstractButton, QSlider, QComboBox, QSpinBox)
    return [control for kind in kinds for control in panel.findChildren(kind)]


def press(window, qtbot, text, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(window.view.canvas.native, text, modifier)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_a_digit_chooses_its_class(window, qtbot, code):
    window.model.active = 1 + code % 5
    press(window, qtbot, str(code))
    assert window.model.active == code
    assert window.panel.rows[code - 1].choose.isChecked()


@pytest.mark.parametrize("tool", TOOLS)
def test_a_letter_chooses_its_tool(window, qtbot, tool):
    window.model.tool = "fill" if tool != "fill" else "brush"
    press(window, qtbot, KEYS[tool].sequence)
    assert window.model.tool == tool
    assert window.panel.tools[tool].isChecked()


def test_keys_for_swap_size_and_mask(window, qtbot):
    model = window.model
    model.active = 4
    press(window, qtbot, "X")
    assert model.active == 1
    press(window, qtbot, "+")
    press(window, qtbot, "=")
    press(window, qtbot, "-")
    assert model.brush_size == 2
    press(window, qtbot, "H")
    assert not model.mask_visible
    assert window.panel.hide_mask.isChecked()
    press(window, qtbot, "H")
    assert model.mask_visible


def test_keys_for_undo_and_redo(window, qtbot, mouse):
    model = window.model
    mouse.click(10, 10)
    press(window, qtbot, Qt.Key.Key_Z, CTRL)
    assert not model.codes.any()
    press(window, qtbot, Qt.Key.Key_Z, CTRL | SHIFT)
    assert model.codes.any()
    press(window, qtbot, Qt.Key.Key_Z, CTRL)
    press(window, qtbot, Qt.Key.Key_Y, CTRL)
    assert model.codes.any()


def test_digits_typed_into_the_size_stay_there(window, qtbot):
    field = window.panel.size_value
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "34")
    assert (window.model.brush_size, window.model.active) == (34, 1)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert not field.hasFocus()


def test_the_mouse_over_the_canvas_takes_the_keys_from_the_size(window, qtbot):
    window.viewer.mouse_over_canvas = False
    window.panel.size_value.setFocus()
    window.viewer.mouse_over_canvas = True
    assert not window.panel.size_value.hasFocus()


def test_buttons_change_the_model(window, qtbot):
    panel, model = window.panel, window.model
    qtbot.mouseClick(panel.rows[2].choose, Qt.MouseButton.LeftButton)
    assert model.active == 3
    qtbot.mouseClick(panel.rows[2].lock, Qt.MouseButton.LeftButton)
    assert model.locked == {3}
    qtbot.mouseClick(panel.tools["fill"], Qt.MouseButton.LeftButton)
    assert model.tool == "fill"
    qtbot.mouseClick(panel.outline, Qt.MouseButton.LeftButton)
    assert model.mask_outline
    qtbot.mouseClick(panel.hide_mask, Qt.MouseButton.LeftButton)
    assert not model.mask_visible
    panel.opacity.setValue(20)
    assert model.mask_opacity == 0.2
    panel.size_slider.setValue(100)
    assert model.brush_size == 400


def test_undo_and_redo_buttons(window, qtbot, mouse):
    panel, model = window.panel, window.model
    assert not panel.undo.isEnabled()
    mouse.click(10, 10)
    assert panel.undo.isEnabled()
    qtbot.mouseClick(panel.undo, Qt.MouseButton.LeftButton)
    assert not model.codes.any()
    assert not panel.undo.isEnabled()
    qtbot.mouseClick(panel.redo, Qt.MouseButton.LeftButton)
    assert model.codes.any()


def test_only_over_offers_any_unlabelled_and_each_class(window, qtbot):
    box, model = window.panel.only_over, window.model
    texts = [box.itemText(row) for row in range(box.count())]
    assert texts == ["Any class", "Unlabelled", *(cls.title for cls in CLASSES)]
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Down)
    assert model.only_over == 0
    model.only_over = 5
    assert box.currentText() == "Background"


def test_erase_to_offers_unlabelled_and_each_class(window, qtbot):
    box, model = window.panel.erase_to, window.model
    assert [box.itemData(row) for row in range(box.count())] == [0, 1, 2, 3, 4, 5]
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Down)
    assert model.erase_to == 1
    model.erase_to = 5
    assert box.currentText() == "Background"


def test_widgets_follow_the_model(window):
    panel, model = window.panel, window.model
    for size in (1, 7, 100, 400):
        model.brush_size = size
        assert panel.size_value.value() == size
        assert model.brush_size == size
    model.locked = {1, 4}
    assert [row.lock.isChecked() for row in panel.rows] == [True, False, False, True, False]


def test_area_shares(window):
    window.panel.set_area_shares({"nucleus": 0.2134, "cytoplasm": None, "rbc": 1.0})
    assert [row.share.text() for row in window.panel.rows] == ["21.3 %", "–", "–", "100.0 %", "–"]
    assert window.panel.rows[0].share.accessibleName() == "Area of Nucleus: 21.3 %"


def test_every_control_has_a_name_a_tooltip_and_its_key(window):
    for control in controls(window.panel):
        assert control.accessibleName(), control
        assert control.toolTip(), control
    for tool, button in window.panel.tools.items():
        assert button.toolTip().endswith(f"({KEYS[tool].sequence})")


def test_every_control_is_reached_by_tab(window):
    for control in controls(window.panel):
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control.accessibleName()


def test_a_click_on_a_button_leaves_the_keyboard_on_the_canvas(window, qtbot):
    window.view.canvas.native.setFocus()
    qtbot.mouseClick(window.panel.rows[1].choose, Qt.MouseButton.LeftButton)
    assert not window.panel.rows[1].choose.hasFocus()


def test_the_panel_fits_its_place_in_the_column(window):
    assert window.panel.sizeHint().height() <= 326
    assert window.panel.minimumSizeHint().width() <= 340


def test_no_text_is_cut_at_340_pixels_with_longer_words(window, qtbot, monkeypatch):
    import napari_allxai_annotate.panel as module

    panel = window.panel
    monkeypatch.setattr(module, "_", lambda text: text + " " + "m" * (len(text) // 3))
    panel.retranslate()
    panel.setFixedWidth(340)
    qtbot.wait(20)
    for shown in (*panel.findChildren(QLabel), *(row.choose for row in panel.rows)):
        assert isinstance(shown, QLabel | QToolButton)
        assert shown.width() >= shown.sizeHint().width(), shown.text()
    monkeypatch.undo()
    panel.retranslate()
    panel.setMinimumWidth(0)
    panel.setMaximumWidth(16777215)


def test_texts_change_with_the_language(window, monkeypatch):
    import napari_allxai_annotate.panel as module

    monkeypatch.setattr(module, "_", lambda text: f"¡{text}!")
    window.panel.retranslate()
    assert window.panel.over_label.text() == "¡Only over!"
    assert window.panel.only_over.itemText(0) == "¡Any class!"
    assert window.panel.tools["fill"].toolTip() == "¡Fill a region of one class! (F)"
    monkeypatch.undo()
    window.panel.retranslate()
