"""The networks by name: those that ship with the program, the user's own, and those of other packages.

Listing them reads cards only; torch is imported on loading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from allxai_desktop.i18n import _
from allxai_desktop.networks.architectures import ARCHITECTURES
from allxai_desktop.networks.card import CARD_FILE, Card, read_card
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.plugins import Plugin, find_plugins
from allxai_desktop.networks.user import user_folder

if TYPE_CHECKING:
    from allxai_desktop.networks.network import Network

__all__ = [
    "DEFAULT_NETWORK",
    "FoundNetworks",
    "NetworkError",
    "classifies",
    "find_networks",
    "list_networks",
    "load_network",
    "network_card",
    "shipped_networks",
    "was_loaded",
]

DEFAULT_NETWORK = "pbc-mobilenet-v1"
_loaded: set[str] = set()


@dataclass(frozen=True)
class FoundNetworks:
    """The cards of what can be loaded, and a sentence for each network that had to be left out."""

    cards: list[Card]
    problems: list[str]


def find_networks() -> FoundNetworks:
    """Return all networks: the default one first, then the others that ship, the user's, other packages'.

    Raises `NetworkError` only for one that ships with the program.
    """
    found, problems = _find()
    return FoundNetworks([card for card, _load in found.values()], problems)


def list_networks() -> list[Card]:
    """Return the cards of the networks that classify, in the order of `find_networks`. Raises `NetworkError`."""
    return [card for card in find_networks().cards if classifies(card)]


def shipped_networks() -> list[Card]:
    """Return the cards of the networks that ship with the program, the default one first. Raises `NetworkError`."""
    with as_file(files("allxai_resources") / "networks") as root:
        paths = sorted(
            root.glob(f"*/{CARD_FILE}"), key=lambda path: (path.parent.name != DEFAULT_NETWORK, path)
        )
        return [read_card(path) for path in paths]


def network_card(name: str) -> Card:
    """Return the card of the network called `name`. Raises `NetworkError` if there is none."""
    return _entry(name)[0]


def load_network(name: str) -> Network:
    """Load a network by its name. Raises `NetworkError` if there is none or it cannot be read."""
    found = _entry(name)[1]()
    _loaded.add(name)
    return found


def was_loaded(name: str) -> bool:
    """Whether this run of the program has loaded a network called `name`: the maps that it keeps go by that name."""
    return name in _loaded


_Entry = tuple[Card, "Callable[[], Network]"]


def _entry(name: str) -> _Entry:
    found, _problems = _find()
    if name not in found:
        raise NetworkError(
            _("There is no network “{name}”: choose one of {known}.").format(
                name=name, known=", ".join(found)
            )
        )
    return found[name]


def _find() -> tuple[dict[str, _Entry], list[str]]:
    found: dict[str, _Entry] = {card.name: (card, _shipped(card)) for card in shipped_networks()}
    problems: list[str] = []
    plugins, plugin_problems = find_plugins()
    added = [_of_user(path.parent, problems) for path in sorted(user_folder().glob(f"[!.]*/{CARD_FILE}"))]
    for entry in [*added, *((plugin.card, _of_plugin(plugin)) for plugin in plugins)]:
        if entry is None:
            continue
        name = entry[0].name
        if name in found:
            problems.append(
                _("There are two networks called “{name}”: the second one is left out.").format(name=name)
            )
        else:
            found[name] = entry
    return found, problems + plugin_problems


def _of_user(folder: Path, problems: list[str]) -> _Entry | None:
    try:
        card = read_card(folder / CARD_FILE)
        if card.name != folder.name:
            raise NetworkError(
                _("The network in {folder} calls itself “{name}”: add it again.").format(
                    folder=folder, name=card.name
                )
            )
    except NetworkError as error:
        problems.append(str(error))
        return None

    def load() -> Network:
        from allxai_desktop.networks.network import open_network

        return open_network(folder)

    return card, load


def _shipped(card: Card) -> Callable[[], Network]:
    def load() -> Network:
        from allxai_desktop.networks.network import open_network

        with as_file(files("allxai_resources") / "networks" / card.name) as folder:
            return open_network(folder)

    return load


def _of_plugin(plugin: Plugin) -> Callable[[], Network]:
    def load() -> Network:
        from allxai_desktop.networks.network import open_plugin

        return open_plugin(plugin.card, plugin.load)

    return load


def classifies(card: Card) -> bool:
    """Return whether the network tells images apart, and so can be explained; else it draws."""
    known = ARCHITECTURES.get(card.architecture)
    return known is None or known.task == "classification"
