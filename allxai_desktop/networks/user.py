"""Networks that users add: a folder each, with a card and the weights, in the user's own data folder."""

import json
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from psygnal import Signal

from allxai_desktop.errors import reason_of
from allxai_desktop.files import patiently, write_whole
from allxai_desktop.i18n import LANGUAGES, _
from allxai_desktop.networks.card import CARD_FILE, parse_card
from allxai_desktop.networks.errors import NetworkError


class NetworkEvents:
    """Tells the name of a network of the user's that was saved, on the thread that saved it."""

    saved = Signal(str)


events = NetworkEvents()

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")


def user_folder() -> Path:
    """Return where the user's networks lie; it need not exist."""
    return user_data_path("allxai-desktop", appauthor=False) / "networks"


def name_from(text: str) -> str:
    """Return a network's name made from any text, as that of a file."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64].strip("-") or "network"


def check_name(name: str) -> None:
    """Raise `NetworkError` if no network can be called `name`."""
    if not _NAME.fullmatch(name):
        raise NetworkError(
            _(
                "A network cannot be called “{name}”: use at most 64 small letters, digits, and hyphens between them."
            ).format(name=name)
        )


def complete_card(
    name: str, architecture: str, classes: Sequence[str], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the JSON of a card with what is `given` and, for the rest, that nothing is known.

    `title` may be one text for all languages. Raises `NetworkError` that names the first key at fault.
    """
    raw = {
        "name": name,
        "title": name,
        "architecture": architecture,
        "classes": list(classes),
        "class_titles": {code: list(classes) for code in LANGUAGES},
        "mean": [0.0, 0.0, 0.0],
        "std": [1.0, 1.0, 1.0],
        "cam_layer": None,
        "licence": "not given",
        "domain": {},
        "data": {},
        "split": {},
        "training": {},
        "metrics": {},
        "departures_from_paper": [],
    } | dict(given)
    if isinstance(raw["title"], str):
        raw["title"] = dict.fromkeys(LANGUAGES, raw["title"])
    try:
        parse_card(raw)
    except ValueError as error:
        raise NetworkError(
            _("The network {name} cannot be described so: “{key}” is missing or not right.").format(
                name=name, key=error
            )
        ) from error
    return raw


def save_network(card: Mapping[str, Any], weights_file: str, weights: bytes) -> Path:
    """Write a network's folder, whole or not at all. Raises `WriteError` or `NetworkError`."""
    folder = user_folder() / str(card["name"])
    unfinished = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        unfinished.mkdir(parents=True)
        write_whole(unfinished / weights_file, weights)
        write_whole(unfinished / CARD_FILE, (json.dumps(card, ensure_ascii=False, indent=1) + "\n").encode())
        patiently(lambda: unfinished.rename(folder))
    except OSError as error:
        raise NetworkError(
            _("The network cannot be written to {folder} ({reason}): free the disk or its name.").format(
                folder=folder, reason=reason_of(error)
            )
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    events.saved.emit(folder.name)
    return folder


def remove_network(name: str) -> None:
    """Delete a network of the user's, damaged or not. Raises `NetworkError`."""
    check_name(name)
    folder = user_folder() / name
    if not folder.is_dir():
        raise NetworkError(
            _("There is no network “{name}” that was added: see “allxai networks” for the names.").format(
                name=name
            )
        )
    try:
        patiently(lambda: shutil.rmtree(folder))
    except OSError as error:
        raise NetworkError(
            _("The folder {folder} cannot be deleted ({reason}): close what uses it.").format(
                folder=folder, reason=reason_of(error)
            )
        ) from error
