"""Text set in matplotlib's own font, measured before it is drawn. Lengths are inches, sizes points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

# Comes with matplotlib, so that a figure is the same on every machine.
FAMILY = "DejaVu Sans"
SPACING = 1.3
NBSP = "\u00a0"


@dataclass(frozen=True)
class Line:
    """One line of text."""

    text: str
    size: float
    bold: bool = False

    @property
    def height(self) -> float:
        """From this line to the next."""
        return SPACING * self.size / 72


def font(size: float, bold: bool = False) -> FontProperties:
    """Return the font of the figures."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=FAMILY, size=size, weight="bold" if bold else "normal")


@cache
def _known() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(font(10))).get_charmap())


def drawable(text: str) -> str:
    """Return `text` with a question mark for each character that the font lacks."""
    known = _known()
    return "".join(letter if ord(letter) in known else "?" for letter in text)


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Return how wide `text` is drawn."""
    from matplotlib.textpath import text_to_path

    width, _height, _descent = text_to_path.get_text_width_height_descent(
        drawable(text), font(size, bold), False
    )
    return float(width) / 72


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[Line]:
    """Return `text` as lines no wider than `width`, broken between words, and within those that are wider."""
    lines: list[str] = []
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(joined, size, bold) <= width:
            lines[-1] = joined
            continue
        while text_width(word, size, bold) > width and len(word) > 1:
            end = next(
                n for n in range(len(word) - 1, 0, -1) if n == 1 or text_width(word[:n], size, bold) <= width
            )
            lines.append(word[:end])
            word = word[end:]
        lines.append(word)
    return [Line(line, size, bold) for line in lines]
