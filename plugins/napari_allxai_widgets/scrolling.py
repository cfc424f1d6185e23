"""Panels on screens that are too small for the whole of them."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import QAbstractSlider, QAbstractSpinBox, QComboBox, QScrollArea, QScrollBar, QWidget

LEAST_HEIGHT = 160
"""What a column that scrolls takes at least, in px."""


class WheelGuard(QObject):
    """Lets the wheel scroll `panel` also over the controls that are in it now.

    A number follows the wheel only while it has the keyboard, a choice never: whoever scrolls past changes nothing.
    """

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        for kind in (QComboBox, QAbstractSpinBox, QAbstractSlider):
            for control in panel.findChildren(kind):
                if isinstance(control, QScrollBar):
                    continue
                if control.focusPolicy() == Qt.FocusPolicy.WheelFocus:
                    # Else the wheel itself would give it the keyboard first.
                    control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                control.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Pass the wheel on to what lies below the control."""
        if event.type() != QEvent.Type.Wheel or not isinstance(watched, QWidget):
            return False
        passed = isinstance(watched, QComboBox) or not watched.hasFocus()
        if passed:
            event.ignore()
        return passed


class ScrollColumn(QScrollArea):
    """Scrolls `content` up and down where there is no room for the whole of it, and never cuts it at its side."""

    def __init__(self, content: QWidget) -> None:
        super().__init__(
            widgetResizable=True, horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self._content = content
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        # napari's style pads every widget.
        self.setStyleSheet("ScrollColumn { padding: 0px; }")
        # What is in it takes the keyboard, and scrolls it into sight.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)
        WheelGuard(content)

    def sizeHint(self) -> QSize:
        """Return the size of the content with a scroll bar."""
        size = self._content.sizeHint()
        if self._content.hasHeightForWidth():
            size.setHeight(self._content.heightForWidth(size.width()))
        return size + self._beside

    def minimumSizeHint(self) -> QSize:
        """Return the width of the content with a scroll bar, and little height."""
        return QSize(self._content.minimumSizeHint().width(), LEAST_HEIGHT) + self._beside

    @property
    def _beside(self) -> QSize:
        return QSize(self.verticalScrollBar().sizeHint().width(), 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow a content that needs more width or less."""
        if watched is self._content and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
