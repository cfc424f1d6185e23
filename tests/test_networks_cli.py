import pytest
import torch

from allxai_desktop import cli
from allxai_desktop.networks.architectures import build
from allxai_desktop.networks.registry import find_networks, load_network, network_card


@pytest.fixture
def weights(tmp_path, user_networks):
    torch.manual_seed(0)
    torch.save(build("two-conv", 2).state_dict(), tmp_path / "blood.pt")
    return tmp_path / "blood.pt"


def call(*arguments):
    try:
        return cli.main([*map(str, arguments)])
    except SystemExit as end:
        return end.code


def test_a_network_is_added_listed_and_removed(capsys, weights):
    options = ["--arch", "two-conv", "--classes", "ill, well", "--mean", "1/2", "--std", "1/4,0.25,0.25"]
    assert call("network", "add", weights, *options) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[:2] == [
        "Added “blood”: blood · Two convolutions.",
        "Input 32×32, mean 0.5, 0.5, 0.5, std 0.25, 0.25, 0.25; classes ill, well.",
    ]
    assert out[2].startswith("Note: 6 and 16 filters")
    assert call("networks") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("pbc-mobilenet-v1   Blood cell types")
    assert [line.split() for line in lines[-3:]] == [
        ["blood", "blood", "·", "Two", "convolutions"],
        ["The", "images", "that", "it", "was", "trained", "on", "are", "not", "known."],
        ["ill,", "well"],
    ]
    assert call("network", "remove", "blood") == 0
    assert capsys.readouterr().out == "Removed “blood”.\n"
    assert call("networks") == 0
    assert not [line for line in capsys.readouterr().out.splitlines() if line.startswith("blood")]


@pytest.mark.parametrize(("text", "size"), [("64", (64, 64)), ("32x48", (32, 48)), ("48×32", (48, 32))])
def test_sizes(capsys, tmp_path, user_networks, text, size):
    torch.manual_seed(0)
    torch.save(build("two-conv", 2, size).state_dict(), tmp_path / "w.pt")
    assert (
        call("network", "add", tmp_path / "w.pt", "--arch", "two-conv", "--classes", "a,b", "--size", text)
        == 0
    )
    assert network_card("w").input_size == size


def test_a_name_and_a_title(capsys, weights):
    assert (
        call(
            "network",
            "add",
            weights,
            "--arch",
            "two-conv",
            "--classes",
            "a,b",
            "--name",
            "n-1",
            "--title",
            "T",
        )
        == 0
    )
    assert load_network("n-1").card.title == "T"


def test_a_damaged_network_is_told_beside_the_others(capsys, user_networks):
    (user_networks / "torn").mkdir(parents=True)
    (user_networks / "torn" / "card.json").write_text("{")
    assert call("networks") == cli.LEFT_OUT
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3 * len(find_networks().cards)
    assert len(err.splitlines()) == 1
    assert "torn" in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "add|remove"),
        (["frobnicate"], "--help"),
        (["add"], "--help"),
        (["add", "WEIGHTS", "--arch", "two-conv"], "--classes"),
        (["add", "WEIGHTS", "--classes", "a,b"], "Say which architecture"),
        (["add", "WEIGHTS", "--arch", "two-conv", "--classes", "a,b,c"], "not 3×84"),
        (
            ["add", "WEIGHTS", "--arch", "two-conv", "--classes", "a,b", "--size", "big"],
            "--size is given as 224x224",
        ),
        (["add", "WEIGHTS", "--arch", "two-conv", "--classes", "a,b", "--mean", "x"], "--mean takes numbers"),
        (["add", "WEIGHTS", "--arch", "two-conv", "--classes", "a,b", "--std", "1/0"], "--std takes numbers"),
        (["add", "WEIGHTS", "--arch", "two-conv", "--classes", "a,b", "--std", "nan"], "--std takes numbers"),
        (["remove", "pbc-googlenet"], "no network “pbc-googlenet” that was added"),
        (["remove", ".."], "cannot be called"),
    ],
)
def test_wrong_choices_are_one_sentence(capsys, weights, user_networks, arguments, reason):
    assert call("network", *(weights if text == "WEIGHTS" else text for text in arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert reason in err
    assert not user_networks.exists()
