"""A screen for the tests where the machine has none."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from .messages import SetupError, _, say


def has_screen(environ: Mapping[str, str]) -> bool:
    """Tell whether windows can be drawn. Only Linux can be without a screen."""
    return sys.platform != "linux" or bool(environ.get("DISPLAY"))


@contextmanager
def screen(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield `environ`, with an Xvfb that lives as long as the context where there is no screen.

    Raises `SetupError` when Xvfb does not start.
    """
    if has_screen(environ):
        yield dict(environ)
        return
    reader, writer = os.pipe()
    # No reset: a test's child that leaves last would otherwise restart the server under the next one.
    # A session of its own: Ctrl+C must reach pytest while the screen is still there.
    command = [
        "Xvfb",
        "-displayfd",
        str(writer),
        "-screen",
        "0",
        "1920x1080x24",
        "-nolisten",
        "tcp",
        "-noreset",
    ]
    server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        os.close(writer)
        with os.fdopen(reader) as answer:
            number = answer.readline().strip()
        if not number:
            raise SetupError(
                _("Xvfb did not start. Run it by hand to see why: {command}").format(command="Xvfb :99")
            )
        say(_("No screen here: drawing on Xvfb :{number} with software OpenGL.").format(number=number))
        yield {**environ, "DISPLAY": f":{number}", "LIBGL_ALWAYS_SOFTWARE": "1", "QT_QPA_PLATFORM": "xcb"}
    finally:
        server.terminate()
        server.wait()
