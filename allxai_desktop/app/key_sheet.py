"""All keys on one sheet over the window, where they can be changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape

from qtpy.QtCore import QEvent, QKeyCombination, QObject, QSize, Qt
from qtpy.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QMouseEvent
from qtpy.QtWidgets import QAbstractSlider, QApplication, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from allxai_desktop import keys
from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.keys import FIXED, KEYS, by_group
from napari_allxai_widgets.scrolling import ScrollColumn

MODIFIERS = (
    Qt.Key.Key_Shift,
    Qt.Key.Key_Control,
    Qt.Key.Key_Alt,
    Qt.Key.Key_AltGr,
    Qt.Key.Key_Meta,
    Qt.Key.Key_CapsLock,
    Qt.Key.Key_NumLock,
    Qt.Key.Key_unknown,
)
KEYPAD = Qt.KeyboardModifier.KeypadModifier
COLUMNS = 3
# Three of them and the margins fit a screen of 1280 px; what is longer in some language goes on in the next line.
COLUMN_WIDTH = 380
SPACING = 28
SCROLLS = {
    Qt.Key.Key_Up: QAbstractSlider.SliderAction.SliderSingleStepSub,
    Qt.Key.Key_Down: QAbstractSlider.SliderAction.SliderSingleStepAdd,
    Qt.Key.Key_PageUp: QAbstractSlider.SliderAction.SliderPageStepSub,
    Qt.Key.Key_PageDown: QAbstractSlider.SliderAction.SliderPageStepAdd,
}
"""What moves the list where the window is too low for the whole of it."""
OWN = (*SCROLLS, Qt.Key.Key_Return, Qt.Key.Key_Enter)
"""Keys that do nothing in the window while the sheet is there: Enter asks for another key where Tab has come to."""


class KeySheet(QFrame):
    """Lists the registry of keys in the middle of `window`; Escape, a click beside the texts
    or another place to type hide it.

    A click on a key, or Tab and Enter, waits for the one that is to take its place.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, objectName="keySheet")
        self._over = window
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAutoFillBackground(True)
        self.title = QLabel(objectName="emptyTitle")
        self.message = QLabel(textFormat=Qt.TextFormat.RichText)
        self._changing = ""
        self.columns = [QLabel(textFormat=Qt.TextFormat.RichText) for _column in range(COLUMNS)]
        self._lists = QWidget()
        lists = QHBoxLayout(self._lists)
        lists.setContentsMargins(0, 0, 0, 0)
        lists.setSpacing(SPACING)
        for column in self.columns:
            column.setWordWrap(True)
            column.setAlignment(Qt.AlignmentFlag.AlignTop)
            column.setFixedWidth(COLUMN_WIDTH)
            column.linkActivated.connect(self._ask)
            self._let_tab_in(column)
            lists.addWidget(column, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 14, 24, 18)
        self._scroll = ScrollColumn(self._lists)
        layout.addWidget(self.title)
        layout.addWidget(self._scroll)
        layout.addWidget(self.message)
        self.message.linkActivated.connect(lambda _link: self._do(keys.reset))
        self._let_tab_in(self.message)
        window.installEventFilter(self)
        self.hide()

    def _let_tab_in(self, label: QLabel) -> None:
        flags = Qt.TextInteractionFlag
        label.setTextInteractionFlags(flags.LinksAccessibleByMouse | flags.LinksAccessibleByKeyboard)
        # A click leaves the keyboard with the sheet.
        label.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        label.installEventFilter(self)

    def toggle(self) -> None:
        """Show the sheet, or hide it."""
        self.setVisible(not self.isVisible())
        if self.isVisible():
            # The theme may have changed since.
            self.retranslate()
            self.raise_()
            self.setFocus()

    def retranslate(self) -> None:
        """Write the sheet in the current language."""
        self.title.setText(_("Keys"))
        self._write()
        self._ask("")
        self._place()

    def _write(self) -> None:
        shown = self._shown_columns
        parts: list[list[str]] = [[] for _column in self.columns]
        heights = [0] * shown
        color = self.palette().windowText().color().name()
        for group, names in by_group().items():
            shortest = heights.index(min(heights))
            heights[shortest] += len(names) + 2
            parts[shortest].append(_table(_(group), names, color))
        for column, part in zip(self.columns, parts, strict=True):
            column.setText("".join(part))
            column.setVisible(bool(part))
        # Qt tells of it by an event, for which nobody waits here.
        self._scroll.updateGeometry()

    @property
    def _room(self) -> QSize:
        """What the lists may take of the window."""
        return self._over.size() - (self.sizeHint() - self._scroll.sizeHint())

    @property
    def _shown_columns(self) -> int:
        fitting = (self._room.width() + SPACING) // (COLUMN_WIDTH + SPACING)
        return min(max(fitting, 1), COLUMNS)

    def _ask(self, name: str) -> None:
        """Wait for the new key of an action, or for none."""
        self._changing = name
        if name:
            # Also where Tab has come to the key.
            self.setFocus()
            text = escape(_("Press the new key for “{title}”, or Esc.").format(title=_(KEYS[name].title)))
        else:
            color = self.palette().windowText().color().name()
            reset = _link("reset", _("Reset the keys"), color, "underline")
            text = f"{escape(_('Click a key to change it.'))} {reset}"
        self.message.setText(text)

    def _do(self, call: Callable[[], None]) -> None:
        try:
            call()
        except AllxaiError as error:
            # The next key is taken in place of one that was refused.
            self.message.setText(escape(str(error)))
        else:
            self._changing = ""

    def _place(self) -> None:
        if self._shown_columns != sum(not column.isHidden() for column in self.columns):
            self._write()
        self.resize(self.sizeHint().boundedTo(self._over.size()))
        room = self._over.size() - self.size()
        self.move(room.width() // 2, room.height() // 2)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle of a window that changes its size, and leave with the keyboard."""
        if watched is self._over and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        elif event.type() == QEvent.Type.FocusOut and isinstance(watched, QLabel):
            self._on_focus_out()
        return False

    def event(self, event: QEvent) -> bool:
        """Take every key while one is asked for, also those that do something in the window."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            taken = bool(self._changing) or event.key() in OWN
            event.setAccepted(taken)
            return taken
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the key that was asked for; leave on Escape."""
        if event.key() == Qt.Key.Key_Escape:
            if self._changing:
                self._ask("")
            else:
                self.hide()
        elif self._changing:
            if event.key() not in MODIFIERS and (sequence := _sequence(event)):
                self._do(partial(keys.change, self._changing, sequence))
        elif event.key() in SCROLLS:
            self._scroll.verticalScrollBar().triggerAction(SCROLLS[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Leave on a click beside the texts."""
        if not isinstance(self.childAt(event.position().toPoint()), QLabel):
            self.hide()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._on_focus_out()

    def _on_focus_out(self) -> None:
        """Leave when something else is worked with."""
        now = QApplication.focusWidget()
        if now is None or not (now is self or self.isAncestorOf(now)):
            self.hide()


def _table(title: str, names: list[str], color: str) -> str:
    rows = "".join(
        f"<tr><td style='padding-right:10px'><b>{_part(name, KEYS[name].shown, color)}</b></td>"
        f"<td>{_part(name, _(KEYS[name].title), color)}</td></tr>"
        for name in names
    )
    return f"<p style='margin:8px 0 2px 0'><b>{escape(title)}</b></p><table>{rows}</table>"


def _part(name: str, text: str, color: str) -> str:
    """Return a text in the row of an action, to be clicked where its key can be changed."""
    return escape(text) if name in FIXED else _link(name, text, color)


def _link(target: str, text: str, color: str, decoration: str = "none") -> str:
    style = f"color:{color}; text-decoration:{decoration}"
    return f"<a href='{target}' style='{style}'>{escape(text)}</a>"


def _sequence(event: QKeyEvent) -> str:
    """Return the key that was pressed in Qt's portable words, "" for one without such as an accent by itself."""
    modifiers, key = event.modifiers(), event.key()
    text = event.text()
    if text.isprintable() and text and not text.isalpha() and modifiers == Qt.KeyboardModifier.ShiftModifier:
        # A sign that needs Shift on this keyboard is known by itself.
        modifiers = Qt.KeyboardModifier.NoModifier
    pressed = QKeySequence(QKeyCombination(modifiers & ~KEYPAD, Qt.Key(key)))
    words = pressed.toString()
    return words if QKeySequence(words) == pressed else ""
