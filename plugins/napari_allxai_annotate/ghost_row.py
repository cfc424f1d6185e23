"""The row of the annotate panel for the proposal."""

from __future__ import annotations

from psygnal import SignalInstance
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget

from allxai_desktop.i18n import N_, _
from allxai_desktop.keys import KEYS
from napari_allxai_annotate.class_row import name_control
from napari_allxai_annotate.ghost import Ghost
from napari_allxai_annotate.glyphs import GlyphButton

SOURCES = {
    "network": N_("by the network"),
    "classical": N_("by colour"),
    "study": N_("by the study"),
    "classifier": N_("learned"),
}
SOURCE_TIPS = {
    "network": N_("Proposed by the network that comes with the program"),
    "classical": N_("Proposed by colour and shape: no network fits this image"),
    "study": N_("Proposed by the network, and corrected by what the finished images of this study teach"),
    "classifier": N_("Proposed by what was learned from your strokes on this image"),
}


class GhostRow(QWidget):
    """Switches the proposal of a `Ghost` on and off, says who made it, and accepts it; `accept` chooses the brush."""

    def __init__(self, ghost: Ghost, accept: GlyphButton) -> None:
        super().__init__()
        self.ghost = ghost
        self.title, self.source = QLabel(), QLabel()
        self.show_proposal = GlyphButton("ghost-off", "ghost")
        self.accept = accept
        self.buttons = {
            "accept-all": GlyphButton("accept-all"),
            "accept-class": GlyphButton("accept-class"),
            "next-uncertain": GlyphButton("uncertain"),
            "next-unlabelled": GlyphButton("unlabelled"),
        }
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.show_proposal)
        layout.addWidget(self.title)
        layout.addWidget(self.source, 1)
        layout.addWidget(self.buttons["accept-all"])
        layout.addWidget(self.buttons["accept-class"])
        layout.addWidget(accept)
        layout.addWidget(self.buttons["next-uncertain"])
        layout.addWidget(self.buttons["next-unlabelled"])
        for name, call in ghost.actions().items():
            if name in self.buttons:
                self.buttons[name].clicked.connect(lambda _checked=False, call=call: call())
        self._proposals = ghost.proposals
        self.show_proposal.toggled.connect(lambda shown: setattr(self._proposals, "visible", shown))
        for signal in self._signals():
            signal.connect(self._show)
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self.title.setText(_("Proposal"))
        for name, button in (*self.buttons.items(), ("proposal", self.show_proposal)):
            name_control(button, _(KEYS[name].title), name)
        self._show()

    def disconnect_model(self) -> None:
        """Stop following; called before the row goes away."""
        for signal in self._signals():
            signal.disconnect(self._show)

    def _signals(self) -> tuple[SignalInstance, ...]:
        proposals = self._proposals
        return proposals.proposal_changed, proposals.visible_changed, proposals.busy_changed

    def _show(self, *_change: object) -> None:
        proposals = self._proposals
        proposal = proposals.proposal if proposals.visible else None
        with QSignalBlocker(self.show_proposal):
            self.show_proposal.setChecked(proposals.visible)
        self.show_proposal.checked_glyph = "busy" if proposals.busy else "ghost"
        self.show_proposal.update()
        text, tip = "", ""
        if proposal is not None:
            text, tip = _(SOURCES[proposal.source]), _(SOURCE_TIPS[proposal.source])
        elif proposals.visible and proposals.too_large:
            text, tip = _("too large"), _("No proposal is made for an image of this size")
        self.source.setText(text)
        self.source.setToolTip(tip)
        for name in ("accept-all", "accept-class", "next-uncertain"):
            self.buttons[name].setEnabled(proposal is not None)
        self.accept.setEnabled(proposal is not None)
