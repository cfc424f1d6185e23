"""Linter, type checker and tests."""

import os
import subprocess

from . import libraries
from .display import has_screen, screen
from .environment import Environment
from .messages import _, say

CHECKS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "mypy installer": ["mypy", "--strict", "installer/steps"],
}


def check(environment: Environment, arguments: list[str]) -> int:
    """Run every check whatever fails, with `arguments` for pytest; return the first exit code but 0."""
    if not has_screen(os.environ):
        # Not with the other libraries: the environment may have been made under a screen.
        libraries.install(libraries.missing(virtual_screen=True))
    codes = {}
    with screen(environment.variables(os.environ)) as variables:
        for name, command in (CHECKS | {"pytest": ["pytest", *arguments]}).items():
            say(name)
            run = [str(environment.python), "-m", *command]
            codes[name] = subprocess.run(run, env=variables, cwd=environment.checkout).returncode
    for name, code in codes.items():
        say(f"{name}: " + (_("ok") if code == 0 else _("failed (exit code {code})").format(code=code)))
    return next((abs(code) for code in codes.values() if code), 0)
