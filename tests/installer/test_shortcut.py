"""The entry in the menu of programs, of each system."""

import platform
import plistlib
import subprocess
import sys
from types import SimpleNamespace

import pytest
from steps import commands, shortcut
from steps.environment import Environment
from steps.messages import SetupError


@pytest.fixture
def environment(tmp_path):
    """An environment whose Python tells what it is called with, in a folder with all that needs quoting."""
    found = Environment(tmp_path / 'Lab "50 %" $HOME `x` \\ ñ')
    found.scripts.mkdir(parents=True)
    found.python.write_text('#!/bin/sh\nprintf "%s|" "$@"\n', encoding="utf-8")
    found.python.chmod(0o755)
    icons = found.checkout / "resources" / "icons"
    icons.mkdir(parents=True)
    (icons / "allxai.icns").write_bytes(b"icon")
    (found.checkout / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n', encoding="utf-8")
    return found


@pytest.fixture
def linux(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "applications" / "allxai-desktop.desktop"


@pytest.fixture
def powershell(monkeypatch, tmp_path):
    """Windows, whose PowerShell is not run: the `done` of each call, and the calls."""
    found = SimpleNamespace(done=SimpleNamespace(returncode=0, stdout="", stderr=""), calls=[])

    def run(command, **options):
        found.calls.append((command, options["env"]))
        return found.done

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("APPDATA", str(tmp_path / "roaming"))
    monkeypatch.setattr(subprocess, "run", run)
    return found


def test_entry_of_linux_names_the_program_as_the_specification_quotes_it(linux, environment):
    assert shortcut.put_into_menu(environment) == linux
    entry = dict(line.split("=", 1) for line in linux.read_text(encoding="utf-8").splitlines()[1:])
    # Twice: what an entry says, and in it what a command line says.
    folder = str(environment.checkout)
    quoted = folder.replace("\\", "\\" * 4).replace('"', '\\\\"').replace("$", "\\\\$").replace("`", "\\\\`")
    python = quoted.replace("%", "%%") + "/.venv/bin/python"
    assert entry["Exec"] == f'"{python}" "-P" "-m" "allxai_desktop" %f'
    assert entry["Icon"] == folder.replace("\\", "\\\\") + "/resources/icons/allxai.svg"
    assert (entry["Name"], entry["Type"], entry["Terminal"]) == ("AllXAI Desktop", "Application", "false")


def test_folder_of_two_lines_adds_none_to_the_entry(linux, tmp_path):
    shortcut.put_into_menu(Environment(tmp_path / "a\nExec=other"))
    lines = linux.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("Exec=other")] == []
    assert f"Icon={tmp_path}/a\\nExec=other/resources/icons/allxai.svg" in lines


def test_entry_takes_the_place_of_the_one_before(linux, environment):
    linux.parent.mkdir(parents=True)
    linux.write_text("old")
    shortcut.put_into_menu(environment)
    assert linux.read_text(encoding="utf-8").startswith("[Desktop Entry]\n")


def test_link_of_windows_opens_no_console(powershell, environment, tmp_path):
    path = shortcut.put_into_menu(environment)
    assert path == tmp_path / "roaming/Microsoft/Windows/Start Menu/Programs/AllXAI Desktop.lnk"
    [(command, environ)] = powershell.calls
    assert command[0] == "powershell"
    assert environ["ALLXAI_LINK"] == str(path)
    assert environ["ALLXAI_PROGRAM"] == str(environment.scripts / "pythonw.exe")
    assert environ["ALLXAI_ARGUMENTS"] == "-P -m allxai_desktop"
    assert environ["ALLXAI_ICON"] == str(environment.checkout / "resources" / "icons" / "allxai.ico")


def test_link_that_windows_refuses_is_told(powershell, environment):
    powershell.done = SimpleNamespace(returncode=1, stdout="", stderr="Access is denied.\nAt line:6 char:1")
    with pytest.raises(SetupError, match=r"\(Access is denied\.\): open the window"):
        shortcut.put_into_menu(environment)


@pytest.mark.skipif(sys.platform == "win32", reason="the application is a shell script")
def test_application_of_macos_starts_the_environment(monkeypatch, environment, tmp_path):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("HOME", str(tmp_path))
    contents = shortcut.put_into_menu(environment) / "Contents"
    assert contents.parent == tmp_path / "Applications" / "AllXAI Desktop.app"
    facts = plistlib.loads((contents / "Info.plist").read_bytes())
    assert facts["CFBundleShortVersionString"] == "1.2.3"
    assert facts["LSArchitecturePriority"] == [platform.machine()]
    assert (contents / "Resources" / facts["CFBundleIconFile"]).read_bytes() == b"icon"
    program = contents / "MacOS" / facts["CFBundleExecutable"]
    assert subprocess.check_output([program, "a b.png"], text=True) == "-P|-m|allxai_desktop|a b.png|"


def test_menu_that_cannot_be_written_is_told(linux, environment):
    linux.parent.parent.mkdir()
    linux.parent.write_text("in the way")
    with pytest.raises(SetupError, match="cannot be written"):
        shortcut.put_into_menu(environment)


def test_command_says_where_the_entry_is(linux, environment, monkeypatch, capsys):
    monkeypatch.setattr(commands, "Environment", lambda _checkout: environment)
    monkeypatch.setattr(environment, "parts", lambda: {"packages", "window"})
    assert commands.main(["shortcut"], "usage") == 0
    assert str(linux) in capsys.readouterr().out


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_icon_is_there(platform):
    suffix = {"linux": "svg", "win32": "ico", "darwin": "icns"}[platform]
    assert shortcut._icon(Environment(commands.CHECKOUT), suffix).stat().st_size > 0
