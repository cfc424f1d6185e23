"""Many classes of a data set as a few: small TOML files, ours in `allxai_resources/class_maps`.

title = "Peripheral blood cells: typical or atypical"
positive = "atypical"                 # the class that sensitivity is about
[classes]
typical = ["basophil", "eosinophil"]  # class → the classes of the data set that it takes in
atypical = ["ig"]
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from allxai_desktop.i18n import _
from allxai_desktop.training.datasets.data import Item, TrainingError

NEGATIVE = {
    "0", "benign", "control", "healthy", "hem", "negative", "negativo", "normal", "normales", "sana", "sanas",
    "sano", "typical", "tipica", "típica",
}  # fmt: skip
"""Names of classes, in small letters, that stand for the absence of what is looked for."""


@dataclass(frozen=True)
class ClassMap:
    """Class of the data set → class to learn, in `target`; `positive` is one of `classes`, or None."""

    title: str
    classes: tuple[str, ...]
    positive: str | None
    target: Mapping[str, str]

    def apply(self, items: Sequence[Item]) -> list[Item]:
        """Return the items with their new classes. Raises `TrainingError` for a class that is not in the map."""
        foreign = sorted({item.label for item in items} - set(self.target))
        if foreign:
            raise TrainingError(
                _("The class map “{title}” does not say what {classes} becomes: add it to the map.").format(
                    title=self.title, classes=", ".join(foreign)
                )
            )
        return [replace(item, label=self.target[item.label]) for item in items]


def class_map_names() -> list[str]:
    """Return the names of the class maps that come with the program."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name[-5:] == ".toml"
    )


def read_class_map(name: str | Path) -> ClassMap:
    """Read a class map of the program by its name, or one of the user's by its path. Raises `TrainingError`."""
    source = _folder() / f"{name}.toml" if name in class_map_names() else Path(name)
    try:
        found = tomllib.loads(source.read_text(encoding="utf-8"))
        return _parse(found)
    except OSError as error:
        raise TrainingError(
            _("There is no class map {name}: choose a TOML file, or one of {names}.").format(
                name=name, names=", ".join(class_map_names())
            )
        ) from error
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise TrainingError(
            _("{name} is no class map ({reason}): correct it.").format(name=source.name, reason=error)
        ) from error


def _folder() -> Any:
    return files("allxai_resources") / "class_maps"


def _parse(found: dict[str, Any]) -> ClassMap:
    target: dict[str, str] = {}
    for name, sources in found["classes"].items():
        if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
            raise ValueError(_("“{key}” must be a list of class names").format(key=name))
        for source in sources:
            if target.setdefault(source, name) != name:
                raise ValueError(_("“{name}” is in two classes").format(name=source))
    classes = tuple(found["classes"])
    positive = found.get("positive")
    if positive is not None and positive not in classes:
        raise ValueError(_("the positive class is none of its classes"))
    return ClassMap(str(found.get("title", "")), classes, positive, MappingProxyType(target))
