"""The set-up, in a small checkout of its own with packages made here, so without a network."""

import ast
import json
import locale
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from steps import commands, display, environment, install, libraries, messages, pip

INSTALLER = Path(__file__).parents[2] / "installer"
BACKEND = """
import zipfile
from pathlib import Path

def build_editable(folder, config_settings=None, metadata_directory=None):
    info = "allxai_desktop-0.1.0.dist-info"
    with zipfile.ZipFile(Path(folder) / "allxai_desktop-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("allxai.pth", str(Path(__file__).parent))
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: allxai-desktop\\nVersion: 0.1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return "allxai_desktop-0.1.0-py3-none-any.whl"
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "allxai-desktop"
version = "0.1.0"
dependencies = ["torch==2.13.0"]
[project.optional-dependencies]
test = ["checkers==1.0"]
[tool.setuptools]
packages = []
"""


def make_wheel(folder: Path, name: str, version: str, modules: dict[str, str], needs: str = "") -> None:
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for module, code in modules.items():
            wheel.writestr(f"{module}.py", code)
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


class Checkout:
    """A checkout with the real installer, a project of one module, and a folder of wheels for pip."""

    def __init__(self, folder: Path) -> None:
        # Labs have such folders.
        self.folder = folder / "la copia de Núñez"
        self.wheels = folder / "wheels"
        self.home = folder / "home"
        for path in (self.wheels, self.home, self.folder / "allxai_desktop"):
            path.mkdir(parents=True)
        shutil.copytree(INSTALLER, self.folder / "installer", ignore=shutil.ignore_patterns("__pycache__"))
        (self.folder / "backend.py").write_text(BACKEND)
        (self.folder / "pyproject.toml").write_text(PROJECT)
        (self.folder / "installer" / "constraints.txt").write_text("torch==2.13.0\ncheckers==1.0\n")
        (self.folder / "allxai_desktop" / "__init__.py").touch()
        (self.folder / "allxai_desktop" / "__main__.py").write_text(
            "import sys, torch\nprint('window', sys.argv[1:])\n"
        )
        says = "import sys\nprint(__name__, __file__.rpartition('/')[2], sys.argv[1:])\n"
        checkers = {"ruff": says + "sys.exit(3)", "mypy": says, "pytest": says + "sys.exit(5)"}
        make_wheel(self.wheels, "torch", "2.13.0", {"torch": ""})
        make_wheel(self.wheels, "checkers", "1.0", checkers)

    @property
    def venv(self) -> Path:
        return self.folder / ".venv"

    @property
    def stamp(self) -> Path:
        return self.venv / "allxai-stamp.json"

    def site(self, name: str) -> Path:
        (found,) = self.venv.rglob(f"site-packages/{name}")
        return found

    def bootstrap(self, *arguments: str, **variables: str) -> SimpleNamespace:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "LANG"))}
        environ |= {"HOME": str(self.home), "PIP_CONFIG_FILE": os.devnull, "LC_ALL": "C.UTF-8"}
        environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_CACHE_DIR": str(self.home)}
        command = [sys.executable, self.folder / "installer" / "bootstrap.py", *arguments]
        done = subprocess.run(command, env=environ | variables, capture_output=True, text=True, cwd=self.home)
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Checkout:
    """Return a checkout that was set up once; tests mend what they break."""
    checkout = Checkout(tmp_path_factory.mktemp("made"))
    first = checkout.bootstrap("run", "cell.png", "--json")
    assert first.code == 0, first.out + first.err
    assert "Making an environment" in first.out
    assert first.out.endswith("window ['cell.png', '--json']\n")
    return checkout


@pytest.fixture
def fresh(tmp_path) -> Checkout:
    return Checkout(tmp_path)


@pytest.mark.slow
def test_second_run_only_starts_the_program(made):
    again = made.bootstrap("run", "--version")
    assert (again.code, again.out, again.err) == (0, "window ['--version']\n", "")


