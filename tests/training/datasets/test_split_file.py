import json
from dataclasses import replace

import numpy as np
import pytest

from allxai_desktop.training.datasets.data import Item, TrainingError
from allxai_desktop.training.datasets.dataset import DataSet
from allxai_desktop.training.datasets.split_file import SavedSplit, read_split, save_split
from allxai_desktop.training.datasets.splits import Split

FILES = ["a/1.png", "a/2.png", "b/3.png", "b/4.png"]
SAVED = SavedSplit(Split([0, 3], [1], [2]), "by subject", 7, leaking=False)


@pytest.fixture
def data(tmp_path):
    items = [Item(file, file[0], "s") for file in FILES]
    return DataSet(
        tmp_path, items, ["11", "22", "33", "44"], np.zeros((4, 256), np.float32), np.zeros(4, bool), [], []
    )


@pytest.fixture
def path(tmp_path, data):
    save_split(tmp_path / "split.json", data, SAVED)
    return tmp_path / "split.json"


def test_a_split_comes_back(path, data):
    assert read_split(path, data) == SAVED


def test_it_holds_names_classes_hashes_and_seed(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["seed"] == 7
    assert content["parts"]["val"] == [{"file": "a/2.png", "class": "a", "sha256": "22", "subject": "s"}]


def test_another_order_of_the_same_images_is_the_same_data(path, data):
    backwards = replace(data, items=data.items[::-1], sha256=data.sha256[::-1])
    assert read_split(path, backwards).split == Split([0, 3], [2], [1])


@pytest.mark.parametrize(
    ("number", "item", "digest", "said"),
    [
        (0, Item("a/1.png", "a", "s"), "99", r"other pixels: a/1\.png\. Restore"),
        (1, Item("a/2.png", "b", "s"), "22", r"another class: a/2\.png\. "),
        (1, Item("a/2.png", "a", "t"), "22", r"another subject: a/2\.png\. "),
        (2, Item("b/9.png", "b", "s"), "33", r"new: b/9\.png; missing: b/3\.png\. "),
    ],
)
def test_what_changed_is_said(path, data, number, item, digest, said):
    data.items[number], data.sha256[number] = item, digest
    with pytest.raises(TrainingError, match=said):
        read_split(path, data)


def test_many_changes_are_counted(path, data):
    data.sha256[:] = ["9"] * 4
    with pytest.raises(TrainingError, match=r"other pixels: a/1\.png, a/2\.png, b/3\.png and 1 more"):
        read_split(path, data)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 2}', "{", "[" * 100_000])
def test_another_file_is_refused(tmp_path, data, content):
    (tmp_path / "split.json").write_text(content)
    with pytest.raises(TrainingError, match=r"split\.json holds no split"):
        read_split(tmp_path / "split.json", data)


def test_a_missing_file_is_refused(tmp_path, data):
    with pytest.raises(TrainingError, match="begin the run anew"):
        read_split(tmp_path / "gone.json", data)
