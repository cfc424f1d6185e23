import errno
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from command_line import fails

from allxai_desktop import cli


def test_a_fault_of_the_program_shows_no_traceback(capsys, monkeypatch):
    def explainers(_options):
        return 1 / 0

    summary, add_arguments, _command = cli._COMMANDS["explainers"]
    monkeypatch.setitem(cli._COMMANDS, "explainers", (summary, add_arguments, explainers))
    assert "ZeroDivisionError: division by zero" in fails(capsys, "explainers")


def test_a_command_that_ctrl_c_ends_shows_no_traceback(capsys, monkeypatch):
    def explainers(_options):
        raise KeyboardInterrupt

    summary, add_arguments, _command = cli._COMMANDS["explainers"]
    monkeypatch.setitem(cli._COMMANDS, "explainers", (summary, add_arguments, explainers))
    assert cli.main(["explainers"]) == cli.INTERRUPTED
    assert capsys.readouterr().err == "Stopped.\n"


@pytest.mark.parametrize(
    "arguments", [["explainers"], ["--help"], ["masks", "export", "--help"], ["--version"]]
)
def test_whoever_reads_only_the_beginning_is_told_nothing(arguments):
    code = f"import sys; from allxai_desktop.cli import main; sys.stdin.read(); sys.exit(main({arguments}))"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""


def refuse(*_given):
    raise OSError(errno.EINVAL, "Invalid argument")


@pytest.fixture
def refused_on_windows(monkeypatch):
    """Let the command "explainers" fail as Windows says that nobody reads the output, among other things."""
    summary, add_arguments, _command = cli._COMMANDS["explainers"]
    monkeypatch.setitem(cli._COMMANDS, "explainers", (summary, add_arguments, refuse))
    monkeypatch.setattr(cli, "_WINDOWS", True)


@pytest.mark.usefixtures("refused_on_windows")
def test_whoever_reads_only_the_beginning_is_told_nothing_on_windows_either(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout", SimpleNamespace(fileno=lambda: 1, write=refuse))
    led = []
    monkeypatch.setattr(os, "dup2", lambda source, target: led.append((os.fstat(source), target)))
    assert cli.main(["explainers"]) == 2
    assert led == [(os.stat(os.devnull), 1)]
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("refused_on_windows")
def test_what_windows_refuses_else_in_the_same_words_is_told(capsys):
    assert cli.main(["explainers"]) == 2
    assert "did not foresee (OSError: [Errno 22] Invalid argument)" in capsys.readouterr().err


def test_what_is_wrong_with_a_command_is_said_in_one_language(capsys, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "es")
    assert fails(capsys, "masks", "export", "a", "--format", "npz") == (
        "faltan estos argumentos: --out: véase «allxai masks export --help».\n"
    )


def test_a_command_is_done_also_where_nothing_is_written_to(monkeypatch):
    # As where a scheduler starts it without a console.
    monkeypatch.setattr("sys.stdout", None)
    assert cli.main(["explainers"]) == 0


def test_lists(capsys):
    assert cli.main(["explainers"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names[:4] == ["gradient", "abs-gradient", "gradient-x-input", "grad-cam"]


def test_a_path_opens_the_window(monkeypatch, tmp_path):
    opened = []
    monkeypatch.setitem(sys.modules, "allxai_desktop.app.main", type(sys)("main"))
    sys.modules["allxai_desktop.app.main"].run = lambda path: opened.append(path) or 0
    assert cli.main([str(tmp_path)]) == 0
    assert cli.main([]) == 0
    assert opened == [str(tmp_path), None]


def test_a_path_that_is_not_there_opens_nothing(capsys, tmp_path):
    assert "was not found" in fails(capsys, tmp_path / "gone")


def test_no_command_imports_more_than_it_needs():
    code = """
import sys
from allxai_desktop import cli
cli.main(["explainers"])
cli.main(["networks"])
loaded = {"torch", "torchvision", "captum", "qtpy", "PySide6", "napari", "matplotlib", "tifffile"} & set(sys.modules)
sys.exit(", ".join(loaded) or 0)
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
