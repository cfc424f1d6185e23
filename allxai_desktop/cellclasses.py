"""The five classes that a mask tells apart, and 0 for what is not labelled yet."""

from dataclasses import dataclass
from typing import Literal

from allxai_desktop.i18n import N_, _

UNLABELLED = 0
UNLABELLED_KEY = "unlabelled"


@dataclass(frozen=True)
class CellClass:
    """One class: its code in a mask, key in files, letter on buttons, RGB colour (0–255) and English name."""

    code: int
    key: str
    letter: str
    color: tuple[int, int, int]
    name: str

    @property
    def title(self) -> str:
        """The name in the current language."""
        return _(self.name)

    @property
    def ink(self) -> Literal["black", "white"]:
        """The colour of a letter on that of the class: whichever contrasts more, as WCAG 2.2 defines it."""
        linear = [
            level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4
            for level in (value / 255 for value in self.color)
        ]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return "black" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "white"


# Okabe–Ito colours: told apart with every common colour blindness; its reddish purple is left out
# because it is the colour of the stain.
CLASSES = (
    CellClass(1, "nucleus", "N", (240, 228, 66), N_("Nucleus")),
    CellClass(2, "cytoplasm", "C", (0, 158, 115), N_("Cytoplasm")),
    CellClass(3, "vacuole", "V", (86, 180, 233), N_("Vacuole")),
    CellClass(4, "rbc", "R", (213, 94, 0), N_("Red blood cell")),
    CellClass(5, "background", "B", (0, 114, 178), N_("Background")),
)
BY_CODE = {cls.code: cls for cls in CLASSES}
BY_KEY = {cls.key: cls for cls in CLASSES}
CODES = tuple(BY_CODE)
CELL_CODES = (1, 2, 3)
"""Codes that together are "the cell": nucleus, cytoplasm, vacuole."""
MAX_CODE = max(CODES)
