"""Where the program writes down what went wrong. Imported before Qt, and so without it."""

import logging
import logging.handlers
import os
from contextlib import suppress
from pathlib import Path

from platformdirs import user_log_path


def log_file() -> Path:
    """Return the log; its folder is made, and the file is there once something was written."""
    return user_log_path("allxai-desktop", appauthor=False) / "allxai.log"


def _rotate(source: str, target: str) -> None:
    # Windows renames no file that a second window has open, too: it is written on then, and no message lost.
    with suppress(PermissionError):
        os.rename(source, target)


def start_log() -> None:
    """Write warnings and errors to the log from now on. Raises `OSError` where its folder cannot be made."""
    log_file().parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        log_file(), maxBytes=2**20, backupCount=2, encoding="utf-8", delay=True
    )
    handler.rotator = _rotate
    logging.basicConfig(
        level=logging.WARNING, handlers=[handler], format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
