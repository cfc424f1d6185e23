"""What masks from elsewhere say: regions with labels of their own, and how these become class codes."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.cellclasses import BY_CODE, CLASSES, MAX_CODE, UNLABELLED, UNLABELLED_KEY
from allxai_desktop.i18n import N_, _, counted
from allxai_desktop.masks.npz import MaskError

MAX_LABELS = 64
"""A picture with more different values is a photograph or numbers its cells; it is no picture of classes."""
MAX_REGION_PIXELS = 2**30
"""Most pixels of all regions of an image together; each takes a byte while they are mapped to classes."""

_ALIASES = {
    1: ("nucleus", "nuclei", "nucleo"),
    2: ("cytoplasm", "citoplasma"),
    3: ("vacuole", "vacuoles", "vacuola", "vacuolas"),
    4: (
        "rbc",
        "rbcs",
        "red blood cell",
        "red blood cells",
        "red cell",
        "erythrocyte",
        "erythrocytes",
        "globulo rojo",
        "globulos rojos",
        "eritrocito",
        "eritrocitos",
        "hematie",
        "hematies",
    ),
    5: ("background", "fondo"),
    UNLABELLED: (UNLABELLED_KEY, "unlabeled", "undefined", "sin etiquetar"),
}
_CODES = {alias: code for code, aliases in _ALIASES.items() for alias in aliases}
_CODES |= {str(code): code for code in range(MAX_CODE + 1)}
_CODES |= {"#" + bytes(cls.color).hex(): cls.code for cls in CLASSES}
# Where two regions claim a pixel the inner class has it: people outline whole cells and then what is in them.
_DEPTH: NDArray[np.uint8] = np.array([0, 4, 3, 5, 2, 1], np.uint8)


class ForeignLabelError(MaskError):
    """Labels that stand for no class, and no mapping says which."""


@dataclass(frozen=True, eq=False)
class Region:
    """Pixels with one label: `inside` bool (h, w), its first pixel at row `top` and column `left` of the image."""

    label: str
    inside: NDArray[np.bool_]
    top: int = 0
    left: int = 0


class Regions:
    """The regions of one image as they are read: a few bytes a region can claim the whole of a large image each."""

    def __init__(self, name: str) -> None:
        self.found: list[Region] = []
        self._name = name
        self._pixels = 0

    def add(self, region: Region) -> None:
        """Keep a region. Raises `MaskError` beyond `MAX_REGION_PIXELS`."""
        self._pixels += region.inside.size
        if self._pixels > MAX_REGION_PIXELS:
            raise MaskError(
                _(
                    "{name} has regions of more than {limit} million pixels together: export fewer of them."
                ).format(name=self._name, limit=MAX_REGION_PIXELS // 10**6)
            )
        self.found.append(region)


@dataclass(frozen=True, eq=False)
class Labelled:
    """The regions of one image of `shape` (H, W), the identity of the image where known, and notes on reading.

    Where the file says so, `annotator` is the pseudonym of who painted and `accepted` bool (H, W) what a proposal set.
    """

    shape: tuple[int, int]
    regions: tuple[Region, ...]
    image_sha256: str | None = None
    notes: tuple[str, ...] = ()
    annotator: str | None = None
    accepted: NDArray[np.bool_] | None = None

    @property
    def labels(self) -> list[str]:
        """The labels in use, each once."""
        return list(dict.fromkeys(region.label for region in self.regions))


@dataclass(frozen=True)
class Entry:
    """One image of what is imported: its possible names, the likeliest first, and the call that reads its regions.

    Where the file does not say how large its image is, `read_sized` is given its (H, W), and reads them in place of
    `read`. Both raise `MaskError` or `ImageError`.
    """

    names: tuple[str, ...]
    read: Callable[[], Labelled]
    read_sized: Callable[[tuple[int, int]], Labelled] | None = None


def guess(label: str) -> int | None:
    """Return the code that a label stands for: a name in English or Spanish, a number 0–5, a class's `#rrggbb`."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    return _CODES.get(re.sub(r"[\s_-]+", " ", plain).strip().casefold())


def is_certain(label: str) -> bool:
    """Return whether a label says which class it is: a number fits, but may mean another class elsewhere."""
    return guess(label) is not None and not label.isdigit()


def class_key(code: int) -> str:
    """Return the key of a class, "unlabelled" for 0, and the number itself where it is no code."""
    return BY_CODE[code].key if code in BY_CODE else str(code or UNLABELLED_KEY)


def to_codes(
    found: Labelled, mapping: Mapping[str, int], name: str
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return the codes uint8 (H, W) of regions, and notes; `mapping` gives labels codes and precedes `guess`.

    Raises `ForeignLabelError`.
    """
    meant = {label: mapping.get(label, guess(label)) for label in found.labels}
    foreign = [label for label, code in meant.items() if code is None]
    if foreign:
        raise ForeignLabelError(
            _("{name} has labels that are no class ({labels}): say which class each of them is.").format(
                name=name, labels=", ".join(foreign[:5]) + (", …" if len(foreign) > 5 else "")
            )
        )
    codes = np.zeros(found.shape, np.uint8)
    twice = np.zeros(found.shape, np.bool_)
    for region in found.regions:
        code = meant[region.label]
        if not code:
            continue
        height, width = region.inside.shape
        place = np.s_[region.top : region.top + height, region.left : region.left + width]
        target = codes[place]
        twice[place] |= region.inside & (target != UNLABELLED) & (target != code)
        target[region.inside & (_DEPTH[code] > _DEPTH[target])] = code
    notes = list(found.notes)
    if overlap := int(np.count_nonzero(twice)):
        one = N_("{name}: a pixel is in several regions; the inner class has it.")
        many = N_("{name}: {count} pixels are in several regions; the inner class has them.")
        notes.append(counted(overlap, one, many, name=name))
    if any(code and label.isdigit() and label not in mapping for label, code in meant.items()):
        classes = ", ".join(f"{cls.code} {cls.title}" for cls in CLASSES)
        text = _("{name}: its numbers were taken for the classes of this program ({classes}).")
        notes.append(text.format(name=name, classes=classes))
    return codes, tuple(notes)


def regions_of(values: NDArray[np.integer], text: Callable[[int], str]) -> tuple[Region, ...]:
    """Return a region for every value of (H, W); `text` makes the label. Raises `ValueError` beyond `MAX_LABELS`."""
    found = np.unique(values)
    if len(found) > MAX_LABELS:
        raise ValueError("too many labels")
    return tuple(Region(text(value), values == value) for value in found.tolist())


def file_name(path: str) -> str:
    """Return the last part of a path of any system."""
    return re.split(r"[\\/]", path)[-1]
