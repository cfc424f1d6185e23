"""The tabs beside the relevance: what the regions contribute, what if a part were gone, how far to trust the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allxai_desktop.analyses.regions_model import RegionsModel
from allxai_desktop.analyses.trust import TrustModel
from allxai_desktop.i18n import N_
from allxai_desktop.tasks import Dispatch
from napari_allxai_explain.regions import RegionsPanel
from napari_allxai_explain.trust import TrustPanel
from napari_allxai_explain.what_if import WhatIfPanel

if TYPE_CHECKING:
    from allxai_desktop.analyses.what_if import WhatIf
    from napari_allxai_explain.panel import ExplainPanel


class AnalysisTabs:
    """Adds the tabs to an explain panel and holds their models; `close` comes before the session's."""

    def __init__(self, panel: ExplainPanel, what_if: WhatIf, dispatch: Dispatch) -> None:
        self.regions = RegionsModel(panel.session, dispatch)
        self.trust = TrustModel(panel.session, dispatch)
        self.regions_panel = RegionsPanel(self.regions)
        self.what_if_panel = WhatIfPanel(what_if, panel.cards)
        self.trust_panel = TrustPanel(self.trust)
        self._panel = panel
        self._what_if = what_if
        panel.add_tab(N_("Regions"), self.regions_panel)
        panel.add_tab(N_("What if"), self.what_if_panel)
        panel.add_tab(N_("Trust"), self.trust_panel)
        what_if.active_changed.connect(self._show_what_if)
        self.trust.figures_changed.connect(self._show_twin)

    def close(self) -> None:
        """Cancel what is being computed and stop following."""
        self._what_if.active_changed.disconnect(self._show_what_if)
        self.trust.figures_changed.disconnect(self._show_twin)
        for page in (self.regions_panel, self.what_if_panel, self.trust_panel):
            page.disconnect_model()
        self.regions.close()
        self.trust.close()

    def _show_what_if(self, active: bool) -> None:
        if active:
            self._panel.show_tab(self.what_if_panel)

    def _show_twin(self) -> None:
        self._panel.show_twin(self.trust.twin)