@pytest.mark.slow
def test_second_run_leaves_the_environment_as_it_is(made):
    def written() -> dict[Path, int]:
        files = (path for path in made.venv.rglob("*") if "__pycache__" not in path.parts)
        return {path: path.stat().st_mtime_ns for path in files}

    before = written()
    made.bootstrap("run")
    assert written() == before


@pytest.mark.slow
def test_interrupted_installing_is_done_again(made):
    made.stamp.unlink()
    made.site("torch.py").unlink()
    (made.site("torch-2.13.0.dist-info") / "INSTALLER").unlink()
    mended = made.bootstrap("run")
    assert "torch-2.13.0 was interrupted" in mended.out
    assert "Making an environment" not in mended.out
    assert mended.out.endswith("window []\n")


@pytest.mark.slow
def test_changed_constraints_are_installed_into_the_same_environment(made):
    constraints = made.folder / "installer" / "constraints.txt"
    constraints.write_text(constraints.read_text() + "other==1.0\n")
    changed = made.bootstrap("run")
    assert "Installing packages" in changed.out
    assert "Making an environment" not in changed.out
    assert "Installing packages" not in made.bootstrap("run").out


@pytest.mark.slow
def test_environment_without_an_interpreter_is_made_anew(made):
    shutil.rmtree(made.venv)
    made.venv.mkdir()
    anew = made.bootstrap("exec", "--", "python", "-c", "import torch")
    assert (anew.code, anew.err) == (0, "")
    assert "half made" in anew.out


@pytest.mark.slow
def test_moved_checkout_gets_a_new_environment(made):
    old, new = made.folder, made.folder.with_name("moved")
    old.rename(new)
    made.folder = new
    assert f"was moved from {old}" in made.bootstrap("run").out
    script = (new / ".venv" / "bin" / "pip").read_text()
    assert str(old) not in script


@pytest.mark.slow
def test_exec_sets_the_environment_and_hands_on_the_exit_code(made):
    code = "import os, sys; print(sys.prefix == os.environ['VIRTUAL_ENV'], os.getcwd()); sys.exit(7)"
    done = made.bootstrap("exec", "--", "python", "-c", code)
    assert (done.code, done.out.splitlines()[-1]) == (7, f"True {made.home}")


@pytest.mark.slow
def test_exec_of_a_missing_command_says_so(made):
    done = made.bootstrap("exec", "--", "no-such-command")
    assert done.code == 1
    assert "no command no-such-command" in done.out


@pytest.mark.slow
def test_test_runs_every_check_whatever_fails(made):
    done = made.bootstrap("test", "-m", "not slow", DISPLAY=":0")
    assert done.code == 3
    assert "__main__ pytest.py ['-m', 'not slow']" in done.out
    results = [line for line in done.out.splitlines() if ": ok" in line or ": failed" in line]
    assert results == [
        "allxai: ruff check: failed (exit code 3)",
        "allxai: ruff format: failed (exit code 3)",
        "allxai: mypy: ok",
        "allxai: mypy installer: ok",
        "allxai: pytest: failed (exit code 5)",
    ]


@pytest.mark.slow
def test_cuda_build_is_announced_before_it_is_downloaded(fresh):
    needs = 'Requires-Dist: nvidia-cudnn-cu13==9.20.0.48; platform_system == "Linux"\n'
    make_wheel(fresh.wheels, "torch", "2.13.0", {"torch": ""}, needs)
    failed = fresh.bootstrap("exec", "--", "python")
    assert "about 3 GB to download" in failed.out
    assert "found no nvidia-cudnn-cu13==9.20.0.48 at all" in failed.out
    assert not fresh.stamp.exists()


@pytest.mark.slow
def test_registry_out_of_reach_is_told_and_mended_by_running_again(fresh):
    offline = {
        "PIP_NO_INDEX": "0",
        "PIP_FIND_LINKS": "",
        "PIP_INDEX_URL": "http://127.0.0.1:9",
        "PIP_RETRIES": "1",
    }
    failed = fresh.bootstrap("run", **offline)
    assert failed.code == 1
    assert "registry could not be reached" in failed.out
    assert fresh.bootstrap("run").out.endswith("window []\n")


