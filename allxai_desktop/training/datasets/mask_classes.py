"""What a segmentation tells apart, and which labels of a mask stand for which class."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.cellclasses import CLASSES, UNLABELLED
from allxai_desktop.i18n import _
from allxai_desktop.training.datasets.classmaps import ClassMap
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.datasets.label_masks import class_codes

IGNORED = 255
"""The class of pixels that are neither learnt nor measured: those that nobody labelled."""


@dataclass(frozen=True)
class MaskClasses:
    """The classes of a segmentation, `titles` their names in each language.

    `codes` maps the labels of a picture to a place in `keys` or `IGNORED`; without it every label but 0 is class 1, as
    with numbered nuclei. `painted` does so for our own `.npz`.
    """

    keys: tuple[str, ...]
    titles: Mapping[str, tuple[str, ...]]
    codes: Mapping[int, int] | None
    painted: Mapping[int, int]

    @property
    def drawn(self) -> list[int]:
        """The places of the classes that are not background."""
        return [place for place, key in enumerate(self.keys) if key != "background"]

    @property
    def titles_by_language(self) -> dict[str, dict[str, str]]:
        """Language → key of a class → its name for people."""
        return {code: dict(zip(self.keys, names, strict=True)) for code, names in self.titles.items()}

    def read(self, file: str, labels: NDArray[np.int32]) -> NDArray[np.uint8]:
        """Return the classes of the mask that was read from `file`. Raises `TrainingError` for an unknown label."""
        path = PurePosixPath(file)
        try:
            return class_codes(labels, self.painted if path.suffix.lower() == ".npz" else self.codes)
        except TrainingError as error:
            raise TrainingError(f"{path.name}: {error}") from error


NUCLEI = MaskClasses(
    ("background", "nucleus"),
    {"en": ("Background", "Nucleus"), "es": ("Fondo", "Núcleo")},
    None,
    MappingProxyType({UNLABELLED: IGNORED} | {found.code: int(found.key == "nucleus") for found in CLASSES}),
)
"""Nucleus or not; a picture numbers its nuclei, an annotator's mask holds the five classes."""

_FIVE = MappingProxyType({UNLABELLED: IGNORED} | {found.code: place for place, found in enumerate(CLASSES)})
ANNOTATOR = MaskClasses(
    tuple(found.key for found in CLASSES),
    {
        "en": tuple(found.name for found in CLASSES),
        "es": ("Núcleo", "Citoplasma", "Vacuola", "Glóbulo rojo", "Fondo"),
    },
    _FIVE,
    _FIVE,
)
"""The annotator's five classes."""


def mapped_classes(wanted: MaskClasses, class_map: ClassMap) -> MaskClasses:
    """Return `wanted` with the labels as `class_map` has them: from numbers, "ignored" is no class.

    Raises `TrainingError` for a map to other classes, or from other things than numbers.
    """
    places = {key: place for place, key in enumerate(wanted.keys)} | {"ignored": IGNORED}
    foreign = [key for key in class_map.classes if key not in places]
    if foreign:
        raise TrainingError(
            _(
                "The class map “{title}” makes {classes}, but the preset learns {wanted}: choose another."
            ).format(title=class_map.title, classes=", ".join(foreign), wanted=", ".join(wanted.keys))
        )
    try:
        codes = {int(label): places[key] for label, key in class_map.target.items()}
    except ValueError as error:
        raise TrainingError(
            _("The class map “{title}” must name the labels of the masks by their numbers.").format(
                title=class_map.title
            )
        ) from error
    return MaskClasses(wanted.keys, wanted.titles, codes, codes)
