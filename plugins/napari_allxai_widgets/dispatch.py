"""Carries calls from worker threads to the thread of the widgets."""

from collections.abc import Callable

from qtpy.QtCore import QObject, Qt, Signal, Slot


class Dispatcher(QObject):
    """Call it with a callable from any thread; the callable runs on the thread that made the dispatcher."""

    _called = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._called.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def __call__(self, call: Callable[[], None]) -> None:
        self._called.emit(call)

    @Slot(object)
    def _run(self, call: Callable[[], None]) -> None:
        call()
