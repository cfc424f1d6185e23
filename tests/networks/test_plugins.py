"""Networks of other packages: a made-up distribution on the path."""

import sys

import numpy as np
import pytest

from allxai_desktop.networks import registry
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.plugins import find_plugins

CODE = """
import sys

CARD = {"classes": ["dark", "bright"], "input_size": [4, 4], "title": "Theirs"}

def network():
    return CARD, load

def load():
    import torch
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 4), torch.nn.Flatten())
    torch.nn.init.constant_(module[0].weight, 0.1)
    return module

def raises():
    raise RuntimeError("on\\npurpose")

def leaves():
    sys.exit(3)

def no_card():
    return {}, load

def not_a_pair():
    return None

def broken():
    return CARD, lambda: 1 / 0

def no_module():
    return CARD, lambda: 3

def three_scores():
    import torch
    return CARD, lambda: torch.nn.Sequential(torch.nn.Conv2d(3, 3, 4), torch.nn.Flatten())

def grey():
    import torch
    return CARD, lambda: torch.nn.Conv2d(1, 2, 4)

def infinite():
    import torch
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 4), torch.nn.Flatten())
    torch.nn.init.constant_(module[0].bias, torch.inf)
    return CARD, lambda: module

def probabilities():
    import torch
    return CARD, lambda: torch.nn.Sequential(load(), torch.nn.Softmax(1))
"""


@pytest.fixture
def install(tmp_path, monkeypatch, user_networks):
    """Return what installs a distribution with the entry points given."""

    def installed(**points):
        (tmp_path / "their_networks.py").write_text(CODE)
        info = tmp_path / "their_networks-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-networks\nVersion: 1.0\n")
        lines = [f"{name} = their_networks:{function}" for name, function in points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[allxai_desktop.networks]", *lines]))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "their_networks", raising=False)

    return installed


def test_a_network_of_another_package_is_listed_last_and_predicts(install):
    install(theirs="network")
    card = registry.list_networks()[-1]
    assert (card.name, card.title, card.classes) == ("theirs", "Theirs", ("dark", "bright"))
    network = registry.load_network("theirs")
    assert network.predict(np.zeros((9, 9, 3), np.uint8)).logits.shape == (2,)
    assert "not known" in network.domain_warning(np.zeros((9, 9, 3), np.uint8))


def test_its_card_keeps_its_identity(install):
    install(theirs="network")
    assert registry.network_card("theirs").sha256 == registry.network_card("theirs").sha256


def test_the_broken_ones_take_nothing_away(install):
    install(a="raises", b="leaves", c="no_card", d="not_a_pair", e="nowhere", UP="network", theirs="network")
    found = registry.find_networks()
    assert found.cards[-1].name == "theirs"
    shipped = [card.name for card in registry.shipped_networks()]
    assert [card.name for card in found.cards[: len(shipped)]] == shipped
    text = "\n".join(sorted(found.problems))
    assert len(text.splitlines()) == len(found.problems) == 6
    assert "“a” of another package cannot be used (RuntimeError: on purpose)" in text
    assert "“b” of another package cannot be used (SystemExit: 3)" in text
    assert "The network c cannot be described so: “classes”" in text
    assert "“e” of another package cannot be used (AttributeError" in text
    assert "cannot be called “UP”" in text


def test_a_name_that_is_taken_is_left_out(install):
    install(**{"pbc-googlenet": "network"})
    found = registry.find_networks()
    assert len(found.cards) == len(registry.shipped_networks())
    assert "two networks called “pbc-googlenet”" in found.problems[0]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("broken", "cannot be loaded .ZeroDivisionError: division by zero."),
        ("no_module", r"no torch\.nn\.Module"),
        ("three_scores", "3 outputs, not one for each of its 2 classes"),
        ("grey", "does not take an input of 3×4×4"),
        ("infinite", "not finite numbers"),
        ("probabilities", "probabilities, not scores: leave out the softmax"),
    ],
)
def test_a_module_that_cannot_be_used_is_one_sentence(install, function, reason):
    install(theirs=function)
    with pytest.raises(NetworkError, match=reason) as found:
        registry.load_network("theirs")
    assert len(str(found.value).splitlines()) == 1


def test_there_are_none_by_default():
    assert find_plugins() == ([], [])
