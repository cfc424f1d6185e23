"""The dialogs in which something to read is chosen.

In Qt's own dialogs the key Delete takes a folder away with all that is in it, after one question; in these it does not.
"""

from __future__ import annotations

from qtpy.QtWidgets import QFileDialog, QWidget

_READ_ONLY = QFileDialog.Option.ReadOnly


def choose_file(parent: QWidget, title: str, start: str, kinds: str) -> str:
    """Let the user choose a file of `kinds`, as Qt writes them; "" where none was chosen."""
    name, _kind = QFileDialog.getOpenFileName(parent, title, start, kinds, "", _READ_ONLY)
    return name


def choose_folder(parent: QWidget, title: str, start: str) -> str:
    """Let the user choose a folder; "" where none was chosen."""
    options = QFileDialog.Option.ShowDirsOnly | _READ_ONLY
    return QFileDialog.getExistingDirectory(parent, title, start, options)
