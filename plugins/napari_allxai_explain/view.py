"""How the map is shown; nothing here changes a number."""

from dataclasses import dataclass

from psygnal import SignalGroupDescriptor

from allxai_desktop.overlay import AUTO


@dataclass
class ExplainView:
    """Opacity 0…1 of the map, its colours, and whether the map and the outline are visible."""

    opacity: float = 0.5
    colormap: str = AUTO
    map_visible: bool = True
    outline_visible: bool = True

    events = SignalGroupDescriptor()
