"""The networks that ship with the program. Listing them reads cards only; torch is imported on loading."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from allxai_desktop.i18n import _
from allxai_desktop.networks.card import CARD_FILE, Card, read_card
from allxai_desktop.networks.errors import NetworkError

if TYPE_CHECKING:
    from allxai_desktop.networks.network import Network

__all__ = ["DEFAULT_NETWORK", "NetworkError", "list_networks", "load_network", "network_card"]

DEFAULT_NETWORK = "pbc-mobilenet-v1"


def list_networks() -> list[Card]:
    """Return the cards of the networks that ship with the program, the default one first. Raises `NetworkError`."""
    with as_file(files("allxai_resources") / "networks") as root:
        paths = sorted(
            root.glob(f"*/{CARD_FILE}"), key=lambda path: (path.parent.name != DEFAULT_NETWORK, path)
        )
        return [read_card(path) for path in paths]


def network_card(name: str) -> Card:
    """Return the card of the network called `name`. Raises `NetworkError` if there is none."""
    cards = {card.name: card for card in list_networks()}
    if name not in cards:
        raise NetworkError(
            _("There is no network “{name}”: choose one of {known}.").format(
                name=name, known=", ".join(cards)
            )
        )
    return cards[name]


def load_network(name: str) -> Network:
    """Load a network by its name. Raises `NetworkError` if there is none or it cannot be read."""
    network_card(name)
    from allxai_desktop.networks.network import open_network

    with as_file(files("allxai_resources") / "networks" / name) as folder:
        return open_network(folder)
