"""The system libraries that Qt loads on Linux and its wheel does not carry."""

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from .messages import SetupError, _, say

# What `readelf -d` lists for Qt 6.11's core, xcb platform plugin and GLX integration → Debian's package.
WINDOW = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
MESA = {"libGLX_mesa.so.0": "libglx-mesa0"}
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")


def _absent(libraries: dict[str, str]) -> dict[str, str]:
    absent = {}
    for name, package in libraries.items():
        try:
            ctypes.CDLL(name)
        except OSError:
            absent[name] = package
    return absent


def _has_font() -> bool:
    folders = (Path(folder).expanduser() for folder in FONT_FOLDERS)
    return any(
        True for folder in folders for pattern in ("*.ttf", "*.otf") for _file in folder.rglob(pattern)
    )


def missing(*, virtual_screen: bool) -> dict[str, str]:
    """Return what this machine lacks to draw a window → Debian's package for it; empty outside Linux.

    With `virtual_screen`, what it lacks to draw without a screen counts too.
    """
    if sys.platform != "linux":
        return {}
    absent = _absent(WINDOW)
    if not _has_font():
        absent[_("a font")] = "fonts-dejavu-core"
    if virtual_screen:
        absent |= _absent(MESA)
        if not any(Path("/usr").glob("lib*/**/dri/*swrast_dri.so")):
            absent["swrast_dri.so"] = "libgl1-mesa-dri"
        if not shutil.which("Xvfb"):
            absent["Xvfb"] = "xvfb"
    return absent


def _as_root() -> list[str] | None:
    """Return what to put before a command so that it runs as root without a question, or None."""
    if sys.platform != "win32" and os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def install(absent: dict[str, str]) -> None:
    """Install Debian's packages for what is `absent`.

    Raises `SetupError` with the command to run where this user may not, or where apt-get fails.
    """
    if not absent:
        return
    if not shutil.which("apt-get"):
        names = ", ".join(absent)
        raise SetupError(
            _(
                "This system lacks what the window needs: {names}. "
                "Install it with the package manager of the system, then run the same command again."
            ).format(names=names)
        )
    apt_install(absent.values())


def apt_install(names: Iterable[str]) -> None:
    """Install Debian packages, fetching package lists if the present ones do not do. Raises `SetupError`."""
    packages = sorted(set(names))
    by_hand = shlex.join(["sudo", "apt-get", "install", "-y", *packages])
    root = _as_root()
    if root is None:
        raise SetupError(
            _(
                "System packages are missing, and installing them takes an administrator. "
                "Run this, then the same command again:\n  {command}"
            ).format(command=by_hand)
        )
    say(_("Installing system packages: {names}.").format(names=" ".join(packages)))
    # `env`, because sudo would drop the variable.
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    install = [*apt, "install", "-y", "--no-install-recommends", *packages]
    if subprocess.run(install).returncode == 0:
        return
    say(_("apt-get could not do it with the package lists that are here: fetching new ones."))
    subprocess.run([*apt, "update"])
    if subprocess.run(install).returncode:
        raise SetupError(
            _(
                "apt-get failed; its own words are above. Check network and disk, and run:\n  {command}"
            ).format(command=by_hand)
        )
