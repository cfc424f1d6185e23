"""What the parts may import, and whether all of them reach the user's machine."""

import ast
import fnmatch
import importlib.metadata
import itertools
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[1]
SETUPTOOLS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["setuptools"]
CORE = CHECKOUT / "allxai_desktop"
PLUGINS = CHECKOUT / "plugins"
RESOURCES = CHECKOUT / "resources"
# Only who trains the networks anew needs them, and only together with images that are not in the repository.
NOT_INSTALLED = RESOURCES / "training_masks"
WINDOW = {"qtpy", "PySide6", "shiboken6", "superqt", "magicgui", "napari", "vispy", "app_model"}


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of every module that a file of the core or the plugins imports, wherever in it."""
    root = CHECKOUT if path.is_relative_to(CORE) else PLUGINS
    package = path.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join(filter(None, [*above, node.module]))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def core_files() -> list[Path]:
    return [path for path in CORE.rglob("*.py") if not path.is_relative_to(CORE / "app")]


def is_in(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def test_every_package_is_in_the_list_that_setuptools_installs():
    roots = {CORE: "allxai_desktop", **{path: path.name for path in PLUGINS.iterdir() if path.is_dir()}}
    found = {"allxai_resources"} | {
        ".".join([name, *path.parent.relative_to(root).parts])
        for root, name in roots.items()
        for path in root.rglob("*.py")
    }
    assert found == set(SETUPTOOLS["packages"])


def test_every_package_has_an_init_file():
    folders = {path.parent for root in (CORE, PLUGINS) for path in root.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_top_level_package_has_its_folder():
    folders = {
        name: SETUPTOOLS["package-dir"].get(name) for name in SETUPTOOLS["packages"] if "." not in name
    }
    assert [name for name, folder in folders.items() if not folder or not (CHECKOUT / folder).is_dir()] == []


def test_every_resource_is_in_the_package_data():
    patterns = SETUPTOOLS["package-data"]["allxai_resources"]
    files = {path for path in RESOURCES.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}}
    assert files
    files -= set(NOT_INSTALLED.rglob("*"))
    assert files - {path for pattern in patterns for path in RESOURCES.glob(pattern)} == set()


def test_manifest_is_valid_and_named_as_the_distribution():
    from npe2 import PluginManifest

    manifest = PluginManifest.from_distribution("allxai-desktop")
    manifest.validate_imports()
    assert manifest.name == "allxai-desktop"


@pytest.mark.slow
def test_wheel_holds_every_module_and_resource(tmp_path):
    # From a copy: setuptools leaves a `build` folder, whose old files would get into later wheels.
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (tmp_path / name).write_bytes((CHECKOUT / name).read_bytes())
    for name in ("allxai_desktop", "plugins", "resources"):
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = ["pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", "dist", "."]
    subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("dist/*.whl")
    sources = {CORE: "allxai_desktop", RESOURCES: "allxai_resources"}
    sources |= {path: path.name for path in PLUGINS.iterdir() if path.is_dir()}
    wanted = {
        str(Path(name, path.relative_to(root)))
        for root, name in sources.items()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.is_relative_to(NOT_INSTALLED)
    }
    with zipfile.ZipFile(wheel) as archive:
        assert wanted - set(archive.namelist()) == set()
        (entries,) = (name for name in archive.namelist() if name.endswith("dist-info/entry_points.txt"))
        assert "allxai = allxai_desktop.cli:main" in archive.read(entries).decode()


def test_core_imports_neither_qt_nor_napari():
    found = {path: {name for name in imports(path) if name.split(".")[0] in WINDOW} for path in core_files()}
    assert {path: names for path, names in found.items() if names} == {}


def test_core_knows_neither_the_plugins_nor_the_window():
    plugins = [path.name for path in PLUGINS.iterdir()]
    # The command line opens the window.
    files = [path for path in core_files() if path != CORE / "cli.py"]
    found = {
        (path, name)
        for path in files
        for name in imports(path)
        if any(is_in(name, other) for other in (*plugins, "allxai_desktop.app"))
    }
    assert found == set()


def test_packages_of_the_core_know_each_other_one_way_only():
    known: dict[str, set[str]] = {}
    for path in core_files():
        part = path.relative_to(CORE).with_suffix("").parts[0]
        others = {name.split(".")[1] for name in imports(path) if name.startswith("allxai_desktop.")} - {part}
        if path.parent == CORE:
            # Modules beside each other may be halves of one thing, as `session` and `session_engine`.
            others = {name for name in others if (CORE / name).is_dir()}
        known[part] = known.get(part, set()) | others
    # Raises `CycleError` with those that know each other.
    assert set(TopologicalSorter(known).static_order()) >= {"images", "study", "training"}


def test_plugins_do_not_know_the_window():
    found = {(path, name) for path in PLUGINS.rglob("*.py") for name in imports(path)}
    assert {pair for pair in found if is_in(pair[1], "allxai_desktop.app")} == set()


def test_plugins_know_only_those_before_them():
    order = [
        "napari_allxai_widgets",
        "napari_allxai_annotate",
        "napari_allxai_explain",
        "napari_allxai_train",
    ]
    assert sorted(order) == sorted(path.name for path in PLUGINS.iterdir() if path.is_dir())
    found = {
        (path, name)
        for place, package in enumerate(order)
        for path in (PLUGINS / package).rglob("*.py")
        for name in imports(path)
        if any(is_in(name, later) for later in order[place + 1 :])
    }
    assert found == set()


def test_the_shared_widgets_know_nothing_of_napari():
    found = {name for path in (PLUGINS / "napari_allxai_widgets").rglob("*.py") for name in imports(path)}
    assert [name for name in found if is_in(name, "napari")] == []


def test_torchvision_is_imported_by_one_module_of_the_networks():
    found = {path for path in CORE.rglob("*.py") for name in imports(path) if is_in(name, "torchvision")}
    assert [path.parent for path in found] == [CORE / "networks"]


def test_modules_that_the_window_starts_with_load_nothing_heavy():
    names = ["session", "painting.engine", "relevance", "images", "masks.npz"]
    heavy = ["torch", "torchvision", "captum", "matplotlib", "qtpy", "PySide6", "napari"]
    code = (
        "import importlib, sys\n"
        f"for name in {names}: importlib.import_module('allxai_desktop.' + name)\n"
        f"print(sorted(set({heavy}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_qt_calls_do_not_lose_references_to_none(qapp):
    """PySide6 6.12.0 loses one with each call that returns nothing, and the process aborts in the end."""
    from PySide6.QtWidgets import QWidget

    widget = QWidget()
    before = sys.getrefcount(None)
    for _ in range(1000):
        widget.update()
    assert abs(sys.getrefcount(None) - before) < 100


def text_files() -> Iterator[tuple[Path, str]]:
    """Yield the text files of the repository, without asking git: an unpacked archive has none."""
    folders = [".ci", "allxai_desktop", "installer", "plugins", "resources", "tests"]
    # In a second working tree of git, `.git` is a file that says where the first is.
    own = (path for path in CHECKOUT.iterdir() if path.name != ".git")
    files = itertools.chain(own, *((CHECKOUT / folder).rglob("*") for folder in folders))
    for path in files:
        if path.is_file() and "__pycache__" not in path.parts and b"\0" not in (content := path.read_bytes()):
            yield path, content.decode("utf-8", "replace")


def test_nothing_uses_pyqt():
    # Spelt in two parts, so that this file does not find itself.
    name = "PyQ" + "t[4-6]"
    assert [path for path, text in text_files() if re.search(name, text)] == []
    pins = (CHECKOUT / "installer" / "constraints.txt").read_text().lower()
    assert "pyqt" not in pins.replace("pyqtgraph", "")


def test_no_file_holds_a_path_or_a_registry_of_one_machine():
    # Not `home`: a made-up one is a good example in a test.
    machine = re.compile("/(" + "|".join(["work", "root", "opt"]) + r")/\w")
    registry = re.compile(r"https?://\S*/(?:sim" + r"ple|pypi|whl)\b")
    found = [
        (path, match[0])
        for path, text in text_files()
        for pattern in (machine, registry)
        for match in pattern.finditer(text)
    ]
    assert found == []


def test_constraints_pin_every_package_on_every_system():
    lines = (CHECKOUT / "installer" / "constraints.txt").read_text().split()
    pins = dict(line.split("==") for line in lines)
    pinned = {canonicalize_name(name) for name in pins}
    systems = [("linux", "posix", "Linux"), ("win32", "nt", "Windows"), ("darwin", "posix", "Darwin")]
    machines = [
        {
            "sys_platform": system[0],
            "os_name": system[1],
            "platform_system": system[2],
            "python_version": python,
            "python_full_version": f"{python}.0",
            "platform_machine": machine,
        }
        for system, python, machine in itertools.product(systems, ["3.11", "3.14"], ["x86_64", "arm64"])
    ]
    needed: dict[str, set[str]] = {}
    todo = [("allxai-desktop", frozenset({"test"}))]
    done = set()
    while todo:
        name, extras = todo.pop()
        if (name, extras) in done:
            continue
        done.add((name, extras))
        try:
            requirements = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # of another system; what it needs cannot be known here
        for text in requirements:
            need = Requirement(text)
            # torch's CUDA build pins what it needs itself, exactly.
            cuda = re.match("cuda-|nvidia-|triton", need.name)
            applies = need.marker is None or any(
                need.marker.evaluate({**machine, "extra": extra})
                for machine in machines
                for extra in {"", *extras}
            )
            if applies and not cuda:
                needed.setdefault(canonicalize_name(need.name), set()).add(name)
                todo.append((need.name, frozenset(need.extras)))
    assert {name: by for name, by in needed.items() if name not in pinned} == {}


@pytest.mark.parametrize("name", ["torch", "torchvision", "napari", "PySide6_Essentials"])
def test_constraints_agree_with_the_project_on_exact_versions(name):
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    pin = fnmatch.filter((CHECKOUT / "installer" / "constraints.txt").read_text().split(), f"{name}==*")
    assert pin == fnmatch.filter(project["dependencies"], f"{name}==*")
