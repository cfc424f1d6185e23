"""Files and folders that are dropped on a widget."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent


def offer(event: QDragEnterEvent) -> None:
    """Let files be dropped, and nothing else."""
    if event.mimeData().hasUrls():
        event.acceptProposedAction()


def take(event: QDropEvent, use: Callable[[Path], object]) -> None:
    """Call `use` with the first file or folder on this machine, once the drop has ended."""
    paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
    if paths:
        event.acceptProposedAction()
        # The drop must end before a file is read, or the file manager waits for us.
        QTimer.singleShot(0, lambda: use(Path(paths[0])))
