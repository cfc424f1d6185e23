"""Every key of the annotate plugin, in one place: what is bound, shown in tooltips and listed in the help."""

from dataclasses import dataclass

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.i18n import N_


@dataclass(frozen=True)
class Key:
    """A key sequence in Qt's words, what it does (English), and other sequences that do the same."""

    sequence: str
    title: str
    others: tuple[str, ...] = ()

    @property
    def sequences(self) -> tuple[str, ...]:
        """All sequences, the one shown in tooltips first."""
        return (self.sequence, *self.others)


KEYS: dict[str, Key] = {
    **{f"class-{cls.code}": Key(str(cls.code), cls.name) for cls in CLASSES},
    "swap": Key("X", N_("Swap the last two classes")),
    "brush": Key("B", N_("Brush")),
    "eraser": Key("E", N_("Eraser (also the right button)")),
    "fill": Key("F", N_("Fill a region of one class")),
    "polygon": Key("P", N_("Polygon: click its corners")),
    "freehand": Key("O", N_("Outline: draw around a region")),
    # The sign without Shift on the same key of an English keyboard.
    "larger": Key("+", N_("Larger brush (also Ctrl and the wheel)"), ("=",)),
    "smaller": Key("-", N_("Smaller brush (also Ctrl and the wheel)")),
    "hide": Key("H", N_("Show or hide the mask")),
    "undo": Key("Ctrl+Z", N_("Undo")),
    "redo": Key("Ctrl+Shift+Z", N_("Redo"), ("Ctrl+Y",)),
    "what-if": Key("W", N_("What if: paint over what to take out of the image")),
    "pan": Key("Space", N_("Hold and drag to move the image")),
    "close-outline": Key("Return", N_("Close the polygon (also a double click)"), ("Enter",)),
    "escape": Key("Esc", N_("Give the polygon or outline up, or leave What if")),
    "remove-point": Key("Backspace", N_("Take the last corner of the polygon back")),
}
