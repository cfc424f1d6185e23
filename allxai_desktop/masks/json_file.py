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
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise MaskError(
            _("{name} was not found: it may have been moved or renamed.").format(name=path.name)
        ) from error
    except (ValueError, RecursionError, OSError) as error:
        raise damaged(path.name) from error
    if not isinstance(found, dict):
        raise damaged(path.name)
    return found


def damaged(name: str) -> MaskError:
    """Return the error about a file that lacks what its kind must have."""
    return MaskError(_("{name} is damaged or cut short: export it again.").format(name=name))


def value(table: Any, key: str, kind: type[T], name: str) -> T:
    """Return `table[key]`, of type `kind`. Raises `MaskError` about the file `name`."""
    found = table.get(key) if isinstance(table, dict) else None
    if not isinstance(found, kind) or isinstance(found, bool):
        raise damaged(name)
    return found


def size(table: Any, height: str, width: str, name: str) -> tuple[int, int]:
    """Return height and width of an image. Raises `MaskError`, or `ImageError` for one that is too large."""
    sides = []
    for key in (height, width):
        side = table.get(key) if isinstance(table, dict) else None
        if side is None:
            text = _(
                "{name} does not say how large its image is: save it again with a newer version of its program."
            )
            raise MaskError(text.format(name=name))
        # Some programs write every number with a point.
        whole = int(side) if isinstance(side, float) and side.is_integer() else side
        sides.append(value({key: whole}, key, int, name))
    check_size(sides[1], sides[0], name)
    return sides[0], sides[1]


def ring(points: Any, name: str) -> NDArray[np.float64]:
    """Return pairs of finite numbers as (N, 2). Raises `MaskError`."""
    try:
        found = np.array(points, np.float64).reshape(-1, 2)
    except (TypeError, ValueError) as error:
        raise damaged(name) from error
    if not len(found) or not all(math.isfinite(number) and abs(number) < 1e7 for number in found.flat):
        raise damaged(name)
    return found
