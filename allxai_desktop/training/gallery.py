"""The misclassified images of an evaluation, read from its file, for looking at them one by one."""

import json
from pathlib import Path, PurePosixPath
from typing import Any

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import _
from allxai_desktop.training.evaluation import Mistake

MAX_BYTES = 2**26


class GalleryError(AllxaiError):
    """An evaluation whose misclassified images cannot be listed."""


def read_mistakes(path: Path) -> list[Mistake]:
    """Return the misclassified images that the JSON file of a report lists, their files relative to its data folder.

    Raises `GalleryError` for a file that cannot be read, is no report, or names a file outside of the data folder.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError("size")
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or not isinstance(found.get("misclassified"), list):
            raise ValueError("misclassified")
        return [_mistake(row) for row in found["misclassified"]]
    except OSError as error:
        raise GalleryError(
            _("{name} cannot be read: choose the file of an evaluation again.").format(name=path.name)
        ) from error
    except (ValueError, RecursionError) as error:
        raise GalleryError(
            _(
                "{name} lists no misclassified images ({reason}): choose the file evaluation.json of a classifying"
                " network."
            ).format(name=path.name, reason=error)
        ) from error


def _mistake(row: Any) -> Mistake:
    if not isinstance(row, dict):
        raise ValueError("misclassified")
    texts: list[Any] = [row.get(key) for key in ("file", "true", "predicted")]
    probability: Any = row.get("probability")
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError("misclassified")
    if type(probability) not in (int, float) or not 0 <= probability <= 1:
        raise ValueError("probability")
    file, true, predicted = texts
    # A drive, too, leads elsewhere on Windows.
    parts = PurePosixPath(file.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in file:
        raise ValueError("file")
    return Mistake(file, true, predicted, float(probability))
