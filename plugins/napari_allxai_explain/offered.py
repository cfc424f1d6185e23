"""Keeps the networks that an explain panel and its compare window offer to those that there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from psygnal import Signal

from allxai_desktop.errors import AllxaiError
from allxai_desktop.networks import user
from allxai_desktop.networks.registry import list_networks
from allxai_desktop.tasks import Dispatch

if TYPE_CHECKING:
    from napari_allxai_explain.comparing import Comparing
    from napari_allxai_explain.panel import ExplainPanel


class OfferedNetworks:
    """Reads the networks again when one was saved; `tell` gets a sentence where that cannot be done."""

    changed = Signal()

    def __init__(
        self, panel: ExplainPanel, comparing: Comparing, dispatch: Dispatch, tell: Callable[[str], object]
    ) -> None:
        self._panel, self._comparing = panel, comparing
        self._dispatch, self._tell = dispatch, tell
        user.events.saved.connect(self._on_saved)

    def read_again(self) -> None:
        """Offer the networks that there are now."""
        try:
            cards = list_networks()
        except AllxaiError as error:
            self._tell(str(error))
            return
        self._panel.set_networks(cards)
        self._comparing.set_networks(cards)
        self.changed.emit()

    def close(self) -> None:
        """Stop following."""
        user.events.saved.disconnect(self._on_saved)

    def _on_saved(self, _name: str) -> None:
        self._dispatch(self.read_again)
