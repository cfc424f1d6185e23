"""The virtual environment in `.venv`: where its parts are, and whether it is ready.

This is all that a second run loads, so `install` is apart.
"""

import hashlib
import json
import os
import sysconfig
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Environment:
    """The virtual environment of one checkout."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.folder = checkout / ".venv"
        self.scripts = self.folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.scripts / ("python.exe" if os.name == "nt" else "python")
        self.constraints = checkout / "installer" / "constraints.txt"
        # Written last: whatever was interrupted before leaves an environment without it.
        self.stamp = self.folder / "allxai-stamp.json"

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return `environ` as `activate` would change it, without packages from elsewhere."""
        changed = {name: value for name, value in environ.items() if name not in {"PYTHONHOME", "PYTHONPATH"}}
        changed["VIRTUAL_ENV"] = str(self.folder)
        changed["PATH"] = os.pathsep.join(filter(None, [str(self.scripts), environ.get("PATH")]))
        return changed

    def parts(self) -> set[str]:
        """Return what the environment holds ready for use: of "packages", "window" and "tests"."""
        stamp = self.read_stamp()
        return set(stamp["parts"]) if stamp | self.identity() == stamp and self.python.exists() else set()

    def read_stamp(self) -> dict[str, Any]:
        """Return the identity and the parts of what was installed; empty if installing did not end."""
        try:
            stamp: dict[str, Any] = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp

    def identity(self) -> dict[str, str]:
        """Return what an environment must have been made for to be ready now."""
        project = self.project()
        tables = [project["build-system"], project["project"], project["tool"]["setuptools"]]
        pinned = self.constraints.read_bytes() + json.dumps(tables, sort_keys=True).encode()
        return {
            "python": sysconfig.get_python_version(),
            "checkout": str(self.checkout),
            "needs": hashlib.sha256(pinned).hexdigest(),
        }

    def project(self) -> dict[str, Any]:
        """Return what pyproject.toml says."""
        return tomllib.loads((self.checkout / "pyproject.toml").read_text(encoding="utf-8"))

    def write_stamp(self, stamp: dict[str, Any]) -> None:
        """Say what the environment was made for and holds: `identity` and "parts"."""
        # Half of it is none. Not renamed: Windows refuses that while a virus scanner looks at what is new.
        self.stamp.write_text(json.dumps(stamp), encoding="utf-8")
