"""What Windows refuses, for tests on every system."""

import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from allxai_desktop import files


def refused_at_first(monkeypatch: Any, *names: str, times: int = 2) -> list[str]:
    """Let the calls `names` of `os` be refused as while a virus scanner has the file open; return what was refused."""
    refused: list[str] = []

    def at_first(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **options: Any) -> Any:
            if refused.count(name) < times:
                refused.append(name)
                raise PermissionError(13, "The file is open in another program", str(given[0]))
            return real(*given, **options)

        return call

    monkeypatch.setattr(files, "_WINDOWS", True)
    for name in names:
        monkeypatch.setattr(os, name, at_first(name, getattr(os, name)))
    return refused


def not_opened_at_first(monkeypatch: Any, mode: str) -> None:
    """Let no file be opened with a mode by `Path.open` the first two times, as while it is replaced or deleted."""
    real, refused = Path.open, []

    def open_(self: Path, *given: Any, **options: Any) -> Any:
        if given[:1] == (mode,) and len(refused) < 2:
            refused.append(self)
            raise PermissionError(13, "Access is denied", str(self))
        return real(self, *given, **options)

    monkeypatch.setattr(files, "_WINDOWS", True)
    monkeypatch.setattr(Path, "open", open_)


def open_files_stay(monkeypatch: Any) -> None:
    """Let no file be deleted that `os.open` opened and nobody closed, nor one that may not be written."""
    opened: dict[int, Path] = {}
    real_open, real_close, real_unlink = os.open, os.close, os.unlink

    def note(path: Any, *rest: Any, **options: Any) -> int:
        handle = real_open(path, *rest, **options)
        opened[handle] = Path(path)
        return handle

    def close(handle: int) -> None:
        opened.pop(handle, None)
        real_close(handle)

    def unlink(path: Any, **options: Any) -> None:
        if Path(path) in opened.values() or not os.stat(path).st_mode & 0o200:
            raise PermissionError(13, "Access is denied", str(path))
        real_unlink(path, **options)

    monkeypatch.setattr(os, "open", note)
    monkeypatch.setattr(os, "close", close)
    monkeypatch.setattr(os, "unlink", unlink)


def looked_at(monkeypatch: Any, module: Any) -> Callable[[], bool]:
    """Return what tells whether the images that a run of `module` decodes are still looked at as an array on disk."""
    arrays: list[weakref.ref[Any]] = []
    decode_images = module.decode_images

    def decode(*given: Any) -> Any:
        pixels, statistics = decode_images(*given)
        arrays.append(weakref.ref(pixels))
        return pixels, statistics

    monkeypatch.setattr(module, "decode_images", decode)
    return lambda: any(array() is not None for array in arrays)


def capitals_do_not_matter(monkeypatch: Any) -> None:
    """Let a file be found by its name in capitals, too."""
    real = os.stat

    def stat(path: Any, *given: Any, **options: Any) -> os.stat_result:
        try:
            return real(path, *given, **options)
        except FileNotFoundError:
            found = Path(path.anchor if isinstance(path, Path) else "")
            for part in Path(path).relative_to(found).parts:
                alike = [name for name in os.listdir(found) if name.casefold() == part.casefold()]
                found /= alike[0] if alike else part
            return real(found, *given, **options)

    monkeypatch.setattr(os, "stat", stat)
