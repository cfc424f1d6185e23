import json

import pytest

from allxai_desktop.training.measuring.evaluation import Mistake
from allxai_desktop.training.measuring.intervals import Estimate
from allxai_desktop.training.measuring.read_report import ReportError, read_report

ROW = {"file": "hem/1.png", "true": "hem", "predicted": "all", "probability": 0.75}
FOUND = {
    "network": "net",
    "evaluated": "test",
    "images": 4,
    "groups": None,
    "classes": ["all", "hem"],
    "positive_class": "all",
    "estimates": {
        "overall": {"accuracy": {"value": 0.75, "low": 0.25, "high": 1.0}},
        "by_class": {
            "all": {"recall": {"value": 1, "reason": "few-groups"}},
            "hem": {"recall": {"value": None, "reason": "undefined"}},
        },
    },
    "confusion": {"unit": "images", "counts": [[2, 0], [1, 1]]},
    "misclassified": [ROW],
}


def saved(tmp_path, **changes):
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(FOUND | changes))
    return path


def test_figures_counts_and_the_positive_class_are_read(tmp_path):
    report = read_report(saved(tmp_path))
    assert (report.network, report.part, report.images, report.groups) == ("net", "test", 4, None)
    assert (report.classes, report.positive, report.leaking) == (("all", "hem"), "all", False)
    assert report.overall == {"accuracy": Estimate(0.75, 0.25, 1.0)}
    assert report.of_class["all"] == {"recall": Estimate(1, reason="few-groups")}
    assert report.of_class["hem"] == {"recall": Estimate(None, reason="undefined")}
    assert report.counts.tolist() == [[2, 0], [1, 1]]


def test_a_figure_without_a_name_is_left_out(tmp_path):
    estimates = FOUND["estimates"] | {"overall": {"later": {"value": 1.0}}}
    assert read_report(saved(tmp_path, estimates=estimates)).overall == {}


def test_segmentation_has_no_misclassified_images(tmp_path):
    path = saved(tmp_path, confusion={"unit": "pixels", "counts": [[2, 0], [1, 1]]})
    found = json.loads(path.read_text())
    del found["misclassified"]
    path.write_text(json.dumps(found))
    assert (read_report(path).unit, read_report(path).mistakes) == ("pixels", [])


def test_the_images_come_in_the_order_of_the_file(tmp_path):
    path = saved(tmp_path, misclassified=[ROW, ROW | {"file": "all/2.png", "probability": 1}])
    assert read_report(path).mistakes == [
        Mistake("hem/1.png", "hem", "all", 0.75),
        Mistake("all/2.png", "hem", "all", 1.0),
    ]


@pytest.mark.parametrize("file", ["../secret.png", "/etc/x.png", "a/../../x.png", "..\\x.png", "C:\\x.png"])
def test_a_file_outside_the_data_folder_is_refused(file, tmp_path):
    with pytest.raises(ReportError, match=r"\(file\)"):
        read_report(saved(tmp_path, misclassified=[ROW | {"file": file}]))


@pytest.mark.parametrize("probability", [float("nan"), -0.1, 1.1, "1", True, None])
def test_a_probability_that_is_none_is_refused(probability, tmp_path):
    with pytest.raises(ReportError, match="probability"):
        read_report(saved(tmp_path, misclassified=[ROW | {"probability": probability}]))


@pytest.mark.parametrize("rows", [None, {}, [1], [{}], [ROW | {"true": ""}]])
def test_a_file_without_a_list_is_refused(rows, tmp_path):
    with pytest.raises(ReportError, match=r"evaluation\.json is no evaluation \(misclassified\)"):
        read_report(saved(tmp_path, misclassified=rows))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("classes", []),
        ("classes", ["all", 1]),
        ("positive_class", "nobody"),
        ("estimates", {"overall": {}, "by_class": {"all": {}}}),
        ("estimates", {"overall": {"accuracy": {"value": "1"}}, "by_class": {"all": {}, "hem": {}}}),
        ("confusion", {"unit": "images", "counts": [[1, 2]]}),
        ("confusion", {"unit": "images", "counts": [[1, -2], [0, 0]]}),
        ("confusion", {"unit": "cells", "counts": [[1, 2], [0, 0]]}),
        ("images", "four"),
        ("class_titles", ["All"]),
        ("class_titles", {"en": ["All"]}),
        ("class_titles", {"en": {"all": 1}}),
    ],
)
def test_what_is_no_evaluation_is_refused(key, value, tmp_path):
    with pytest.raises(ReportError, match=r"evaluation\.json is no evaluation"):
        read_report(saved(tmp_path, **{key: value}))


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000])
def test_other_files_are_refused(text, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ReportError, match=r"other\.json"):
        read_report(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ReportError, match=r"gone\.json cannot be read"):
        read_report(tmp_path / "gone.json")
