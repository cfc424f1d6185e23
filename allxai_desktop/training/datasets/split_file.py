"""The split of a data set, kept beside the result, so that it can be repeated and checked: `split.json`.

{"format": 1, "kind": "by subject", "seed": 7, "leaking": false,
 "parts": {"train": [{"file": "a/1.png", "class": "a", "sha256": "…"}], "val": […], "test": […], "unseen": []}}
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allxai_desktop.files import write_whole
from allxai_desktop.i18n import _
from allxai_desktop.training.datasets.data import TrainingError
from allxai_desktop.training.datasets.dataset import DataSet
from allxai_desktop.training.datasets.splits import Split

_FORMAT = 1
_MAX_BYTES = 2**28
_NAMED = 3


@dataclass(frozen=True)
class SavedSplit:
    """A split with how it came about: `kind` in words, `leaking` where its figures flatter (copies in two parts)."""

    split: Split
    kind: str
    seed: int
    leaking: bool


def save_split(path: Path, data: DataSet, saved: SavedSplit) -> None:
    """Write the split with the name, class and pixel hash of every image. Raises `WriteError`."""
    parts = {
        name: [
            {"file": item.file, "class": item.label, "sha256": data.sha256[position]}
            | ({"subject": item.subject} if item.subject is not None else {})
            for position in positions
            for item in [data.items[position]]
        ]
        for name, positions in saved.split.parts.items()
    }
    content = {
        "format": _FORMAT,
        "kind": saved.kind,
        "seed": saved.seed,
        "leaking": saved.leaking,
        "parts": parts,
    }
    write_whole(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


def read_split(path: Path, data: DataSet) -> SavedSplit:
    """Read the split of `data`. Raises `TrainingError`, with what has changed, where it is of other data."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError("too large")
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError("another format")
        entries = {
            entry["file"]: (part, entry["class"], entry["sha256"], entry.get("subject"))
            for part in ("train", "val", "test", "unseen")
            for entry in content["parts"][part]
        }
        kind, seed, leaking = str(content["kind"]), int(content["seed"]), bool(content["leaking"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TrainingError(
            _("{name} holds no split that can be read: begin the run anew.").format(name=path.name)
        ) from error
    changes = _changes(entries, data)
    if changes:
        raise TrainingError(
            _(
                "The data set has changed since the run began: {changes}. Restore it, or begin a new run."
            ).format(changes="; ".join(changes))
        )
    parts: dict[str, list[int]] = {"train": [], "val": [], "test": [], "unseen": []}
    for position, item in enumerate(data.items):
        parts[entries[item.file][0]].append(position)
    return SavedSplit(Split(**parts), kind, seed, leaking)


def _changes(entries: dict[str, tuple[Any, ...]], data: DataSet) -> list[str]:
    now = {
        item.file: (item.label, digest, item.subject)
        for item, digest in zip(data.items, data.sha256, strict=True)
    }
    both = [file for file in now if file in entries]
    found = [
        (_("new: {files}"), [file for file in now if file not in entries]),
        (_("missing: {files}"), [file for file in entries if file not in now]),
        (_("other pixels: {files}"), [file for file in both if entries[file][2] != now[file][1]]),
        (_("another class: {files}"), [file for file in both if entries[file][1] != now[file][0]]),
        (_("another subject: {files}"), [file for file in both if entries[file][3] != now[file][2]]),
    ]
    return [text.format(files=_named(files)) for text, files in found if files]


def _named(files: list[str]) -> str:
    more = len(files) - _NAMED
    listed = ", ".join(files[:_NAMED])
    return _("{files} and {count} more").format(files=listed, count=more) if more > 0 else listed
