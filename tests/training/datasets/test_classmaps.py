from collections import Counter

import pytest

from allxai_desktop.training.datasets.classmaps import class_map_names, read_class_map
from allxai_desktop.training.datasets.data import Item, TrainingError
from allxai_desktop.training.recipes import PBC

# Images a class of the Munich data set (Matek et al. 2019).
MUNICH = {
    "NGS": 8484, "NGB": 109, "LYT": 3937, "LYA": 11, "MON": 1789, "EOS": 424, "BAS": 79, "MYO": 3268,
    "PMO": 70, "PMB": 18, "MYB": 42, "MMZ": 15, "MOB": 26, "EBO": 78, "KSC": 15,
}  # fmt: skip


def test_fifteen_cell_types_become_two():
    found = read_class_map("aml-typical")
    assert set(found.target) == set(MUNICH)
    assert (found.classes, found.positive) == (("typical", "atypical"), "atypical")
    sizes = Counter[str]()
    for name, number in MUNICH.items():
        sizes[found.target[name]] += number
    assert sizes == {"typical": 14822, "atypical": 3543}


def test_eight_cell_types_become_two():
    found = read_class_map("pbc-typical")
    assert set(found.target) == set(PBC.classes)
    assert {name for name, target in found.target.items() if target == "atypical"} == {"erythroblast", "ig"}


def test_every_map_of_the_program_can_be_read():
    assert class_map_names() == ["aml-typical", "pbc-typical", "wbc-nuclei"]
    for name in class_map_names():
        assert read_class_map(name).title


def test_items_get_their_new_class_and_keep_the_rest():
    found = read_class_map("pbc-typical")
    assert found.apply([Item("x/1.png", "ig", "s", "m.png")]) == [Item("x/1.png", "atypical", "s", "m.png")]


def test_a_class_that_is_not_in_the_map_is_named():
    with pytest.raises(TrainingError, match="what blast becomes"):
        read_class_map("pbc-typical").apply([Item("1.png", "ig"), Item("2.png", "blast")])


def test_a_map_of_the_user_is_read(tmp_path):
    (tmp_path / "m.toml").write_text('[classes]\nx = ["a", "b"]\ny = ["c"]\n')
    found = read_class_map(tmp_path / "m.toml")
    assert (dict(found.target), found.positive) == ({"a": "x", "b": "x", "c": "y"}, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "classes"),
        ("[classes", "m.toml is no class map"),
        ('classes = ["a"]', "no class map"),
        ('[classes]\nx = "a"', "“x” must be a list"),
        ('[classes]\nx = ["a"]\ny = ["a"]', "“a” is in two classes"),
        ('positive = "z"\n[classes]\nx = ["a"]', "positive class is none"),
    ],
)
def test_a_wrong_map_is_refused(tmp_path, text, said):
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    with pytest.raises(TrainingError, match=said):
        read_class_map(tmp_path / "m.toml")


def test_a_missing_map_names_those_that_there_are():
    with pytest.raises(TrainingError, match="aml-typical, pbc-typical"):
        read_class_map("none")
