"""An entry in the menu of programs, for those who open the window without a terminal."""

import os
import sys
from pathlib import Path

from .environment import Environment
from .messages import SetupError, _

NAME = "AllXAI Desktop"
ARGUMENTS = ("-P", "-m", "allxai_desktop")
# `environ` carries the paths, for PowerShell would read some of their characters as its own.
_POWERSHELL = """
$ErrorActionPreference = 'Stop'
$link = (New-Object -ComObject WScript.Shell).CreateShortcut($env:ALLXAI_LINK)
$link.TargetPath = $env:ALLXAI_PROGRAM
$link.Arguments = $env:ALLXAI_ARGUMENTS
$link.IconLocation = $env:ALLXAI_ICON
$link.Save()
"""


def put_into_menu(environment: Environment) -> Path:
    """Make the entry, in place of the one before, and return its path. Raises `SetupError`."""
    makers = {"win32": _start_menu, "darwin": _bundle}
    try:
        return makers.get(sys.platform, _desktop_entry)(environment)
    except OSError as error:
        raise SetupError(
            _(
                "The menu of programs cannot be written ({reason}): open the window with bootstrap.py run."
            ).format(reason=error.strerror or error)
        ) from error


def _icon(environment: Environment, suffix: str) -> Path:
    return environment.checkout / "resources" / "icons" / f"allxai.{suffix}"


def _desktop_entry(environment: Environment) -> Path:
    """Linux: an entry as freedesktop.org specifies it."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    # The window says this name on Wayland, and its title as its class elsewhere: by them it gets this icon.
    path = Path(data) / "applications" / "allxai-desktop.desktop"
    command = " ".join(_quoted(part) for part in (str(environment.python), *ARGUMENTS))
    lines = (
        "[Desktop Entry]",
        "Type=Application",
        f"Name={NAME}",
        "Comment=Paint cells in five classes, and explain networks by them",
        "Comment[es]=Pintar células en cinco clases y explicar redes con ellas",
        f"Exec={_value(command)} %f",
        f"Icon={_value(str(_icon(environment, 'svg')))}",
        "Terminal=false",
        f"StartupWMClass={NAME}",
        "Categories=Science;MedicalSoftware;",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _quoted(part: str) -> str:
    """Return a part of a command line as an entry quotes it."""
    for special in '\\"`$':
        part = part.replace(special, f"\\{special}")
    return '"' + part.replace("%", "%%") + '"'


def _value(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _start_menu(environment: Environment) -> Path:
    """Windows: a link in the start menu, to the Python that opens no console."""
    import subprocess

    path = Path(os.environ["APPDATA"], "Microsoft", "Windows", "Start Menu", "Programs", f"{NAME}.lnk")
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {
        "ALLXAI_LINK": str(path),
        "ALLXAI_PROGRAM": str(environment.python.with_name("pythonw.exe")),
        "ALLXAI_ARGUMENTS": " ".join(ARGUMENTS),
        "ALLXAI_ICON": str(_icon(environment, "ico")),
    }
    done = subprocess.run(
        ["powershell", "-NoProfile", "-NonInteractive", "-Command", _POWERSHELL],
        env={**os.environ, **values},
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode:
        raise OSError((done.stderr.strip() or done.stdout.strip()).partition("\n")[0])
    return path


def _bundle(environment: Environment) -> Path:
    """macOS: an application of the user's that starts the environment's Python."""
    import platform
    import plistlib
    import shlex
    import shutil

    path = Path.home() / "Applications" / f"{NAME}.app"
    contents = path / "Contents"
    for folder in ("MacOS", "Resources"):
        (contents / folder).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_icon(environment, "icns"), contents / "Resources" / "allxai.icns")
    program = contents / "MacOS" / "allxai"
    command = shlex.join([str(environment.python), *ARGUMENTS])
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    facts = {
        "CFBundleName": NAME,
        "CFBundleIdentifier": "allxai.desktop",
        "CFBundleExecutable": program.name,
        "CFBundleIconFile": "allxai.icns",
        "CFBundlePackageType": "APPL",
        # A script says of no processor, and macOS would have it run as on Intel's, by a part that is first to install.
        "LSArchitecturePriority": [platform.machine()],
        "CFBundleShortVersionString": environment.project()["project"]["version"],
        "NSHighResolutionCapable": True,
    }
    (contents / "Info.plist").write_bytes(plistlib.dumps(facts))
    return path
