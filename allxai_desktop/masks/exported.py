"""A mask on its way out, with what may be told about its image."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.cellclasses import CLASSES
from allxai_desktop.files import write_table, write_whole
from allxai_desktop.images import CellImage


@dataclass(frozen=True, eq=False)
class Exported:
    """`codes` uint8 (H, W) of `image`, whose name is the one to go out; `stem` is what files of it are called.

    `accepted` bool (H, W) are the pixels that a proposal set last, None where there is none. `place` is where the image
    lies, seen from the files of the masks: a folder with a slash, "" for beside them. `state` is that in the study.
    """

    codes: NDArray[np.uint8]
    image: CellImage
    stem: str
    annotator: str | None = None
    created: str | None = None
    accepted: NDArray[np.bool_] | None = None
    place: str = ""
    state: str = "in-progress"


def write_json(path: Path, content: Any) -> None:
    """Write what JSON can hold. Raises `WriteError`."""
    write_whole(path, json.dumps(content, ensure_ascii=False, allow_nan=False).encode())


def write_classes(path: Path) -> None:
    """Write the table of the classes: code, key, name and colour 0–255. Raises `WriteError`."""
    write_table(
        path,
        [
            ("id", "key", "name", "red", "green", "blue"),
            *((cls.code, cls.key, cls.name, *cls.color) for cls in CLASSES),
        ],
    )


WriteOne = Callable[[Path, Exported], None]
WriteAll = Callable[[Path, Iterable[Exported]], None]