@pytest.mark.slow
def test_index_url_serves_torch_alone(fresh):
    index = fresh.home / "index" / "torch"
    index.mkdir(parents=True)
    wheel = "torch-2.13.0-py3-none-any.whl"
    (fresh.wheels / wheel).rename(index / wheel)
    (index / "index.html").write_text(f'<a href="{wheel}">{wheel}</a>')
    url = index.parent.as_uri()
    done = fresh.bootstrap("run", "--index-url", url, "cell.png", PIP_NO_INDEX="0")
    assert done.out.endswith("window ['cell.png']\n"), done.out + done.err


@pytest.mark.parametrize("arguments", [[], ["start"], ["exec", "--"], ["run", "--index-url"]])
def test_wrong_use_shows_the_usage(arguments, capsys):
    assert commands.main(arguments, "usage") == 2
    assert capsys.readouterr().out == "usage\n"


def test_old_pythons_can_parse_the_file_that_sends_them_away():
    tree = ast.parse((INSTALLER / "bootstrap.py").read_text())
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.FunctionDef, ast.ClassDef, ast.Match, ast.With)
    assert not [node for node in ast.walk(tree) if isinstance(node, newer)]
    imported = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    gate = next(node.lineno for node in tree.body if isinstance(node, ast.If))
    assert [ast.unparse(node) for node in imported if node.lineno < gate] == ["import sys"]


@pytest.mark.parametrize("version", [(2, 7), (3, 10), (3, 15)])
@pytest.mark.parametrize(("system", "called"), [("linux", "python3.11 "), ("win32", "py -3.11 ")])
def test_other_pythons_are_told_which_ones_will_do(version, system, called):
    code = (
        f"import runpy, sys; sys.version_info = {(*version, 1, 'final', 0)}; sys.platform = {system!r};"
        f"runpy.run_path({str(INSTALLER / 'bootstrap.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert (
        "this is Python {}.{}, but AllXAI Desktop needs Python 3.11 to 3.14".format(*version) in done.stderr
    )
    assert f"for instance: {called}installer" in done.stderr


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "Make room"),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError'\n"
            "ERROR: No matching distribution found for torch==2.13.0",
            "Check the network",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: none)\n"
            "ERROR: No matching distribution found for torch==2.13.0",
            "found no torch==2.13.0 at all",
        ),
        ("ERROR: No matching distribution found for torch==2.13.0", "has no torch==2.13.0 for Python"),
        ("ERROR: Could not install: [Errno 13] Permission denied: 'x'", "writable"),
        (
            "ERROR: Could not install packages due to an OSError: [WinError 5] Acceso denegado: 'torch.dll'",
            "Close AllXAI Desktop",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 2] No such file or directory: 'x'\n"
            "HINT: This error might have occurred since this system does not have Windows Long Path support enabled.",
            "short folder",
        ),
        ("Segmentation fault", "without .venv"),
    ],
)
def test_each_failure_of_pip_names_its_mend(words, mend):
    assert mend in pip.diagnose(words)


def test_too_little_room_is_told_before_anything_is_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2.5e9))
    with pytest.raises(messages.SetupError, match=r"has 2\.5 GB free, but 3\.0 GB"):
        install.check_space(tmp_path, int(2e9), int(1e9))
    install.check_space(tmp_path, int(1.5e9), int(1e9))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Spanish_Mexico", "Detenido."), ("English_United States", "Stopped."), (None, "Stopped.")],
)
def test_language_of_a_system_without_variables_for_it(monkeypatch, name, expected):
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(locale, "getlocale", lambda: (name, "1252"))
    messages._catalogue.cache_clear()
    assert messages._("Stopped.") == expected
    messages._catalogue.cache_clear()


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl+C to the tests as well")
def test_a_program_that_ends_by_itself_after_ctrl_c_is_waited_for(tmp_path):
    waits = """
import os, signal, time
time.sleep(0.1)
os.kill(os.getppid(), signal.SIGINT)
time.sleep(1)
open("ended", "w").close()
raise SystemExit(130)
"""
    starts = f"""
import os, sys
from steps.commands import run_to_its_end
sys.exit(run_to_its_end([sys.executable, "-c", {waits!r}], dict(os.environ)))
"""
    command = [sys.executable, "-c", starts]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(INSTALLER)})
    assert done.returncode == 130
    assert (tmp_path / "ended").exists()


