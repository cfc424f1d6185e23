"""The comparison that an explain panel asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from allxai_desktop.analyses.comparison import Comparison
from allxai_desktop.tasks import Dispatch
from napari_allxai_explain.compare import CompareWindow

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from allxai_desktop.networks.card import Card
    from napari_allxai_explain.panel import ExplainPanel


class Comparing:
    """Has the one compare window of a panel, from when it is first asked for; it lies over the window of `owner`.

    No figure is written over one of the `originals`, files of images.
    """

    def __init__(
        self,
        panel: ExplainPanel,
        owner: QWidget,
        dispatch: Dispatch,
        originals: Callable[[], Iterable[Path]] = tuple,
    ) -> None:
        self.window: CompareWindow | None = None
        self._panel = panel
        self._owner = owner
        self._dispatch, self._originals = dispatch, originals
        panel.compare.clicked.connect(self.open)

    def open(self) -> None:
        """Open the window that compares explainers and networks, or update it."""
        if self.window is None:
            model = Comparison(
                self._panel.session,
                list(self._panel.cards.values()),
                dispatch=self._dispatch,
                originals=self._originals,
            )
            self.window = CompareWindow(model, self._owner.window())
        self.window.open()

    def set_networks(self, cards: Sequence[Card]) -> None:
        """Offer these networks where the window is there."""
        if self.window is not None:
            self.window.model.set_networks(cards)

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        if self.window is not None:
            self.window.retranslate()

    def close(self) -> None:
        """Close the window and stop following; comes before the session's end."""
        if self.window is not None:
            self.window.close()
            self.window.release()
