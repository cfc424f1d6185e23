"""The commands of `bootstrap.py`: run, shortcut, test, exec."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from .environment import Environment
from .messages import SetupError, _, say

CHECKOUT = Path(__file__).resolve().parents[2]
# Who uses `exec` is at work on the code, and wants its tools.
PARTS = {
    "run": {"packages", "window"},
    "shortcut": {"packages", "window"},
    "test": {"packages", "window", "tests"},
    "exec": {"packages", "tests"},
}


def main(arguments: list[str], usage: str) -> int:
    """Do what `arguments` ask for; return the exit code."""
    if not arguments or arguments[0] not in PARTS:
        print(usage.strip())
        return 0 if arguments in (["-h"], ["--help"]) else 2
    command, *rest = arguments
    index_url = None
    if rest[:1] == ["--index-url"]:
        index_url, rest = "".join(rest[1:2]), rest[2:]
    elif rest and rest[0].startswith("--index-url="):
        index_url, rest = rest[0].partition("=")[2], rest[1:]
    if command == "exec":
        rest = rest[1:] if rest[:1] == ["--"] else rest
    if index_url == "" or (command == "exec" and not rest) or (command == "shortcut" and rest):
        print(usage.strip())
        return 2
    environment = Environment(CHECKOUT)
    try:
        prepare(environment, PARTS[command], index_url)
        if command == "test":
            from .checks import check

            return check(environment, rest)
        if command == "shortcut":
            from .shortcut import put_into_menu

            text = _(
                "AllXAI Desktop is in the menu of programs now ({path}). After moving {folder}, run this command again."
            )
            say(text.format(path=put_into_menu(environment), folder=environment.checkout))
            return 0
        if command == "run":
            rest = [str(environment.python), "-P", "-m", "allxai_desktop", *rest]
        become(environment, rest)
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say(_("Stopped. Run the same command again to go on."))
        return 130


def prepare(environment: Environment, parts: set[str], index_url: str | None) -> None:
    """Bring `environment` to hold `parts`; a few milliseconds where it does. Raises `SetupError`."""
    if parts <= environment.parts():
        return
    with _alone(environment.checkout):
        if parts <= environment.parts():
            return
        # Here and below: not before it is known that they are needed, so that a second run starts at once.
        import time

        from . import libraries
        from .install import install

        start = time.monotonic()
        if "window" in parts:
            libraries.install(libraries.missing(virtual_screen=False))
        install(environment, parts, index_url)
        say(_("The environment is ready ({seconds:.0f} s).").format(seconds=time.monotonic() - start))


@contextmanager
def _alone(checkout: Path) -> Iterator[None]:
    """Let one set-up at a time work on a checkout. Raises `SetupError` where nothing may be written."""
    try:
        lock = (checkout / ".venv.lock").open("w")
    except OSError as error:
        raise SetupError(
            _(
                "{folder} cannot be written ({reason}). Make it writable and run the same command again."
            ).format(folder=checkout, reason=error.strerror)
        ) from error
    with lock:
        if sys.platform == "win32":
            import msvcrt

            try:
                msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)
            except OSError as error:  # after ten seconds
                raise SetupError(
                    _("Another set-up works on this checkout. Run the same command again when it is done.")
                ) from error
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def become(environment: Environment, command: list[str]) -> NoReturn:
    """Put `command` in the place of this process, inside the environment."""
    import shutil

    variables = environment.variables(os.environ)
    program = shutil.which(command[0], path=variables["PATH"])
    if program is None:
        raise SetupError(
            _("There is no command {name} in the environment or the system.").format(name=command[0])
        )
    sys.stdout.flush()
    if os.name == "nt":
        # There `exec` would give the prompt back while the program still runs.
        sys.exit(run_to_its_end([program, *command[1:]], variables))
    os.execve(program, command, variables)


def run_to_its_end(command: list[str], variables: dict[str, str]) -> int:
    """Return the exit code of `command`, which Ctrl+C reaches, too: it ends by itself, and is not killed."""
    import subprocess

    with subprocess.Popen(command, env=variables) as process:
        while True:
            with suppress(KeyboardInterrupt):
                return process.wait()
