import copy
import json

import pytest

from allxai_desktop import i18n
from allxai_desktop.networks.card import MAX_CARD_BYTES, parse_card, read_card
from allxai_desktop.networks.errors import NetworkError

CARD = {
    "name": "tiny",
    "title": {"en": "Tiny", "es": "Diminuta"},
    "architecture": "mobilenet-v1",
    "classes": ["ill", "well"],
    "class_titles": {"en": ["Ill", "Well"], "es": ["Enferma", "Sana"]},
    "input_size": [64, 96],
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.25, 1],
    "cam_layer": "features.26",
    "sha256": "0" * 64,
    "licence": "BSD-3-Clause",
    "domain": {"description": {"en": "a smear", "es": "un frotis"}, "limits": {}},
    "data": {},
    "split": {},
    "training": {},
    "metrics": {},
    "departures_from_paper": [],
}


def test_a_card_is_read(tmp_path):
    path = tmp_path / "card.json"
    path.write_text(json.dumps(CARD), encoding="utf-8")
    card = read_card(path)
    assert (card.name, card.classes, card.input_size) == ("tiny", ("ill", "well"), (64, 96))
    assert card.std == (0.5, 0.25, 1.0)


def test_titles_follow_the_language(monkeypatch):
    card = parse_card(copy.deepcopy(CARD))
    assert (card.title, card.class_title("well"), card.domain_description) == ("Tiny", "Well", "a smear")
    monkeypatch.setattr(i18n, "_language", "es")
    assert (card.title, card.class_title("well"), card.domain_description) == (
        "Diminuta",
        "Sana",
        "un frotis",
    )


@pytest.mark.parametrize("key", [key for key in CARD if key != "domain"])
def test_a_missing_key_is_named(key):
    raw = {name: value for name, value in CARD.items() if name != key}
    with pytest.raises(ValueError, match=key):
        parse_card(raw)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("classes", ["one"]),
        ("classes", ["same", "same"]),
        ("class_titles", {"en": ["Ill"], "es": ["Enferma", "Sana"]}),
        ("input_size", [64, 0]),
        ("input_size", [64]),
        ("input_size", [64, True]),
        ("input_size", [64, 8192]),
        ("std", [0.5, 0, 0.5]),
        ("std", [0.5]),
        ("mean", [0.5, 0.5]),
        ("cam_layer", ""),
        ("description", "a smear"),
        ("mean", [0.5, float("nan"), 0.5]),
        ("sha256", "abc"),
        ("name", ""),
    ],
)
def test_a_value_out_of_range_is_refused(key, value):
    changed = {"domain": {key: value}} if key == "description" else {key: value}
    with pytest.raises(ValueError, match=key):
        parse_card(CARD | changed)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("near_black_share", [0.0]),
        ("mean", [0.0] * 7),
        ("precision", [[0.0] * 8] * 7),
        ("precision", [[0.0] * 7] * 8),
        ("max_distance", "far"),
    ],
)
def test_limits_of_the_domain_that_could_not_be_used_are_refused(key, value):
    limits = {
        "near_black_share": [0, 1],
        "mean": [0] * 8,
        "precision": [[0] * 8] * 8,
        "max_distance": 1,
    }
    parse_card(CARD | {"domain": CARD["domain"] | {"limits": limits}})
    with pytest.raises(ValueError, match=key):
        parse_card(CARD | {"domain": CARD["domain"] | {"limits": limits | {key: value}}})


def test_a_card_may_know_neither_the_domain_nor_the_last_feature_map():
    card = parse_card(CARD | {"domain": {}, "cam_layer": None})
    assert card.cam_layer is None
    assert "not known" in card.domain_description


def test_a_grey_network_has_one_mean():
    assert parse_card(CARD | {"mean": [0.5], "std": [0.25]}).mean == (0.5,)


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000, " " * (MAX_CARD_BYTES + 1)])
def test_a_damaged_card_is_one_sentence(tmp_path, content):
    path = tmp_path / "card.json"
    path.write_text(content)
    with pytest.raises(NetworkError, match="damaged"):
        read_card(path)


def test_a_missing_card_is_one_sentence(tmp_path):
    with pytest.raises(NetworkError, match="cannot be read"):
        read_card(tmp_path / "card.json")


def test_an_unknown_preprocessing_is_refused():
    assert parse_card(CARD | {"preprocessing": "sharpened"}).preprocessing == "sharpened"
    with pytest.raises(ValueError, match="preprocessing"):
        parse_card(CARD | {"preprocessing": "blurred"})
