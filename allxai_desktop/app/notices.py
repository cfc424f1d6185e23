"""The bar above the canvas that shows one notice at a time, without stopping anybody."""

from __future__ import annotations

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton

from allxai_desktop.i18n import _
from allxai_desktop.notice import Notice

SHOWN_MS = {"info": 5_000, "warning": 15_000}


class NoticeBar(QFrame):
    """Shows the latest notice; an error stays until it is closed or followed by another.

    One with an action comes back after others until it is closed or done.
    """

    def __init__(self) -> None:
        super().__init__(objectName="notice")
        self._label = QLabel(wordWrap=True)
        self._action = QPushButton()
        self._close = QToolButton(text="✕", autoRaise=True)
        for button in (self._action, self._close):
            # Reached by Tab; after a click Enter and Space still belong to the canvas.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._action.clicked.connect(lambda: self._act())
        self._close.clicked.connect(lambda: self._dismiss())
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.leave)
        self._shown: Notice | None = None
        self._unread: list[Notice] = []
        self._waiting: Notice | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 5, 6, 5)
        layout.addWidget(self._label, 1)
        layout.addWidget(self._action)
        layout.addWidget(self._close)
        self.retranslate()
        self.hide()

    def show_notice(self, notice: Notice) -> None:
        """Show `notice`; information does not push an error away."""
        if notice.action is not None:
            self._unread = [*(unread for unread in self._unread if unread.text != notice.text), notice]
        elif notice.level == "info" and self._shown is not None and self._shown.level == "error":
            return
        self._show(notice)

    def show_with_image(self, notice: Notice) -> None:
        """Show `notice` once the next image is there: that takes away what was said before."""
        self._waiting = notice

    def image_shown(self) -> None:
        """Show what waited for the image."""
        if self._waiting is not None:
            self.show_notice(self._waiting)
            self._waiting = None

    def leave(self) -> None:
        """Let go what is shown, as when another image comes; what is to be read stays."""
        if self._shown not in self._unread:
            self._go_on()

    def withdraw(self, notice: Notice) -> None:
        """Let go `notice`, read or not: it is not true any more."""
        self._unread = [unread for unread in self._unread if unread != notice]
        if self._shown == notice:
            self._go_on()

    def text(self) -> str:
        """Return the sentence that is shown."""
        return self._label.text()

    def retranslate(self) -> None:
        """Set the texts again in the current language."""
        self._close.setToolTip(_("Close"))
        self._close.setAccessibleName(_("Close this notice"))

    def _show(self, notice: Notice) -> None:
        self._shown = notice
        self.setProperty("level", notice.level)
        for widget in (self, self._label, self._close):
            # Qt looks a property of the parent up only when it polishes the child.
            widget.style().unpolish(widget)
            widget.style().polish(widget)
        self._label.setText(notice.text)
        self._action.setVisible(notice.action is not None)
        self._timer.stop()
        if notice.action is not None:
            self._action.setText(notice.action[0])
        elif notice.level in SHOWN_MS:
            self._timer.start(SHOWN_MS[notice.level])
        self.show()

    def _go_on(self) -> None:
        self._timer.stop()
        self._shown = None
        if self._unread:
            self._show(self._unread[-1])
        else:
            self.hide()

    def _dismiss(self) -> None:
        if self._shown in self._unread:
            self._unread.remove(self._shown)
        self._go_on()

    def _act(self) -> None:
        notice = self._shown
        self._dismiss()
        if notice is not None and notice.action is not None:
            notice.action[1]()
