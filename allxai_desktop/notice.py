"""What the models tell the user."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Notice:
    """One sentence for the user; with an `action`, a label and what it does, it stays until it was read."""

    level: Level
    text: str
    action: tuple[str, Callable[[], object]] | None = None
