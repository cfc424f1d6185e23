import errno
import json

import pytest

from allxai_desktop.files import WriteError
from allxai_desktop.networks import user
from allxai_desktop.networks.card import read_card
from allxai_desktop.networks.errors import NetworkError
from allxai_desktop.networks.user import check_name, complete_card, name_from, remove_network, save_network

GIVEN = {"input_size": [32, 32], "sha256": "0" * 64}


@pytest.mark.parametrize("name", ["a", "net-1", "vgg16.v2_final", "x" * 64])
def test_names(name):
    check_name(name)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", ".hidden", "Ä", "a ", "con.", "x" * 65, "-a"])
def test_names_that_could_leave_the_folder_are_refused(name):
    with pytest.raises(NetworkError, match="cannot be called"):
        check_name(name)


@pytest.mark.parametrize(
    ("text", "name"), [("My Net (2)", "my-net-2"), ("ñ", "network"), ("a" * 99, "a" * 64), ("A_b.c", "a-b-c")]
)
def test_a_name_is_made_of_any_text(text, name):
    assert name_from(text) == name
    check_name(name)


def test_a_card_says_that_nothing_more_is_known():
    card = complete_card("mine", "two-conv", ["ill", "well"], GIVEN)
    assert card["title"] == {"en": "mine", "es": "mine"}
    assert card["class_titles"] == {"en": ["ill", "well"], "es": ["ill", "well"]}
    assert card["domain"] == card["metrics"] == {}


def test_a_card_takes_what_is_given():
    given = GIVEN | {"title": {"en": "Mine", "es": "Mía"}, "mean": [0.5], "std": [0.5]}
    card = complete_card("mine", "two-conv", ["ill", "well"], given)
    assert (card["title"]["es"], card["mean"]) == ("Mía", [0.5])


@pytest.mark.parametrize(
    ("classes", "given", "key"),
    [
        (["one"], {}, "classes"),
        (["a", "a"], {}, "classes"),
        (["a", ""], {}, "classes"),
        (["a", "b"], {"input_size": [99999, 32]}, "input_size"),
        (["a", "b"], {"mean": [0.0, 0.0]}, "mean"),
        (["a", "b"], {"std": [0.0, 1.0, 1.0]}, "std"),
    ],
)
def test_a_card_at_fault_is_one_sentence(classes, given, key):
    with pytest.raises(NetworkError, match=f"“{key}” is missing or not right"):
        complete_card("mine", "two-conv", classes, GIVEN | given)


def test_a_network_is_saved_whole_and_removed(user_networks):
    card = complete_card("mine", "two-conv", ["ill", "well"], GIVEN)
    folder = save_network(card, "weights.safetensors", b"weights")
    assert folder == user_networks / "mine"
    assert read_card(folder / "card.json").classes == ("ill", "well")
    assert (folder / "weights.safetensors").read_bytes() == b"weights"
    remove_network("mine")
    assert list(user_networks.iterdir()) == []


def test_who_listens_hears_of_a_network_once_it_can_be_read(user_networks):
    heard = []
    listen = lambda name: heard.append((name, read_card(user_networks / name / "card.json").name))  # noqa: E731
    user.events.saved.connect(listen)
    save_network(complete_card("mine", "two-conv", ["ill", "well"], GIVEN), "weights.safetensors", b"weights")
    user.events.saved.disconnect(listen)
    assert heard == [("mine", "mine")]


def test_a_full_disk_leaves_nothing(user_networks, monkeypatch):
    def full(path, data):
        raise WriteError("full")

    monkeypatch.setattr(user, "write_whole", full)
    with pytest.raises(WriteError):
        save_network(complete_card("mine", "two-conv", ["a", "b"], GIVEN), "w", b"")
    assert list(user_networks.iterdir()) == []


def test_a_network_of_that_name_is_not_replaced(user_networks):
    card = complete_card("mine", "two-conv", ["a", "b"], GIVEN)
    save_network(card, "w", b"first")
    with pytest.raises(NetworkError, match="cannot be written"):
        save_network(card, "w", b"second")
    assert (user_networks / "mine" / "w").read_bytes() == b"first"


def test_a_damaged_network_can_be_removed(user_networks):
    (user_networks / "mine").mkdir(parents=True)
    (user_networks / "mine" / "card.json").write_text("{")
    remove_network("mine")
    assert not (user_networks / "mine").exists()


@pytest.mark.parametrize("name", ["none", "pbc-googlenet", ".."])
def test_only_what_was_added_is_removed(user_networks, name):
    with pytest.raises(NetworkError):
        remove_network(name)


def test_a_folder_that_cannot_be_deleted(user_networks, monkeypatch):
    def busy(folder, **options):
        raise OSError(errno.EBUSY, "busy")

    (user_networks / "mine").mkdir(parents=True)
    monkeypatch.setattr(user.shutil, "rmtree", busy)
    with pytest.raises(NetworkError, match=r"cannot be deleted \(busy\)"):
        remove_network("mine")


def test_the_file_is_json_for_people(user_networks):
    card = complete_card("mine", "two-conv", ["ñandú", "well"], GIVEN)
    text = (save_network(card, "w", b"") / "card.json").read_text(encoding="utf-8")
    assert "ñandú" in text
    assert json.loads(text) == card
