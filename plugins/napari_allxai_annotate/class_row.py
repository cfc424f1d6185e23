"""The row of a class in the annotate panel."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from allxai_desktop.cellclasses import CellClass
from allxai_desktop.i18n import _
from allxai_desktop.keys import KEYS
from napari_allxai_annotate.glyphs import GlyphButton, swatch

NONE = "–"


class ClassRow(QWidget):
    """A class: its key, colour, letter and name to choose it by, its lock, its share of the area."""

    def __init__(self, cls: CellClass) -> None:
        super().__init__()
        self.cls = cls
        self.choose = QToolButton()
        self.choose.setCheckable(True)
        self.choose.setIcon(swatch(cls))
        self.choose.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.choose.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.choose.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.choose.setFixedHeight(23)
        red, green, blue = cls.color
        self.choose.setStyleSheet(f"QToolButton:checked {{ border-color: rgb({red}, {green}, {blue}); }}")
        self.share = QLabel(NONE)
        self.share.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.lock = GlyphButton("lock-open", "lock")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.choose, 1)
        layout.addWidget(self.lock)
        layout.addWidget(self.share)

    def showEvent(self, event: QShowEvent) -> None:
        """Make room for the longest share in the font of the style, so that no row moves when one grows."""
        text = self.share.text()
        self.share.setText("100.0 %")
        self.share.setMinimumWidth(self.share.sizeHint().width())
        self.share.setText(text)
        super().showEvent(event)

    def show_share(self, share: float | None) -> None:
        """Show a share of 0…1, or a dash for None."""
        text = NONE if share is None else f"{100 * share:.1f} %"
        self.share.setText(text)
        # The name is read out in place of the text.
        self.share.setAccessibleName(_("Area of {name}").format(name=self.cls.title) + f": {text}")

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        name = self.cls.title
        self.choose.setText(f" {self.cls.code}  {name}")
        name_control(self.choose, _("Paint {name}").format(name=name), f"class-{self.cls.code}")
        name_control(self.lock, _("Lock {name}: it is never painted over").format(name=name))
        self.share.setToolTip(_("Share of the labelled area"))


def name_control(control: QWidget, text: str, *keys: str) -> None:
    """Give `control` its accessible name and, with its keys, its tooltip."""
    control.setAccessibleName(text)
    sequences = ", ".join(KEYS[key].shown for key in keys)
    control.setToolTip(f"{text} ({sequences})" if sequences else text)