def test_folder_that_cannot_be_written_is_told(tmp_path):
    checkout = Checkout(tmp_path)
    (checkout.folder / ".venv.lock").mkdir()  # which stops even root from writing a file of that name
    with pytest.raises(messages.SetupError, match="cannot be written"):
        commands.prepare(environment.Environment(checkout.folder), {"packages"}, None)


def test_half_a_stamp_is_none(tmp_path):
    ours = environment.Environment(Checkout(tmp_path).folder)
    ours.scripts.mkdir(parents=True)
    ours.python.touch()
    ours.write_stamp(ours.identity() | {"parts": ["packages"]})
    assert ours.parts() == {"packages"}
    whole = ours.stamp.read_text(encoding="utf-8")
    for length in range(len(whole)):
        ours.stamp.write_text(whole[:length], encoding="utf-8")
        assert ours.parts() == set()


def test_environment_of_other_needs_is_not_ready(tmp_path):
    checkout = Checkout(tmp_path)
    ours = environment.Environment(checkout.folder)
    ours.scripts.mkdir(parents=True)
    ours.python.touch()
    ours.stamp.write_text(json.dumps({**ours.identity(), "parts": ["packages"]}))
    assert ours.parts() == {"packages"}
    (checkout.folder / "pyproject.toml").write_text(PROJECT.replace("checkers==1.0", "checkers==1.1"))
    assert ours.parts() == set()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has system packages")
class TestSystemLibraries:
    @pytest.fixture
    def apt(self, tmp_path, monkeypatch) -> Path:
        """Put an apt-get in the path that writes down its arguments and fails until it has had an update."""
        log = tmp_path / "log"
        script = tmp_path / "apt-get"
        script.write_text(f'#!/bin/sh\necho "$@" >> {log}\ngrep -q update {log}\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return log

    def test_absent_library_is_found(self, monkeypatch):
        monkeypatch.setattr(libraries, "WINDOW", {"libc.so.6": "libc6", "libno-such.so.1": "libno-such1"})
        monkeypatch.setattr(libraries, "_has_font", lambda: True)
        assert libraries.missing(virtual_screen=False) == {"libno-such.so.1": "libno-such1"}

    def test_root_gets_them_installed_with_fresh_lists_where_needed(self, apt, monkeypatch):
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        libraries.install({"libb.so": "b", "liba.so": "a"})
        install = "install -y --no-install-recommends a b"
        assert apt.read_text().splitlines() == [install, "update", install]

    def test_others_are_told_the_command(self, apt, monkeypatch):
        monkeypatch.setattr(libraries, "_as_root", lambda: None)
        with pytest.raises(messages.SetupError, match=r"sudo apt-get install -y a b$"):
            libraries.install({"libb.so": "b", "liba.so": "a"})
        assert not apt.exists()

    def test_without_apt_the_libraries_are_named(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(messages.SetupError, match=r"lacks what the window needs: liba\.so"):
            libraries.install({"liba.so": "a"})


def test_users_own_screen_is_kept():
    with display.screen({"DISPLAY": ":7"}) as variables:
        assert variables == {"DISPLAY": ":7"}


@pytest.mark.skipif(not shutil.which("Xvfb"), reason="needs Xvfb")
def test_virtual_screen_lives_as_long_as_it_is_needed():
    with display.screen({"PATH": os.environ["PATH"]}) as variables:
        socket = Path("/tmp/.X11-unix/X" + variables["DISPLAY"].removeprefix(":"))
        assert socket.exists()
    assert not socket.exists()
    assert variables["LIBGL_ALWAYS_SOFTWARE"] == "1"
