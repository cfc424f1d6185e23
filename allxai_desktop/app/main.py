"""Starts the desktop program."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from functools import partial
from importlib import import_module
from importlib.resources import as_file, files
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtpy.QtWidgets import QApplication

    from allxai_desktop.app.window import MainWindow


# How long it takes, in milliseconds, until most of what stays to the end is there.
_STARTING_MS = 5000


def run(path: str | None = None) -> int:
    """Open the window on `path`, or on what was opened last, and return the exit code when it is closed."""
    # To go through half a million objects, none of which is garbage, holds the window up for a third of a second.
    gc.disable()
    try:
        app, window = start(path)
    except Exception as error:
        tell_of_failure(error)
        raise
    from qtpy.QtCore import QTimer

    QTimer.singleShot(_STARTING_MS, keep_what_is_there)
    code = int(app.exec())
    # The window must go before the application does.
    del window
    return code


def tell_of_failure(error: Exception) -> None:
    """Write down why the window could not be opened, and say where: from a menu of programs nobody sees the output."""
    from allxai_desktop.app.log import log_file
    from allxai_desktop.errors import mend_of
    from allxai_desktop.i18n import _

    logging.getLogger(__name__).critical("The window could not be opened", exc_info=error)
    if sys.stderr is None:
        text = _("AllXAI Desktop could not be opened. The details are in {path}.").format(path=log_file())
        show_box(f"{text} {mend_of(error) or error}")


def show_box(text: str) -> None:
    """Show a text in a box of Windows, without Qt, which may be what is missing."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.MessageBoxW(None, text, "AllXAI Desktop", 0x10)


def keep_what_is_there() -> None:
    """Look for garbage from now on, and only among what is yet to be made."""
    gc.freeze()
    gc.enable()


def start(path: str | None = None) -> tuple[QApplication, MainWindow]:
    """Make the application and show its window; images and torch are loaded once the event loop runs."""
    from allxai_desktop.app.log import start_log

    start_log()
    if sys.platform == "win32":
        # There torch's DLLs fail to load once Qt is in the process.
        import torch  # noqa: F401
    from napari.qt import get_qapp
    from qtpy.QtCore import QTimer

    from allxai_desktop import __version__

    with as_file(files("allxai_resources") / "icons" / "allxai.svg") as icon:
        app = get_qapp(
            app_name="AllXAI Desktop",
            app_version=__version__,
            icon=str(icon),
            org_name="AllXAI",
            app_id="allxai.desktop",
        )
    # By this name Wayland finds the icon: that of the entry which `bootstrap.py shortcut` makes.
    app.setDesktopFileName("allxai-desktop")
    from allxai_desktop.app.settings import last_opened
    from allxai_desktop.app.shader_programs import keep_programs
    from allxai_desktop.app.window import MainWindow

    keep_programs()
    window = MainWindow()

    report_to(window)
    # What is opened first waits for the imports.
    window.empty.set_opening(True)
    window.show()

    recent = window.settings.recent

    def open_once_imported() -> None:
        # napari asks for these at its first layers; imported there, they would hold the window up.
        for name in ("pandas", "scipy.ndimage", "scipy.special", "skimage.exposure", "matplotlib"):
            import_module(name)
        first, gone = (path, None) if path else last_opened(recent)
        window.dispatch(lambda: open_first(window, first, gone))
        # The same holds for the first flood fill.
        import_module("skimage.measure")

    # While torch is imported in the background, the window's thread gets its turn five times as often.
    sys.setswitchinterval(0.001)
    QTimer.singleShot(0, threading.Thread(target=open_once_imported, name="open", daemon=True).start)
    return app, window


def report_to(window: MainWindow) -> None:
    """Write down what nobody foresaw, on whichever thread, and say in the window where."""
    from allxai_desktop.app.log import log_file
    from allxai_desktop.i18n import _
    from allxai_desktop.notice import Notice

    def report(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        logging.getLogger(__name__).critical("Unexpected error", exc_info=error)
        text = _("Something went wrong; your labels are safe. The details are in {path}.").format(
            path=log_file()
        )
        window.dispatch(lambda: window.notices.show_notice(Notice("error", text)))

    def of_thread(ended: threading.ExceptHookArgs) -> None:
        if not issubclass(ended.exc_type, SystemExit):
            report(ended.exc_type, ended.exc_value, ended.exc_traceback)

    sys.excepthook = report
    # Python would write it to the standard error, which from a menu of programs nobody sees.
    threading.excepthook = of_thread


def open_first(window: MainWindow, path: str | None, gone: str | None) -> None:
    """Open `path`, or else the sample study, and offer what should have been opened but is `gone`."""
    from allxai_desktop.i18n import _
    from allxai_desktop.notice import Notice

    if path is None:
        window.open_sample()
    else:
        window.open_path(Path(path))
    if gone is not None:
        text = _("{name} was opened last, and is not there now: see whether its disk is connected.")
        again = (_("Open"), partial(window.open_path, Path(gone)))
        window.notices.show_with_image(Notice("warning", text.format(name=Path(gone).name), again))
