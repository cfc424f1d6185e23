"""The virtual environment in `.venv`: when it is ready, how it is made, mended and filled."""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .messages import SetupError, _, say
from .pip import run_pip, torch_is_cuda

GB = 10**9
# Measured with the pinned versions and rounded up: on the disk of `.venv`, and for temporary files.
SPACE_MENDING = (1 * GB, 1 * GB)
SPACE_CPU = (3 * GB, 1 * GB)
SPACE_CUDA = (9 * GB, 4 * GB)
CUDA_DOWNLOAD_GB = 3


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
        stamp = self._read_stamp()
        return set(stamp["parts"]) if stamp | self._identity() == stamp and self.python.exists() else set()

    def prepare(self, parts: set[str], index_url: str | None) -> None:
        """Make, mend and fill the environment until it holds `parts`. Raises `SetupError`."""
        stamp = self._read_stamp()
        parts = parts | set(stamp.get("parts", []))
        if not self._fits(stamp):
            self._make()
        self.stamp.unlink(missing_ok=True)
        self._drop_half_installed()
        self._install("tests" in parts, index_url)
        fresh = self.stamp.with_suffix(".new")
        fresh.write_text(json.dumps(self._identity() | {"parts": sorted(parts)}), encoding="utf-8")
        fresh.replace(self.stamp)

    def _read_stamp(self) -> dict[str, Any]:
        try:
            stamp: dict[str, Any] = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp

    def _identity(self) -> dict[str, str]:
        project = self._project()
        tables = [project["build-system"], project["project"], project["tool"]["setuptools"]]
        pinned = self.constraints.read_bytes() + json.dumps(tables, sort_keys=True).encode()
        return {
            "python": sysconfig.get_python_version(),
            "checkout": str(self.checkout),
            "needs": hashlib.sha256(pinned).hexdigest(),
        }

    def _project(self) -> dict[str, Any]:
        return tomllib.loads((self.checkout / "pyproject.toml").read_text(encoding="utf-8"))

    def _fits(self, stamp: dict[str, Any]) -> bool:
        """Tell whether the folder can be kept; say why where it cannot."""
        if not os.path.lexists(self.folder):
            return False
        moved = stamp.get("checkout", str(self.checkout)) != str(self.checkout)
        if moved:
            say(_("The checkout was moved from {folder}.").format(folder=stamp["checkout"]))
            return False
        probe = "import os, pip, sys; print(*sys.version_info[:2], os.path.samefile(sys.prefix, sys.argv[1]))"
        command = [str(self.python), "-Ic", probe, str(self.folder)]
        try:
            answer = subprocess.run(command, capture_output=True, text=True).stdout
        except OSError:
            answer = ""
        if answer.split() == [*sysconfig.get_python_version().split("."), "True"]:
            return True
        say(_("What is in {folder} is broken, half made, or of another Python.").format(folder=self.folder))
        return False

    def _make(self) -> None:
        if os.path.lexists(self.folder):
            say(_("Removing {folder}.").format(folder=self.folder))
            self._remove()
        if not importlib.util.find_spec("ensurepip"):
            self._provide_venv_module()
        say(
            _("Making an environment of Python {version} in {folder}.").format(
                version=sysconfig.get_python_version(), folder=self.folder
            )
        )
        # From within a virtual environment, its own base: `.venv` must not depend on another one.
        base = getattr(sys, "_base_executable", sys.executable)
        if subprocess.run([base, "-m", "venv", self.folder]).returncode:
            raise SetupError(
                _(
                    "Python could not make {folder}; its own words are above. Check that the folder "
                    "is writable and the disk not full, then run the same command again."
                ).format(folder=self.folder)
            )

    def _remove(self) -> None:
        try:
            if self.folder.is_dir() and not self.folder.is_symlink():
                shutil.rmtree(self.folder)
            else:
                self.folder.unlink()
        except OSError as error:
            raise SetupError(
                _(
                    "Close what still uses {folder}, delete it, and run the same command again ({reason})."
                ).format(folder=self.folder, reason=error)
            ) from error

    @staticmethod
    def _provide_venv_module() -> None:
        if not shutil.which("apt-get"):
            raise SetupError(
                _("This Python lacks its module ensurepip. Install the system package that holds it.")
            )
        from .libraries import apt_install

        apt_install([f"python{sysconfig.get_python_version()}-venv"])

    def _site_packages(self) -> Path:
        base = {"base": str(self.folder), "platbase": str(self.folder)}
        return Path(sysconfig.get_path("purelib", "venv", base))

    def _drop_half_installed(self) -> None:
        """Forget packages whose installing was interrupted, which pip would take for installed."""
        for record in self._site_packages().glob("*.dist-info"):
            # pip writes this file after all others of a package.
            if not (record / "INSTALLER").exists():
                say(_("Installing {name} was interrupted: doing it again.").format(name=record.stem))
                shutil.rmtree(record)

    def _install(self, tests: bool, index_url: str | None) -> None:
        project = self._project()
        wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
        if tests:
            wanted += project["project"]["optional-dependencies"]["test"]
        self._prepare_torch(["--index-url", index_url] if index_url else [])
        say(_("Installing packages; the first time takes a few minutes."))
        run_pip(self.python, ["install", "--constraint", str(self.constraints), *wanted])
        say(_("Installing AllXAI Desktop itself, in place."))
        in_place = ["--no-deps", "--no-build-isolation", "--editable", str(self.checkout)]
        run_pip(self.python, ["install", *in_place])

    def _prepare_torch(self, source: list[str]) -> None:
        """Check the disk for the build of torch that pip would take; install it if `source` is given."""
        pins = self.constraints.read_text(encoding="utf-8").split()
        torch = [pin for pin in pins if pin.startswith(("torch==", "torchvision=="))]
        here = self._site_packages().glob(f"{torch[0].replace('==', '-')}*.dist-info")
        if any(here):
            check_space(self.folder, *SPACE_MENDING)
            return
        say(_("Looking which build of {torch} there is.").format(torch=torch[0]))
        space = SPACE_CPU
        if sys.platform == "linux" and torch_is_cuda(self.python, torch[0], source):
            space = SPACE_CUDA
            say(
                _(
                    "It is the build with CUDA: about {download} GB to download and {disk} GB on disk. "
                    "Without an NVIDIA card, stop (Ctrl+C) and give --index-url the address of a CPU build."
                ).format(download=CUDA_DOWNLOAD_GB, disk=SPACE_CUDA[0] // GB)
            )
        check_space(self.folder, *space)
        if source:
            # Such an index may hold nothing but torch, and other versions of what torch needs.
            run_pip(self.python, ["install", "--no-deps", *source, *torch])


def check_space(folder: Path, disk: int, temporary: int) -> None:
    """Raise `SetupError` unless `disk` bytes are free for `folder` and `temporary` for temporary files."""
    import tempfile

    temp = Path(tempfile.gettempdir())
    if folder.stat().st_dev == temp.stat().st_dev:
        needs: Iterable[tuple[Path, int]] = [(folder, disk + temporary)]
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
