"""Networks that other installed packages offer, by entry points of the group `allxai_desktop.networks`.

An entry point names a function without arguments that returns a card and a function: the card is a
dict with at least `classes` (texts), `input_size` ([height, width]) and what of `mean`, `std`,
`title`, `cam_layer`, `domain` … differs from `complete_card`; the function returns the trained
`torch.nn.Module`, and is only called when the network is chosen, so that listing stays quick.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from allxai_desktop.i18n import _
from allxai_desktop.networks.card import Card, parse_card
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.user import check_name, complete_card

if TYPE_CHECKING:
    from torch import nn

GROUP = "allxai_desktop.networks"
ARCHITECTURE = "plugin"


@dataclass(frozen=True)
class Plugin:
    """One network of another package: its card, and what returns its module."""

    card: Card
    load: "Callable[[], nn.Module]"


def find_plugins() -> tuple[list[Plugin], list[str]]:
    """Return the networks of other packages, and a sentence for each that cannot be offered."""
    found, problems = [], []
    for point in sorted(entry_points(group=GROUP)):
        try:
            found.append(_plugin(point))
        except NetworkError as error:
            problems.append(str(error))
        except (Exception, SystemExit) as error:  # whatever another package's code does
            problems.append(
                _("The network “{name}” of another package cannot be used ({kind}: {reason}).").format(
                    name=point.name, kind=type(error).__name__, reason=" ".join(str(error).split())
                )
            )
    return found, problems


@cache
def _plugin(point: EntryPoint) -> Plugin:
    check_name(point.name)
    given, load = point.load()()
    return Plugin(parse_card(_described(point, dict(given))), load)


def _described(point: EntryPoint, given: dict[str, Any]) -> dict[str, Any]:
    version = point.dist.version if point.dist else ""
    source = json.dumps([point.value, version, given], sort_keys=True, default=str)
    return complete_card(
        point.name,
        ARCHITECTURE,
        given.pop("classes", ()),
        given | {"sha256": hashlib.sha256(source.encode()).hexdigest()},
    )
