import numpy as np
import pytest
from PIL import Image

from allxai_desktop import cli
from allxai_desktop.training.run_types import EpochRecord
from allxai_desktop.training.train_cli import Terminal
from allxai_desktop.training.words import duration

pytestmark = pytest.mark.slow


@pytest.fixture
def cells(tmp_path):
    random = np.random.default_rng(0)
    for number, name in enumerate(("all", "hem")):
        (tmp_path / "cells" / name).mkdir(parents=True)
        for place in range(10):
            pixels = random.integers(0, 100, (32, 32, 3), np.uint8) + np.uint8(120 * number)
            Image.fromarray(pixels).save(tmp_path / "cells" / name / f"S{place % 5}_{place}.png")
    return tmp_path / "cells"


def call(*arguments):
    try:
        return cli.main(["train", *map(str, arguments)])
    except SystemExit as end:
        return end.code


def test_a_network_is_trained_offered_and_shown(capsys, cells, tmp_path, user_networks):
    out = tmp_path / "blood"
    assert call("--preset", "two-conv-32", "--data", cells, "--out", out, "--epochs", 2) == 0
    printed = capsys.readouterr().out
    assert "Note: Positive class: all; --positive chooses the other." in printed
    table = [line.split() for line in printed.splitlines() if line.strip()[:2] in ("ep", "1/", "2/")]
    assert [line[0] for line in table] == ["epoch", "1/2", "2/2"]
    assert "Positive class: all\nAccuracy: " in printed
    assert "Which person each image is from is not known" in printed
    assert "The program offers it as “blood”" in printed
    assert cli.main(["networks", "show", "blood"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "cells · Two convolutions"
    assert "  recipe: not run to its end: 2 of 45 epochs" in shown
    assert "Measured: test" in shown
    assert "  positive class: all" in shown


def test_a_run_goes_on_with_resume_only(capsys, cells, tmp_path):
    arguments = (
        "--preset",
        "two-conv-32",
        "--data",
        cells,
        "--out",
        tmp_path / "run",
        "--epochs",
        1,
        "--no-add",
    )
    assert call(*arguments) == 0
    assert call(*arguments) == 2
    assert "holds a run already: resume it" in capsys.readouterr().err
    (tmp_path / "run" / "card.json").unlink()
    assert call(*arguments, "--resume") == 0
    assert "1/1" in capsys.readouterr().out


def test_a_finished_run_is_told_and_its_network_added_once(capsys, cells, tmp_path, user_networks):
    out = tmp_path / "blood"
    arguments = ("--preset", "two-conv-32", "--data", cells, "--out", out, "--epochs", 1)
    assert call(*arguments) == 0
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    capsys.readouterr()
    assert call(*arguments, "--resume") == 0
    first, *_rest, last = capsys.readouterr().out.splitlines()
    assert first == "This run is finished already."
    assert last.startswith("The program offers it as “blood”")
    assert [path.name for path in user_networks.iterdir()] == ["blood"]
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before


def test_each_subject_is_left_out_in_turn(capsys, cells, tmp_path):
    arguments = ("--groups", r"^(S\d)", "--each-subject", "--epochs", 1)
    assert call("--preset", "two-conv-32", "--data", cells, "--out", tmp_path / "run", *arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    subjects = [line.split()[0] for line in lines if line.startswith(" ") and line.strip()[0] == "S"]
    assert subjects == ["S0", "S1", "S2", "S3", "S4"]


def test_only_a_rate_is_looked_for(capsys, cells, tmp_path):
    assert call("--preset", "two-conv-32", "--data", cells, "--out", tmp_path / "run", "--find-rate") == 0
    assert "A learning rate that suits: " in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


def test_the_presets_are_listed(capsys):
    assert call("--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[0] == "modern"
    place = next(number for number, line in enumerate(lines) if line.startswith("thesis-1-vgg16"))
    assert lines[place + 2].strip() == "256×256, adamax 0.001, batch 6, 100 epochs, 3 classes"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Say what to train and on which images"),
        (("--preset", "vgg", "--data", "CELLS"), "There is no preset “vgg”"),
        (("--preset", "two-conv-32", "--data", "nowhere"), "could not be read"),
        (
            ("--preset", "thesis-1-vgg16", "--data", "CELLS"),
            "is for 3 classes, but the data have 2 (all, hem)",
        ),
        (("--preset", "modern", "--data", "CELLS", "--groups", "("), "is no regular expression"),
        (("--preset", "modern", "--data", "CELLS", "--epochs", "0"), "“0” is no whole number of at least 1"),
        (("--preset", "modern", "--data", "CELLS", "--rate", "-1"), "“-1” is no number such as 0.001"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(capsys, cells, tmp_path, arguments, message):
    given = [cells if text == "CELLS" else text for text in arguments]
    assert call(*given, *(["--out", tmp_path / "run"] if given else [])) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert len(printed.err.splitlines()) == 1


def test_ctrl_c_says_how_to_go_on(capsys, cells, tmp_path, monkeypatch):
    def interrupt(self, share):
        raise KeyboardInterrupt

    monkeypatch.setattr(Terminal, "step", interrupt)
    assert call("--preset", "two-conv-32", "--data", cells, "--out", tmp_path / "run") == cli.INTERRUPTED
    assert "the same command with --resume goes on" in capsys.readouterr().err


def test_an_epoch_is_a_line_with_the_time_that_is_left(capsys):
    terminal = Terminal()
    terminal.epoch(EpochRecord(3, 40, 0.51234, 0.9, None, None, 61.26, 2266.0))
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["epoch", "loss", "right", "val.", "loss", "val.", "right", "seconds", "left"]
    assert line.split() == ["3/40", "0.5123", "90.0", "%", "–", "–", "61.3", "38", "min"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(41.6, "42 s"), (150, "2 min"), (5940, "99 min"), (9000, "2.5 h"), (267_840, "3.1 days")],
)
def test_times_for_people(seconds, text):
    assert duration(seconds) == text
