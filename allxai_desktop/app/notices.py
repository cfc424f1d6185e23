"""The bar above the canvas that shows one notice at a time, without stopping anybody."""

from __future__ import annotations

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton

from allxai_desktop.i18n import _
from allxai_desktop.workspace import Notice

SHOWN_MS = {"info": 5_000, "warning": 15_000}


class NoticeBar(QFrame):
    """Shows the latest notice; an error stays until it is closed or followed by another."""

    def __init__(self) -> None:
        super().__init__(objectName="notice")
        self._label = QLabel(wordWrap=True)
        self._close = QToolButton(text="✕", autoRaise=True)
        self._close.clicked.connect(self.hide)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 5, 6, 5)
        layout.addWidget(self._label, 1)
        layout.addWidget(self._close)
        self.retranslate()
        self.hide()

    def show_notice(self, notice: Notice) -> None:
        """Show `notice`; information does not push an error away."""
        if notice.level == "info" and self.isVisible() and self.property("level") == "error":
            return
        self.setProperty("level", notice.level)
        for widget in (self, self._label, self._close):
            # Qt looks a property of the parent up only when it polishes the child.
            widget.style().unpolish(widget)
            widget.style().polish(widget)
        self._label.setText(notice.text)
        self._timer.stop()
        if notice.level in SHOWN_MS:
            self._timer.start(SHOWN_MS[notice.level])
        self.show()

    def text(self) -> str:
        """Return the sentence that is shown."""
        return self._label.text()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self._close.setToolTip(_("Close"))
        self._close.setAccessibleName(_("Close this notice"))
