import json

import pytest

from allxai_desktop.training.evaluation import Mistake
from allxai_desktop.training.gallery import GalleryError, read_mistakes

ROW = {"file": "hem/1.png", "true": "hem", "predicted": "all", "probability": 0.75}


def saved(tmp_path, rows):
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps({"misclassified": rows}))
    return path


def test_the_images_come_in_the_order_of_the_file(tmp_path):
    path = saved(tmp_path, [ROW, ROW | {"file": "all/2.png", "probability": 1}])
    assert read_mistakes(path) == [
        Mistake("hem/1.png", "hem", "all", 0.75),
        Mistake("all/2.png", "hem", "all", 1.0),
    ]


@pytest.mark.parametrize("file", ["../secret.png", "/etc/x.png", "a/../../x.png", "..\\x.png", "C:\\x.png"])
def test_a_file_outside_the_data_folder_is_refused(file, tmp_path):
    with pytest.raises(GalleryError, match=r"\(file\)"):
        read_mistakes(saved(tmp_path, [ROW | {"file": file}]))


@pytest.mark.parametrize("probability", [float("nan"), -0.1, 1.1, "1", True, None])
def test_a_probability_that_is_none_is_refused(probability, tmp_path):
    with pytest.raises(GalleryError, match="probability"):
        read_mistakes(saved(tmp_path, [ROW | {"probability": probability}]))


@pytest.mark.parametrize("rows", [None, {}, [1], [{}], [ROW | {"true": ""}]])
def test_a_file_without_a_list_is_refused(rows, tmp_path):
    with pytest.raises(GalleryError, match=r"evaluation\.json lists no"):
        read_mistakes(saved(tmp_path, rows))


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000])
def test_other_files_are_refused(text, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(GalleryError, match=r"other\.json"):
        read_mistakes(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GalleryError, match=r"gone\.json cannot be read"):
        read_mistakes(tmp_path / "gone.json")
