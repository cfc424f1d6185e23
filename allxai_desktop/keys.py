"""Every key of the program's window, in one place: what is bound, shown in menus and tooltips, and listed on `?`."""

import json
import logging
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from platformdirs import user_config_path
from psygnal import Signal

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.errors import AllxaiError
from allxai_desktop.files import write_whole
from allxai_desktop.i18n import N_, _

log = logging.getLogger(__name__)

CLASS, TOOL, PROPOSAL, EDIT, CLEAN, STUDY, IMAGE, PROGRAM = (
    N_("Classes"),
    N_("Tools"),
    N_("Proposal"),
    N_("Painting"),
    N_("Clean up"),
    N_("Study"),
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

    @property
    def shown(self) -> str:
        """The sequence as the user's keyboard has it; see `shown`."""
        return shown(self.sequence)


MAC = sys.platform == "darwin"
NAMES = {
    "Ctrl": "⌘" if MAC else N_("Ctrl"),
    "Meta": N_("Ctrl") if MAC else "Meta",
    "Shift": N_("Shift"),
    "Space": N_("Space"),
    "Esc": N_("Esc"),
    "Tab": N_("Tab"),
    # Qt calls the large key Return; people call both Enter.
    "Return": N_("Enter"),
    "Enter": N_("Enter"),
    "Backspace": N_("Backspace"),
    "Del": N_("Del"),
    "Ins": N_("Ins"),
    "Home": N_("Home"),
    "End": N_("End"),
    "PgUp": N_("PgUp"),
    "PgDown": N_("PgDown"),
    "Left": "←",
    "Right": "→",
    "Up": "↑",
    "Down": "↓",
}
"""Qt's portable word for a key → what is printed on it (English)."""


def shown(sequence: str) -> str:
    """Return a sequence in Qt's portable words with the names that keys have on a keyboard of the current language."""
    # The last sign may be a plus itself.
    *modifiers, key = sequence[:-1].split("+")
    return "+".join(_(NAMES.get(word, word)) for word in (*modifiers, key + sequence[-1:]))


def in_menu(text: str, hint: str) -> str:
    """Return the text of a menu's entry with a hint beside it, such as a key that something else listens to.

    On macOS Qt takes what follows a tab for a shortcut: the menu would have the key itself.
    """
    return f"{text} ({hint})" if MAC else f"{text}\t{hint}"


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
    "proposal": Key("G", N_("Show or hide the proposal"), PROPOSAL),
    "accept-all": Key("Y", N_("Accept the whole proposal"), PROPOSAL),
    "accept-class": Key("T", N_("Accept the proposal of the class in hand"), PROPOSAL),
    "accept": Key("D", N_("Brush that accepts the proposal"), PROPOSAL),
    "next-uncertain": Key("N", N_("Go to where the proposal is most unsure"), PROPOSAL),
    "next-unlabelled": Key("U", N_("Go to the next unlabelled pixels"), PROPOSAL),
    # The sign without Shift on the same key of an English keyboard.
    "larger": Key(
        "+",
        N_("Larger brush or tolerance (also ⌘ and the wheel)")
        if MAC
        else N_("Larger brush or tolerance (also Ctrl and the wheel)"),
        EDIT,
        ("=",),
    ),
    "smaller": Key(
        "-",
        N_("Smaller brush or tolerance (also ⌘ and the wheel)")
        if MAC
        else N_("Smaller brush or tolerance (also Ctrl and the wheel)"),
        EDIT,
    ),
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
    "seeds": Key("Shift+G", N_("Grow what is painted up to the edges in the image"), CLEAN),
    "submit": Key("Return", N_("Check, save and submit the mask, then the next image"), STUDY, ("Enter",)),
    "approve": Key("Ctrl+Return", N_("Approve the mask that was submitted"), STUDY, ("Ctrl+Enter",)),
    "return": Key("Ctrl+Backspace", N_("Return it with a comment on a place in the image"), STUDY),
    "agreement": Key("Ctrl+Shift+A", N_("Agreement…"), STUDY),
    "take-left": Key("Left", N_("Adjudication: take the left mask in this region"), STUDY),
    "take-right": Key("Right", N_("Adjudication: take the right mask in this region"), STUDY),
    "next-region": Key("Down", N_("Adjudication: the next region in which two masks differ"), STUDY),
    "previous-region": Key("Up", N_("Adjudication: the region before"), STUDY),
    "pan": Key("Space", N_("Hold and drag to move the image"), IMAGE),
    "next-image": Key("PgDown", N_("Next image"), IMAGE),
    "previous-image": Key("PgUp", N_("Previous image"), IMAGE),
    "field": Key("V", N_("Field: mark white cells to take; from a crop, back to its field"), IMAGE),
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
"""The keys as they are now, by the names of the actions."""

DEFAULTS: dict[str, Key] = dict(KEYS)
FIXED = ("pan", "close-outline", "remove-point", "escape")
"""Actions whose keys cannot be changed: they are taken from the rest of the window only at times."""
SHARED = {"submit": "close-outline"}
"""Actions whose key is at times, while an outline is drawn, that of another one."""


class KeyEvents:
    """Tells that keys were changed."""

    changed = Signal()


events = KeyEvents()


def by_group() -> dict[str, list[str]]:
    """Return the names of the actions of each group (English), in the order of the registry."""
    groups: dict[str, list[str]] = {}
    for name, key in KEYS.items():
        groups.setdefault(key.group, []).append(name)
    return groups


def user_file() -> Path:
    """Return where the keys that the user changed are kept; it need not exist."""
    return user_config_path("allxai-desktop", appauthor=False) / "keys.json"


def change(name: str, sequence: str) -> None:
    """Give the action `name` the key `sequence` (Qt's portable words) in place of all it had, and remember it.

    Raises `AllxaiError` where another action has that key or it cannot be remembered, `KeyError` for an unknown or
    fixed action.
    """
    key = _changed(name, sequence)
    owner = next(
        (other for other, taken in KEYS.items() if sequence in taken.sequences and other != SHARED.get(name)),
        name,
    )
    if owner != name:
        raise AllxaiError(
            _("{key} is the key of “{title}”: choose another, or change that one first.").format(
                key=shown(sequence), title=_(KEYS[owner].title)
            )
        )
    KEYS[name] = key
    _remember()


def reset() -> None:
    """Give every action its own key back, and remember that."""
    KEYS.update(DEFAULTS)
    _remember()


def load() -> None:
    """Take up the keys that the user changed; a file that does not fit is left alone and logged."""
    KEYS.update(DEFAULTS)
    try:
        chosen = json.loads(user_file().read_text("utf-8"))
        changed = {str(name): _changed(str(name), str(sequence)) for name, sequence in chosen.items()}
    except FileNotFoundError:
        return
    except (OSError, ValueError, AttributeError, KeyError, RecursionError) as error:
        log.warning("The changed keys could not be read: %r", error)
        return
    if twice(DEFAULTS | changed):
        log.warning("Of the changed keys, two are the same; none is taken up")
        return
    KEYS.update(changed)


def twice(keys: Mapping[str, Key]) -> list[str]:
    """Return the sequences that would do two things at one time."""
    taken = Counter(
        sequence
        for name, key in keys.items()
        for sequence in key.sequences
        if name not in SHARED or sequence not in keys[SHARED[name]].sequences
    )
    return [sequence for sequence, count in taken.items() if count > 1]


def _changed(name: str, sequence: str) -> Key:
    key = DEFAULTS[name]
    if name in FIXED or not sequence:
        raise KeyError(name)
    return key if sequence in key.sequences else replace(key, sequence=sequence, others=())


def _remember() -> None:
    events.changed.emit()
    changed = {name: key.sequence for name, key in KEYS.items() if key != DEFAULTS[name]}
    with suppress(OSError):
        user_file().parent.mkdir(parents=True, exist_ok=True)
    write_whole(user_file(), json.dumps(changed).encode())
