"""Making, mending and filling the virtual environment."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from .environment import Environment
from .libraries import apt_install
from .messages import SetupError, _, say
from .pip import run_pip, torch_is_cuda

GB = 10**9
# Measured with the pinned versions and rounded up: on the disk of `.venv`, and for temporary files.
SPACE_MENDING = (1 * GB, 1 * GB)
SPACE_CPU = (3 * GB, 1 * GB)
SPACE_CUDA = (9 * GB, 4 * GB)
CUDA_DOWNLOAD_GB = 3


def install(environment: Environment, parts: set[str], index_url: str | None) -> None:
    """Make, mend and fill `environment` until it holds `parts` beside what it held. Raises `SetupError`."""
    stamp = environment.read_stamp()
    parts = parts | set(stamp.get("parts", []))
    # As it is now: whoever changes pyproject.toml meanwhile gets another round.
    identity = environment.identity()
    if not _can_be_kept(environment, stamp):
        _make(environment)
    environment.stamp.unlink(missing_ok=True)
    _drop_half_installed(environment)
    _fill(environment, "tests" in parts, index_url)
    environment.write_stamp(identity | {"parts": sorted(parts)})


def _can_be_kept(environment: Environment, stamp: dict[str, Any]) -> bool:
    """Tell whether there is an environment that pip can mend; say why where there is another thing."""
    folder = environment.folder
    if not os.path.lexists(folder):
        return False
    # Its scripts hold the old path.
    if stamp.get("checkout", str(environment.checkout)) != str(environment.checkout):
        say(_("The checkout was moved from {folder}.").format(folder=stamp["checkout"]))
        return False
    probe = "import os, pip, sys; print(*sys.version_info[:2], os.path.samefile(sys.prefix, sys.argv[1]))"
    command = [str(environment.python), "-Ic", probe, str(folder)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True).stdout
    except OSError:
        answer = ""
    if answer.split() == [*sysconfig.get_python_version().split("."), "True"]:
        return True
    say(_("What is in {folder} is broken, half made, or of another Python.").format(folder=folder))
    return False


def _make(environment: Environment) -> None:
    folder, version = environment.folder, sysconfig.get_python_version()
    if os.path.lexists(folder):
        say(_("Removing {folder}.").format(folder=folder))
        _remove(folder)
    if not importlib.util.find_spec("ensurepip"):
        if not shutil.which("apt-get"):
            raise SetupError(
                _("This Python lacks its module ensurepip. Install the system package that holds it.")
            )
        apt_install([f"python{version}-venv"])
    say(_("Making an environment of Python {version} in {folder}.").format(version=version, folder=folder))
    # From within a virtual environment, its own base: `.venv` must not depend on another one.
    base = getattr(sys, "_base_executable", sys.executable)
    if subprocess.run([base, "-m", "venv", folder]).returncode:
        raise SetupError(
            _(
                "Python could not make {folder}; its own words are above. Check that the folder "
                "is writable and the disk not full, then run the same command again."
            ).format(folder=folder)
        )


def _remove(folder: Path) -> None:
    try:
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
        else:
            folder.unlink()
    except OSError as error:
        raise SetupError(
            _("Close what still uses {folder}, delete it, and run the same command again ({reason}).").format(
                folder=folder, reason=error
            )
        ) from error


def _site_packages(environment: Environment) -> Path:
    base = {"base": str(environment.folder), "platbase": str(environment.folder)}
    return Path(sysconfig.get_path("purelib", "venv", base))


def _drop_half_installed(environment: Environment) -> None:
    """Forget packages whose installing was interrupted, which pip would take for installed."""
    for record in _site_packages(environment).glob("*.dist-info"):
        # pip writes this file after all others of a package.
        if not (record / "INSTALLER").exists():
            say(_("Installing {name} was interrupted: doing it again.").format(name=record.stem))
            shutil.rmtree(record)


def _fill(environment: Environment, tests: bool, index_url: str | None) -> None:
    project = environment.project()
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    if tests:
        wanted += project["project"]["optional-dependencies"]["test"]
    _prepare_torch(environment, ["--index-url", index_url] if index_url else [])
    say(_("Installing packages; the first time takes a few minutes."))
    run_pip(environment.python, ["install", "--constraint", str(environment.constraints), *wanted])
    say(_("Installing AllXAI Desktop itself, in place."))
    in_place = ["--no-deps", "--no-build-isolation", "--editable", str(environment.checkout)]
    run_pip(environment.python, ["install", *in_place])


def _prepare_torch(environment: Environment, source: list[str]) -> None:
    """Check the disk for the build of torch that pip would take; install it if `source` is given."""
    pins = environment.constraints.read_text(encoding="utf-8").split()
    torch = [pin for pin in pins if pin.startswith(("torch==", "torchvision=="))]
    here = _site_packages(environment).glob(f"{torch[0].replace('==', '-')}*.dist-info")
    if any(here):
        check_space(environment.folder, *SPACE_MENDING)
        return
    say(_("Looking which build of {torch} there is.").format(torch=torch[0]))
    space = SPACE_CPU
    if sys.platform == "linux" and torch_is_cuda(environment.python, torch[0], source):
        space = SPACE_CUDA
        say(
            _(
                "It is the build with CUDA: about {download} GB to download and {disk} GB on disk. "
                "Without an NVIDIA card, stop (Ctrl+C) and give --index-url the address of a CPU build."
            ).format(download=CUDA_DOWNLOAD_GB, disk=SPACE_CUDA[0] // GB)
        )
    check_space(environment.folder, *space)
    if source:
        # Such an index may hold nothing but torch, and other versions of what torch needs.
        run_pip(environment.python, ["install", "--no-deps", *source, *torch])


def check_space(folder: Path, disk: int, temporary: int) -> None:
    """Raise `SetupError` unless `disk` bytes are free for `folder` and `temporary` for temporary files."""
    temp = Path(tempfile.gettempdir())
    if folder.stat().st_dev == temp.stat().st_dev:
        needs = [(folder, disk + temporary)]
    else:
        needs = [(folder, disk), (temp, temporary)]
    for place, need in needs:
        free = shutil.disk_usage(place).free
        if free < need:
            raise SetupError(
                _(
                    "The disk of {folder} has {free:.1f} GB free, but {need:.1f} GB are needed. Make room, "
                    "or use another disk (for temporary files, set TMPDIR to a folder on it), and run the "
                    "same command again."
                ).format(folder=place, free=free / GB, need=need / GB)
            )
