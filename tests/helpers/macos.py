"""What macOS does otherwise, for tests on every system."""

import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from allxai_desktop import files


def accents_apart(monkeypatch: Any) -> None:
    """Let folders give an accent as a sign of its own, as those on some disks do."""
    listdir, scandir = os.listdir, os.scandir

    def apart(name: str) -> str:
        return unicodedata.normalize("NFD", name)

    @contextmanager
    def scanned(folder: Any) -> Iterator[Iterator[SimpleNamespace]]:
        with scandir(folder) as there:
            yield (
                SimpleNamespace(
                    name=apart(entry.name),
                    is_file=entry.is_file,
                    is_symlink=entry.is_symlink,
                    path=entry.path,
                )
                for entry in there
            )

    monkeypatch.setattr(files, "_ACCENTS_APART", True)
    monkeypatch.setattr(os, "listdir", lambda folder=".": [apart(name) for name in listdir(folder)])
    monkeypatch.setattr(os, "scandir", scanned)
