"""The annotate panel: classes, tools and how the mask is shown. All state is in the `PaintModel`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from allxai_desktop.cellclasses import CLASSES, UNLABELLED
from allxai_desktop.i18n import _
from allxai_desktop.keys import KEYS
from allxai_desktop.painting.cleaner import Cleaner
from allxai_desktop.painting.cleanup import NAMES
from allxai_desktop.painting.engine import (
    MAX_BRUSH,
    MAX_TOLERANCE,
    MIN_BRUSH,
    MIN_TOLERANCE,
    TOOLS,
    PaintModel,
)
from napari_allxai_annotate.canvas import PaintCanvas
from napari_allxai_annotate.class_row import ClassRow, name_control
from napari_allxai_annotate.clean_menu import CleanButton
from napari_allxai_annotate.controls import SLIDER_STEPS, code_box, size_at, slider, slider_at
from napari_allxai_annotate.ghost import Ghost
from napari_allxai_annotate.ghost_row import GhostRow
from napari_allxai_annotate.glyphs import GlyphButton, swatch
from napari_allxai_annotate.shortcuts import HoldToPan, Shortcuts
from napari_allxai_widgets.dispatch import Dispatcher

OUTLINE_KEYS = ("close-outline", "remove-point")
# The slider takes the place of the arrows of the spin box: Qt's own way to hide them loses the number here.
STYLE = """
QToolButton { border: 2px solid transparent; border-radius: 4px; padding: 0px 2px; background: transparent; }
QToolButton:hover { background: rgba(128, 128, 128, 60); }
QToolButton:checked { background: rgba(128, 128, 128, 110); border-color: rgba(128, 128, 128, 200); }
QToolButton::menu-indicator { image: none; width: 0px; }
QToolButton:focus { border-color: palette(highlight); }
QSpinBox { padding: 1px 4px; min-width: 0px; min-height: 20px; }
QSpinBox::up-button, QSpinBox::down-button, QSpinBox::up-arrow, QSpinBox::down-arrow {
    width: 0px; height: 0px; image: none;
}
"""


class AnnotatePanel(QWidget):
    """Shows and changes a `PaintModel`; its keys work in the whole window `key_parent`, bound now or later.

    Without a canvas, the keys that need one (outlines, panning) are not bound; without a `ghost` there are no
    proposals.
    """

    def __init__(
        self,
        model: PaintModel,
        canvas: PaintCanvas | None = None,
        key_parent: QWidget | None = None,
        ghost: Ghost | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.canvas = canvas
        self.ghost = ghost
        self.cleaner = Cleaner(
            model, Dispatcher(), lambda: None if canvas is None else canvas.gestures.pixels
        )
        self._shares: Mapping[str, float | None] = {}
        self._build()
        self._connect()
        self.retranslate()
        for show in self._shows:
            show()
        self.shortcuts: Shortcuts | None = None
        self.pan: HoldToPan | None = None
        if key_parent is not None:
            self.bind_keys(key_parent)

    def set_area_shares(self, shares: Mapping[str, float | None]) -> None:
        """Show the share of the labelled area (0…1, or None) of each class, by its key."""
        self._shares = shares
        for row in self.rows:
            row.show_share(shares.get(row.cls.key))

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.title.setText(_("Annotate"))
        self.over_label.setText(_("Only over"))
        self.erase_label.setText(_("Erase to"))
        self.mask_label.setText(_("Mask"))
        for row in self.rows:
            row.retranslate()
        for tool, button in self.tools.items():
            name_control(button, _(KEYS[tool].title), tool)
        self.clean.retranslate()
        if self.ghost_row is not None:
            self.ghost_row.retranslate()
        name_control(self.undo, _("Undo"), "undo")
        name_control(self.redo, _("Redo"), "redo")
        name_control(self.hide_mask, _("Show or hide the mask"), "hide")
        name_control(self.outline, _("Show the mask as outlines"))
        name_control(self.only_over, _("Paint only over pixels of this class"))
        name_control(self.erase_to, _("What the eraser and the right button leave"), "erase-to")
        name_control(self.opacity, _("Opacity of the mask"))
        self._name_size()
        self._fill_codes()
        self.set_area_shares(self._shares)

    def bind_keys(self, window: QWidget) -> None:
        """Let the keys of the registry work in the whole of `window`."""
        model = self.model
        actions: dict[str, Callable[[], object]] = {
            **{f"class-{cls.code}": partial(setattr, model, "active", cls.code) for cls in CLASSES},
            **{tool: partial(setattr, model, "tool", tool) for tool in TOOLS},
            **{name: partial(self.cleaner.run, name) for name in NAMES},
            "swap": model.swap_active,
            "larger": partial(model.step_size, 1),
            "smaller": partial(model.step_size, -1),
            "erase-to": model.toggle_erase_to,
            "hide": lambda: setattr(model, "mask_visible", not model.mask_visible),
            "undo": self._undo,
            "redo": self._redo,
        }
        if self.ghost is not None:
            actions |= self.ghost.actions()
        else:
            del actions["accept"]
        if self.canvas is not None:
            gestures = self.canvas.gestures
            actions["close-outline"] = gestures.close_outline
            actions["escape"] = self.canvas.escape
            actions["remove-point"] = gestures.remove_point
            self.pan = HoldToPan(window, self.canvas)
        self.shortcuts = Shortcuts(window, actions)
        self._show_drawing()

    def release_keys(self) -> None:
        """Unbind every key; called before the panel goes away."""
        if self.shortcuts is not None:
            self.shortcuts.release()
        if self.pan is not None:
            self.pan.release()
        self.shortcuts = self.pan = None

    def disconnect_model(self) -> None:
        """Stop following the model; called before the panel goes away, or when Qt has deleted it already."""
        self.clean.disconnect_model()
        if self.ghost_row is not None:
            self.ghost_row.disconnect_model()
        self.cleaner.close()
        for show, signal in self._shows.items():
            signal.disconnect(show)  # type: ignore[attr-defined]
        if self.canvas is not None:
            self.canvas.viewer.events.mouse_over_canvas.disconnect(self._on_over_canvas)
            self.canvas.gestures.drawing_changed.disconnect(self._show_drawing)
            self.canvas.gestures.target_changed.disconnect(self._show_drawing)

    # Construction

    def _build(self) -> None:
        self.setStyleSheet(STYLE)
        self.title = QLabel()
        self.title.setObjectName("panelTitle")
        self.undo, self.redo = GlyphButton("undo"), GlyphButton("redo")
        self.classes = QButtonGroup(self)
        self.rows = [ClassRow(cls) for cls in CLASSES]
        self.tool_group = QButtonGroup(self)
        self.tools = {tool: GlyphButton(tool, tool) for tool in TOOLS}
        self.clean = CleanButton(self.cleaner)
        self.ghost_row = None if self.ghost is None else GhostRow(self.ghost, self.tools["accept"])
        self.size_label, self.over_label, self.erase_label, self.mask_label = (
            QLabel() for _label in range(4)
        )
        self.size_slider = slider()
        self.size_value = QSpinBox()
        self.size_value.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.size_value.setFixedWidth(62)
        self.only_over, self.erase_to = code_box(), code_box()
        self.opacity = slider()
        self.outline = GlyphButton("filled", "outline")
        self.hide_mask = GlyphButton("eye", "eye-shut")

        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch()
        for row in self.rows:
            self.classes.addButton(row.choose, row.cls.code)
        tools = QHBoxLayout()
        tools.setSpacing(2)
        for tool, button in self.tools.items():
            self.tool_group.addButton(button, TOOLS.index(tool))
            if tool != "accept":
                tools.addWidget(button)
        tools.addStretch()
        tools.addWidget(self.clean)
        tools.addWidget(self.undo)
        tools.addWidget(self.redo)
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.size_label, 0, 0)
        grid.addWidget(self.size_slider, 0, 1)
        grid.addWidget(self.size_value, 0, 2)
        grid.addWidget(self.over_label, 1, 0)
        grid.addWidget(self.only_over, 1, 1, 1, 2)
        grid.addWidget(self.erase_label, 2, 0)
        grid.addWidget(self.erase_to, 2, 1, 1, 2)
        grid.addWidget(self.mask_label, 3, 0)
        grid.addWidget(self.opacity, 3, 1)
        look = QHBoxLayout()
        look.setSpacing(2)
        look.addWidget(self.outline)
        look.addWidget(self.hide_mask)
        look.addStretch()
        grid.addLayout(look, 3, 2)
        grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(1)
        layout.addLayout(head)
        for row in self.rows:
            layout.addWidget(row)
        layout.addLayout(tools)
        if self.ghost_row is not None:
            layout.addWidget(self.ghost_row)
        layout.addSpacing(2)
        layout.addLayout(grid)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def _connect(self) -> None:
        model = self.model
        # What is shown, and the signal that it follows.
        self._shows: dict[Callable[[], None], object] = {
            self._show_class: model.active_changed,
            self._show_tool: model.tool_changed,
            self._show_size: model.brush_size_changed,
            self._show_tolerance: model.tolerance_changed,
            self._show_locks: model.locked_changed,
            self._show_only_over: model.only_over_changed,
            self._show_erase_to: model.erase_to_changed,
            self._show_opacity: model.mask_opacity_changed,
            self._show_outline: model.mask_outline_changed,
            self._show_visible: model.mask_visible_changed,
            self._show_history: model.history_changed,
        }
        for show, signal in self._shows.items():
            signal.connect(show)  # type: ignore[attr-defined]
        self.classes.idClicked.connect(partial(setattr, model, "active"))
        self.tool_group.idClicked.connect(lambda at: setattr(model, "tool", TOOLS[at]))
        for row in self.rows:
            row.lock.toggled.connect(partial(model.set_locked, row.cls.code))
        self.size_slider.valueChanged.connect(self._on_slider)
        self.size_value.valueChanged.connect(lambda value: setattr(model, self._sized, value))
        self.only_over.activated.connect(
            lambda _row: setattr(model, "only_over", self.only_over.currentData())
        )
        self.erase_to.activated.connect(lambda _row: setattr(model, "erase_to", self.erase_to.currentData()))
        self.opacity.valueChanged.connect(lambda at: setattr(model, "mask_opacity", at / SLIDER_STEPS))
        self.outline.toggled.connect(partial(setattr, model, "mask_outline"))
        self.hide_mask.toggled.connect(lambda hidden: setattr(model, "mask_visible", not hidden))
        self.undo.clicked.connect(lambda: self._undo())
        self.redo.clicked.connect(lambda: self._redo())
        # A number that was typed is done with: the keys go back to the window.
        self.size_value.lineEdit().returnPressed.connect(self.size_value.clearFocus)
        if self.canvas is not None:
            self.canvas.viewer.events.mouse_over_canvas.connect(self._on_over_canvas)
            self.canvas.gestures.drawing_changed.connect(self._show_drawing)
            self.canvas.gestures.target_changed.connect(self._show_drawing)
            self.cleaner.previewed.connect(self.canvas.gestures.show_region)
            self.cleaner.refused.connect(self._on_refused)

    def _on_refused(self, why: str) -> None:
        assert self.canvas is not None
        self.canvas.gestures.told.emit(why)

    def _on_over_canvas(self) -> None:
        self.size_value.clearFocus()

    # From the model to the widgets

    def _show_drawing(self, *_drawing: bool) -> None:
        if self.canvas is not None and self.shortcuts is not None:
            # Enter, Escape and Backspace belong to the rest of the window otherwise.
            gestures = self.canvas.gestures
            self.shortcuts.set_enabled(OUTLINE_KEYS, gestures.drawing)
            self.shortcuts.set_enabled(("escape",), gestures.drawing or gestures.region is not None)
            # They would change the mask, and it is not the mask that is painted.
            self.shortcuts.set_enabled(NAMES, gestures.region is None)
            self.clean.setEnabled(gestures.region is None)
        self._show_history()

    def _show_class(self) -> None:
        self.classes.button(self.model.active).setChecked(True)

    def _show_tool(self) -> None:
        self.tools[self.model.tool].setChecked(True)
        self._name_size()
        self._show_size()

    @property
    def _sized(self) -> str:
        """What the row of the size sets: the setting of the model that the tool in hand goes by."""
        return "tolerance" if self.model.tool == "wand" else "brush_size"

    def _name_size(self) -> None:
        if self._sized == "tolerance":
            label, suffix, name = _("Tolerance"), " ΔE", _("How different a colour the wand takes in")
        else:
            label, suffix, name = _("Size"), " px", _("Diameter of the brush in pixels")
        self.size_label.setText(label)
        self.size_value.setSuffix(suffix)
        for control in (self.size_slider, self.size_value):
            name_control(control, name, "larger", "smaller")

    def _on_slider(self, at: int) -> None:
        if self._sized == "tolerance":
            self.model.tolerance = at
        else:
            self.model.brush_size = size_at(at)

    def _show_size(self) -> None:
        value = getattr(self.model, self._sized)
        with QSignalBlocker(self.size_slider), QSignalBlocker(self.size_value):
            if self._sized == "tolerance":
                self.size_value.setRange(MIN_TOLERANCE, MAX_TOLERANCE)
                self.size_slider.setValue(value)
            else:
                self.size_value.setRange(MIN_BRUSH, MAX_BRUSH)
                if size_at(self.size_slider.value()) != value:
                    self.size_slider.setValue(slider_at(value))
            self.size_value.setValue(value)

    def _show_tolerance(self) -> None:
        self._show_size()

    def _show_locks(self) -> None:
        for row in self.rows:
            with QSignalBlocker(row.lock):
                row.lock.setChecked(row.cls.code in self.model.locked)

    def _show_only_over(self) -> None:
        self.only_over.setCurrentIndex(self.only_over.findData(self.model.only_over))

    def _show_erase_to(self) -> None:
        self.erase_to.setCurrentIndex(self.erase_to.findData(self.model.erase_to))

    def _show_opacity(self) -> None:
        with QSignalBlocker(self.opacity):
            self.opacity.setValue(round(self.model.mask_opacity * SLIDER_STEPS))

    def _show_outline(self) -> None:
        with QSignalBlocker(self.outline):
            self.outline.setChecked(self.model.mask_outline)

    def _show_visible(self) -> None:
        with QSignalBlocker(self.hide_mask):
            self.hide_mask.setChecked(not self.model.mask_visible)

    def _show_history(self) -> None:
        drawing = self.canvas is not None and self.canvas.gestures.drawing
        target = self._target
        self.undo.setEnabled(drawing or target.can_undo)
        self.redo.setEnabled(target.can_redo)

    @property
    def _target(self) -> PaintModel:
        return self.model if self.canvas is None else self.canvas.gestures.target

    def _undo(self) -> None:
        if self.canvas is not None:
            self.canvas.undo()
        else:
            self.model.undo()

    def _redo(self) -> None:
        self._target.redo()

    def _fill_codes(self) -> None:
        self.only_over.clear()
        self.erase_to.clear()
        self.only_over.addItem(_("Any class"), None)
        for box in (self.only_over, self.erase_to):
            box.addItem(_("Unlabelled"), UNLABELLED)
            for cls in CLASSES:
                box.addItem(swatch(cls, 14), cls.title, cls.code)
        self._show_only_over()
        self._show_erase_to()
