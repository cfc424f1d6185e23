"""Every key of the program's window, in one place: what is bound, shown in menus and tooltips, and listed on `?`."""

from dataclasses import dataclass

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.i18n import N_

CLASS, TOOL, EDIT, CLEAN, IMAGE, PROGRAM = (
    N_("Classes"),
    N_("Tools"),
    N_("Painting"),
    N_("Clean up"),
    N_("Image and map"),
    N_("Program"),
)


@dataclass(frozen=True)
class Key:
    """A key sequence in Qt's words, what it does (English), its group, and other sequences that do the same."""

    sequence: str
    title: str
    group: str
    others: tuple[str, ...] = ()

    @property
    def sequences(self) -> tuple[str, ...]:
        """All sequences, the one shown in tooltips first."""
        return (self.sequence, *self.others)


KEYS: dict[str, Key] = {
    **{f"class-{cls.code}": Key(str(cls.code), cls.name, CLASS) for cls in CLASSES},
    "swap": Key("X", N_("Swap the last two classes"), CLASS),
    "brush": Key("B", N_("Brush"), TOOL),
    "superpixel": Key("S", N_("Superpixel brush: paints up to the edges in the image"), TOOL),
    "eraser": Key("E", N_("Eraser (also the right button)"), TOOL),
    "fill": Key("F", N_("Fill a region of one class"), TOOL),
    "wand": Key("Q", N_("Magic wand: drag to the right to take in more"), TOOL),
    "polygon": Key("P", N_("Polygon: click its corners"), TOOL),
    "freehand": Key("O", N_("Outline: draw around a region"), TOOL),
    "wire": Key("A", N_("Live wire: click along an edge, which the outline follows"), TOOL),
    # The sign without Shift on the same key of an English keyboard.
    "larger": Key("+", N_("Larger brush or tolerance (also Ctrl and the wheel)"), EDIT, ("=",)),
    "smaller": Key("-", N_("Smaller brush or tolerance (also Ctrl and the wheel)"), EDIT),
    "erase-to": Key("Shift+E", N_("The eraser leaves the class in hand, or nothing again"), EDIT),
    "hide": Key("H", N_("Show or hide the mask"), EDIT),
    "undo": Key("Ctrl+Z", N_("Undo"), EDIT),
    "redo": Key("Ctrl+Shift+Z", N_("Redo"), EDIT, ("Ctrl+Y",)),
    "close-outline": Key("Return", N_("Close the polygon (also a double click)"), EDIT, ("Enter",)),
    "remove-point": Key("Backspace", N_("Take the last corner of the polygon back"), EDIT),
    "escape": Key("Esc", N_("Give the polygon or outline up, or leave What if"), EDIT),
    "fill-holes": Key("Shift+F", N_("Fill holes"), CLEAN),
    "remove-islands": Key("Shift+I", N_("Remove islands"), CLEAN),
    "smooth": Key("Shift+S", N_("Smooth"), CLEAN),
    # The sign without Shift on the same key of an English keyboard; a Spanish one has all four.
    "grow": Key(">", N_("Grow by a pixel"), CLEAN, (".",)),
    "shrink": Key("<", N_("Shrink by a pixel"), CLEAN, (",",)),
    "rest": Key("Shift+B", N_("Unlabelled pixels become background"), CLEAN),
    "pan": Key("Space", N_("Hold and drag to move the image"), IMAGE),
    "next-image": Key("PgDown", N_("Next image"), IMAGE),
    "previous-image": Key("PgUp", N_("Previous image"), IMAGE),
    "fit": Key("Ctrl+0", N_("Fit the image"), IMAGE),
    "map": Key("M", N_("Relevance map"), IMAGE),
    "relevant-outline": Key("L", N_("Outline of the relevant pixels"), IMAGE),
    "compare": Key("Ctrl+Shift+C", N_("Compare…"), IMAGE),
    "what-if": Key("W", N_("What if: paint over what to take out of the image"), IMAGE),
    "open-image": Key("Ctrl+O", N_("Open image…"), PROGRAM),
    "open-folder": Key("Ctrl+Shift+O", N_("Open folder…"), PROGRAM),
    "save": Key("Ctrl+S", N_("Save the mask"), PROGRAM),
    "export": Key("Ctrl+E", N_("Export mask…"), PROGRAM),
    "train": Key("Ctrl+T", N_("Train a network…"), PROGRAM),
    "keys": Key("?", N_("Keys"), PROGRAM, ("F1",)),
    "quit": Key("Ctrl+Q", N_("Quit"), PROGRAM),
}


def by_group() -> dict[str, list[Key]]:
    """Return the keys of each group (English), in the order of the registry."""
    groups: dict[str, list[Key]] = {}
    for key in KEYS.values():
        groups.setdefault(key.group, []).append(key)
    return groups
