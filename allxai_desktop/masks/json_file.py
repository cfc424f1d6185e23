"""JSON from strangers: its size is checked first, and every value that is used."""

import json
import math
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from allxai_desktop.i18n import _
from allxai_desktop.images import check_size
from allxai_desktop.masks.npz import MaskError

MAX_BYTES = 2**28
T = TypeVar("T")


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a file. Raises `MaskError`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MaskError(
                _("{name} is larger than {limit} MB: export fewer images at a time.").format(
                    name=path.name, limit=MAX_BYTES // 10**6
                )
            )
        found = _decoded(path.read_bytes())
    except FileNotFoundError as error:
        raise MaskError(
            _("{name} was not found: it may have been moved or renamed.").format(name=path.name)
        ) from error
    except (ValueError, RecursionError, OSError) as error:
        raise damaged(path.name) from error
    if not isinstance(found, dict):
        raise damaged(path.name)
    return found


def _decoded(data: bytes) -> Any:
    try:
        # UTF-8, 16 or 32.
        return json.loads(data)
    except UnicodeDecodeError:
        # Scripts on Windows write accents so where nobody says how.
        return json.loads(data.decode("cp1252"))


def damaged(name: str) -> MaskError:
    """Return the error about a file that lacks what its kind must have."""
    return MaskError(_("{name} is damaged or cut short: export it again.").format(name=name))


def value(table: Any, key: str, kind: type[T], name: str) -> T:
    """Return `table[key]`, of type `kind`. Raises `MaskError` about the file `name`."""
    found = table.get(key) if isinstance(table, dict) else None
    if not isinstance(found, kind) or isinstance(found, bool):
        raise damaged(name)
    return found


def whole(table: Any, key: str, name: str) -> int:
    """Return the whole number `table[key]`; some programs write every number with a point. Raises `MaskError`."""
    found = table.get(key) if isinstance(table, dict) else None
    return value(
        {key: int(found) if isinstance(found, float) and found.is_integer() else found}, key, int, name
    )


def says_size(table: dict[str, Any], height: str, width: str) -> bool:
    """Return whether a file says how large its image is."""
    return table.get(height) is not None and table.get(width) is not None


def size_note(name: str) -> str:
    """Return the note on a file that does not."""
    return _("{name} does not say how large its image is: it was taken for the one that is here.").format(
        name=name
    )


def size(table: Any, height: str, width: str, name: str) -> tuple[int, int]:
    """Return height and width of an image. Raises `MaskError`, or `ImageError` for one that is too large."""
    sides = whole(table, height, name), whole(table, width, name)
    check_size(sides[1], sides[0], name)
    return sides


def ring(points: Any, name: str) -> NDArray[np.float64]:
    """Return pairs of finite numbers as (N, 2). Raises `MaskError`."""
    try:
        found = np.array(points, np.float64).reshape(-1, 2)
    except (TypeError, ValueError) as error:
        raise damaged(name) from error
    if not len(found) or not all(math.isfinite(number) and abs(number) < 1e7 for number in found.flat):
        raise damaged(name)
    return found
